/** REJECT: what is sent, and where it passes. */
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { cases, from, local, table, type Case, type Place } from './define.js';

const tcp = ({ client, self }: Place, more: Partial<ScenarioPacket> = {}): ScenarioPacket => ({ proto: 'tcp', src: client, dst: self, sport: 40000, dport: 80, ...more });
const reset = '-A INPUT -p tcp -j REJECT --reject-with tcp-reset';
const nothing = { verdict: 'reject (nothing sent)', by: 'filter:INPUT:1', generated: [] } as const;

export const rejectCases: readonly Case[] = [
  ...cases('a SYN is answered by RST/ACK', place => ({
    rules: table('filter', reset), steps: [[from('eth0', tcp(place)), { path: ['filter:INPUT:1'], verdict: 'reject tcp-reset', by: 'filter:INPUT:1', out: [] }], [from('eth0', tcp(place, { flags: 'SF' })), { verdict: 'reject tcp-reset' }], [from('eth0', tcp(place, { flags: 'A', seq: 5, ack: 77 })), { verdict: 'reject tcp-reset' }]],
  })),
  ...cases('a RST is not answered', place => ({ rules: table('filter', reset), steps: [[from('eth0', tcp(place, { flags: 'R' })), nothing]] })),
  ...cases('a bad checksum is not answered', place => ({ rules: table('filter', reset), steps: [[from('eth0', tcp(place, { badcsum: true })), nothing]] })),
  ...cases('an ICMP error is not answered', place => ({
    rules: table('filter', `-A INPUT -p ${place.isV6 ? 'ipv6-icmp' : 'icmp'} -j REJECT`),
    steps: [[from('eth0', { proto: place.icmp, src: place.client, dst: place.self, ...place.isV6 ? { type: 1, code: 4 } : { type: 3, code: 3 }, quote: { proto: 'udp', src: place.self, dst: place.client, sport: 1, dport: 2 } }), nothing]],
  })),
  ...cases('the usual answer is an ICMP error', place => ({
    rules: table('filter', '-A INPUT -p udp -j REJECT', '-A FORWARD -j REJECT'),
    steps: [
      [from('eth0', { proto: 'udp', src: place.client, dst: place.self, sport: 1, dport: 2 }), { verdict: `reject ${place.portUnreachable}`, by: 'filter:INPUT:1' }],
      [from('eth0', { proto: 'udp', src: place.client, dst: place.server, sport: 1, dport: 2 }), { verdict: `reject ${place.portUnreachable}`, by: 'filter:FORWARD:1' }],
    ],
  })),
  ...cases('other answers', place => ({
    rules: table('filter', ...(place.isV6 ? ['icmp6-adm-prohibited', 'icmp6-no-route', 'icmp6-addr-unreachable'] : ['icmp-admin-prohibited', 'icmp-net-unreachable', 'icmp-host-unreachable']).map((kind, index) => `-A INPUT -p udp --dport ${String(index + 1)} -j REJECT --reject-with ${kind}`)),
    steps: (place.isV6 ? ['icmp 1/1', 'icmp 1/0', 'icmp 1/3'] : ['icmp 3/13', 'icmp 3/0', 'icmp 3/1']).map((verdict, index) => [from('eth0', { proto: 'udp', src: place.client, dst: place.self, sport: 1, dport: index + 1 }), { verdict: `reject ${verdict}` }] as const),
  })),
  ...cases('what REJECT sends passes OUTPUT and POSTROUTING, RELATED; only the RST consults nat', place => ({
    rules: table('mangle') + table('nat', '-A POSTROUTING -o nowhere -j MASQUERADE') + table('filter', '-A INPUT -p tcp -j REJECT --reject-with tcp-reset', '-A INPUT -p udp -j REJECT', '-A OUTPUT -m conntrack --ctstate RELATED -j ACCEPT'),
    steps: [[from('eth0', tcp(place)), { verdict: 'reject tcp-reset' }], [from('eth0', { proto: 'udp', src: place.client, dst: place.self, sport: 1, dport: 2 }), { verdict: `reject ${place.portUnreachable}` }]],
  })),
  ...cases('an INVALID packet\'s RST is INVALID too', place => ({
    rules: table('filter', '-A INPUT -m conntrack --ctstate INVALID -p tcp -j REJECT --reject-with tcp-reset', '-A OUTPUT -m conntrack --ctstate INVALID'),
    steps: [[from('eth0', tcp(place, { flags: 'SA' })), { verdict: 'reject tcp-reset', ct: { state: 'INVALID', dir: null, status: [] } }]],
  })),
  ...cases('DNAT is undone in what REJECT sends', place => ({
    rules: table('nat', `-A PREROUTING -d ${place.self} -j DNAT --to-destination ${place.server}`) + table('filter', '-A FORWARD -p tcp -j REJECT --reject-with tcp-reset', '-A FORWARD -j REJECT'),
    steps: [[from('eth0', tcp(place)), { verdict: 'reject tcp-reset', by: 'filter:FORWARD:1' }], [from('eth0', { proto: 'udp', src: place.client, dst: place.self, sport: 1, dport: 2 }), { verdict: `reject ${place.portUnreachable}` }]],
  })),
  ...cases('a broadcast is not answered', place => ({
    rules: table('filter', '-A INPUT -p udp -j REJECT'), steps: [[from('eth0', { proto: 'udp', src: place.neighbour, dst: '192.0.2.255', sport: 1, dport: 2 }, { broadcast: true }), nothing]],
  }), { families: ['ipv4'] }),
  ...cases('a local process is answered on lo', place => ({
    rules: table('filter', '-A OUTPUT -p udp -j REJECT'), steps: [[local({ proto: 'udp', src: place.self, dst: place.client, sport: 1, dport: 2 }), { verdict: `reject ${place.portUnreachable}`, by: 'filter:OUTPUT:1' }]],
  })),
  ...cases('a checksum that connection tracking has verified is not looked at again, whatever SNPT made of it since', place => ({
    rules: table('mangle', '-A INPUT -j SNPT --src-pfx 2001:db8:9::/48 --dst-pfx 2001:db8:a::/48') + table('filter', '-A INPUT -p tcp -m conntrack --ctstate NEW -j REJECT --reject-with icmp6-adm-prohibited'),
    steps: [[from('eth0', tcp({ ...place, client: place.neighbour }, { flags: 'S' })), { verdict: 'reject icmp 1/1' }]],
  }), { families: ['ipv6'] }),
  ...cases('marks are not inherited', place => ({
    rules: table('mangle', '-A PREROUTING -j MARK --set-xmark 0x5/0xffffffff', '-A OUTPUT -m mark --mark 0x5') + table('filter', reset),
    steps: [[from('eth0', tcp(place)), { path: ['mangle:PREROUTING:1', 'mangle:PREROUTING:policy', 'mangle:INPUT:policy', 'filter:INPUT:1'], verdict: 'reject tcp-reset' }]],
  })),
  ...cases('the RST for an ESTABLISHED flow closes it', place => ({
    rules: table('filter', '-A INPUT -p tcp -m tcp --tcp-flags PSH PSH -j REJECT --reject-with tcp-reset', '-A INPUT -m conntrack --ctstate ESTABLISHED', '-A OUTPUT -m conntrack --ctstate RELATED'),
    steps: [
      [from('eth0', tcp(place, { flags: 'S', seq: 1000 }))], [local({ proto: 'tcp', src: place.self, dst: place.client, sport: 80, dport: 40000, flags: 'SA', seq: 5000, ack: 1001 })],
      [from('eth0', tcp(place, { flags: 'A', seq: 1001, ack: 5001 })), { verdict: 'delivered' }],
      [from('eth0', tcp(place, { flags: 'PA', seq: 1001, ack: 5001, payload: 'GET' })), { path: ['filter:INPUT:1'], verdict: 'reject tcp-reset', ct: { state: 'ESTABLISHED', dir: 'ORIGINAL', status: ['SEEN_REPLY', 'ASSURED', 'CONFIRMED'] } }],
      [from('eth0', tcp(place, { flags: 'A', seq: 1004, ack: 5001 }))],
    ],
  })),
];
