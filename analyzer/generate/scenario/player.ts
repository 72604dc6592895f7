/**
 * Makes the packets of conversations. Answers are addressed to what the other side saw, translations included: the engine is
 * asked as they are drawn.
 */
import { describePacket } from '../../netfilter/scenario/describe-packet.js';
import type { Host } from '../../netfilter/engine.js';
import type { ScenarioPacket, ScenarioStep } from '../../netfilter/scenario.js';
import type { Family } from '../../values/value.js';
import { ftpPorts, segments, type Flow, type Move, type Protocol } from './flows.js';
import { errorAbout, mistaken } from './mistakes.js';
import { places } from './places.js';

/** What one end has sent. */
interface End {
  next: number;
}

interface Talk {
  readonly client: End;
  readonly server: End;
  stage: number;
  /** The client's packet as it arrived at the other side, and the server's as it did. */
  seen: ScenarioPacket | undefined;
  answer: ScenarioPacket | undefined;
}

/** `PORT 192,0,2,9,19,137` */
function commas(address: string, port: number): string {
  return [...address.split('.'), port >> 8, port & 255].join(',');
}

/** What an FTP client or server says next: where it waits for the other. */
function ftpWords(isReply: boolean, address: string): string {
  const { active, passive } = ftpPorts;
  if (address.includes(':')) return isReply ? `229 Entering Extended Passive Mode (|||${String(passive)}|)\r\n` : `EPRT |2|${address}|${String(active)}|\r\n`;
  return isReply ? `227 Entering Passive Mode (${commas(address, passive)})\r\n` : `PORT ${commas(address, active)}\r\n`;
}

/** Handshake, data, close, in order: who says which segment or chunk. */
const rightOrder: Readonly<Record<'tcp' | 'sctp', readonly (readonly [isReply: boolean, word: string])[]>> = {
  tcp: [[false, 'S'], [true, 'SA'], [false, 'A'], [false, 'data'], [true, 'data'], [false, 'FA'], [true, 'FA'], [false, 'A']],
  sctp: [[false, 'INIT'], [true, 'INIT_ACK'], [false, 'COOKIE_ECHO'], [true, 'COOKIE_ACK'], [false, 'DATA'], [true, 'SACK'], [false, 'SHUTDOWN'], [true, 'SHUTDOWN_ACK'], [false, 'SHUTDOWN_COMPLETE']],
};

const chunks = ['INIT', 'DATA', 'ABORT', 'HEARTBEAT', 'HEARTBEAT_ACK', 'COOKIE_ECHO', 'SHUTDOWN', 'INIT_ACK', 'COOKIE_ACK', 'SHUTDOWN_ACK', 'ERROR'] as const;

/** A question of ICMP, and its answer: echo, timestamp, information, address mask. */
const queries: readonly (readonly [question: number, answer: number])[] = [[8, 0], [8, 0], [13, 14], [15, 16], [17, 18]];

export class Player {
  readonly #host: Host;
  readonly #family: Family;
  readonly #flows: readonly Flow[];
  readonly #talks: readonly Talk[];
  /** Of the step that was made last, and not played yet. */
  #under: { readonly talk: Talk; readonly isReply: boolean } | undefined;

  constructor(host: Host, family: Family, flows: readonly Flow[]) {
    this.#host = host;
    this.#family = family;
    this.#flows = flows;
    this.#talks = flows.map(() => ({ client: { next: 1000 }, server: { next: 5000 }, stage: 0, seen: undefined, answer: undefined }));
  }

