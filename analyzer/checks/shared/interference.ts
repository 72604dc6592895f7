/** Whether another table can take or change packets before they come to a table. */
import type { Hook, TableName } from '../../extensions/define.js';
import { isTableName, type Chain, type Rule, type Ruleset, type Table } from '../../model/ruleset.js';
import { layout, paths } from '../../packet-space/pipeline/stages.js';
import { effectOf } from './targets.js';

/**
 * The hooks of a table at which packets always come through another table that can take or change them. At the others what the
 * table says of itself holds on some way; no larger rule set need be looked at as a whole for it.
 */
export function interferedHooks(ruleset: Ruleset, table: Table): ReadonlySet<Hook> {
  const free = new Set<Hook>();
  const met = new Set<Hook>();
  for (const path of paths) {
    let interferes = false;
    for (const [hook, name] of layout(path, ruleset.backend)) {
      if (name === 'routing') continue;
      if (name === table.name) (interferes ? met : free).add(hook);
      else interferes ||= mayInterfere(ruleset, name, hook);
    }
  }
  return new Set([...met].filter(hook => !free.has(hook)));
}

const known = new WeakMap<Chain, boolean>();

function mayInterfere({ tables }: Ruleset, name: TableName, hook: Hook): boolean {
  const table = tables.get(name);
  const base = isTableName(name) ? table?.chains.get(hook) : undefined;
  if (table === undefined || base === undefined) return false;
  let answer = known.get(base);
  if (answer === undefined) known.set(base, answer = base.policy === 'DROP' || [...chainsFrom(table, base)].some(({ rules }) => rules.some(interferes)));
  return answer;
}

/** A chain, and all that its rules can call. */
export function chainsFrom(table: Table, base: Chain): ReadonlySet<Chain> {
  const found = new Set([base]);
  for (const { rules } of found) for (const { target } of rules) {
    const callee = target.kind === 'chain' ? table.chains.get(target.name) : undefined;
    if (callee !== undefined) found.add(callee);
  }
  return found;
}

const harmless: ReadonlySet<string | undefined> = new Set(['accept', 'continue', 'return', undefined]);

function interferes(rule: Rule): boolean {
  const { target } = rule;
  return !harmless.has(effectOf(rule)) || (target.kind === 'extension' && (target.use.definition.changes ?? []).some(change => change !== 'sets'));
}
