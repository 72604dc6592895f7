/** Two rule sets, and every packet there is, followed through both: what `difference` says of them is held against that. */
import type { Ruleset } from '../../../analyzer/model/ruleset.js';
import { printBody } from '../../../analyzer/model/print.js';
import { differenceOf, type DifferenceCase } from '../../../analyzer/packet-space/pipeline/difference/difference.js';
import { isIn } from '../../../analyzer/packet-space/pipeline/fates/box.js';
import { jointPipelines, type Joint } from '../../../analyzer/packet-space/pipeline/joint.js';
import { follow, type Pipeline, type Trip } from '../../../analyzer/packet-space/pipeline/passes.js';
import { universe } from '../../../analyzer/packet-space/pipeline/universe.js';
import { OutOfBudget, type Frame } from '../../../analyzer/packet-space/pipeline/run.js';
import { asked, countInputs, Drawn, drawer, type PathLike } from './enumerate.js';

/** More packets than this are not looked at one by one. */
const most = 4000;

interface Pair {
  readonly inputs: readonly number[];
  readonly choices: ReadonlyMap<number, number>;
  readonly trips: readonly [Trip, Trip];
}

class Open extends Map<number, number> {
  first: number | undefined;

  override get(choice: number): number | undefined {
    if (!this.has(choice)) this.first ??= choice;
    return super.get(choice);
  }
}

function* withChoices({ sides }: Pick<Joint, 'sides'>, path: PathLike, inputs: readonly number[], made: readonly (readonly [number, number])[]): Generator<Pair, void> {
  const choices = new Open(made);
  const point = { inputs, choices };
  const trips = [follow(sides[0], path, point), follow(sides[1], path, point)] as const;
  if (choices.first === undefined) yield { inputs, choices: new Map(made), trips };
  else for (const value of [0, 1]) yield* withChoices({ sides }, path, inputs, [...made, [choices.first, value]]);
}

/** Undefined where something unknown is written too often: of such packets nothing is said. */
function followed({ sides }: Pick<Joint, 'sides'>, path: PathLike, point: Parameters<typeof follow>[2]): readonly [Trip, Trip] | undefined {
  try {
    return [follow(sides[0], path, point), follow(sides[1], path, point)];
  } catch (error) {
    if (error instanceof OutOfBudget) return undefined;
    throw error;
  }
}

/** Packets on a path by chance: most are near others that a rule names. */
export function* drawnPairs({ sides }: Pick<Joint, 'sides'>, path: PathLike, count: number): Generator<Pair, void> {
  const draw = drawer(count);
  const regions = universe(sides[0], path);
  for (let i = 0; i < count; i++) {
    const region = regions[draw(regions.length)];
    if (region === undefined) return;
    const inputs = region.lo.map((low, input) => low + draw((region.hi[input] ?? 0) - low + 1));
    const choices = new Drawn(draw);
    const trips = followed({ sides }, path, { inputs, choices });
    if (trips !== undefined) yield { inputs, choices, trips };
  }
}

/** All packets of a small world, else many. */
export function look(joint: Pick<Joint, 'sides'>, path: PathLike): { readonly pairs: Generator<Pair, void>; readonly isAll: boolean } {
  const isAll = countInputs(joint.sides[0], path, relevant(joint)) <= most;
  return { pairs: isAll ? everyPair(joint, path) : drawnPairs(joint, path, 1500), isAll };
}

/** Inputs that rules of one of the two ask about, or that what they write is held against. */
function relevant({ sides }: Pick<Joint, 'sides'>): (input: number) => boolean {
  const written = new Set(sides.flatMap(({ chains }) => [...chains.writers.values()].flatMap(some => some.map(write => write.dimension))));
  const free = new Set(sides.flatMap(({ freeInputs }) => [...freeInputs.values()].flatMap(occasions => [...occasions.values()])));
  const [left, right] = [asked(sides[0]), asked(sides[1])];
  return input => left(input) || right(input) || written.has(input) || free.has(input);
}

