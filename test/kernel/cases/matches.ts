/** Matches and targets with something to them. */
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { cases, from, local, table, type Case, type Place } from './define.js';

const tcp = ({ client, self }: Place, more: Partial<ScenarioPacket> = {}): ScenarioPacket => ({ proto: 'tcp', src: client, dst: self, sport: 40000, dport: 80, ...more });
const udp = ({ client, self }: Place, more: Partial<ScenarioPacket> = {}): ScenarioPacket => ({ proto: 'udp', src: client, dst: self, sport: 40000, dport: 53, ...more });
/** Of a filter INPUT whose rules match at these places. */
const input = (...positions: readonly number[]): readonly string[] => [...positions.map(position => `filter:INPUT:${String(position)}`), 'filter:INPUT:policy'];

export const matchCases: readonly Case[] = [
  ...cases('ctstatus NONE never matches, its negation always', place => ({
    rules: table('filter', '-A INPUT -m conntrack --ctstatus NONE', '-A INPUT -m conntrack ! --ctstatus NONE'),
    steps: [[from('eth0', udp(place)), { path: input(2) }]],
  })),
  ...cases('other ct options fail on INVALID packets, even negated', place => ({
    rules: table('filter', '-A INPUT -m conntrack --ctproto 6', '-A INPUT -m conntrack ! --ctproto 17', '-A INPUT -m conntrack --ctstate INVALID', '-A INPUT -m conntrack --ctdir ORIGINAL'),
    steps: [[from('eth0', tcp(place, { flags: 'SA' })), { path: input(3) }], [from('eth0', tcp(place)), { path: input(1, 2, 4) }]],
  })),
  ...cases('a MAC address, and where there is none', place => ({
    interfaces: [{ name: 'eth0', addresses: [place.isV6 ? '2001:db8::1/64' : '192.0.2.1/24'] }, { name: 'tun0', kind: 'tun', addresses: [place.isV6 ? 'fd00::1/64' : '10.0.0.1/24'] }],
    rules: table('filter', '-A INPUT -m mac --mac-source 02:00:00:00:00:AA', '-A INPUT -m mac ! --mac-source 02:00:00:00:00:AA'),
    steps: [
      [from('eth0', udp(place, { smac: '02:00:00:00:00:aa' })), { path: input(1) }], [from('eth0', udp(place, { smac: '02:00:00:00:00:ab' })), { path: input(2) }],
      [from('tun0', udp(place, { src: place.server })), { path: input() }], [local({ proto: 'udp', src: place.loopback, dst: place.loopback, sport: 1, dport: 2 }), { path: ['filter:OUTPUT:policy', ...input()] }],
    ],
  })),
  ...cases('limit: tokens are spent even where a later match fails', place => ({
    rules: table('filter', '-A INPUT -p udp -m limit --limit 1/hour --limit-burst 2 -m udp --dport 9'),
    steps: [[from('eth0', udp(place)), { path: input() }], [from('eth0', udp(place)), { path: input() }], [from('eth0', udp(place, { dport: 9 })), { path: input() }]],
  })),
  ...cases('limit: the burst, and then nothing', place => ({
    rules: table('filter', '-A INPUT -p udp -m udp --dport 9 -m limit --limit 1/hour --limit-burst 2 -j ACCEPT', '-A INPUT -p udp -j DROP'),
    steps: [[from('eth0', udp(place)), { verdict: 'drop' }], ...[true, true, false].map(passes => [from('eth0', udp(place, { dport: 9 })), { verdict: passes ? 'delivered' : 'drop' }] as const)],
  })),
  ...cases('multiport, and + at the end of an interface name', place => ({
    rules: table('filter', '-A INPUT -p tcp -m multiport --dports 22,80:90', '-A INPUT -i eth+', '-A INPUT -i eth', '-A INPUT -p tcp -m multiport ! --sports 1:65535'),
    steps: [[from('eth0', tcp(place)), { path: input(1, 2) }], [from('eth0', tcp(place, { dport: 91 })), { path: input(2) }]],
  })),
  ...cases('TCPMSS adds an option of 536 that is missing, and raises none', place => ({
    rules: table('mangle', '-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300'),
    steps: [
      [from('eth0', tcp(place, { dst: place.server, mss: 1460 })), { verdict: 'forwarded eth1' }], [from('eth0', tcp(place, { dst: place.server, mss: 1200 })), { verdict: 'forwarded eth1' }], [from('eth0', tcp(place, { dst: place.server })), { verdict: 'forwarded eth1' }],
    ],
  })),
  ...cases('sets', place => ({
    ipsets: `create bad hash:ip family ${place.isV6 ? 'inet6' : 'inet'}\nadd bad ${place.client}\ncreate ports bitmap:port range 0-1023\nadd ports 80\n`,
    rules: table('filter', '-A INPUT -m set --match-set bad src', '-A INPUT -p tcp -m set --match-set ports dst -j DROP', '-A INPUT -m set ! --match-set bad src'),
    steps: [[from('eth0', tcp(place)), { path: ['filter:INPUT:1', 'filter:INPUT:2'], verdict: 'drop' }], [from('eth0', tcp(place, { src: place.neighbour, dport: 81 })), { path: input(3) }]],
  })),
  ...cases('SET puts an address into a set', place => ({
    ipsets: `create seen hash:ip family ${place.isV6 ? 'inet6' : 'inet'}\n`,
    rules: table('filter', '-A INPUT -m set --match-set seen src -j DROP', '-A INPUT -j SET --add-set seen src'),
    steps: [[from('eth0', tcp(place)), { path: input(2) }], [from('eth0', tcp(place)), { path: ['filter:INPUT:1'], verdict: 'drop' }]],
  })),
  ...cases('recent: a third packet within a minute', place => ({
    rules: table('filter', '-A INPUT -m recent --update --seconds 60 --hitcount 3 --name LIST --rsource -j DROP', '-A INPUT -m recent --set --name LIST --rsource'),
    steps: [[from('eth0', tcp(place)), { path: input(2) }], [from('eth0', tcp(place)), {}], [from('eth0', tcp(place)), {}], [from('eth0', tcp(place)), {}]],
  })),
  ...cases('owner, of a local packet', place => ({
    rules: table('filter', '-A OUTPUT -m owner --uid-owner 1000', '-A OUTPUT -m owner --gid-owner 5', '-A OUTPUT -m owner ! --uid-owner 0', '-A OUTPUT -m mark --mark 0x7'),
    steps: [[local({ proto: 'udp', src: place.self, dst: place.client, sport: 1, dport: 2, uid: 1000, gid: 5, mark: 7 }), { path: ['filter:OUTPUT:1', 'filter:OUTPUT:2', 'filter:OUTPUT:3', 'filter:OUTPUT:4', 'filter:OUTPUT:policy'], verdict: 'sent eth0' }], [local({ proto: 'udp', src: place.self, dst: place.client, sport: 1, dport: 2 }), { path: ['filter:OUTPUT:policy'] }]],
  })),
  ...cases('CONNMARK saves and restores', place => ({
    rules: table('mangle', '-A PREROUTING -j CONNMARK --restore-mark', '-A PREROUTING -m mark --mark 0x9', '-A PREROUTING -m mark --mark 0x0 -j MARK --set-xmark 0x9/0xffffffff', '-A PREROUTING -j CONNMARK --save-mark'),
    steps: [[from('eth0', udp(place)), { path: ['mangle:PREROUTING:1', 'mangle:PREROUTING:3', 'mangle:PREROUTING:4', 'mangle:PREROUTING:policy', 'mangle:INPUT:policy'] }], [from('eth0', udp(place)), { path: ['mangle:PREROUTING:1', 'mangle:PREROUTING:2', 'mangle:PREROUTING:4', 'mangle:PREROUTING:policy', 'mangle:INPUT:policy'] }]],
  })),
  ...cases('flows that are there already', place => {
    const [c, s] = [place.client, place.self];
    return {
      conntrack: `udp      17 29 src=${c} dst=${s} sport=40000 dport=53 src=${s} dst=${c} sport=53 dport=40000 [ASSURED] mark=5 use=1\n`,
      rules: table('filter', '-A INPUT -m conntrack --ctstate ESTABLISHED', '-A INPUT -m conntrack --ctstate NEW', '-A INPUT -m connmark --mark 0x5'),
      steps: [[from('eth0', udp(place)), { path: input(1, 3) }], [from('eth0', udp(place, { sport: 40001 })), { path: input(2) }]],
    };
  }),
  ...cases('an FTP helper makes the data connection RELATED', place => ({
    rules: table('raw', '-A PREROUTING -p tcp --dport 21 -j CT --helper ftp') + table('filter', '-A FORWARD -m conntrack --ctstate RELATED'),
    steps: [
      [from('eth0', tcp(place, { dst: place.server, dport: 21, flags: 'S', seq: 1000 }))],
      [from('eth1', tcp(place, { src: place.server, dst: place.client, sport: 21, dport: 40000, flags: 'SA', seq: 5000, ack: 1001 }))],
      [from('eth0', tcp(place, { dst: place.server, dport: 21, flags: 'A', seq: 1001, ack: 5001 }))],
      [from('eth1', tcp(place, { src: place.server, dst: place.client, sport: 21, dport: 40000, flags: 'PA', seq: 5001, ack: 1001, payload: '220 ready\r\n' }))],
      [from('eth1', tcp(place, { src: place.server, dst: place.client, sport: 21, dport: 40000, flags: 'PA', seq: 5012, ack: 1001, payload: place.isV6 ? '229 Entering Extended Passive Mode (|||4660|)\r\n' : '227 Entering Passive Mode (10,0,0,5,18,52)\r\n' }))],
      [from('eth0', tcp(place, { dst: place.server, sport: 40001, dport: 4660 })), { path: ['raw:PREROUTING:policy', 'filter:FORWARD:1', 'filter:FORWARD:policy'], ct: { state: 'RELATED', dir: 'ORIGINAL', status: ['EXPECTED'] } }],
    ],
  })),
  ...cases('targets that change a packet, and go on', place => ({
    rules: table('mangle', `-A PREROUTING -j ${place.isV6 ? 'HL --hl' : 'TTL --ttl'}-set 10`, '-A FORWARD -j DSCP --set-dscp 0x0a', '-A POSTROUTING -j CLASSIFY --set-class 1:2', '-A POSTROUTING -p tcp -j TCPOPTSTRIP --strip-options mss'),
    steps: [[from('eth0', tcp(place, { dst: place.server, mss: 1460 })), {
      path: ['mangle:PREROUTING:1', 'mangle:PREROUTING:policy', 'mangle:FORWARD:1', 'mangle:FORWARD:policy', 'mangle:POSTROUTING:1', 'mangle:POSTROUTING:2', 'mangle:POSTROUTING:policy'], verdict: 'forwarded eth1',
    }]],
  })),
  ...cases('a rule without a target, LOG, NFLOG, and a queue that nobody reads', place => ({
    rules: table('filter', '-A INPUT -p udp', '-A INPUT -p udp -j LOG --log-prefix "said: "', '-A INPUT -p udp -j NFLOG --nflog-group 5', '-A INPUT -p udp -j NFQUEUE --queue-num 3'),
    steps: [[from('eth0', udp(place)), { path: ['filter:INPUT:1', 'filter:INPUT:2', 'filter:INPUT:3', 'filter:INPUT:4'], verdict: 'drop', by: 'filter:INPUT:4' }]],
  })),
  ...cases('length, dscp, pkttype, addrtype', place => ({
    rules: table('filter', '-A INPUT -m length --length 40:70', '-A INPUT -m dscp --dscp 0x08', '-A INPUT -m pkttype --pkt-type unicast', '-A INPUT -m addrtype --dst-type LOCAL', '-A INPUT -m addrtype --src-type LOCAL'),
    steps: [[from('eth0', tcp(place, { tos: 0x20 })), { path: input(1, 2, 3, 4) }]],
  })),
  ...cases('hashlimit counts by source', place => ({
    rules: table('filter', '-A INPUT -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name one -j ACCEPT', '-A INPUT -j DROP'),
    steps: [[from('eth0', udp(place)), { verdict: 'delivered' }], [from('eth0', udp(place)), { verdict: 'drop' }], [from('eth0', udp(place, { src: place.neighbour })), { verdict: 'delivered' }]],
  })),
];
