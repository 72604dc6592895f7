/**
 * What no rule says and yet holds of every packet: connection tracking tells of a TCP segment only what its flags let it tell.
 * A SYN/ACK, for one, is never NEW. Of classes of values it is said where it holds of all values in them.
 */
import { ctstates, type Field } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { classOf, type Scalar } from './fields.js';

const fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32;
const { INVALID, NEW, ESTABLISHED, RELATED, UNTRACKED } = ctstates;

/** Whoever has other flags is INVALID. @see tcp_valid_flags in net/netfilter/nf_conntrack_proto_tcp.c */
const valid: ReadonlySet<number> = new Set([syn, syn | urg, syn | ack, rst, rst | ack, fin | ack, fin | ack | urg, ack, ack | urg]);

/**
 * Whether a segment with these flags can be in a state. NEW and RELATED are the first of a connection, a SYN or with nf_conntrack_tcp_loose
 * an ACK, and what its sender says before anybody answered: a SYN/ACK is neither, a RST and the FIN of a connection that was picked up may be.
 * @see tcp_conntracks in net/netfilter/nf_conntrack_proto_tcp.c
 */
export function canBe(state: number, flags: number): boolean {
  switch (state) {
    case INVALID: case UNTRACKED: return true;
    case NEW: case RELATED: return valid.has(flags & ~psh) && (flags & (syn | ack)) !== (syn | ack);
    case ESTABLISHED: return valid.has(flags & ~psh);
    default: return false;
  }
}

/** All flags in all states that there can be, each as a pair. */
const tracked = Object.values(ctstates).flatMap(state => Array.from({ length: 64 }, (_, flags) => [state, flags] as const)).filter(([state, flags]) => canBe(state, flags));

/** Three dimensions that are not independent. */
export interface TrackedSegments {
  /** The packet's protocol, and the class that holds TCP alone. */
  readonly protocol: number;
  readonly tcp: number;
  readonly state: number;
  readonly flags: number;
  /** Whether there are packets of flags' class f and state's class s: at f + flagClasses · s. */
  readonly exists: Uint8Array;
  readonly flagClasses: number;
}

/** A field's dimension, and where its classes begin. */
type LineOf = (field: Field) => { readonly dimension: number; readonly starts: readonly Scalar[] } | undefined;

/** Of a table's dimensions; undefined where its rules do not tell apart what could be impossible. */
export function trackedSegments(line: LineOf): TrackedSegments | undefined {
  const [protocol, state, flags] = [line('protocol'), line('ctstate'), line('tcpFlags')];
  if (protocol === undefined || state === undefined || flags === undefined) return undefined;
  const tcp = classOf(protocol.starts, protocolNumber.tcp);
  if (protocol.starts[tcp] !== protocolNumber.tcp || protocol.starts[tcp + 1] !== protocolNumber.tcp + 1) return undefined;
  const flagClasses = flags.starts.length;
  const exists = new Uint8Array(flagClasses * state.starts.length);
  for (const [one, some] of tracked) exists[classOf(flags.starts, some) + flagClasses * classOf(state.starts, one)] = 1;
  return exists.includes(0) ? { protocol: protocol.dimension, tcp, state: state.dimension, flags: flags.dimension, exists, flagClasses } : undefined;
}

/** Intervals of the dimensions, in whatever arrays. */
interface Intervals {
  readonly lo: ArrayLike<number>;
  readonly hi: ArrayLike<number>;
}

/** Whether a region holds no packet that there can be. */
export function isImpossible(segments: TrackedSegments | undefined, { lo, hi }: Intervals): boolean {
  if (segments === undefined) return false;
  const { protocol, tcp, state, flags, exists, flagClasses } = segments;
  if (lo[protocol] !== tcp || hi[protocol] !== tcp) return false;
  for (let s = lo[state] ?? 0; s <= (hi[state] ?? 0); s++) {
    for (let f = lo[flags] ?? 0; f <= (hi[flags] ?? 0); f++) if (exists[f + flagClasses * s] === 1) return false;
  }
  return true;
}

/** What of a region cannot be for the same reason as one of its packets: [dimension, low, high]. Undefined where that packet can. */
export function impossibleAround(segments: TrackedSegments | undefined, point: ArrayLike<number>, region: Intervals): readonly (readonly [number, number, number])[] | undefined {
  if (segments === undefined || !isImpossible(segments, { lo: point, hi: point })) return undefined;
  const { protocol, tcp, state, flags, exists, flagClasses } = segments;
  const own = point[state] ?? 0;
  const at = flagClasses * own;
  let [low, high] = [point[flags] ?? 0, point[flags] ?? 0];
  while (low > (region.lo[flags] ?? 0) && exists[at + low - 1] === 0) low--;
  while (high < (region.hi[flags] ?? 0) && exists[at + high + 1] === 0) high++;
  return [[protocol, tcp, tcp], [state, own, own], [flags, low, high]];
}