  /** Lets the engine carry the step out, and remembers what arrived. */
  play(step: ScenarioStep, sysctls: ScenarioStep['sysctls']): ScenarioStep {
    const whole = sysctls === undefined ? step : { ...step, sysctls };
    const arrived = this.#host.travel(whole).at(-1);
    const isThere = arrived?.fate?.kind === 'delivered' || arrived?.fate?.kind === 'forwarded' || arrived?.fate?.kind === 'sent';
    const under = this.#under;
    this.#under = undefined;
    if (under === undefined || !isThere) return whole;
    const seen = describePacket(arrived.packet.bytes, this.#family);
    if (under.isReply) under.talk.answer = seen;
    else under.talk.seen = seen;
    return whole;
  }

  stepOf(move: Move): ScenarioStep {
    const flow = this.#flows[move.flow % this.#flows.length];
    const talk = this.#talks[move.flow % this.#flows.length];
    if (flow === undefined || talk === undefined) throw new RangeError('a script has flows');
    const packet = this.#packetOf(move, flow, talk);
    const isElsewhere = move.mistake === 'other interface';
    const entry = this.#entry(packet.src ?? '');
    return {
      in: isElsewhere && entry !== 'local' ? 'eth1' : entry, packet: entry === 'local' ? { ...packet, ...flow.socket } : packet,
      ...move.advance > 0 ? { advance: move.advance } : {}, ...move.mistake === 'broadcast' && entry !== 'local' ? { broadcast: true } : {},
    };
  }

  #packetOf(move: Move, flow: Flow, talk: Talk): ScenarioPacket {
    const about = move.isReply ? talk.answer : talk.seen;
    const { peers } = places[this.#family];
    if (move.mistake === 'error' && about !== undefined) return errorAbout(about, this.#family, peers[move.detail % peers.length]?.address ?? '', move);
    const [isReply, word] = this.#turn(flow.protocol, move, talk);
    this.#under = { talk, isReply };
    const packet = this.#packet(flow, isReply, word, move, talk);
    const isSpared = this.#isOnLoopback(flow) && (move.mistake === 'fragments' || (move.mistake === 'df' && this.#family === 'ipv6'));
    return isSpared ? packet : mistaken(packet, move.mistake, move);
  }

  #turn(protocol: Protocol, { segment, isReply }: Move, talk: Talk): readonly [isReply: boolean, word: string] {
    if (protocol !== 'tcp' && protocol !== 'sctp') return [isReply, ''];
    if (segment > 0) return [isReply, protocol === 'tcp' ? segments[segment - 1] ?? 'S' : chunks[segment % chunks.length] ?? 'INIT'];
    const order = rightOrder[protocol];
    return order[talk.stage++ % order.length] ?? [false, ''];
  }

  /** What is cut anew on lo cannot be told apart in a trace of the kernel; and no raw socket sends more than an MTU. */
  #isOnLoopback({ client, server }: Flow): boolean {
    const { own } = places[this.#family];
    return own.includes(client) || own.includes(server);
  }

  #entry(src: string): string {
    const { own, peers } = places[this.#family];
    return own.includes(src) ? 'local' : peers.find(peer => peer.address === src)?.behind ?? 'eth0';
  }

  #packet({ protocol, ...flow }: Flow, isReply: boolean, word: string, { slip, size, detail }: Move, talk: Talk): ScenarioPacket {
    const { seen } = talk;
    const { src, dst, sport, dport } = isReply
      ? { src: seen?.dst ?? flow.server, dst: seen?.src ?? flow.client, sport: seen?.dport ?? flow.serverPort, dport: seen?.sport ?? flow.clientPort }
      : { src: flow.client, dst: flow.server, sport: flow.clientPort, dport: flow.serverPort };
    const base = { src, dst, ...size > 0 && word !== 'S' ? { payload_len: size } : {} };
    const isV6 = this.#family === 'ipv6';
    switch (protocol) {
      case 'tcp': {
        const words = flow.serverPort === 21 && word === 'data' ? ftpWords(isReply, src) : undefined;
        const length = words?.length ?? (word === 'S' ? 0 : size);
        return { proto: 'tcp', ...base, sport, dport, ...this.#tcp(isReply, word, slip, length, talk), ...words === undefined ? {} : { payload: words } };
      }
      case 'udp': case 'udplite': return { proto: protocol, ...base, sport, dport };
      case 'sctp': return { proto: 'sctp', src, dst, sport, dport, chunk: word, ...slip === 0 ? {} : { vtag: slip >>> 0 } };
      case 'icmp': {
        const [question, answer] = isV6 ? [128, 129] : queries[flow.serverPort % queries.length] ?? [8, 0];
        return { proto: isV6 ? 'icmpv6' : 'icmp', ...base, type: isReply ? answer : question, code: 0, id: isReply ? dport : sport, icmp_seq: 1 };
      }
      case 'dccp': return { proto: 'dccp', src, dst, sport, dport, type: detail % 10 };
      case 'gre': case 'esp': case 'ah': case '253': return { proto: protocol, ...base };
    }
  }

  #tcp(isReply: boolean, words: string, slip: number, size: number, { client, server }: Talk): Partial<ScenarioPacket> {
    const [mine, other] = isReply ? [server, client] : [client, server];
    const flags = words === 'data' ? 'PA' : words;
    const seq = (mine.next + slip) >>> 0;
    const length = size + (/[SF]/u.test(flags) ? 1 : 0);
    if (slip === 0) mine.next = (mine.next + length) >>> 0;
    return { flags, seq, ...flags.includes('A') ? { ack: other.next } : {}, ...flags.includes('S') && size % 2 === 0 ? { mss: 1460, wscale: 7, sackok: true } : {} };
  }
}
