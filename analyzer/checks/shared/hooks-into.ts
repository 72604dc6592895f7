/** From which hooks packets come to chains. */
import type { Hook } from '../../extensions/define.js';
import type { Rule, Ruleset, Table } from '../../model/ruleset.js';
import { all, always, any, type Constraint } from '../../packet/constraint.js';

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

/** So many rules that lead to one chain are looked at. */
const callerLimit = 16;

/** Which packets a chain, mostly a built-in one, leads to another, where `led` says it of a rule: of those that lead what they are for alone, it is undefined. */
export function ledTo({ chains }: Table, from: string, name: string, led: (rule: Rule) => Constraint | undefined): Constraint | undefined {
  const below = new Map<string, Constraint[]>([[from, [always]]]);
  for (const [one, ways] of below) for (const rule of chains.get(one)?.rules ?? []) {
    const packets = rule.target.kind === 'chain' ? led(rule) : undefined;
    if (rule.target.kind !== 'chain' || packets === undefined) continue;
    const known = below.get(rule.target.name);
    const way = all([packets, any(ways)]);
    if (known === undefined) below.set(rule.target.name, [way]);
    else if (known.length < callerLimit) known.push(way);
  }
  const ways = below.get(name);
  return ways === undefined ? undefined : any(ways);
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
