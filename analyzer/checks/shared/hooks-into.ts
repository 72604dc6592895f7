/** From which hooks packets come to chains. */
import type { Hook } from '../../extensions/define.js';
import type { Rule, Ruleset, Table } from '../../model/ruleset.js';

/** The built-in chains that lead to a chain. */
export function hooksInto(table: Table, name: string): readonly Hook[] {
  const open = [name];
  const seen = new Set(open);
  const hooks = new Set<Hook>();
  for (let callee = open.pop(); callee !== undefined; callee = open.pop()) {
    const into = callee;
    const hook = table.chains.get(into)?.hook;
    if (hook !== undefined) hooks.add(hook);
    for (const { name: caller, rules } of table.chains.values()) {
      if (seen.has(caller) || !rules.some(({ target }) => target.kind === 'chain' && target.name === into)) continue;
      seen.add(caller);
      open.push(caller);
    }
  }
  return [...hooks];
}

/** The built-in chains that lead to a rule of which something holds. */
export function hooksTo({ chains }: Table, holds: (rule: Rule) => boolean): ReadonlySet<Hook> {
  const hooks = new Set<Hook>();
  for (const { name, hook } of chains.values()) {
    const below = new Set(hook === undefined ? [] : [name]);
    for (const one of below) for (const rule of chains.get(one)?.rules ?? []) {
      if (hook !== undefined && holds(rule)) hooks.add(hook);
      if (rule.target.kind === 'chain') below.add(rule.target.name);
    }
  }
  return hooks;
}

/** The hooks at which packets that are not a connection's first may meet a rule that could not be read: what it does with them nobody knows. */
export function unreadAt({ tables }: Ruleset): ReadonlySet<Hook> {
  const hooks = new Set<Hook>();
  for (const table of tables.values()) {
    if (table.name === 'nat') continue;
    for (const { name, rules } of table.chains.values()) if (rules.some(rule => rule.isUnread)) for (const hook of hooksInto(table, name)) hooks.add(hook);
  }
  return hooks;
}
