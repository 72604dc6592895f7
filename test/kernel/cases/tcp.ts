/** TCP connections. */
import type { ScenarioPacket, ScenarioStep } from '../../../analyzer/netfilter/scenario.js';
import { cases, from, table, type Case, type Expectation, type Place } from './define.js';

/** Each state has a rule of its own. */
const rules = table('filter', '-A FORWARD -m conntrack --ctstate INVALID -j DROP', '-A FORWARD -m conntrack --ctstate NEW', '-A FORWARD -m conntrack --ctstate ESTABLISHED');
const invalid: Expectation = { path: ['filter:FORWARD:1'], verdict: 'drop', by: 'filter:FORWARD:1', ct: { state: 'INVALID', dir: null, status: [] } };
const fresh: Expectation = { path: ['filter:FORWARD:2', 'filter:FORWARD:policy'], verdict: 'forwarded eth1', ct: { state: 'NEW', dir: 'ORIGINAL', status: [] } };
const established: Expectation = { path: ['filter:FORWARD:3', 'filter:FORWARD:policy'] };

type Segment = Omit<ScenarioPacket, 'proto'>;

const client = ({ client: src, server: dst }: Place, segment: Segment): ScenarioStep => from('eth0', { proto: 'tcp', src, dst, sport: 40000, dport: 80, ...segment });
const server = ({ server: src, client: dst }: Place, segment: Segment): ScenarioStep => from('eth1', { proto: 'tcp', src, dst, sport: 80, dport: 40000, ...segment });

/** Segments of a connection that is set up: the client begins at 1000, the server at 5000. */
function handshake(place: Place): readonly (readonly [ScenarioStep, Expectation?])[] {
  return [
    [client(place, { flags: 'S', seq: 1000 }), fresh],
    [server(place, { flags: 'SA', seq: 5000, ack: 1001 }), established],
    [client(place, { flags: 'A', seq: 1001, ack: 5001 }), { ...established, ct: { state: 'ESTABLISHED', dir: 'ORIGINAL', status: ['SEEN_REPLY', 'ASSURED', 'CONFIRMED'] } }],
  ];
}

/** The table's one line, of a state. */
function stateIs(place: Place, tcp: string, timeout: number, status: readonly string[], began: 'by client' | 'by server' = 'by client'): Expectation {
  const end = (address: string, port: number): string => `${place.isV6 ? `[${address}]` : address}:${String(port)}`;
  const [c, s] = [end(place.client, 40000), end(place.server, 80)];
  const [orig, reply] = began === 'by client' ? [`tcp ${c}>${s}`, `tcp ${s}>${c}`] : [`tcp ${s}>${c}`, `tcp ${c}>${s}`];
  return { conntrack: [{ orig, reply, status, tcp, timeout, mark: 0, zone: 0 }] };
}

