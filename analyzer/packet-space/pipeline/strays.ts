/**
 * First packets of which no conversation between hosts comes, whatever rules say: nobody answers as a group or as nobody, what is for a loopback address stays on lo,
 * who comes with an address of this host lies, and in frames for a group nobody sends to a single host (RFC 1122, 3.3.6): the kernel forwards none, and gives none to TCP.
 * @see ip_route_input_slow(), ip_mc_validate_source() and __mkroute_output() in net/ipv4/route.c, ip_forward() in net/ipv4/ip_forward.c, tcp_v4_rcv() and
 * tcp_v4_conn_request() in net/ipv4/tcp_ipv4.c, ip6_rcv_core() in net/ipv6/ip6_input.c
 */
import type { Field, Range } from '../../packet/constraint.js';
import type { Family } from '../../values/value.js';
import { dimensionOf, type Dimension } from '../dimensions.js';
import { classOf, next } from '../fields.js';
import { inHole, inside, type Part, type PartHole } from './part.js';
import type { Pipeline, Trip } from './passes.js';
import type { Goal } from './solve.js';
import { sendsElsewhere, type Path } from './stages.js';
import { pathOf, type Back } from './turn.js';

const top = (1n << 128n) - 1n;
/** What a host comes from that has no address yet. */
const unspecified: Readonly<Record<Family, Range>> = { ipv4: { low: 0, high: 0 }, ipv6: { low: 0n, high: 0n } };
const groups: Readonly<Record<Family, readonly Range[]>> = {
  ipv4: [{ low: 0xe000_0000, high: 0xefff_ffff }, { low: 0xffff_ffff, high: 0xffff_ffff }],
  ipv6: [{ low: 0xffn << 120n, high: top }],
};
const loopback: Readonly<Record<Family, Range>> = { ipv4: { low: 0x7f00_0000, high: 0x7fff_ffff }, ipv6: { low: 1n, high: 1n } };

type Side = PartHole['sides'][number];
type End = 'src' | 'dst';

/** The classes that hold nothing but values of the range: what hosts have as well is no stray. */
function classesWithin(one: Dimension | undefined, { low, high }: Range): readonly [number, number] | undefined {
  if (one?.kind !== 'range') return undefined;
  const { starts, max } = one;
  const [first, last] = [classOf(starts, low), classOf(starts, high)];
  const from = (starts[first] ?? 0) < low ? first + 1 : first;
  const isWhole = last + 1 < starts.length ? (starts[last + 1] ?? 0) <= next(high) : max <= high;
  const to = isWhole ? last : last - 1;
  return from <= to ? [from, to] : undefined;
}

/** Types of addresses, as routes tell them, that no host of a conversation has whose packets come along the path. */
function isStrayType(side: string | undefined, type: string | undefined, path: Path): boolean {
  switch (type) {
    // What goes to an address of the host itself goes by lo; who comes with one lies.
    case 'LOCAL': return path === 'out' ? side === 'dst' : path !== 'loop' && side === 'src';
    case 'UNICAST': case 'ANYCAST': return false;
    default: return true;
  }
}

/** The intervals of classes, by input, that hold nothing but values of some ranges. `from`: where the inputs of the packet begin. */
function* sidesOf({ chains: { dimensions: { list, fields } } }: Pipeline, field: Field, ranges: readonly Range[], from: number): Generator<Side, void> {
  for (const d of fields.get(field) ?? []) for (const range of ranges) {
    const classes = classesWithin(list[d], range);
    if (classes !== undefined) yield [from + d, ...classes];
  }
}

/** What a packet has that comes along a path and is a stray; each alone is enough. */
function* straySides(pipeline: Pipeline, path: Path, ends: readonly End[], from: number): Generator<Side, void> {
  const { family } = pipeline.chains.dimensions;
  for (const end of ends) yield* sidesOf(pipeline, end, [unspecified[family], ...groups[family]], from);
  if (path !== 'loop') yield* sidesOf(pipeline, 'pkttype', [{ low: 1, high: 7 }], from);
}

/** Loopback addresses at other interfaces than lo. */
function* loopbackHoles(pipeline: Pipeline, path: Path): Generator<PartHole, void> {
  if (path === 'loop' || isOpen(pipeline, path)) return;
  const { chains: { dimensions }, outInputs } = pipeline;
  const out = dimensionOf(dimensions, 'out');
  const names = dimensions.list[out];
  const lo = names?.kind === 'name' ? names.names.classOf('lo') : 0;
  const others = ([[1, lo - 1], [lo + 1, dimensions.last[out] ?? 0]] as const).filter(([from, to]) => from <= to);
  // What lo would have taken may be routed anew.
  const elsewhere: readonly (readonly Side[])[] = path === 'out' && outInputs[0] >= 0 ? others.map(([from, to]) => [[out, from, to]]) : [[]];
  for (const end of ['src', 'dst'] as const) for (const side of sidesOf(pipeline, end, [loopback[dimensions.family]], 0)) {
    for (const sides of elsewhere) yield { sides: [side, ...sides], choices: [] };
  }
}

