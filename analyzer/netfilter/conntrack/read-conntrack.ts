/** Reads what `conntrack -L` prints: flows that exist already. */
import { Connection, ctstatus, type Tuple } from '../../packet/connection.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { parseAddress } from '../../values/address.js';
import type { Family } from '../../values/value.js';
import type { Conntrack } from './conntrack.js';
import { protocolByName } from './protocol-words.js';
import { SctpFlow } from './sctp.js';
import { sctpStateNames } from './sctp-states.js';
import { SideFlag, TcpFlow } from './tcp-flow.js';
import { TcpState, tcpStateNames } from './tcp-states.js';
import { isSameTuple } from './tuples.js';

export interface ConntrackProblem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** A line that is no flow, and why. */
class NotAFlow extends Error {}

/** `key=value` words of one tuple. */
type Fields = Map<string, string>;

interface Words {
  /** What stands before the first tuple: protocol, number, timeout, state. */
  readonly head: readonly string[];
  readonly original: Fields;
  readonly reply: Fields;
  /** `ASSURED`, `UNREPLIED` … */
  readonly flags: ReadonlySet<string>;
}

/** Everything behind the second `src=` counts to the reply, so `mark=` and the like are found there. */
function split(text: string): Words {
  const head: string[] = [];
  const tuples: Fields[] = [];
  const flags = new Set<string>();
  for (const word of text.split(/\s+/u)) {
    const equals = word.indexOf('=');
    if (word.startsWith('[') && word.endsWith(']')) flags.add(word.slice(1, -1));
    else if (equals < 0) head.push(word);
    else {
      const key = word.slice(0, equals);
      if (key === 'src') tuples.push(new Map());
      tuples.at(-1)?.set(key, word.slice(equals + 1).replace(/,$/u, ''));
    }
  }
  const [original, reply, ...more] = tuples;
  if (original === undefined || reply === undefined || more.length > 0) throw new NotAFlow('a flow has two tuples, each beginning with `src=`');
  return { head, original, reply, flags };
}

/** Decimal or 0x…, at most `max`; absent: `missing`. */
function number(fields: Fields, key: string, max: number, missing: number | undefined): number {
  const text = fields.get(key);
  if (text === undefined && missing !== undefined) return missing;
  const value = text !== undefined && /^(?:\d+|0x[\da-f]+)$/iu.test(text) ? Number(text) : -1;
  if (value < 0 || value > max) throw new NotAFlow(text === undefined ? `\`${key}=\` is missing` : `\`${key}=${text}\` is no number up to ${String(max)}`);
  return value;
}

function address(fields: Fields, key: 'src' | 'dst', family: Family): number | bigint {
  const text = fields.get(key);
  if (text === undefined) throw new NotAFlow(`\`${key}=\` is missing`);
  const value = parseAddress(text, family);
  if (typeof value === 'object') throw new NotAFlow(`\`${key}=${text}\` is not an address of ${family === 'ipv4' ? 'IPv4' : 'IPv6'}`);
  return value;
}

const withPorts: ReadonlySet<number> = new Set([proto.tcp, proto.udp, proto.udplite, proto.sctp]);

function readTuple(fields: Fields, protocol: number, family: Family): Tuple {
  const ends = { src: address(fields, 'src', family), dst: address(fields, 'dst', family), protocol };
  if (withPorts.has(protocol)) return { ...ends, sport: number(fields, 'sport', 0xffff, undefined), dport: number(fields, 'dport', 0xffff, undefined) };
  if (protocol === proto.gre) return { ...ends, sport: number(fields, 'srckey', 0xffff, 0), dport: number(fields, 'dstkey', 0xffff, 0) };
  if (protocol !== proto.icmp && protocol !== proto.icmpv6) return { ...ends, sport: 0, dport: 0 };
  const type = number(fields, 'type', 0xff, undefined);
  return { ...ends, sport: number(fields, 'id', 0xffff, undefined), dport: (type << 8) | number(fields, 'code', 0xff, undefined) };
}

interface Head {
  readonly protocol: number;
  readonly timeout: number;
  readonly state: string;
}

/** `tcp 6 431999 ESTABLISHED`, before it perhaps `ipv4 2`. A flow without its timeout (as events print it) lives as long as an unanswered one. */
function readHead(words: readonly string[]): Head {
  const [name = '', ...rest] = words[0] === 'ipv4' || words[0] === 'ipv6' ? words.slice(2) : words;
  const known = protocolByName(name);
  const numbers = rest.filter(word => /^\d+$/u.test(word)).map(Number);
  const states = rest.filter(word => /^[A-Z][A-Z\d_]*$/u.test(word));
  const protocol = numbers[0] ?? known;
  if (protocol === undefined || protocol > 255) throw new NotAFlow(`\`${name}\` is not a protocol`);
  if (known !== undefined && known !== protocol) throw new NotAFlow(`${name} is protocol ${String(known)}, not ${String(protocol)}`);
  return { protocol, timeout: numbers[1] ?? 30, state: states[0] ?? '' };
}

