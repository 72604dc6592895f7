/** Rules by which packets are accepted: by themselves, or by a chain that accepts all that comes to it, and may write it down before. */
import type { Rule, Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { isCatchAll } from './shadows.js';
import { effectOf } from './targets.js';

const known = new WeakMap<Table, Map<string, boolean>>();

/** Whether a chain accepts all that comes to it, whatever it does about it before (`-j LOG`). */
export function isAccepting(table: Table, name: string): boolean {
  let chains = known.get(table);
  if (chains === undefined) known.set(table, chains = new Map<string, boolean>());
  let is = chains.get(name);
  if (is === undefined) {
    // Who comes back to it on the way goes round in circles.
    chains.set(name, false);
    const rules = (table.chains.get(name)?.rules ?? []).filter(rule => rule.target.kind !== 'none' && effectOf(rule) !== 'continue');
    const last = rules.findIndex(isCatchAll);
    is = last >= 0 && rules.slice(0, last + 1).every(rule => acceptsAll(table, rule));
    chains.set(name, is);
  }
  return is;
}

/** Whether all that matches a rule is accepted. */
export function acceptsAll(table: Table, rule: Rule): boolean {
  return rule.target.kind === 'chain' ? isAccepting(table, rule.target.name) : effectOf(rule) === 'accept';
}

/** The rule that accepts in the end what matches such a rule: itself, or the last of the chain that it leads to. */
export function accepterOf(table: Table, rule: Rule): Rule {
  const last = rule.target.kind === 'chain' ? table.chains.get(rule.target.name)?.rules.find(one => isCatchAll(one) && acceptsAll(table, one)) : undefined;
  return last === undefined ? rule : accepterOf(table, last);
}

/** Whether a rule accepts what others lead to its chain, and nothing else: it is for them to say what that is. */
export function acceptsForOthers(table: Table, { chain, rule }: RuleAt): boolean {
  return table.chains.get(chain)?.hook === undefined && isCatchAll(rule) && isAccepting(table, chain);
}