/** Packets may be routed anew, and it is not said where they were to go first: where they go at last tells. */
function isOpen({ chains, outInputs }: Pipeline, path: Path): boolean {
  return path === 'out' && outInputs[0] < 0 && sendsElsewhere(chains);
}

/** The same said as properties of addresses, by a first packet or by what comes back. */
function* typeHoles({ chains, forth, back: backward, choices }: Pipeline, path: Path, back: Back): Generator<PartHole, void> {
  const again = pathOf(back, path);
  const isFixed = !sendsElsewhere(chains);
  for (const [name, atom] of chains.dimensions.atoms) {
    const [word, side, type] = name.split(' ');
    if (word !== 'addrtype') continue;
    for (const [along, stages, isReply] of [[path, forth[path], false], [again, backward[again], true]] as const) {
      if (!isStrayType(side, type, along) || (along === 'out' && type === 'LOCAL' && !isFixed)) continue;
      for (const epoch of new Set(stages.map(stage => stage.epoch))) yield { sides: [], choices: [[choices.atom(atom, epoch, isReply), 1]] };
    }
  }
}

function* holesOf(pipeline: Pipeline, path: Path, back: Back): Generator<PartHole, void> {
  const { backInputs, chains: { dimensions: { family } } } = pipeline;
  const again = pathOf(back, path);
  const alone = (side: Side): PartHole => ({ sides: [side], choices: [] });
  for (const side of straySides(pipeline, path, ['src', 'dst'], 0)) yield alone(side);
  // What comes from anybody has a source of its own.
  const isFromAnybody = back !== 'reply' && back !== 'again';
  for (const side of straySides(pipeline, again, isFromAnybody ? ['src'] : [], backInputs)) yield alone(side);
  if (isFromAnybody && path !== 'loop') for (const side of sidesOf(pipeline, 'src', [loopback[family]], backInputs)) yield alone(side);
  yield* loopbackHoles(pipeline, path);
  yield* typeHoles(pipeline, path, back);
}

interface Strays {
  readonly holes: readonly PartHole[];
  readonly over: Goal['over'];
  /** Destinations that a packet must not have as it leaves. */
  readonly lost: readonly Side[];
}

const known = new WeakMap<Pipeline, Map<Back, Map<Path, Strays>>>();

function straysOf(pipeline: Pipeline, path: Path, back: Back): Strays {
  let mine = known.get(pipeline);
  if (mine === undefined) known.set(pipeline, mine = new Map<Back, Map<Path, Strays>>());
  let ways = mine.get(back);
  if (ways === undefined) mine.set(back, ways = new Map<Path, Strays>());
  let strays = ways.get(path);
  if (strays === undefined) {
    const holes = [...holesOf(pipeline, path, back)];
    ways.set(path, strays = { holes, over: overHoles(pipeline, holes), lost: isOpen(pipeline, path) ? [...sidesOf(pipeline, 'dst', [loopback[pipeline.chains.dimensions.family]], 0)] : [] });
  }
  return strays;
}

/** Of packets in a hole, all that are there; undefined where there are no holes. */
function overHoles({ last }: Pipeline, holes: readonly PartHole[]): Goal['over'] {
  const whole: Part = { lo: last.map(() => 0), hi: last, choices: new Map() };
  const parts = holes.map(hole => inside(whole, hole));
  return holes.length === 0 ? undefined : point => {
    for (let i = 0; i < holes.length; i++) {
      const hole = holes[i];
      if (hole !== undefined && inHole(hole, point)) return parts[i];
    }
    return undefined;
  };
}

/** The goal, of conversations between hosts alone: what begins none need not be gone into. */
export function ofHosts(pipeline: Pipeline, back: Back, goal: Goal): Goal {
  const { over, lost } = straysOf(pipeline, goal.path, back);
  const own = over === undefined ? goal : { ...goal, over };
  if (lost.length === 0) return own;
  return {
    ...own, miss: trip => {
      const reasons = goal.miss(trip);
      const side = reasons === undefined ? lost.find(([d, low, high]) => low <= classOfLeaving(trip, d) && classOfLeaving(trip, d) <= high) : undefined;
      return side === undefined ? reasons : [claim => { claim.same(trip.leaving, ...side); }];
    },
  };
}

/** The class of a field of the packet as it leaves. */
function classOfLeaving({ leaving, run: { point: { inputs } } }: Trip, d: number): number {
  const { input, offset } = leaving.of(d);
  return (input < 0 ? 0 : inputs[input] ?? 0) + offset;
}

/** Whether nothing but strays lies in a hole. */
export function isOfStrays(pipeline: Pipeline, path: Path, back: Back, { sides, choices }: PartHole): boolean {
  return straysOf(pipeline, path, back).holes.some(hole => hole.sides.every(([input, from, to]) => sides.some(([one, low, high]) => one === input && from <= low && high <= to))
    && hole.choices.every(([choice, value]) => choices.some(([one, made]) => one === choice && made === value)));
}
