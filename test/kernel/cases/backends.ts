/** Where legacy and nft part, and when connection tracking and nat run at all. */
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { cases, from, local, table, type Case, type Place } from './define.js';

const toWeb = ({ client, self }: Place): ScenarioPacket => ({ proto: 'tcp', src: client, dst: self, sport: 40000, dport: 80 });
const through = ({ client, server }: Place): ScenarioPacket => ({ proto: 'udp', src: client, dst: server, sport: 40000, dport: 53 });
const track = '-A PREROUTING -m conntrack --ctstate NEW';

export const backendCases: readonly Case[] = [
  ...cases('tables of INPUT: security before nat in legacy, behind it in nft', place => ({
    rules: table('raw') + table('mangle') + table('nat', '-A POSTROUTING -o nowhere -j MASQUERADE') + table('filter') + table('security'),
    steps: [[from('eth0', toWeb(place)), {
      path: [
        'raw:PREROUTING:policy', 'mangle:PREROUTING:policy', 'nat:PREROUTING:policy', 'mangle:INPUT:policy', 'filter:INPUT:policy',
        ...place.isLegacy ? ['security:INPUT:policy', 'nat:INPUT:policy'] : ['nat:INPUT:policy', 'security:INPUT:policy'],
      ],
      verdict: 'delivered', by: null, ct: { state: 'NEW', dir: 'ORIGINAL', status: [] },
    }]],
  })),
  ...cases('a truncated TCP header is dropped on the spot by legacy, and skipped by nft', place => ({
    rules: table('filter', '-A INPUT -p tcp --dport 80 -j ACCEPT', '-A INPUT -p tcp'),
    steps: [[from('eth0', { ...toWeb(place), cut: 8 }), place.isLegacy ? { path: [], verdict: 'drop' } : { path: ['filter:INPUT:1'], verdict: 'delivered' }]],
  })),
  ...cases('without connection tracking nft reads ports in a later fragment, legacy does not', place => ({
    rules: table('filter', '-A FORWARD -p udp --dport 53 -j DROP'),
    steps: [[from('eth0', { ...through(place), frag_off: 100, rest_hex: '9c40003500080000' }), place.isLegacy ? { path: ['filter:FORWARD:policy'], verdict: 'forwarded eth1' } : { path: ['filter:FORWARD:1'], verdict: 'drop', by: 'filter:FORWARD:1' }]],
  }), { families: ['ipv4'] }),
  ...cases('legacy has every hook of a table, nft those that are declared', place => ({
    rules: '*mangle\n:PREROUTING ACCEPT\nCOMMIT\n*filter\n:FORWARD ACCEPT\nCOMMIT\n',
    steps: [[from('eth0', through(place)), {
      path: place.isLegacy ? ['mangle:PREROUTING:policy', 'mangle:FORWARD:policy', 'filter:FORWARD:policy', 'mangle:POSTROUTING:policy'] : ['mangle:PREROUTING:policy', 'filter:FORWARD:policy'],
      verdict: 'forwarded eth1', ct: null,
    }]],
  })),
  ...cases('a nat policy DROP drops the first packet of a flow', place => ({
    rules: table('nat', ':PREROUTING DROP', '-A POSTROUTING -j MASQUERADE'),
    steps: [[from('eth0', through(place)), { path: ['nat:PREROUTING:policy'], verdict: 'drop', by: 'nat:PREROUTING:policy', conntrack: [] }]],
  })),
  ...cases('without a ct match or a nat target there is no tracking, and nat never runs', place => ({
    rules: table('nat', ':PREROUTING DROP', ':POSTROUTING DROP', '-A POSTROUTING -p udp -m comment --comment never') + table('filter'),
    steps: [[from('eth0', through(place)), { path: ['filter:FORWARD:policy'], verdict: 'forwarded eth1', ct: null, conntrack: [] }]],
  })),
  ...cases('nat is consulted once for a connection, not for every NEW packet', place => ({
    rules: table('nat', '-A POSTROUTING -p udp -j MASQUERADE') + table('filter', '-A FORWARD -m conntrack --ctstate NEW'),
    steps: [
      [from('eth0', through(place)), { path: ['nat:PREROUTING:policy', 'filter:FORWARD:1', 'filter:FORWARD:policy', 'nat:POSTROUTING:1'], verdict: 'forwarded eth1' }],
      [from('eth0', through(place)), { path: ['filter:FORWARD:1', 'filter:FORWARD:policy'], verdict: 'forwarded eth1', ct: { state: 'NEW', dir: 'ORIGINAL', status: ['CONFIRMED', 'SNAT'] } }],
    ],
  })),
  ...cases('an INVALID packet leaves without being masqueraded', place => ({
    rules: table('nat', '-A POSTROUTING -j MASQUERADE') + table('filter'),
    steps: [[from('eth1', { ...toWeb(place), src: place.server, dst: place.client, flags: 'SA' }), { path: ['filter:FORWARD:policy'], verdict: 'forwarded eth0', ct: { state: 'INVALID', dir: null, status: [] }, conntrack: [] }]],
  })),
  ...cases('a flow dropped before it is confirmed leaves no entry', place => ({
    rules: table('nat', '-A PREROUTING -p tcp --dport 81 -j REDIRECT --to-ports 80') + table('filter', '-A INPUT -j DROP'),
    steps: [
      [from('eth0', toWeb(place)), { path: ['nat:PREROUTING:policy', 'filter:INPUT:1'], verdict: 'drop', by: 'filter:INPUT:1', conntrack: [] }],
      [from('eth0', toWeb(place)), { path: ['nat:PREROUTING:policy', 'filter:INPUT:1'], verdict: 'drop', conntrack: [] }],
    ],
  })),
  ...cases('loopback: out, then in again, with nat only on the way out', place => ({
    rules: table('raw') + table('mangle', '-A OUTPUT -j MARK --set-xmark 0x7/0xffffffff', '-A INPUT -m mark --mark 0x7') + table('nat', '-A POSTROUTING -o eth9 -j MASQUERADE') + table('filter', '-A INPUT -i lo', '-A OUTPUT -m owner --uid-owner 0'),
    steps: [[local({ proto: 'udp', src: place.loopback, dst: place.loopback, sport: 40000, dport: 53 }), {
      path: [
        'raw:OUTPUT:policy', 'mangle:OUTPUT:1', 'mangle:OUTPUT:policy', 'nat:OUTPUT:policy', 'filter:OUTPUT:1', 'filter:OUTPUT:policy', 'mangle:POSTROUTING:policy', 'nat:POSTROUTING:policy',
        'raw:PREROUTING:policy', 'mangle:PREROUTING:policy', 'mangle:INPUT:1', 'mangle:INPUT:policy', 'filter:INPUT:1', 'filter:INPUT:policy',
      ],
      verdict: 'delivered',
    }]],
  })),
  ...cases('ctstate in raw PREROUTING sees INVALID; notrack is UNTRACKED later on', place => ({
    rules: table('raw', '-A PREROUTING -m conntrack --ctstate INVALID', '-A PREROUTING -p udp -j CT --notrack') + table('filter', '-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT'),
    steps: [
      [from('eth0', toWeb(place)), { path: ['raw:PREROUTING:1', 'raw:PREROUTING:policy', 'filter:INPUT:policy'], ct: { state: 'NEW', dir: 'ORIGINAL', status: [] } }],
      [from('eth0', { ...through(place), dst: place.self }), { path: ['raw:PREROUTING:1', 'raw:PREROUTING:2', 'raw:PREROUTING:policy', 'filter:INPUT:1'], ct: { state: 'UNTRACKED', dir: null, status: [] } }],
    ],
  })),
  ...cases('a mark of OUTPUT re-routes; filter OUTPUT still sees the old interface', place => ({
    routes: [`default via ${place.isV6 ? '2001:db8::fe' : '192.0.2.254'} dev eth0`, `default via ${place.other} dev eth1 table 100`],
    ipRules: ['fwmark 0x1 table 100'],
    rules: table('mangle', '-A OUTPUT -p udp -j MARK --set-xmark 0x1/0xffffffff', '-A POSTROUTING -o eth1') + table('filter', '-A OUTPUT -o eth0'),
    steps: [[local({ proto: 'udp', src: place.self, dst: place.client, sport: 40000, dport: 53 }), {
      path: ['mangle:OUTPUT:1', 'mangle:OUTPUT:policy', 'filter:OUTPUT:1', 'filter:OUTPUT:policy', 'mangle:POSTROUTING:1', 'mangle:POSTROUTING:policy'], verdict: 'sent eth1',
    }]],
  })),
  ...cases('a mark set in raw OUTPUT does not re-route', place => ({
    routes: [`default via ${place.isV6 ? '2001:db8::fe' : '192.0.2.254'} dev eth0`, `default via ${place.other} dev eth1 table 100`],
    ipRules: ['fwmark 0x1 table 100'],
    rules: table('raw', '-A OUTPUT -p udp -j MARK --set-xmark 0x1/0xffffffff') + table('filter', '-A OUTPUT -o eth0'),
    steps: [[local({ proto: 'udp', src: place.self, dst: place.client, sport: 40000, dport: 53 }), { path: ['raw:OUTPUT:1', 'raw:OUTPUT:policy', 'filter:OUTPUT:1', 'filter:OUTPUT:policy'], verdict: 'sent eth0' }]],
  })),
  ...cases('an explicit RETURN is listed, falling off the end of a chain is not', place => ({
    rules: table('filter', ':a -', ':b -', '-A INPUT -j a', '-A INPUT -g b', '-A INPUT -j DROP', '-A a -p tcp -j RETURN', '-A a -j DROP', '-A b -p udp -j DROP'),
    steps: [[from('eth0', toWeb(place)), { path: ['filter:INPUT:1', 'filter:a:1', 'filter:INPUT:2', 'filter:INPUT:policy'], verdict: 'delivered', by: null, ct: null }]],
  })),
  ...cases('a rule that always holds is a rule, and not the policy', place => ({
    rules: table('filter', ':INPUT DROP', ':a -', '-A INPUT -j a', '-A INPUT -j ACCEPT', '-A a -j RETURN'),
    steps: [[from('eth0', toWeb(place)), { path: ['filter:INPUT:1', 'filter:a:1', 'filter:INPUT:2'], verdict: 'delivered' }]],
  })),
  ...cases('tracking is on with a single ct match anywhere', place => ({
    rules: table('mangle', track) + table('filter'),
    steps: [[from('eth0', through(place)), { verdict: 'forwarded eth1', ct: { state: 'NEW', dir: 'ORIGINAL', status: [] } }]],
  })),
];
