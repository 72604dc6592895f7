/**
 * Packets of conversations, with mistakes in them. Answers are addressed to what the other side saw, translations
 * included: the engine is asked as they are drawn. What comes out is a plain list of steps.
 */
import { describePacket } from '../../netfilter/describe-packet.js';
import type { Host } from '../../netfilter/engine.js';
import type { ScenarioPacket, ScenarioStep } from '../../netfilter/scenario.js';
import type { Arbitrary, Family, Fc } from '../../values/value.js';
import { places } from './places.js';

type Protocol = 'tcp' | 'udp' | 'icmp' | 'sctp' | 'gre' | 'udplite' | 'esp';

/** Two ends and a protocol. */
interface Flow {
  readonly protocol: Protocol;
  readonly client: string;
  readonly server: string;
  readonly clientPort: number;
  readonly serverPort: number;
}

const segments = ['S', 'S', 'SA', 'A', 'A', 'data', 'data', 'FA', 'R', 'RA', 'SE', 'FPU', 'none', 'SF', 'SAFR', 'PA'] as const;

/** One packet of a flow, to be made when it is known what came before. */
interface Move {
  readonly flow: number;
  readonly isReply: boolean;
  /** 0: the next one of a right conversation; else the index of a segment. */
  readonly segment: number;
  /** Added to the right sequence or acknowledgement number; mostly 0. */
  readonly slip: number;
  readonly size: number;
  readonly mistake: 'none' | 'badcsum' | 'ttl' | 'fragments' | 'error' | 'tos' | 'options' | 'cut';
}

function flowOf(fc: Fc, family: Family): Arbitrary<Flow> {
  const { own, peers, ports } = places[family];
  const peer = fc.constantFrom(...peers.map(one => one.address));
  const mine = fc.constantFrom(...own);
  const ends = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(peer, mine) }, { weight: 4, arbitrary: fc.tuple(peer, peer).filter(([a, b]) => a !== b) },
    { weight: 3, arbitrary: fc.tuple(mine, peer) }, { weight: 1, arbitrary: fc.tuple(mine, mine) },
  );
  const protocol = fc.constantFrom<Protocol>('tcp', 'tcp', 'tcp', 'tcp', 'udp', 'udp', 'udp', 'icmp', 'icmp', 'sctp', 'gre', 'udplite', 'esp');
  return fc.record({ protocol, ends, clientPort: fc.constantFrom(40_000, 40_001, 600, ...ports), serverPort: fc.constantFrom(...ports) })
    .map(({ ends: [client, server], ...rest }) => ({ ...rest, client, server }));
}

function moveOf(fc: Fc, flows: number): Arbitrary<Move> {
  return fc.record({
    flow: fc.nat(flows - 1),
    isReply: fc.boolean(),
    segment: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(segments.length) }),
    slip: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, -1, 1000, 70_000, -70_000, 2_000_000_000) }),
    size: fc.constantFrom(0, 0, 1, 10, 100, 900),
    mistake: fc.constantFrom('none', 'none', 'none', 'none', 'none', 'none', 'none', 'none', 'badcsum', 'ttl', 'fragments', 'error', 'tos', 'options', 'cut'),
  });
}

/** What one end has sent and expects. */
interface End {
  next: number;
  acked: number;
}

/** Plays the moves against an engine, and keeps the steps. */
class Player {
  readonly steps: ScenarioStep[] = [];
  readonly #host: Host;
  readonly #family: Family;
  readonly #flows: readonly Flow[];
  readonly #ends: { client: End; server: End; stage: number; seen: ScenarioPacket | undefined }[];

  constructor(host: Host, family: Family, flows: readonly Flow[]) {
    this.#host = host;
    this.#family = family;
    this.#flows = flows;
    this.#ends = flows.map(() => ({ client: { next: 1000, acked: 0 }, server: { next: 5000, acked: 0 }, stage: 0, seen: undefined }));
  }

