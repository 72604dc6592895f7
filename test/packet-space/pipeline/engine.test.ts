/** The model of the kernel that reasons about all packets at once, held against the engine, one packet after the other. */
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { scenarios } from '../../../analyzer/generate/scenario.js';
import { load } from '../../../analyzer/model/load.js';
import type { Rule, Ruleset } from '../../../analyzer/model/ruleset.js';
import type { Scenario } from '../../../analyzer/netfilter/scenario.js';
import { fate, pipeline, reachThrough } from '../../../analyzer/packet-space/pipeline/index.js';
import { fateGoal, reachGoal } from '../../../analyzer/packet-space/pipeline/goals.js';
import { partsOf } from '../../../analyzer/packet-space/pipeline/parts.js';
import { solve, solveBudget, type Goal } from '../../../analyzer/packet-space/pipeline/solve.js';
import { ctstates } from '../../../analyzer/packet/constraint.js';
import type { Backend, Family } from '../../../analyzer/values/value.js';
import { play, type Observation } from './engine-observer.js';
import { pins } from './engine-pins.js';
import { plainScenarios, type PlainScenario } from './engine-worlds.js';
import { watchFor } from '../../../analyzer/packet-space/pipeline/watch.js';

const runs = Number(process.env['ENGINE_RUNS'] ?? 60);
const seed = Number(process.env['ENGINE_SEED'] ?? 7);
const counts = { packets: 0, exact: 0, sets: 0, undecided: 0 };

function rulesetOf({ rules = '', family, backend }: Scenario): Ruleset {
  const { rulesets: [ruleset], diagnostics } = load({ path: 'rules', text: rules }, { family, backend });
  if (ruleset === undefined) throw new Error(diagnostics.map(one => one.message).join('; '));
  return ruleset;
}

function failuresOf(scenario: PlainScenario): readonly string[] {
  const ruleset = rulesetOf(scenario);
  const observed = play(ruleset, scenario);
  const { routing } = scenario;
  const made = pipeline(ruleset, { asked: observed.flatMap(one => [one.packet, one.packetSent]), ...routing === undefined ? {} : { routing } });
  if (made === undefined) return [];
  counts.sets++;
  const failures: string[] = [];
  for (const one of observed) {
    counts.packets++;
    failures.push(...failuresFor(made, made.outInputs[0] < 0 ? { ...one, packet: one.packetSent } : one));
  }
  return failures;
}

type Made = NonNullable<ReturnType<typeof pipeline>>;

function failuresFor(made: Made, one: Observation): readonly string[] {
  const { what, paths, packet, rules } = one;
  const failures: string[] = [];
  const say = (text: string): void => { failures.push(`${what} (${paths.join(' or ')}, state ${String(one.ctstate)}): ${text}`); };
  for (const { rule, table, chain, position } of made.chains.rules) {
    if (!rules.has(rule)) continue;
    const kinds = paths.map(path => reachThrough(made, rule, { packets: packet, path }).kind);
    if (kinds.includes('undecided')) counts.undecided++;
    if (kinds.every(kind => kind === 'dead')) say(`${table}:${chain}:${String(position)} is dead, yet matched`);
  }
  if (one.fate !== undefined) {
    const kinds = paths.map(path => fate(made, path, packet, one.fate ?? 'accept').kind);
    if (kinds.every(kind => kind === 'none')) say(`${one.fate} is none`);
  }
  if (isExact(made, one)) failures.push(...exactly(made, one).map(text => `${what} (${paths.join(' or ')}): ${text}`));
  return failures;
}

/** Nothing but the packet decides: no chance, no property that is not a field, no state but that it is NEW, and no rule wrote what is not known. */
function isExact({ chains }: Made, { ctstate, fate: found, isFirst, isRerouted, isGenerated, isOpen, rules }: Observation): boolean {
  const isDrawn = [...rules].some(rule => chains.writers.get(chains.numbers.get(rule) ?? -1)?.some(write => write.kind === 'free') === true);
  const isChoice = chains.list.some(({ table, atoms, soft }) => table !== '' && (soft.includes(1) || atoms.some(one => one !== undefined)));
  return ctstate === ctstates.NEW && found !== undefined && isFirst && !isRerouted && !isGenerated && !isOpen && !isChoice && !isDrawn;
}

