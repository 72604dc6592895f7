/** Rules that wait for connections which a helper announces. */
import { isOpaque } from '../../model/ruleset.js';
import type { Rule, Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { reachWith } from '../../packet-space/index.js';
import { all, any, ctstates, is, masked, not, type Constraint } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import { hasConjunct } from './conjuncts.js';
import type { CheckContext } from '../define-check.js';

/** The helper that a rule asks for (`-m helper --helper NAME`). */
export function helperAsked({ rule }: RuleAt): string | undefined {
  for (const use of rule.matches) {
    const given = isOpaque(use) ? undefined : use.given['helper'];
    if (given !== undefined && !given.negated && typeof given.value === 'string') return given.value;
  }
  return undefined;
}

/** The first packets of connections that helpers expect. */
const data: Constraint = all([is('ctstate', ctstates.RELATED), any([all([is('protocol', protocolNumber.tcp), masked('tcpFlags', 2, 63)]), is('protocol', protocolNumber.udp)])]);

/** Only RELATED packets match the rule, and no ICMP error does: what is left is what helpers expect. */
function isForData(cx: CheckContext, table: Table, at: RuleAt): boolean {
  const isLive = (packets: Constraint): boolean => reachWith(cx.space(), table, at, packets).kind === 'live';
  const error = is('protocol', cx.ruleset.family === 'ipv4' ? protocolNumber.icmp : protocolNumber.icmpv6);
  const related = is('ctstate', ctstates.RELATED);
  return isLive(data) && !isLive(not(related)) && !isLive(all([related, error]));
}

/** The rule itself asks for RELATED, and for no other state. */
function asksForRelated(constraint: Constraint): boolean {
  return hasConjunct(constraint, part => part.kind === 'within' && part.field === 'ctstate' && part.ranges.every(({ low, high }) => low === ctstates.RELATED && high === ctstates.RELATED));
}

/** Whether a rule waits for connections that a helper announces. `constraint`: what it asks; `within`: chains to which RELATED packets are led. */
export function awaitsData(cx: CheckContext, table: Table, at: RuleAt, constraint: Constraint, within?: ReadonlySet<string>): boolean {
  return helperAsked(at) !== undefined || ((asksForRelated(constraint) || within?.has(at.chain) === true) && isForData(cx, table, at));
}

/** The chains to which rules that ask for RELATED lead, and those to which the rules of these chains lead. Others may lead there as well. */
export function chainsOfRelated(table: Table, constraintOf: (rule: Rule) => Constraint): ReadonlySet<string> {
  const calls = [...table.chains.values()].flatMap(({ rules }) => rules).filter(rule => rule.target.kind === 'chain' && asksForRelated(constraintOf(rule)));
  const found = new Set<string>();
  for (let call = calls.pop(); call !== undefined; call = calls.pop()) {
    if (call.target.kind !== 'chain' || found.has(call.target.name)) continue;
    found.add(call.target.name);
    for (const rule of table.chains.get(call.target.name)?.rules ?? []) if (rule.target.kind === 'chain') calls.push(rule);
  }
  return found;
}
