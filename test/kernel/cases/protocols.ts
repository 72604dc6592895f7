/** UDP, ICMP, and the others. */
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { cases, from, local, table, type Case, type Expectation, type Place } from './define.js';

const rules = table('filter', '-A FORWARD -m conntrack --ctstate INVALID -j DROP', '-A FORWARD -m conntrack --ctstate NEW', '-A FORWARD -m conntrack --ctstate ESTABLISHED', '-A FORWARD -m conntrack --ctstate RELATED', '-A FORWARD -m conntrack --ctstate UNTRACKED');
const state = (position: number): Expectation => position === 1 ? { path: ['filter:FORWARD:1'], verdict: 'drop' } : { path: [`filter:FORWARD:${String(position)}`, 'filter:FORWARD:policy'] };
const invalid = state(1), fresh = state(2), established = state(3), related = state(4);

const query = ({ client, server }: Place): ScenarioPacket => ({ proto: 'udp', src: client, dst: server, sport: 40000, dport: 53 });
const answer = ({ client, server }: Place): ScenarioPacket => ({ proto: 'udp', src: server, dst: client, sport: 53, dport: 40000 });
const icmp = (place: Place, packet: Partial<ScenarioPacket>): ScenarioPacket => ({ proto: place.icmp, src: place.client, dst: place.server, ...packet });

export const protocolCases: readonly Case[] = [
  ...cases('a UDP query and its answer', place => ({
    rules,
    steps: [
      [from('eth0', query(place)), { ...fresh, ct: { state: 'NEW', dir: 'ORIGINAL', status: [] } }],
      [from('eth1', answer(place)), { ...established, ct: { state: 'ESTABLISHED', dir: 'REPLY', status: ['SEEN_REPLY', 'CONFIRMED'] } }],
      [from('eth0', query(place)), { ...established, ct: { state: 'ESTABLISHED', dir: 'ORIGINAL', status: ['SEEN_REPLY', 'CONFIRMED'] } }],
    ],
  })),
  ...cases('UDP is ASSURED after more than two seconds both ways', place => ({
    rules,
    steps: [
      [from('eth0', query(place)), fresh], [from('eth1', answer(place)), established],
      [from('eth0', query(place)), { ...established, ct: { state: 'ESTABLISHED', dir: 'ORIGINAL', status: ['SEEN_REPLY', 'CONFIRMED'] } }],
      [from('eth0', query(place), { advance: 2.5 }), { ...established, ct: { state: 'ESTABLISHED', dir: 'ORIGINAL', status: ['SEEN_REPLY', 'ASSURED', 'CONFIRMED'] } }],
    ],
  }), { families: ['ipv4'] }),
  ...cases('UDP without a checksum, with port 0, with a wrong checksum', place => ({
    rules,
    steps: [[from('eth0', { ...query(place), nocsum: true }), place.isV6 ? {} : fresh], [from('eth0', { ...query(place), dport: 0 }), fresh], [from('eth0', { ...query(place), sport: 7, badcsum: true }), invalid]],
  })),
  ...cases('a wrong checksum of a local packet is nobody\'s business', place => ({
    rules: table('filter', '-A OUTPUT -m conntrack --ctstate NEW -j ACCEPT'),
    steps: [[local({ ...query(place), src: place.self, dst: place.client, badcsum: true }), { path: ['filter:OUTPUT:1'], verdict: 'sent eth0' }]],
  })),
  ...cases('UDP of a false length', place => ({
    rules, steps: [[from('eth0', { ...query(place), udplen: 4 }), invalid], [from('eth0', { ...query(place), udplen: 400 }), invalid]],
  })),
  ...cases('a ping and its answer', place => ({
    rules,
    steps: [
      [from('eth0', icmp(place, { type: place.ping, id: 7 })), fresh],
      [from('eth1', { proto: place.icmp, src: place.server, dst: place.client, type: place.pong, id: 7 }), established],
      [from('eth1', { proto: place.icmp, src: place.server, dst: place.client, type: place.pong, id: 8 }), invalid],
    ],
  })),
  ...cases('ICMP requests are NEW, answers that nobody asked for and other queries INVALID', place => ({
    rules,
    steps: [
      ...[8, 13, 15, 17].map(type => [from('eth0', icmp(place, { type, id: type })), fresh] as const),
      ...[0, 14, 16, 18, 9, 10, 30].map(type => [from('eth0', icmp(place, { type, id: type })), invalid] as const),
    ],
  }), { families: ['ipv4'] }),
  ...cases('an ICMP error about a flow is RELATED', place => {
    const error = place.isV6 ? { type: 1, code: 4 } : { type: 3, code: 3 };
    return {
      rules,
      steps: [
        [from('eth0', query(place)), fresh],
        [from('eth1', { proto: place.icmp, src: place.server, dst: place.client, ...error, quote: query(place) }), { ...related, verdict: 'forwarded eth0', ct: { state: 'RELATED', dir: 'REPLY', status: ['CONFIRMED'] } }],
        [from('eth1', { proto: place.icmp, src: place.other, dst: place.client, ...error, quote: query(place) }), related],
        [from('eth1', { proto: place.icmp, src: place.server, dst: place.neighbour, ...error, quote: query(place) }), invalid],
        [from('eth1', { proto: place.icmp, src: place.server, dst: place.client, ...error, quote: query(place), badcsum: true }), invalid],
        [from('eth1', { proto: place.icmp, src: place.server, dst: place.client, ...error, quote: { ...query(place), dport: 54 } }), invalid],
      ],
    };
  }),
  ...cases('the quoted header and four bytes suffice', place => ({
    rules,
    steps: [
      [from('eth0', query(place)), fresh],
      [from('eth1', { proto: 'icmp', src: place.server, dst: place.client, type: 3, code: 3, quote: query(place), quote_len: 24 }), related],
      [from('eth1', { proto: 'icmp', src: place.server, dst: place.client, type: 3, code: 3, quote: query(place), quote_len: 23 }), invalid],
    ],
  }), { families: ['ipv4'] }),
  ...cases('neighbour discovery is UNTRACKED, other messages of ICMPv6 are INVALID', place => ({
    rules: rules.replaceAll('FORWARD -m', 'INPUT -m'),
    steps: [135, 136, 134, 133].map(type => [from('eth0', { proto: 'icmpv6', src: place.neighbour, dst: place.self, type, code: 0, ttl: 255, rest: 0, payload_len: 16 }), { path: ['filter:INPUT:5', 'filter:INPUT:policy'], ct: { state: 'UNTRACKED', dir: null, status: [] } }] as const),
  }), { families: ['ipv6'] }),
  ...cases('SCTP: DATA first is INVALID, HEARTBEAT first and INIT are NEW', place => ({
    rules,
    steps: [
      [from('eth0', { proto: 'sctp', src: place.client, dst: place.server, sport: 1, dport: 9, chunk: 0 }), invalid],
      [from('eth0', { proto: 'sctp', src: place.client, dst: place.server, sport: 2, dport: 9, chunk: 4 }), fresh],
      [from('eth0', { proto: 'sctp', src: place.client, dst: place.server, sport: 3, dport: 9, chunk: 1 }), fresh],
    ],
  })),
  ...cases('GRE, ESP, DCCP and a protocol without a name are flows of their own', place => ({
    rules,
    steps: ['gre', 'esp', 'dccp', 89].flatMap(proto => [
      [from('eth0', { proto, src: place.client, dst: place.server }), fresh] as const, [from('eth1', { proto, src: place.server, dst: place.client }), established] as const,
    ]),
  })),
];