/** Windows are not told: each side's is learned from its first packet, and none is held to it, as of a flow made by `conntrack -I`. */
function tcpFlow(state: TcpState): TcpFlow {
  const flow = new TcpFlow();
  flow.state = state;
  const flags = SideFlag.SackPermitted | SideFlag.BeLiberal | (state >= TcpState.TimeWait ? SideFlag.CloseInit : 0);
  for (const side of flow.seen) side.flags = flags;
  return flow;
}

function readState(connection: Connection, { protocol, state }: Head): void {
  if (protocol === proto.tcp) {
    const index = tcpStateNames.findIndex(name => name === (state === '' ? 'NONE' : state));
    if (index < 0) throw new NotAFlow(`\`${state}\` is not a state of TCP`);
    connection.protocolState = tcpFlow(index);
    connection.protocolStateName = tcpStateNames[index] ?? 'NONE';
  } else if (protocol === proto.sctp) {
    const flow = new SctpFlow();
    const name = sctpStateNames.find(known => known === (state === '' ? 'NONE' : state));
    if (name === undefined) throw new NotAFlow(`\`${state}\` is not a state of SCTP`);
    flow.state = name;
    flow.learnsTags = true;
    connection.protocolState = flow;
    connection.protocolStateName = name;
  }
}

/** Which ends NAT has changed shows in the reply; that NAT is done with the flow goes without saying. */
function natStatus(original: Tuple, reply: Tuple, answer: Tuple): number {
  const isIcmp = original.protocol === proto.icmp || original.protocol === proto.icmpv6;
  const source = reply.dst !== answer.dst || (isIcmp ? reply.sport !== answer.sport : reply.dport !== answer.dport);
  const destination = reply.src !== answer.src || (!isIcmp && reply.sport !== answer.sport);
  return ctstatus.SRC_NAT_DONE | ctstatus.DST_NAT_DONE | (source ? ctstatus.SRC_NAT : 0) | (destination ? ctstatus.DST_NAT : 0);
}

function readCounters(connection: Connection, tuples: readonly Fields[]): void {
  tuples.forEach((fields, direction) => {
    if (!fields.has('packets')) return;
    connection.accounted = true;
    connection.packets[direction === 0 ? 0 : 1] = BigInt(number(fields, 'packets', Number.MAX_SAFE_INTEGER, 0));
    connection.bytes[direction === 0 ? 0 : 1] = BigInt(number(fields, 'bytes', Number.MAX_SAFE_INTEGER, 0));
  });
}

function readFlow(text: string, conntrack: Conntrack): Connection {
  const words = split(text);
  const head = readHead(words.head);
  const original = readTuple(words.original, head.protocol, conntrack.family);
  const reply = readTuple(words.reply, head.protocol, conntrack.family);
  const answer = conntrack.invert(original);
  if (answer === undefined) throw new NotAFlow('nothing answers an ICMP message of this type');
  const connection = new Connection(original, reply);
  const zone = number(words.reply, 'zone', 0xffff, 0);
  connection.zones = [number(words.original, 'zone-orig', 0xffff, zone), number(words.reply, 'zone-reply', 0xffff, zone)];
  connection.mark = number(words.reply, 'mark', 0xffff_ffff, 0);
  connection.secmark = words.reply.get('secctx') ?? '';
  connection.helper = words.reply.get('helper') ?? '';
  connection.status = natStatus(original, reply, answer)
    | (words.flags.has('UNREPLIED') ? 0 : ctstatus.SEEN_REPLY)
    | (words.flags.has('ASSURED') ? ctstatus.ASSURED : 0)
    | (connection.helper === '' ? 0 : ctstatus.HELPER);
  connection.expires = head.timeout;
  readState(connection, head);
  readCounters(connection, [words.original, words.reply]);
  return connection;
}

/** The flow takes its place in the table, unless another has one of its tuples. */
function addFlow(text: string, conntrack: Conntrack): void {
  const connection = readFlow(text, conntrack);
  const { original, reply, zones } = connection;
  const isTaken = conntrack.findConnection(original, zones[0]) ?? conntrack.findConnection(reply, zones[1]);
  if (isTaken !== undefined) throw new NotAFlow(isSameTuple(isTaken.original, original) ? 'this flow is there already' : 'another flow has one of its tuples');
  conntrack.add(connection);
}

/** Flows of the other family, and what conntrack(8) says beside its flows. */
function isForeign(text: string, family: Family): boolean {
  if (text === '' || text.startsWith('#') || text.startsWith('conntrack v')) return true;
  const source = /\bsrc=(\S+)/u.exec(text)?.[1];
  return source !== undefined && source.includes(':') !== (family === 'ipv6') && /^[\d.]+$|:/u.test(source);
}

/** Puts the flows of the text into the table. What could not be read is answered, by line. */
export function readConntrack(text: string, conntrack: Conntrack): ConntrackProblem[] {
  const problems: ConntrackProblem[] = [];
  text.split(/\r?\n/u).forEach((written, index) => {
    const line = written.trim();
    if (isForeign(line, conntrack.family)) return;
    try {
      addFlow(line, conntrack);
    } catch (error) {
      if (!(error instanceof NotAFlow)) throw error;
      problems.push({ line: index + 1, message: error.message });
    }
  });
  return problems;
}