/** Every packet on a path, and every choice that one of the two asks about. */
export function* everyPair(joint: Pick<Joint, 'sides'>, path: PathLike): Generator<Pair, void> {
  const matters = relevant(joint);
  for (const { lo, hi } of universe(joint.sides[0], path)) {
    const inputs = lo.slice();
    for (;;) {
      yield* withChoices(joint, path, inputs.slice(), []);
      let i = 0;
      while (i < inputs.length && (!matters(i) || (inputs[i] ?? 0) >= (hi[i] ?? 0))) inputs[i] = lo[i++] ?? 0;
      if (i === inputs.length) break;
      inputs[i] = (inputs[i] ?? 0) + 1;
    }
  }
}

function lastRule({ chain, steps }: Frame): number {
  const step = steps.at(-1);
  if (step?.ends !== true) return -1;
  return step.below === undefined ? chain.rule[step.box] ?? -1 : lastRule(step.below);
}

/** What becomes of a packet, as text: equal exactly where it fares the same. */
export function told({ chains }: Pipeline, trip: Trip): string {
  const stop = trip.run.stages.find(stage => stage.dropped);
  if (stop?.stage.table === 'routing') return 'elsewhere';
  if (stop !== undefined) {
    const at = stop.frame === undefined ? undefined : chains.rules[lastRule(stop.frame)];
    const words = at === undefined ? '' : printBody(at.rule, { table: at.table, family: 'ipv4', backend: 'nft' });
    return words.includes('-j REJECT') ? words.slice(words.indexOf('-j REJECT')) : 'drop';
  }
  const { list, last } = chains.dimensions;
  return list.map((one, d) => {
    if (one.kind !== 'range' && one.kind !== 'bits') return '';
    const { input, offset } = trip.leaving.of(d);
    const value = trip.leaving.valueOf(d, trip.run.point.inputs);
    const next = one.kind === 'range' ? one.starts[value + 1] ?? Number(one.max) + 1 : 0;
    const isOne = one.kind === 'range' ? Number(next) - Number(one.starts[value]) === 1 : value < one.values.length;
    return `${String(value)}${isOne || last[d] === 0 ? '' : ` of ${String(input)}+${String(offset)}`}`;
  }).join();
}

function verdictOf({ a, b }: DifferenceCase): string {
  return `${a.verdict} ${a.with ?? ''}, ${b.verdict} ${b.with ?? ''}`;
}

function verdictIn(text: string): string {
  return text === 'drop' || text === 'elsewhere' ? `${text} ` : text.startsWith('-j ') ? `reject ${text.slice(3)}` : 'accept ';
}

export interface Outcome {
  readonly kind: 'equivalent' | 'different';
  readonly isAll: boolean;
  readonly problem: string | undefined;
}

/** Compares two rule sets on a path, and looks at all packets (or at many) of it. */
export function compareWorlds(a: Ruleset, b: Ruleset, path: PathLike): Outcome {
  const joint = jointPipelines(a, b, [], undefined);
  if (joint === undefined) throw new Error('jumps in circles');
  const result = differenceOf(joint, { path, limit: 400 });
  const { pairs, ...looked } = look(joint, path);
  let [count, isAll, differing, problem] = [0, looked.isAll, 0, undefined as string | undefined];
  for (const { inputs, choices, trips } of pairs) {
    if (++count > 4 * most) {
      isAll = false;
      break;
    }
    const [left, right] = [told(joint.sides[0], trips[0]), told(joint.sides[1], trips[1])];
    if (left !== right) differing++;
    if (result.kind !== 'different') continue;
    const own = result.cases.filter(({ boxes }) => boxes.some(box => isIn(box, inputs, choices)));
    if (left === right && own.length > 0) problem ??= `a case about a packet that fares alike: ${left}`;
    if (left !== right && own.length === 0 && result.complete) problem ??= `no case about a packet that is ${left} and ${right}`;
    if (own.some(one => verdictOf(one) !== `${verdictIn(left)}, ${verdictIn(right)}`)) problem ??= `${own.map(verdictOf).join(' or ')}: but it is ${left}, ${right}`;
  }
  if (result.kind === 'undecided') problem ??= 'undecided';
  if (result.kind === 'equivalent' && differing > 0) problem ??= 'called equivalent, and packets differ';
  if (result.kind === 'different' && isAll && differing === 0) problem ??= 'called different, and no packet differs';
  // The larger worlds may have more cases than are asked for.
  if (result.kind === 'different' && !result.complete && isAll) problem ??= 'not complete';
  return { kind: result.kind === 'equivalent' ? 'equivalent' : 'different', isAll, problem };
}
