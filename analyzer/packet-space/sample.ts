/** From a point of classes to a packet that a person would have chosen, and that still does what it is to show. */
import { ctstates, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { printAddress } from '../values/address.js';
import type { PacketSample } from './answers.js';
import type { CompiledTable } from './compile.js';
import type { Dimension, Dimensions } from './dimensions.js';
import { classOf, largestOf, next, scalarOf, type NumericField, type Scalar } from './fields.js';
import type { Region } from './boxes.js';
import { valuesOf, wishesOf, type Wish } from './packets.js';
import { isImpossible, trackedFields } from './tracked-states.js';
import { fieldOrder, nameRank, preferred } from './preferences.js';

interface Spot {
  readonly point: Int32Array;
  /** Nothing outside is looked at. */
  readonly region: Region;
}

/** Changes tried for one dimension. */
const tries = 4;

/** A humane packet near `spot` that `accepts` still holds of. `asked` is what the question says of its packets. */
export function sampleOf(compiled: Pick<CompiledTable, 'dimensions'>, spot: Spot, accepts: (point: Int32Array) => boolean, asked?: Constraint): PacketSample {
  const { dimensions } = compiled;
  const point = spot.point.slice();
  for (const d of orderOf(dimensions)) {
    const before = point[d] ?? 0;
    if (before === 0 && dimensions.list[d]?.kind === 'atom') continue;
    for (const value of likedClasses(dimensions, d).slice(0, tries)) {
      if (value < (spot.region.lo[d] ?? 0) || value > (spot.region.hi[d] ?? 0)) continue;
      point[d] = value;
      if (value === before || (!isImpossible(dimensions.tracked, { lo: point, hi: point }) && accepts(point))) break;
      point[d] = before;
    }
  }
  return write(dimensions, point, asked === undefined ? [] : matchingWishes(dimensions, point, wishesOf(dimensions.family, asked)));
}

const orders = new WeakMap<Dimensions, readonly number[]>();

function orderOf(dimensions: Dimensions): readonly number[] {
  const known = orders.get(dimensions) ?? dimensions.list.map((_, d) => d).sort((a, b) => rankOf(dimensions.list[a]) - rankOf(dimensions.list[b]));
  orders.set(dimensions, known);
  return known;
}

function rankOf(dimension: Dimension | undefined): number {
  const at = dimension === undefined || dimension.kind === 'atom' ? -1 : fieldOrder.indexOf(dimension.field);
  return at === -1 ? fieldOrder.length : at;
}

/** Classes of a dimension in the order of liking. */
export function likedClasses({ list, family }: Dimensions, d: number): readonly number[] {
  const dimension = list[d];
  switch (dimension?.kind) {
    case 'range': return [...new Set(preferred(dimension.field, family).map(value => classOf(dimension.starts, value)))];
    case 'bits': return [...new Set([...preferred(dimension.field, family), 0].map(value => bitsClass(dimension, value)))];
    case 'name': {
      const ranks = dimension.names.classes.map(({ text, other }) => nameRank(text, other));
      return ranks.map((_, i) => i).slice(1).sort((a, b) => (ranks[a] ?? 0) - (ranks[b] ?? 0));
    }
    case 'atom': return [0];
    case undefined: return [];
  }
}

/** A list of wishes that the point can meet. */
function matchingWishes(dimensions: Dimensions, point: Int32Array, lists: readonly (readonly Wish[])[]): readonly Wish[] {
  return lists.find(list => list.every(wish => meets(dimensions, point, wish))) ?? [];
}

function meets({ list, fields }: Dimensions, point: Int32Array, wish: Wish): boolean {
  const own = wish.dimension;
  const d = own.kind === 'atom' ? undefined : fields.get(own.field)?.[0];
  const dimension = list[d ?? -1];
  if (d === undefined || dimension === undefined) return true;
  const at = point[d] ?? 0;
  if (own.kind === 'name' && dimension.kind === 'name') return nameFor(dimension, at, wish) !== undefined;
  if (own.kind !== 'range' || dimension.kind !== 'range') return true;
  const [mine, theirs] = [valuesOf(own, wish.low, wish.high), valuesOf(dimension, at, at)];
  return mine.low <= theirs.high && theirs.low <= mine.high;
}

type NameDimension = Extract<Dimension, { kind: 'name' }>;

/** A name of class `at` that the wish allows. */
function nameFor({ names }: NameDimension, at: number, { dimension, low, high }: Wish): string | undefined {
  if (dimension.kind !== 'name') return undefined;
  const theirs = dimension.names;
  const mentioned = [...names.classes, ...theirs.classes].filter(one => !one.other).map(one => one.text);
  const tries = [...mentioned, names.nameIn(at, []), ...theirs.classes.map((_, i) => theirs.nameIn(i, []))];
  return tries.find(name => {
    const own = theirs.classOf(name);
    return names.classOf(name) === at && own >= low && own <= high;
  });
}

/** Whether a packet in the state that it has can have this value. */
type May = (value: Scalar) => boolean;

/** The most liked value from low to high that it may have. */
function choose(field: NumericField, family: Dimensions['family'], low: Scalar, high: Scalar, may: May | undefined): Scalar {
  const liked = preferred(field, family).find(value => low <= value && value <= high && may?.(value) !== false);
  if (liked !== undefined) return liked;
  if (may !== undefined) for (let one = low; one <= high; one = next(one)) if (may(one)) return one;
  // Not the network's own address, if there is another.
  if (field !== 'src' && field !== 'dst') return low;
  const host = typeof low === 'bigint' ? low + 10n : low + 10;
  return host <= high ? host : high > low ? (typeof low === 'bigint' ? low + 1n : low + 1) : low;
}

/** The values that a field may have which is no line of bits: those of its class at the point, and among those that are wished for. Undefined where nobody asks. */
function spanOf({ list, fields }: Dimensions, point: Int32Array, field: NumericField, wishes: readonly Wish[]): { readonly low: Scalar; readonly high: Scalar } | undefined {
  const d = fields.get(field)?.[0];
  const wish = wishes.find(one => one.dimension.kind === 'range' && one.dimension.field === field);
  const asked = wish?.dimension.kind === 'range' ? valuesOf(wish.dimension, wish.low, wish.high) : undefined;
  const first = list[d ?? -1];
  if (d === undefined || first === undefined) return asked;
  if (first.kind !== 'range') return undefined;
  const own = valuesOf(first, point[d] ?? 0, point[d] ?? 0);
  return asked === undefined ? own : { low: asked.low > own.low ? asked.low : own.low, high: asked.high < own.high ? asked.high : own.high };
}

function numberFor(dimensions: Dimensions, point: Int32Array, field: NumericField, wishes: readonly Wish[], may?: May): Scalar | undefined {
  const { list, fields, family } = dimensions;
  const dims = fields.get(field);
  if (dims !== undefined && list[dims[0] ?? -1]?.kind === 'bits') return bitsFor(list, dims, point, field, family);
  const span = spanOf(dimensions, point, field, wishes);
  return span === undefined ? undefined : choose(field, family, span.low, span.high, may);
}

type BitsDimension = Extract<Dimension, { kind: 'bits' }>;

function bitsClass({ mask, index, values }: BitsDimension, value: Scalar): number {
  return index.get(BigInt(value) & mask) ?? values.length;
}

/** A value whose groups of bits are of the point's classes: one that is liked, if it is. */
function bitsFor(list: Dimensions['list'], dims: readonly number[], point: Int32Array, field: NumericField, family: Dimensions['family']): Scalar {
  const liked = preferred(field, family).find(one => dims.every(d => {
    const group = list[d];
    return group?.kind !== 'bits' || bitsClass(group, one) === point[d];
  }));
  if (liked !== undefined) return liked;
  let value = 0n;
  for (const d of dims) {
    const group = list[d];
    if (group?.kind !== 'bits') continue;
    value |= group.values[point[d] ?? 0] ?? unmentioned(group.mask, group.index);
  }
  return scalarOf(field, family, value > BigInt(largestOf(field, family)) ? 0 : value);
}

/** The smallest value within a mask that is not mentioned: counting with carries that skip the other bits. */
function unmentioned(mask: bigint, mentioned: ReadonlyMap<bigint, number>): bigint {
  let value = 0n;
  while (mentioned.has(value)) value = ((value | ~mask) + 1n) & mask;
  return value;
}

const [tcp, udp] = [protocolNumber.tcp, protocolNumber.udp];
const withPorts: readonly number[] = [tcp, udp, 33, 132, 136];
const stateNames: ReadonlyMap<number, string> = new Map(Object.entries(ctstates).map(([name, value]) => [value, name]));

function isSome({ low, high }: { readonly low: Scalar; readonly high: Scalar }, holds: (value: number) => boolean): boolean {
  for (let value = Number(low); value <= Number(high); value++) if (holds(value)) return true;
  return false;
}

function write(dimensions: Dimensions, point: Int32Array, wishes: readonly Wish[]): PacketSample {
  const number = (field: NumericField, may?: May): number | undefined => {
    const value = numberFor(dimensions, point, field, wishes, may);
    return value === undefined ? undefined : Number(value);
  };
  const address = (field: 'src' | 'dst'): string | undefined => {
    const value = numberFor(dimensions, point, field, wishes);
    return value === undefined ? undefined : printAddress(value);
  };
  const protocol = number('protocol');
  const tracked = trackedFields(dimensions).find(one => one.protocol === protocol);
  const span = tracked === undefined ? undefined : spanOf(dimensions, point, tracked.field, wishes);
  const ctstate = number('ctstate', tracked === undefined || span === undefined ? undefined : state => isSome(span, value => tracked.canBe(Number(state), value)));
  const may: May | undefined = tracked === undefined || ctstate === undefined ? undefined : value => tracked.canBe(ctstate, Number(value));
  const ports = protocol === undefined || withPorts.includes(protocol);
  const icmp = protocol === protocolNumber.icmp || protocol === protocolNumber.icmpv6;
  const fragment = number('fragment');
  const atoms = atomsOf(dimensions, point);
  const all = {
    src: address('src'), dst: address('dst'), in: nameOf(dimensions, point, 'in', wishes), out: nameOf(dimensions, point, 'out', wishes), protocol,
    sport: ports ? number('sport') : undefined, dport: ports ? number('dport') : undefined, tcpFlags: protocol === tcp ? number('tcpFlags', may) : undefined,
    icmpType: icmp ? number('icmpType', may) : undefined, icmpCode: icmp ? number('icmpCode') : undefined,
    ctstate: stateNames.get(ctstate ?? -1), fragment: fragment === undefined ? undefined : fragment === 1,
    mark: number('mark'), length: number('length'), ttl: number('ttl'), atoms,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function nameOf({ fields, list }: Dimensions, point: Int32Array, field: 'in' | 'out', wishes: readonly Wish[]): string | undefined {
  const d = fields.get(field)?.[0] ?? -1;
  const dimension = list[d];
  if (dimension?.kind !== 'name') return undefined;
  const at = point[d] ?? 0;
  const wish = wishes.find(one => one.dimension.kind === 'name' && one.dimension.field === field);
  const name = wish === undefined ? dimension.names.nameIn(at, ['eth0', 'lo']) : nameFor(dimension, at, wish) ?? dimension.names.nameIn(at, []);
  return name === '' || (wish === undefined && dimension.names.classes.length <= 2) ? undefined : name;
}

/** Properties that must hold; all others must not. */
function atomsOf({ list }: Dimensions, point: Int32Array): Record<string, boolean> | undefined {
  const held = list.flatMap((one, d) => one.kind === 'atom' && point[d] === 1 ? [[one.name, true] as const] : []);
  return held.length === 0 ? undefined : Object.fromEntries(held);
}