/** A packet that routing sends another way has no fate here. */
function onThisPath(goal: Goal): Goal {
  return { ...goal, miss: trip => trip.isElsewhere ? trip.run.drops.filter(at => trip.run.stages[at]?.stage.table === 'routing').map(at => claim => { claim.verdict(at); }) : goal.miss(trip) };
}

/** What a packet that is the first of its connection can do is what it did. */
function exactly(made: Made, { paths, packet, rules, fate: found }: Observation): readonly string[] {
  counts.exact++;
  const isFirst = (part: { readonly lo: readonly number[] }): boolean => part.lo[made.natInput] === 0;
  const failures: string[] = [];
  for (const path of paths) {
    const parts = partsOf(made, path, packet).filter(isFirst);
    const other = solve(made, onThisPath(fateGoal(path, found === 'accept' ? 'drop' : 'accept')), parts, solveBudget());
    if (other.kind === 'found') failures.push(`${found === 'accept' ? 'drop' : 'accept'} is found on ${path}`);
    made.chains.rules.forEach(({ rule, table, chain, position }, number) => {
      const watch = rules.has(rule) ? undefined : watchFor(made.chains, number);
      if (watch === undefined) return;
      const solved = solve(made, reachGoal(made.chains, path, watch), parts, solveBudget());
      if (solved.kind === 'found') failures.push(`${table}:${chain}:${String(position)} is live on ${path}, and was not matched`);
    });
  }
  return failures;
}

const places = (['ipv4', 'ipv6'] as const satisfies readonly Family[]).flatMap(family => (['legacy', 'nft'] as const satisfies readonly Backend[]).map(backend => ({ family, backend })));

function check(t: ExecutionContext, drawn: fc.Arbitrary<PlainScenario>, offset: number): void {
  const property = fc.property(drawn, scenario => {
    const failures = failuresOf(scenario);
    if (failures.length > 0) throw new Error(failures.join('\n'));
  });
  const result = fc.check(property, { numRuns: runs, seed: seed + offset, endOnFailure: process.env['ENGINE_SHRINK'] === undefined });
  t.false(result.failed, result.failed ? `${String(result.errorInstance)}\n${show(result.counterexample?.[0])}\nseed ${String(result.seed)}, path ${String(result.counterexamplePath)}` : '');
  t.log(JSON.stringify(counts));
}

for (const [offset, place] of places.entries()) {
  const where = `${place.family}, ${place.backend}`;
  test(`what the engine does with packets of conversations, the pipeline holds for possible: ${where}`, t => { check(t, scenarios(fc, place, 10), offset); });
  test(`what the engine does with first packets is all that the pipeline holds for possible: ${where}`, t => { check(t, plainScenarios(place), offset); });
}

for (const { what, scenario, meets = [], never = [], dead = [] } of pins) {
  test(`pinned: ${what}`, t => {
    const ruleset = rulesetOf(scenario);
    const last = play(ruleset, scenario).filter(one => one.what.startsWith(`step ${String(scenario.steps.length)}`));
    const matched = (name: string): boolean => last.some(({ rules }) => [...rules].some(rule => nameOf(ruleset, rule) === name));
    t.deepEqual([meets.filter(name => !matched(name)), [...never, ...dead].filter(matched)], [[], []], 'what the engine does');
    t.deepEqual(failuresOf(scenario), []);
    const made = pipeline(ruleset);
    for (const { rule } of made?.chains.rules ?? []) if (dead.includes(nameOf(ruleset, rule))) t.is(made === undefined ? '' : reachThrough(made, rule).kind, 'dead');
  });
}

function nameOf({ tables }: Ruleset, rule: Rule): string {
  for (const [table, { chains }] of tables) for (const [chain, { rules }] of chains) if (rules.includes(rule)) return `${table}:${chain}:${String(rules.indexOf(rule) + 1)}`;
  return '';
}

function show(scenario: Scenario | undefined): string {
  if (scenario === undefined) return '';
  const { rules = '', ...rest } = scenario;
  return `${rules}\n${JSON.stringify(rest, null, 1)}`;
}
