/** Which states connections can come to, beginning with an empty connection table: rules that wait for others wait for ever. */
import type { Rule } from '../../model/ruleset.js';
import { ctstates, not, oneOf } from '../../packet/constraint.js';
import type { RuleAt } from '../answers.js';
import { inOrder, smallest } from './certificate.js';
import { missesRule, sawIn, droppedBy } from './goals.js';
import type { Pipeline } from './passes.js';
import { answeredFirst, partsOf } from './parts.js';
import { reachThrough } from './reach.js';
import { solve, solveBudget, type SolveBudget, type Solved } from './solve.js';
import { paths, type Path } from './stages.js';
import { ofHosts } from './strays.js';
import { isForward, pathOf, type Back } from './turn.js';
import { watchFor, type Watch } from './watch.js';

/** Whether packets of connections that are under way can come to a rule. */
export type StateReach =
  /** It matches other packets as well, or the state is no matter. */
  | { readonly kind: 'not-asked' }
  | { readonly kind: 'possible'; readonly how: Solved & { readonly kind: 'found' }; readonly back: Back }
  /** Only ESTABLISHED or RELATED packets could match it, and under this rule set none ever comes there. `by` are the rules that the proof rests on, in the order of the tables. */
  | { readonly kind: 'dead'; readonly by: readonly RuleAt[] }
  | { readonly kind: 'undecided' };

const notUnderWay = not(oneOf('ctstate', [ctstates.ESTABLISHED, ctstates.RELATED]));

/**
 * Whether a rule that only packets of connections under way can match is ever matched. An answer counts as seen before filter judges it,
 * so that only raw can keep a connection from being established; helpers may make any connection RELATED.
 */
export function stateReach(pipeline: Pipeline, rule: Rule, budget: SolveBudget = solveBudget()): StateReach {
  const { chains } = pipeline;
  const others = reachThrough(pipeline, rule, { packets: notUnderWay, budget });
  if (others.kind !== 'dead') return others.kind === 'undecided' ? others : { kind: 'not-asked' };
  const watch = watchFor(chains, chains.numbers.get(rule) ?? -1);
  if (watch === undefined || hasHelper(pipeline)) return { kind: 'not-asked' };
  const reached = reachThrough(pipeline, rule, { budget });
  if (reached.kind !== 'live') return reached.kind === 'undecided' ? reached : { kind: 'not-asked' };
  const answer = underWay(pipeline, watch, budget);
  return answer.kind === 'none' ? { kind: 'dead', by: [...answer.rules].sort((a, b) => a - b).flatMap(one => chains.rules[one] ?? []) } : answer;
}

/**
 * Of the rules of that proof those that take packets of connections under way before they come to the rule, few enough that none of them could be missing.
 * Empty where without them no such packet would come there either; undefined where that is left open.
 */
export function takersUnderWay(pipeline: Pipeline, rule: Rule, by: readonly RuleAt[], budget: SolveBudget = solveBudget()): readonly RuleAt[] | undefined {
  const { chains } = pipeline;
  const { numbers, chainOf, rules } = chains;
  const own = numbers.get(rule) ?? -1;
  const watch = watchFor(chains, own);
  if (watch === undefined) return [];
  const proof = by.flatMap(one => numbers.get(one.rule) ?? []);
  const takers: number[] = [];
  for (const one of proof) {
    if (rules[one]?.table !== rules[own]?.table || (chainOf[one] === watch.chain && one >= own)) continue;
    const other = watchFor(chains, one);
    const met = other === undefined ? undefined : underWay(pipeline, other, budget);
    if (met?.kind === 'undecided') return undefined;
    if (met?.kind === 'possible') takers.push(one);
  }
  const others = proof.filter(one => !takers.includes(one));
  const among = (some: ReadonlySet<number>): UnderWay => underWay(pipeline, watch, budget, new Set([...others, ...some]));
  const without = among(new Set());
  if (without.kind !== 'possible') return without.kind === 'none' ? [] : undefined;
  return smallest(inOrder(rules, takers), some => among(some).kind === 'none' ? some : undefined).flatMap(one => rules[one] ?? []);
}

type UnderWay = Extract<StateReach, { kind: 'possible' | 'undecided' }> | Extract<Solved, { kind: 'none' }>;

/** Whether packets of connections under way come by a rule. `only`: any rule but these may or may not be there. */
function underWay(pipeline: Pipeline, watch: Watch, budget: SolveBudget, only?: ReadonlySet<number>): UnderWay {
  const rules = new Set<number>();
  let open = false;
  for (const path of paths) for (const back of ['reply', 'error', 'again', 'error-again'] as const) {
    const solved = comes(pipeline, watch, path, back, budget, only);
    if (solved.kind === 'found') return { kind: 'possible', how: solved, back };
    if (solved.kind === 'none') for (const one of solved.rules) rules.add(one);
    open ||= solved.kind === 'undecided';
  }
  return open ? { kind: 'undecided' } : { kind: 'none', rules };
}

const helped = new WeakMap<Pipeline, boolean>();

/** Connections that helpers expect are RELATED from their first packet on, whatever their addresses. */
function hasHelper(pipeline: Pipeline): boolean {
  let has = helped.get(pipeline);
  if (has === undefined) helped.set(pipeline, has = pipeline.chains.rules.some(({ rule: { target } }) => target.kind === 'extension' && target.use.given['helper'] !== undefined));
  return has;
}

/** Packets followed among those that are looked at first. */
const nearby = 64;

/** A connection begins on a path, and what comes after its first packet comes by the rule. */
function comes(pipeline: Pipeline, watch: Watch, path: Path, back: Back, budget: SolveBudget, only?: ReadonlySet<number>): Solved {
  const { chains } = pipeline;
  const stages = pipeline.back[pathOf(back, path)];
  if (!stages.some(stage => chains.below(stage.chain).has(watch.chain))) return { kind: 'none', rules: new Set() };
  const state = chains.dimensions.fields.get('ctstate')?.[0] ?? 0;
  const goal = ofHosts(pipeline, back, {
    path, watch, back, ...only === undefined ? {} : { only },
    miss: trip => {
      const seen = sawIn(trip, trip.backFrom, trip.run.stages.length);
      const isNew = trip.state === ctstates.NEW;
      if (seen && isNew && !trip.dropped) return undefined;
      return [
        ...droppedBy(trip, 0, trip.backFrom), ...isNew ? [] : [(claim: Parameters<ReturnType<typeof droppedBy>[number]>[0]): void => { claim.same(trip.leaving, state, trip.state, trip.state); }],
        ...seen ? [] : missesRule(trip, watch.leads, chains, trip.backFrom, trip.run.stages.length),
      ];
    },
  });
  const packets = partsOf(pipeline, path, oneOf('ctstate', [ctstates.NEW]));
  const soon = solve(pipeline, goal, answeredFirst(pipeline, isForward(back), watch.rule, packets), solveBudget(nearby));
  return soon.kind === 'found' ? soon : solve(pipeline, goal, packets, budget);
}

