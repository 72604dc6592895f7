/** Extension headers of IPv6, whole and cut off, and what a host of IPv6 answers by itself. */
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { cases, from, table, type Case, type Place } from './define.js';

/** Everything behind the IPv6 header. */
const chain = ({ client, server }: Place, proto: number, rest: string): ScenarioPacket => ({ proto, src: client, dst: server, rest_hex: rest });
const udp = ({ client, server }: Place): ScenarioPacket => ({ proto: 'udp', src: client, dst: server, sport: 40000, dport: 53 });
const ipv6 = { families: ['ipv6'] } as const;
const all = table('raw') + table('filter');
const tracked = table('raw') + table('filter', '-A FORWARD -m conntrack --ctstate NEW');

/** UDP from port 80 to port 22, four bytes of data, behind a hop-by-hop header with the option. */
const withOption = (option: string): string => `1100${option}0050001600100000 00000000 00000000`.replaceAll(' ', '');
const padded = '010400000000', ofNobody = '9e0101010100', ofNobodyAndNotForMany = 'de0101010100';

export const extensionHeaderCases: readonly Case[] = [
  ...cases('an option of the hop-by-hop header that nobody knows is answered before PREROUTING, with a pointer to it', place => ({
    rules: all,
    steps: [
      [from('eth0', chain(place, 0, withOption(ofNobody))), { path: [], verdict: 'drop', out: [] }],
      [from('eth0', { ...chain(place, 0, withOption(ofNobody)), dst: 'ff02::1' }), { path: [], verdict: 'drop' }],
      [from('eth0', { ...chain(place, 0, withOption(ofNobodyAndNotForMany)), dst: 'ff02::1' }), { path: [], verdict: 'drop', generated: [] }],
      [from('eth0', chain(place, 0, withOption(padded))), { path: ['raw:PREROUTING:policy', 'filter:FORWARD:policy'], verdict: 'forwarded eth1' }],
    ],
  }), ipv6),
  ...cases('what may be an ICMPv6 error, for all that is left of it, is not answered; what is no ICMPv6 is', place => ({
    rules: all,
    steps: [
      [from('eth0', { ...chain(place, 43, '3a00'), ttl: 1 }), { generated: [] }],
      [from('eth0', { ...chain(place, 43, '1100'), ttl: 1 }), { verdict: 'drop' }],
    ],
  }), ipv6),
  ...cases('a fragment header that is cut off is no fragment for connection tracking, and drops the packet before raw', place => ({
    rules: tracked,
    steps: [[from('eth0', chain(place, 60, '2c00010400000000')), { path: [], verdict: 'drop' }]],
  }), ipv6),
  ...cases('headers cut off: who asks for a protocol drops the packet in x_tables, and gets no answer in nf_tables', place => ({
    rules: table('filter', '-A FORWARD', '-A FORWARD ! -p udp'),
    steps: [[from('eth0', chain(place, 60, '3c00010400000000')), place.isLegacy ? { path: ['filter:FORWARD:1'], verdict: 'drop' } : { path: ['filter:FORWARD:1', 'filter:FORWARD:policy'], verdict: 'forwarded eth1' }]],
  }), ipv6),
  ...cases('for nf_tables the authentication header is the protocol, whatever is cut off behind it', place => ({
    rules: table('filter', '-A FORWARD -p ah', '-A FORWARD ! -p tcp'),
    steps: [
      [from('eth0', chain(place, 51, `3c040000000001000000000001${'ab'.repeat(11)}`)), place.isLegacy ? { path: [], verdict: 'drop' } : { path: ['filter:FORWARD:1', 'filter:FORWARD:2', 'filter:FORWARD:policy'] }],
      [from('eth0', chain(place, 51, `11040000000001000000000001${'ab'.repeat(11)}0050001600080000`)), place.isLegacy ? { path: ['filter:FORWARD:2', 'filter:FORWARD:policy'] } : { path: ['filter:FORWARD:1', 'filter:FORWARD:2', 'filter:FORWARD:policy'] }],
    ],
  }), ipv6),
  ...cases('hashlimit finds no ports in a later fragment', place => ({
    rules: table('filter', '-A FORWARD -m hashlimit --hashlimit-name H --hashlimit-mode dstport --hashlimit-upto 1/hour --hashlimit-burst 1'),
    steps: [
      [from('eth0', { ...udp(place), frag_off: 3, mf: false, rest_hex: '0001000200080000' }), { path: ['filter:FORWARD:1', 'filter:FORWARD:policy'] }],
      [from('eth0', { ...udp(place), frag_off: 3, mf: false, rest_hex: '0001000300080000' }), { path: ['filter:FORWARD:policy'] }],
      [from('eth0', chain(place, 89, '')), { path: ['filter:FORWARD:policy'] }],
    ],
  }), ipv6),
  ...cases('a multicast that DNAT sends to one host is not forwarded: the link layer had it for many', place => ({
    rules: table('nat', `-A PREROUTING -j DNAT --to-destination ${place.server}`) + table('filter'),
    steps: [[from('eth0', { ...udp(place), src: place.neighbour, dst: 'ff02::1' }), { path: ['nat:PREROUTING:1'], verdict: 'drop', out: [] }]],
  }), { ...ipv6, backends: ['nft'] }),
  ...cases('an ICMP error has an address of the interface by which the packet came', place => ({
    rules: table('filter'),
    steps: [[from('eth1', { ...udp(place), dst: place.neighbour, ttl: 1 }), { path: [], verdict: 'drop', by: 'kernel: ttl' }]],
  }), ipv6),
  ...cases('where no route leads back, no error is sent', place => ({
    rules: table('filter', '-A FORWARD -p tcp -j REJECT --reject-with tcp-reset', '-A FORWARD -j REJECT'), routes: [],
    steps: [
      [from('eth0', udp(place)), { path: ['filter:FORWARD:2'], verdict: 'reject (nothing sent)', generated: [] }],
      [from('eth0', { ...udp(place), proto: 'tcp' }), { path: ['filter:FORWARD:1'], verdict: 'reject (nothing sent)', generated: [] }],
      [from('eth0', { ...udp(place), ttl: 1 }), { path: [], verdict: 'drop', generated: [] }],
    ],
  })),
  ...cases('an answer to an untracked packet is tracked; where nothing is tracked, it can be untracked too', place => ({
    rules: table('raw', '-A PREROUTING -p udp -j CT --notrack', '-A OUTPUT -j CT --notrack') + table('filter'),
    steps: [[from('eth0', { ...udp(place), ttl: 1 })], [from('eth0', { ...udp(place), proto: 'tcp', ttl: 1 })]],
  }), ipv6),
  ...cases('an anycast address gets no error', place => ({
    rules: table('filter', '-A FORWARD -j REJECT'),
    steps: [
      [from('eth1', { ...udp(place), src: 'fd00::', dst: place.client }), { verdict: 'reject (nothing sent)', generated: [] }],
      [from('eth1', { ...udp(place), src: 'fd00::9', dst: place.client }), { verdict: 'reject icmp 1/4' }],
    ],
  }), ipv6),
  ...cases('a router has the anycast address of its subnets, until it is none', ({ client }) => ({
    rules: table('filter'),
    steps: [
      [from('eth0', { proto: 'udp', src: client, dst: 'fd00::', sport: 1, dport: 2 }), { verdict: 'delivered' }],
      [from('eth0', { proto: 'udp', src: client, dst: 'fd00::', sport: 1, dport: 2 }, { sysctls: { 'net.ipv6.conf.all.forwarding': 0 } }), { path: [], verdict: 'drop' }],
    ],
  }), ipv6),
];