export const tcpCases: readonly Case[] = [
  ...cases('a handshake, data, and the end', place => ({
    rules,
    steps: [
      ...handshake(place),
      [client(place, { flags: 'PA', seq: 1001, ack: 5001, payload_len: 10 }), established],
      [server(place, { flags: 'A', seq: 5001, ack: 1011 }), established],
      [client(place, { flags: 'FA', seq: 1011, ack: 5001 }), established],
      [server(place, { flags: 'FA', seq: 5001, ack: 1012 }), established],
      [client(place, { flags: 'A', seq: 1012, ack: 5002 }), established],
    ],
  })),
  ...cases('what may begin a connection: ACK and PSH/ACK are NEW', place => ({
    rules,
    steps: [
      [client(place, { flags: 'A', sport: 1 }), fresh], [client(place, { flags: 'PA', sport: 2 }), fresh], [client(place, { flags: 'SU', sport: 3 }), fresh],
      [client(place, { flags: 'SEC', sport: 4 }), fresh], [client(place, { flags: 'SP', sport: 5 }), fresh],
    ],
  })),
  ...cases('what may not: SYN/ACK, FIN/ACK, RST, nothing, SYN/FIN, all', place => ({
    rules,
    steps: ['SA', 'FA', 'R', 'none', 'SF', 'FSRPAU', 'FPU'].map((flags, index) => [client(place, { flags, sport: index + 1 }), invalid] as const),
  })),
  ...cases('without tcp_loose only a SYN begins', place => ({
    rules, sysctls: { 'net.netfilter.nf_conntrack_tcp_loose': 0 },
    steps: [[client(place, { flags: 'A' }), invalid], [client(place, { flags: 'S' }), fresh]],
  })),
  ...cases('RST/ACK answers a SYN: ESTABLISHED, and the entry is gone', place => ({
    rules,
    steps: [
      [client(place, { flags: 'S', seq: 1000 }), fresh],
      [server(place, { flags: 'RA', seq: 0, ack: 1001 }), { ...established, verdict: 'forwarded eth0', ct: { state: 'ESTABLISHED', dir: 'REPLY', status: ['SEEN_REPLY', 'CONFIRMED', 'DYING'] }, conntrack: [] }],
    ],
  })),
  ...cases('an exact RST closes', place => ({
    rules, steps: [...handshake(place), [client(place, { flags: 'R', seq: 1001 }), established], [client(place, { flags: 'A', seq: 1001, ack: 5001 })]],
  })),
  ...cases('an RST within the window, but not exact, leaves it ESTABLISHED for 10 seconds', place => ({
    rules, steps: [...handshake(place), [client(place, { flags: 'R', seq: 1101 }), { ...established, ...stateIs(place, 'ESTABLISHED', 10, ['SEEN_REPLY', 'ASSURED', 'CONFIRMED']) }]],
  })),
  ...cases('an RST out of the window is INVALID', place => ({
    rules, steps: [...handshake(place), [client(place, { flags: 'R', seq: 900_000_000 }), invalid]],
  })),
  ...cases('a SYN on an ESTABLISHED connection', place => ({
    rules,
    steps: [
      ...handshake(place),
      [client(place, { flags: 'S', seq: 70000 }), { ...established, ct: { state: 'ESTABLISHED', dir: 'ORIGINAL', status: ['SEEN_REPLY', 'ASSURED', 'CONFIRMED'] } }],
      [server(place, { flags: 'S', seq: 5001 }), invalid],
    ],
  })),
  ...cases('a SYN/ACK behind an ignored SYN leads back to SYN_RECV', place => ({
    rules,
    steps: [
      ...handshake(place), [client(place, { flags: 'S', seq: 70000 }), established],
      [server(place, { flags: 'SA', seq: 9000, ack: 70001 }), { ...established, ...stateIs(place, 'SYN_RECV', 60, ['SEEN_REPLY', 'ASSURED', 'CONFIRMED']) }],
    ],
  })),
  ...cases('a SYN on TIME_WAIT begins a new entry', place => ({
    rules,
    steps: [
      ...handshake(place),
      [client(place, { flags: 'FA', seq: 1001, ack: 5001 }), established], [server(place, { flags: 'FA', seq: 5001, ack: 1002 }), established], [client(place, { flags: 'A', seq: 1002, ack: 5002 }), established],
      [client(place, { flags: 'S', seq: 900_000 }), { ...fresh, ...stateIs(place, 'SYN_SENT', 120, ['CONFIRMED']) }],
    ],
  })),
  ...cases('a SYN of the other side on TIME_WAIT begins one the other way, and it is alone', place => ({
    rules,
    steps: [
      ...handshake(place),
      [client(place, { flags: 'FA', seq: 1001, ack: 5001 }), established], [server(place, { flags: 'FA', seq: 5001, ack: 1002 }), established], [client(place, { flags: 'A', seq: 1002, ack: 5002 }), established],
      [server(place, { flags: 'SE', seq: 5002 }), { path: ['filter:FORWARD:2', 'filter:FORWARD:policy'], ...stateIs(place, 'SYN_SENT', 120, ['CONFIRMED'], 'by server') }],
    ],
  })),
  ...cases('unacknowledged data: 300 seconds', place => ({
    rules, steps: [...handshake(place), [client(place, { flags: 'PA', seq: 1001, ack: 5001, payload_len: 10 }), { ...established, ...stateIs(place, 'ESTABLISHED', 300, ['SEEN_REPLY', 'ASSURED', 'CONFIRMED']) }]],
  })),
  ...cases('a flow picked up accepts a jump, and is ASSURED', place => ({
    rules,
    steps: [
      [client(place, { flags: 'A', seq: 1000, ack: 5000 }), fresh], [server(place, { flags: 'A', seq: 5000, ack: 1000 }), established], [client(place, { flags: 'A', seq: 40_000, ack: 5000 })],
    ],
  })),
  ...[7, undefined].map(wscale => cases(`${wscale === undefined ? 'without' : 'with'} window scaling`, place => ({
    rules,
    steps: [
      [client(place, { flags: 'S', seq: 1000, win: 512, mss: 1460, ...wscale === undefined ? {} : { wscale } }), fresh],
      [server(place, { flags: 'SA', seq: 5000, ack: 1001, win: 512, mss: 1460, ...wscale === undefined ? {} : { wscale } }), established],
      [client(place, { flags: 'A', seq: 1001, ack: 5001, win: 512 }), established],
      [server(place, { flags: 'PA', seq: 5001 + 50_000, ack: 1001, payload_len: 100 }), wscale === undefined ? invalid : established],
    ],
  }))).flat(),
  ...cases('a SYN/ACK with a wrong ack is accepted', place => ({
    rules, steps: [[client(place, { flags: 'S', seq: 1000 }), fresh], [server(place, { flags: 'SA', seq: 5000, ack: 77 })]],
  })),
  ...cases('data out of the window is INVALID', place => ({
    rules, steps: [...handshake(place), [client(place, { flags: 'PA', seq: 200_000, ack: 5001, payload_len: 10 }), invalid]],
  })),
  ...cases('a wrong checksum is INVALID', place => ({ rules, steps: [[client(place, { badcsum: true }), invalid]] })),
];
