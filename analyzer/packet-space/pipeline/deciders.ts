/** Who decided what becomes of a packet at a stage. */
import type { Decider, RuleAt } from '../answers.js';
import { Step } from './chains.js';
import type { Pipeline } from './passes.js';
import type { Frame, StageRun } from './run.js';

/** The rule or policy that ended a packet's run through a stage; undefined where nothing stands there. */
export function deciderOf({ chains }: Pipeline, { frame }: StageRun): Decider | undefined {
  if (frame === undefined) return undefined;
  const rule = lastRules(frame)?.at(-1);
  if (rule !== undefined) return chains.rules[rule];
  const { table, name, policy } = frame.chain;
  return { table, chain: name, policy: policy ?? 'ACCEPT' };
}

/** The rule that ended a packet's run through a stage, behind those that led to its chain; none where a policy did. */
export function decidingRules({ chains }: Pipeline, { frame }: StageRun): readonly RuleAt[] {
  return (frame === undefined ? [] : lastRules(frame) ?? []).flatMap(rule => chains.rules[rule] ?? []);
}

function lastRules(frame: Frame): readonly number[] | undefined {
  const step = frame.steps.at(-1);
  if (step?.ends !== true) return undefined;
  const [act, rule] = [frame.chain.act[step.box], frame.chain.rule[step.box]];
  const below = act !== Step.Jump && act !== Step.Goto ? [] : step.below === undefined ? undefined : lastRules(step.below);
  return below === undefined || rule === undefined ? undefined : [rule, ...below];
}

/** `table CHAIN position`, or `table CHAIN policy`. */
export function referenceTo(by: Decider): string {
  return `${by.table} ${by.chain} ${'policy' in by ? 'policy' : String(by.position)}`;
}

/** Rules in the order of the tables, policies last. */
export function inOrder({ chains }: Pipeline, deciders: Iterable<Decider>): Decider[] {
  const rank = (one: Decider): number => 'policy' in one ? Infinity : chains.numbers.get(one.rule) ?? 0;
  const place = (a: Decider, b: Decider): number => {
    const [x, y] = [rank(a), rank(b)];
    return x === y ? 0 : x - y;
  };
  return [...deciders].sort(place);
}
