/** What a host sends to many, copies, and what it does not do every time. */
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { cases, from, local, table, type Case, type Place } from './define.js';

const udp = (src: string, dst: string, more: Partial<ScenarioPacket> = {}): ScenarioPacket => ({ proto: 'udp', src, dst, sport: 40000, dport: 53, ...more });
const away = ({ isV6 }: Place): string => isV6 ? '2001:db8:77::5' : '203.0.113.5';

export const copyCases: readonly Case[] = [
  ...cases('what a local process sends to many comes in again as a copy', ({ self }) => ({
    rules: table('mangle', '-A PREROUTING -m pkttype --pkt-type broadcast', '-A PREROUTING -m pkttype --pkt-type multicast') + table('filter', '-A INPUT -i eth0'),
    steps: [
      [local(udp(self, '192.0.2.255')), { verdict: 'sent eth0', path: ['mangle:OUTPUT:policy', 'filter:OUTPUT:policy', 'mangle:POSTROUTING:policy'] }],
      [local(udp(self, '224.0.0.1')), { verdict: 'sent eth0', path: ['mangle:OUTPUT:policy', 'filter:OUTPUT:policy', 'mangle:POSTROUTING:policy'] }],
      // Nobody here has joined this group.
      [local(udp(self, '224.0.0.5')), { verdict: 'sent eth0', generated: [] }],
    ],
  }), { families: ['ipv4'] }),
  ...cases('the copy that comes in again belongs to the connection', ({ self }) => ({
    rules: table('mangle') + table('filter', '-A INPUT -m conntrack --ctstate NEW'),
    steps: [[local(udp(self, '192.0.2.255')), { verdict: 'sent eth0', ct: { state: 'NEW', dir: 'ORIGINAL', status: [] } }]],
  }), { families: ['ipv4'] }),
  ...cases('TEE sends a copy that is not to be fragmented', ({ client, server, other }) => ({
    rules: table('mangle', `-A PREROUTING -p udp -j TEE --gateway ${other}`) + table('filter', '-A OUTPUT'),
    steps: [[from('eth0', udp(client, server)), { verdict: 'forwarded eth1' }]],
  })),
  ...cases('TEE copies the reset that REJECT sends too', ({ client, self, other }) => ({
    rules: table('mangle', `-A OUTPUT -p tcp -j TEE --gateway ${other}`) + table('filter', '-A INPUT -p tcp -j REJECT --reject-with tcp-reset'),
    steps: [[from('eth0', { proto: 'tcp', src: client, dst: self, sport: 40000, dport: 22 }), { verdict: 'reject tcp-reset' }]],
  })),
  ...cases('a sender is told five times at once that there is no route', place => ({
    rules: table('filter'), routes: [],
    steps: Array.from({ length: 7 }, () => [from('eth0', udp(place.neighbour, away(place)))] as const),
  }), { families: ['ipv4'] }),
  ...cases('a local process may not send what is too long and must not be cut', ({ self, server }) => ({
    rules: table('filter'),
    steps: [[local(udp(self, server, { payload_len: 1473, df: true })), { path: [], verdict: 'drop', by: 'kernel: mtu' }], [local(udp(self, server, { payload_len: 1472, df: true })), { verdict: 'sent eth1' }]],
  }), { families: ['ipv4'] }),
  ...cases('the checksum of a local packet\'s header is always right', ({ self, server }) => ({
    rules: table('filter'),
    steps: [[local(udp(self, server, { badipcsum: true })), { verdict: 'sent eth1' }]],
  }), { families: ['ipv4'] }),
  ...cases('NOTRACK alone tracks nothing, and yet its packets are UNTRACKED', ({ client, server }) => ({
    rules: table('raw', '-A PREROUTING -j CT --notrack') + table('filter'),
    steps: [[from('eth0', udp(client, server)), { verdict: 'forwarded eth1', ct: { state: 'UNTRACKED', dir: null, status: [] } }], [from('eth1', udp(server, client)), { ct: { state: 'UNTRACKED', dir: null, status: [] } }]],
  })),
  ...cases('a rule with `socket` has fragments put together, and tracks nothing', ({ client, server }) => ({
    rules: table('filter', '-A INPUT -p tcp -m socket', '-A FORWARD -f', '-A FORWARD'),
    steps: [[from('eth0', udp(client, server, { payload_len: 64, fragsize: 40 })), { verdict: 'forwarded eth1', path: ['filter:FORWARD:2', 'filter:FORWARD:policy'], ct: null }]],
  }), { families: ['ipv4'] }),
  ...cases('behind `-j CT`, raw sees a connection without addresses', ({ client, server, self }) => ({
    rules: table('raw', '-A PREROUTING -j CT --zone 1', `-A PREROUTING -m conntrack ! --ctreplsrc ${self}`, '-A PREROUTING -m conntrack --ctstate NEW', '-A PREROUTING -m conntrack --ctstatus CONFIRMED') + table('filter'),
    steps: [[from('eth0', udp(client, server)), { verdict: 'forwarded eth1', path: ['raw:PREROUTING:1', 'raw:PREROUTING:2', 'raw:PREROUTING:3', 'raw:PREROUTING:4', 'raw:PREROUTING:policy', 'filter:FORWARD:policy'] }]],
  })),
  ...cases('ICMP errors may come from an address of the interface that the packet came by', ({ client, server }) => ({
    rules: table('filter', '-A FORWARD -j REJECT'), sysctls: { 'net.ipv4.icmp_errors_use_inbound_ifaddr': 1 }, routes: ['default via 10.0.0.6 dev eth1'],
    steps: [[from('eth0', udp(client, server)), { verdict: 'reject icmp 3/3' }]],
  }), { families: ['ipv4'] }),
  ...cases('an ICMP error about a packet to an anycast address comes from that address', ({ client }) => ({
    rules: table('filter', '-A INPUT -j REJECT'),
    steps: [[from('eth0', udp(client, '2001:db8::')), { verdict: 'reject icmp 1/4' }]],
  }), { families: ['ipv6'] }),
  ...cases('what a local process sends to :: stays on this host', ({ self }) => ({
    rules: table('filter'),
    steps: [[local(udp(self, '::')), { verdict: 'delivered', path: ['filter:OUTPUT:policy', 'filter:INPUT:policy'] }]],
  }), { families: ['ipv6'] }),
  ...cases('what comes in again by lo is looked at as anything that comes in', ({ self }) => ({
    rules: table('nat', '-A POSTROUTING -j NETMAP --to ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff') + table('filter'),
    steps: [[local(udp(self, self)), { verdict: 'drop' }]],
  }), { families: ['ipv6'] }),
];
