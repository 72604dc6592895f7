/**
 * What no rule says and yet holds of every packet: connection tracking tells of a TCP segment only what its flags let it tell, and of an ICMP
 * message what its type does. A SYN/ACK, for one, is never NEW, nor is an echo reply. Of classes of values it is said where it holds of all values in them.
 */
import { ctstates, type Field } from '../packet/constraint.js';
import { icmpErrors } from '../packet/icmp-types.js';
import { protocolNumber } from '../packet/protocols.js';
import type { Family } from '../values/value.js';
import { classOf, type Scalar } from './fields.js';

const fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32;
const { INVALID, NEW, ESTABLISHED, UNTRACKED } = ctstates;

/** Whoever has other flags is INVALID. @see tcp_valid_flags in net/netfilter/nf_conntrack_proto_tcp.c */
const valid: ReadonlySet<number> = new Set([syn, syn | urg, syn | ack, rst, rst | ack, fin | ack, fin | ack | urg, ack, ack | urg]);
const makesSense = (flags: number): boolean => valid.has(flags & ~psh);

/**
 * NEW and RELATED are the first of a connection, a SYN or with nf_conntrack_tcp_loose an ACK, and what its sender says before anybody
 * answered: a SYN/ACK is neither, a RST and the FIN of a connection that was picked up may be.
 * @see tcp_conntracks in net/netfilter/nf_conntrack_proto_tcp.c
 */
function segmentCanBe(state: number, flags: number): boolean {
  return makesSense(flags) && (state === ESTABLISHED || (flags & (syn | ack)) !== (syn | ack));
}

/** What kinds of messages there are, by type. Those of no kind are INVALID, or UNTRACKED. */
interface Messages {
  readonly requests: ReadonlySet<number>;
  readonly replies: ReadonlySet<number>;
  readonly isError: (type: number) => boolean;
}

/** @see valid_new in nf_conntrack_icmp_packet(), invmap and nf_conntrack_icmpv4_error() in net/netfilter/nf_conntrack_proto_icmp.c */
const messages4: Messages = { requests: new Set([8, 13, 15, 17]), replies: new Set([0, 14, 16, 18]), isError: type => icmpErrors.has(type) };

/** A Redirect of neighbour discovery (137) quotes a packet, as errors do. @see nf_conntrack_icmpv6_error() and nf_conntrack_icmpv6_redirect() in net/netfilter/nf_conntrack_proto_icmpv6.c */
const messages6: Messages = { requests: new Set([128, 139]), replies: new Set([129, 140]), isError: type => type < 128 || type === 137 };

/**
 * Requests begin connections, replies belong to them, errors are about them; no helper expects ICMP, so that nothing else is RELATED.
 * @see nf_conntrack_inet_error() in net/netfilter/nf_conntrack_proto_icmp.c
 */
function messageCanBe({ requests, replies, isError }: Messages, state: number, type: number): boolean {
  switch (state) {
    case NEW: return requests.has(type);
    case ESTABLISHED: return requests.has(type) || replies.has(type);
    default: return isError(type);
  }
}

/** Where nothing is exempted from connection tracking, whose flags make no sense is INVALID, and never UNTRACKED. */
export interface Exempting {
  readonly family: Family;
  /** Some rule may keep packets from being tracked. */
  readonly mayUntrack: boolean;
}

/** A field on which the states of a protocol's packets hang. */
interface TrackedField {
  readonly protocol: number;
  readonly field: 'tcpFlags' | 'icmpType';
  /** Whether a packet with this value can be in a state. */
  readonly canBe: (state: number, value: number) => boolean;
  /** All values in all states that there can be, each as a pair. */
  readonly pairs: readonly (readonly [state: number, value: number])[];
}

function trackedField(protocol: number, field: TrackedField['field'], values: number, isSo: (state: number, value: number) => boolean, untracked: (value: number) => boolean = () => true): TrackedField {
  const canBe = (state: number, value: number): boolean => state === INVALID || (state === UNTRACKED ? untracked(value) : isSo(state, value));
  const pairs = Object.values(ctstates).flatMap(state => Array.from({ length: values }, (_, value) => [state, value] as const)).filter(([state, value]) => canBe(state, value));
  return { protocol, field, canBe, pairs };
}