  play(move: Move): void {
    const flow = this.#flows[move.flow];
    const state = this.#ends[move.flow];
    if (flow === undefined || state === undefined) return;
    const [isReply, flags] = flow.protocol === 'tcp' ? this.#segment(move, state.stage++) : [move.isReply, ''];
    const { seen } = state;
    const addresses = isReply
      ? { src: seen?.dst ?? flow.server, dst: seen?.src ?? flow.client, sport: seen?.dport ?? flow.serverPort, dport: seen?.sport ?? flow.clientPort }
      : { src: flow.client, dst: flow.server, sport: flow.clientPort, dport: flow.serverPort };
    const packet = move.mistake === 'error' && seen !== undefined
      ? this.#error(seen)
      : this.#mistaken(this.#packet(flow.protocol, addresses, isReply, flags, move, state), this.#isOnLoopback(flow) && move.mistake === 'fragments' ? 'none' : move.mistake);
    const step: ScenarioStep = { in: this.#entry(packet.src ?? ''), packet };
    this.steps.push(step);
    const arrived = this.#host.travel(step).at(-1);
    const isThere = arrived?.fate?.kind === 'delivered' || arrived?.fate?.kind === 'forwarded' || arrived?.fate?.kind === 'sent';
    if (!isReply && isThere && move.mistake !== 'error' && arrived !== undefined) state.seen = describePacket(arrived.packet.bytes, this.#family);
  }

  /** Handshake, data, close, in order; or any segment from anyone. */
  #segment(move: Move, stage: number): readonly [boolean, string] {
    if (move.segment > 0) return [move.isReply, segments[move.segment - 1] ?? 'S'];
    const script: readonly (readonly [boolean, string])[] = [[false, 'S'], [true, 'SA'], [false, 'A'], [false, 'data'], [true, 'data'], [false, 'FA'], [true, 'FA'], [false, 'A']];
    return script[stage % script.length] ?? [false, 'S'];
  }

  /** What is cut anew on lo cannot be told apart in a trace of the kernel. */
  #isOnLoopback({ client, server }: Flow): boolean {
    const { own } = places[this.#family];
    return own.includes(client) || own.includes(server);
  }

  #entry(src: string): string {
    const { own, peers } = places[this.#family];
    return own.includes(src) ? 'local' : peers.find(peer => peer.address === src)?.behind ?? 'eth0';
  }

  #packet(protocol: Protocol, { src, dst, sport, dport }: Record<'src' | 'dst', string> & Record<'sport' | 'dport', number>, isReply: boolean, flags: string, { slip, size }: Move, state: { client: End; server: End }): ScenarioPacket {
    const base = { src, dst, ...size > 0 && flags !== 'S' ? { payload_len: size } : {} };
    const isV6 = this.#family === 'ipv6';
    switch (protocol) {
      case 'tcp': return { proto: 'tcp', ...base, sport, dport, ...this.#tcp(isReply, flags, slip, size, state) };
      case 'udp': case 'udplite': return { proto: protocol, ...base, sport, dport };
      case 'sctp': return { proto: 'sctp', src, dst, sport, dport, chunk: isReply ? 2 : 1, vtag: isReply ? 7 : 0 };
      case 'icmp': return { proto: isV6 ? 'icmpv6' : 'icmp', ...base, type: isV6 ? (isReply ? 129 : 128) : isReply ? 0 : 8, code: 0, id: isReply ? dport : sport, icmp_seq: 1 };
      case 'gre': case 'esp': return { proto: protocol, ...base };
    }
  }

  #tcp(isReply: boolean, words: string, slip: number, size: number, { client, server }: { client: End; server: End }): Partial<ScenarioPacket> {
    const [mine, other] = isReply ? [server, client] : [client, server];
    const flags = words === 'data' ? 'PA' : words;
    const hasAck = flags.includes('A');
    const seq = (mine.next + slip) >>> 0;
    const length = (words === 'S' ? 0 : size) + (/[SF]/u.test(flags) ? 1 : 0);
    if (slip === 0) mine.next = (mine.next + length) >>> 0;
    return { flags, seq, ...hasAck ? { ack: other.next } : {}, ...flags.includes('S') && size % 2 === 0 ? { mss: 1460, wscale: 7, sackok: true } : {} };
  }

  #mistaken(packet: ScenarioPacket, mistake: Move['mistake']): ScenarioPacket {
    switch (mistake) {
      case 'badcsum': return { ...packet, badcsum: true };
      case 'ttl': return { ...packet, ttl: 1 };
      case 'tos': return { ...packet, tos: 0x28 };
      case 'options': return packet.proto === 'tcp' ? { ...packet, mss: 1400 } : { ...packet, ttl: 2 };
      case 'fragments': return packet.proto === 'udp' && this.#family === 'ipv4' ? { ...packet, payload_len: 64, fragsize: 32 } : packet;
      case 'cut': return packet.proto === 'tcp' || packet.proto === 'udp' ? { ...packet, cut: 6 } : packet;
      case 'error': case 'none': return packet;
    }
  }

  /** Whoever had the packet last, or a router on the way, says that it could not be delivered. */
  #error(seen: ScenarioPacket): ScenarioPacket {
    const isV6 = this.#family === 'ipv6';
    return { proto: isV6 ? 'icmpv6' : 'icmp', src: seen.dst ?? '', dst: seen.src ?? '', type: isV6 ? 1 : 3, code: isV6 ? 4 : 3, quote: seen };
  }
}

export interface Script {
  readonly flows: readonly Flow[];
  readonly moves: readonly Move[];
}

/** Who talks to whom, and what is said in which order. */
export function scripts(fc: Fc, family: Family, maxLength: number): Arbitrary<Script> {
  return fc.array(flowOf(fc, family), { minLength: 1, maxLength: 3 }).chain(flows =>
    fc.array(moveOf(fc, flows.length), { minLength: 1, maxLength }).map(moves => ({ flows, moves })));
}

/** The steps that come of a script on this host, whose state they change. */
export function stepsOf({ flows, moves }: Script, host: Host): readonly ScenarioStep[] {
  const player = new Player(host, host.family, flows);
  for (const move of moves) player.play(move);
  return player.steps;
}
