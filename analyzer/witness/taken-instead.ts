/** A packet for a rule that no packet matches: one that it asks for, and that an earlier rule takes. */
import type { Hook } from '../extensions/define.js';
import { ruleReference, type Table } from '../model/ruleset.js';
import type { Fate, PacketSample, RuleAt } from '../packet-space/answers.js';
import { ask, type PacketSpace } from '../packet-space/index.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, always, type Constraint } from '../packet/constraint.js';
import { addressKind } from './address-kind.js';
import { plausible } from './plausible.js';
import type { Illustration } from './proposal.js';
import { stepOf } from './step.js';

const anyFate: readonly Fate[] = ['accept', 'drop', 'reject', 'queue', 'nat', 'unknown'];

function referenceOf({ table, chain, position }: RuleAt): string {
  return ruleReference(table, chain, position);
}

/**
 * A packet that the rule at `at` asks for, and that one of the rules `by` takes, as `by` takes them all. Undefined where
 * no everyday packet is found, or the first is taken by another rule, or only maybe. `only`: it must be one of these.
 */
export function takenInstead(space: PacketSpace, table: Table, at: RuleAt, by: readonly RuleAt[], only: Constraint = always): Illustration | undefined {
  const takers = new Set(by.map(referenceOf));
  const asked = constraintsOf(space.ruleset, table.name).of(at.rule);
  for (const hook of hooksOf(table, at)) for (const everyday of plausible(space.ruleset.family, hook)) {
    const answer = ask(space, table, hook, all([asked, only, everyday]), anyFate);
    if (answer.kind !== 'yes' || !answer.certain || 'policy' in answer.by || !takers.has(referenceOf(answer.by))) continue;
    const { witness } = answer;
    if (!isPlausible(witness, hook)) continue;
    const isSent = hook === 'OUTPUT' || (hook === 'POSTROUTING' && witness.in === undefined);
    return {
      steps: [stepOf(witness, isSent ? 'local' : witness.in ?? 'eth0')],
      shows: [{ at: `${table.name}:${hook}`, by: [referenceOf(answer.by)], misses: [referenceOf(at)] }],
    };
  }
  return undefined;
}

/** Only lo knows packets from or to loopback, and nobody sends from an address of many. */
function isPlausible({ src = '10.0.0.1', dst = '10.0.0.1', in: from, out }: PacketSample, hook: Hook): boolean {
  if (from === 'lo' || out === 'lo') return hook !== 'FORWARD';
  return addressKind(src) === 'unicast' && addressKind(dst) !== 'loopback';
}

/** Where packets may come to the rule: at the hook of its chain, or at any that the table has. */
function hooksOf({ chains }: Table, { chain }: RuleAt): readonly Hook[] {
  const own = chains.get(chain)?.hook;
  return own === undefined ? [...chains.values()].flatMap(({ hook }) => hook ?? []) : [own];
}
