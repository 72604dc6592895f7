import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { load } from '../../../analyzer/model/load.js';
import { always } from '../../../analyzer/packet/constraint.js';
import { fate, pipeline, reachThrough } from '../../../analyzer/packet-space/pipeline/index.js';
import type { Pipeline, Trip } from '../../../analyzer/packet-space/pipeline/passes.js';
import type { Frame } from '../../../analyzer/packet-space/pipeline/run.js';
import { sawIn } from '../../../analyzer/packet-space/pipeline/goals.js';
import { asked, countInputs, drawnTrips, everyTrip } from './enumerate.js';
import { tinyWorlds } from './tiny-worlds.js';
import { worlds, type World } from './worlds.js';
import { watchFor } from '../../../analyzer/packet-space/pipeline/watch.js';

const runs = Number(process.env['PIPELINE_RUNS'] ?? 250);
const tinyRuns = Number(process.env['TINY_RUNS'] ?? 300);
const seed = Number(process.env['PIPELINE_SEED'] ?? 4);
/** Larger worlds are not enumerated but drawn from. */
const limit = 4000;
const draws = 1500;

function pipelineOf({ text }: World): Pipeline {
  const { rulesets, diagnostics } = load({ path: 'rules', text });
  const [ruleset] = rulesets;
  const made = ruleset === undefined ? undefined : pipeline(ruleset);
  if (made === undefined) throw new Error(`does not load: ${diagnostics.map(one => one.message).join('; ')}\n${text}`);
  return made;
}

/** The rules with a target that a packet matched before it was dropped. */
function* matchedIn({ run, backFrom }: Trip): Generator<number, void> {
  const drop = run.drops[0] ?? backFrom;
  for (const { frame } of run.stages.slice(0, Math.min(backFrom, drop + 1))) if (frame !== undefined) yield* matchedBelow(frame);
}

function* matchedBelow({ chain, steps }: Frame): Generator<number, void> {
  for (const { box, below } of steps) {
    yield chain.rule[box] ?? -1;
    if (below !== undefined) yield* matchedBelow(below);
  }
}

interface Found {
  readonly matched: ReadonlySet<number>;
  readonly accepted: boolean;
  readonly dropped: boolean;
  /** Every packet there is was looked at. */
  readonly isAll: boolean;
}

function gather(trips: Iterable<Trip>, isAll: boolean): Found {
  const matched = new Set<number>();
  let [accepted, dropped, count] = [false, false, 0];
  for (const trip of trips) {
    if (trip.isElsewhere) continue;
    if (trip.dropped) dropped = true;
    else accepted = true;
    for (const rule of matchedIn(trip)) matched.add(rule);
    if (++count > 3 * limit) return { matched, accepted, dropped, isAll: false };
  }
  return { matched, accepted, dropped, isAll };
}

/** What does nothing is not among the steps of a trip: such rules are looked out for one by one. */
function withIdle(p: Pipeline, world: World, found: Found): Found {
  const matched = new Set(found.matched);
  p.chains.rules.forEach((_, number) => {
    const watch = matched.has(number) ? undefined : watchFor(p.chains, number);
    if (watch === undefined) return;
    for (const trip of everyTrip(p, world.path, { watch }, asked(p))) {
      if (!sawIn(trip, 0, trip.backFrom)) continue;
      matched.add(number);
      break;
    }
  });
  return { ...found, matched };
}

function look(p: Pipeline, world: World): Found {
  const relevant = asked(p);
  if (countInputs(p, world.path, relevant) > limit) return gather(drawnTrips(p, world.path, relevant, draws), false);
  const found = gather(everyTrip(p, world.path, {}, relevant), true);
  return found.isAll ? withIdle(p, world, found) : found;
}

/** An answer against what was found. */
function isWrong(answer: 'some' | 'none' | 'undecided', found: boolean, isAll: boolean): boolean {
  return answer === 'none' ? found : answer === 'some' && isAll && !found;
}

interface Tally {
  enumerated: number;
  answered: number;
  undecided: number;
}

function checkWorld(world: World, tally: Tally): void {
  const p = pipelineOf(world);
  const { path } = world;
  const found = look(p, world);
  if (found.isAll) tally.enumerated++;
  const fail = (what: string): void => { throw new Error(`${what} on path ${path}\n${world.text}`); };
  for (const [wanted, is] of [['accept', found.accepted], ['drop', found.dropped]] as const) {
    const { kind } = fate(p, path, always, wanted);
    if (isWrong(kind === 'found' ? 'some' : kind, is, found.isAll)) fail(`${wanted}: ${kind}, but there is ${is ? 'one' : 'none'}`);
  }
  p.chains.rules.forEach(({ rule, table, chain, position }, number) => {
    const { kind } = reachThrough(p, rule, { path });
    tally.answered++;
    if (kind === 'undecided') tally.undecided++;
    const is = found.matched.has(number);
    if (isWrong(kind === 'live' ? 'some' : kind === 'dead' ? 'none' : kind, is, found.isAll)) fail(`${table}:${chain}:${String(position)} is ${kind}, but a packet matches: ${String(is)}`);
  });
}

function checkAll(t: ExecutionContext, drawn: fc.Arbitrary<World>, numRuns: number): Tally {
  const tally: Tally = { enumerated: 0, answered: 0, undecided: 0 };
  const result = fc.check(fc.property(drawn, world => { checkWorld(world, tally); }), { numRuns, seed, endOnFailure: process.env['PIPELINE_SHRINK'] === undefined });
  t.false(result.failed, result.failed ? `${String(result.errorInstance)}\nseed ${String(result.seed)} path ${String(result.counterexamplePath)}` : '');
  t.log(`${String(result.numRuns)} rule sets, ${String(tally.enumerated)} of them packet by packet; ${String(tally.undecided)} of ${String(tally.answered)} undecided`);
  return tally;
}

test('every packet of tiny worlds: what can be reached, accepted and dropped is what enumeration finds', t => {
  const { enumerated, undecided } = checkAll(t, tinyWorlds, tinyRuns);
  t.true(enumerated >= 0.8 * tinyRuns);
  t.is(undecided, 0);
});

test('packets drawn from larger worlds: nothing is found that cannot be', t => {
  const { answered, undecided } = checkAll(t, worlds, runs);
  t.true(undecided * 500 < answered);
});
