/**
 * Rules to which packets come without a search: mostly a packet that comes to a rule in its own table alone comes there on its whole way as well, and to
 * others before and behind it.
 */
import type { Table } from '../../model/ruleset.js';
import { always } from '../../packet/constraint.js';
import type { RuleAt } from '../answers.js';
import type { Dimension, Dimensions } from '../dimensions.js';
import { classOf, previous } from '../fields.js';
import { numberOf } from '../question.js';
import { spaceOf, type PacketSpace } from '../space.js';
import { isImpossible } from '../tracked-states.js';
import type { Chains } from './chains.js';
import { reachGoal, sawIn } from './goals.js';
import { inside, type PartHole } from './part.js';
import type { Pipeline, Trip } from './passes.js';
import { partsOf } from './parts.js';
import type { Frame } from './run.js';
import { likelyPoint, tryFollow, type SolveBudget } from './solve.js';
import { paths, type Path } from './stages.js';
import { watchFor, type Watch } from './watch.js';

type Side = PartHole['sides'][number];

const seen = new WeakMap<Pipeline, Set<number>>();

/** Whether a packet is seen to match a rule on its whole way, one like that which is known to match it in its own table, or one that was followed to another rule. */
export function comesAsInTable(pipeline: Pipeline, space: PacketSpace, table: Table, at: RuleAt, budget: SolveBudget): boolean {
  const { chains } = pipeline;
  let live = seen.get(pipeline);
  if (live === undefined) seen.set(pipeline, live = new Set());
  const rule = chains.numbers.get(at.rule) ?? -1;
  if (live.has(rule)) return true;
  const own = spaceOf(space, table);
  const packet = own.found.of(numberOf(own, at) ?? -1);
  const watch = watchFor(chains, rule);
  if (packet === undefined || watch === undefined) return false;
  const alike = { sides: sidesOf(own.compiled.dimensions, packet.point, chains.dimensions), choices: [] };
  const hook = own.built[packet.hook]?.hook;
  for (const path of paths) {
    if (!pipeline.forth[path].some(stage => stage.table === table.name && stage.hook === hook)) continue;
    const trip = tryAlike(pipeline, path, watch, alike, budget);
    if (trip === undefined) continue;
    noteMatched(chains, trip, live);
    live.add(rule);
    return true;
  }
  return false;
}

/** Follows the likeliest of the packets that are alike; undefined where it does not come to the rule. */
function tryAlike(pipeline: Pipeline, path: Path, watch: Watch, alike: PartHole, budget: SolveBudget): Trip | undefined {
  const { dimensions: { fields, tracked } } = pipeline.chains;
  const open = [...fields.get('in') ?? [], ...fields.get('out') ?? []].filter(d => !alike.sides.some(([input]) => input === d));
  for (const whole of partsOf(pipeline, path, always)) {
    const part = inside(whole, alike);
    if (part === undefined) continue;
    const inputs = likelyPoint(pipeline, part);
    // The last class of interfaces are those that no rule names: the fewest rules take what comes by them.
    for (const d of open) inputs[d] = part.hi[d] ?? 0;
    if (isImpossible(tracked, { lo: inputs, hi: inputs })) return undefined;
    const trip = tryFollow(pipeline, reachGoal(pipeline.chains, path, watch), part, inputs);
    budget.packets--;
    budget.work -= trip?.run.work ?? 0;
    return trip !== undefined && sawIn(trip, 0, trip.backFrom) ? trip : undefined;
  }
  return undefined;
}

/** What a packet matched before somebody dropped it is matched by a packet. */
function noteMatched({ rules }: Chains, { run: { stages, drops } }: Trip, live: Set<number>): void {
  const note = ({ chain, steps }: Frame): void => {
    for (const { box, below } of steps) {
      const rule = chain.rule[box] ?? -1;
      if (rules[rule] !== undefined) live.add(rule);
      if (below !== undefined) note(below);
    }
  };
  for (const { frame } of stages.slice(0, (drops[0] ?? stages.length) + 1)) if (frame !== undefined) note(frame);
}

/** By dimensions of one space, and of another: what each class of the one is in the other. */
const known = new WeakMap<Dimensions, WeakMap<Dimensions, (Side | undefined)[][]>>();

/** What the fields of a packet of one space are in another that tells more apart. What it has no word for is left out. */
function sidesOf(from: Dimensions, point: Int32Array, to: Dimensions): Side[] {
  let others = known.get(from);
  if (others === undefined) known.set(from, others = new WeakMap());
  let sides = others.get(to);
  if (sides === undefined) others.set(to, sides = from.list.map(() => []));
  const out: Side[] = [];
  for (let d = 0; d < point.length; d++) {
    const mine = sides[d] ?? [];
    const at = point[d] ?? 0;
    if (!(at in mine)) mine[at] = sideOf(from, d, at, to);
    const side = mine[at];
    if (side !== undefined) out.push(side);
  }
  return out;
}

function sideOf(from: Dimensions, d: number, at: number, to: Dimensions): Side | undefined {
  const one = from.list[d];
  if (one === undefined || one.kind === 'atom') return undefined;
  for (const other of to.fields.get(one.field) ?? []) {
    const classes = classesOf(one, at, to.list[other]);
    if (classes !== undefined) return [other, ...classes];
  }
  return undefined;
}

/** The classes of a dimension that hold what a class of another one of its field holds; of names, one of them. */
function classesOf(one: Dimension, at: number, other: Dimension | undefined): readonly [number, number] | undefined {
  if (one.kind === 'range' && other?.kind === 'range') {
    const next = one.starts[at + 1];
    return [classOf(other.starts, one.starts[at] ?? 0), next === undefined ? other.starts.length - 1 : classOf(other.starts, previous(next))];
  }
  if (one.kind === 'bits' && other?.kind === 'bits' && one.mask === other.mask) {
    const value = other.index.get(one.values[at] ?? -1n);
    return value === undefined ? undefined : [value, value];
  }
  if (one.kind !== 'name' || other?.kind !== 'name') return undefined;
  const name = one.names.nameIn(at, []);
  // Whether it has an interface, and whether that is lo, is for the path to say.
  if (name === '' || name === 'lo') return undefined;
  return [other.names.classOf(name), other.names.classOf(name)];
}