const anySegments = trackedField(protocolNumber.tcp, 'tcpFlags', 64, segmentCanBe);
const trackedSegments = trackedField(protocolNumber.tcp, 'tcpFlags', 64, segmentCanBe, makesSense);

/** By family: each has an ICMP of its own. */
const messages: Readonly<Record<Family, TrackedField>> = {
  ipv4: trackedField(protocolNumber.icmp, 'icmpType', 256, (state, type) => messageCanBe(messages4, state, type)),
  ipv6: trackedField(protocolNumber.icmpv6, 'icmpType', 256, (state, type) => messageCanBe(messages6, state, type)),
};

/** The fields on which states hang. */
export function trackedFields({ family, mayUntrack }: Exempting): readonly TrackedField[] {
  return [mayUntrack ? anySegments : trackedSegments, messages[family]];
}

/** Three dimensions that are not independent. */
interface Dependency {
  /** The packet's protocol, and the class that holds this one alone. */
  readonly protocol: number;
  readonly own: number;
  readonly state: number;
  readonly field: number;
  /** Whether there are packets of the field's class f and state's class s: at f + classes · s. */
  readonly exists: Uint8Array;
  readonly classes: number;
}

/** All such of a table; undefined where its rules do not tell apart what could be impossible. */
export type TrackedStates = readonly Dependency[] | undefined;

/** A field's dimension, and where its classes begin. */
type LineOf = (field: Field) => { readonly dimension: number; readonly starts: readonly Scalar[] } | undefined;

export function trackedStates(exempting: Exempting, line: LineOf): TrackedStates {
  const some = trackedFields(exempting).flatMap(tracked => dependencyOf(tracked, line) ?? []);
  return some.length > 0 ? some : undefined;
}

function dependencyOf({ protocol: number, field: name, pairs }: TrackedField, line: LineOf): Dependency | undefined {
  const [protocol, state, field] = [line('protocol'), line('ctstate'), line(name)];
  if (protocol === undefined || state === undefined || field === undefined) return undefined;
  const own = classOf(protocol.starts, number);
  if (protocol.starts[own] !== number || protocol.starts[own + 1] !== number + 1) return undefined;
  const classes = field.starts.length;
  const exists = new Uint8Array(classes * state.starts.length);
  for (const [one, value] of pairs) exists[classOf(field.starts, value) + classes * classOf(state.starts, one)] = 1;
  return exists.includes(0) ? { protocol: protocol.dimension, own, state: state.dimension, field: field.dimension, exists, classes } : undefined;
}

/** Intervals of the dimensions, in whatever arrays. */
interface Intervals {
  readonly lo: ArrayLike<number>;
  readonly hi: ArrayLike<number>;
}

/** Whether a region holds no packet that there can be. */
export function isImpossible(tracked: TrackedStates, region: Intervals): boolean {
  return whyImpossible(tracked, region) !== undefined;
}

function whyImpossible(tracked: TrackedStates, { lo, hi }: Intervals): Dependency | undefined {
  if (tracked === undefined) return undefined;
  for (const one of tracked) if (lo[one.protocol] === one.own && hi[one.protocol] === one.own && !isAnyOf(one, lo, hi)) return one;
  return undefined;
}

function isAnyOf({ state, field, exists, classes }: Dependency, lo: ArrayLike<number>, hi: ArrayLike<number>): boolean {
  for (let s = lo[state] ?? 0; s <= (hi[state] ?? 0); s++) {
    for (let f = lo[field] ?? 0; f <= (hi[field] ?? 0); f++) if (exists[f + classes * s] === 1) return true;
  }
  return false;
}

/** What of a region cannot be for the same reason as one of its packets: [dimension, low, high]. Undefined where that packet can. */
export function impossibleAround(tracked: TrackedStates, point: ArrayLike<number>, region: Intervals): readonly (readonly [number, number, number])[] | undefined {
  const why = whyImpossible(tracked, { lo: point, hi: point });
  if (why === undefined) return undefined;
  const { protocol, own, state, field, exists, classes } = why;
  const now = point[state] ?? 0;
  const at = classes * now;
  let [low, high] = [point[field] ?? 0, point[field] ?? 0];
  while (low > (region.lo[field] ?? 0) && exists[at + low - 1] === 0) low--;
  while (high < (region.hi[field] ?? 0) && exists[at + high + 1] === 0) high++;
  return [[protocol, own, own], [state, now, now], [field, low, high]];
}
