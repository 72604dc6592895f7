/** Rules of table raw that exempt packets from connection tracking. */
import type { Hook } from '../../extensions/define.js';
import type { Rule, Ruleset, Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { reachWith } from '../../packet-space/index.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, always, type Constraint } from '../../packet/constraint.js';
import { rangesOf } from './asked.js';
import type { CheckContext } from '../define-check.js';

function untracks({ family, backend }: Ruleset, { target }: Rule, hook: Hook): boolean {
  if (target.kind !== 'extension') return false;
  const { definition, given, ordered } = target.use;
  const written = definition.rewrites?.(given, { family, backend, protocol: undefined, table: 'raw', ordered, hook }) ?? [];
  return definition.changes?.includes('state') === true && written.length > 0;
}

export interface Exempt {
  readonly at: RuleAt;
  /** What the rule asks. */
  readonly packets: Constraint;
  readonly hooks: readonly ('PREROUTING' | 'OUTPUT')[];
}

/** The rules that do so (`-j CT --notrack`, `-j NOTRACK`), as far as packets come to them. */
export function exempting(cx: CheckContext): readonly Exempt[] {
  const raw = cx.ruleset.tables.get('raw');
  if (raw === undefined) return [];
  const constraints = constraintsOf(cx.ruleset, raw.name);
  return cx.rules(raw).filter(({ rule }) => untracks(cx.ruleset, rule, 'PREROUTING')).map(at => ({
    at, packets: constraints.of(at.rule), hooks: (['PREROUTING', 'OUTPUT'] as const).filter(hook => comesTo(cx, raw, at, hook, always)),
  }));
}

/** Whether some of the packets come to a rule of table raw at a hook. */
export function comesTo(cx: CheckContext, raw: Table, at: RuleAt, hook: Hook, packets: Constraint): boolean {
  return reachWith(cx.space(), raw, at, packets, hook).kind === 'live';
}

const turned = [['protocol', 'protocol'], ['src', 'dst'], ['dst', 'src'], ['sport', 'dport'], ['dport', 'sport']] as const;

/** What answers to packets look like, as far as it is plain: addresses and ports exchanged, and the same protocol. More than that is left open. */
export function answersTo(packets: Constraint): Constraint {
  return all(turned.flatMap(([field, there]): Constraint[] => {
    const ranges = rangesOf(packets, field);
    return ranges === undefined ? [] : [{ kind: 'within', field: there, ranges }];
  }));
}
