/** Jumps that lead nowhere, and rules that could not be read: the kernel refuses them, and nobody knows what was meant by them. */
import type { Rule, Ruleset, Table } from './ruleset.js';

/** Where there are more, whole chains were lost, and to reason about so much that is unknown helps nobody. */
const mostUnknown = 100;

/** The rule set, where jumps to chains that are not there are targets that nobody knows; the same where there are none, or very many. */
export function withoutMissingChains(ruleset: Ruleset): Ruleset {
  const isMissing = ({ chains }: Table, { target }: Rule): boolean => target.kind === 'chain' && !chains.has(target.name);
  let count = 0;
  for (const table of ruleset.tables.values()) for (const { rules } of table.chains.values()) for (const rule of rules) if (isMissing(table, rule)) count++;
  if (count === 0 || count > mostUnknown) return ruleset;
  const known = (table: Table, rule: Rule): Rule => rule.target.kind === 'chain' && isMissing(table, rule) ? { ...rule, target: { kind: 'opaque', use: { opaque: rule.target.name, words: [] } } } : rule;
  const tables = [...ruleset.tables].map(([name, table]) => [name, { ...table, chains: new Map([...table.chains].map(([key, chain]) => [key, { ...chain, rules: chain.rules.map(rule => known(table, rule)) }])) }] as const);
  return { ...ruleset, tables: new Map(tables) };
}

/** The rule set, where rules that could not be read do nothing if they are very many; else the same. */
export function withFewUnread(ruleset: Ruleset): Ruleset {
  let count = 0;
  for (const table of ruleset.tables.values()) for (const { rules } of table.chains.values()) for (const rule of rules) if (rule.isUnread === true) count++;
  if (count <= mostUnknown) return ruleset;
  const tables = [...ruleset.tables].map(([name, table]) => [name, { ...table, chains: new Map([...table.chains].map(([key, chain]) => [key, { ...chain, rules: chain.rules.map((rule): Rule => rule.isUnread === true ? { ...rule, matches: [], target: { kind: 'none' } } : rule) }])) }] as const);
  return { ...ruleset, tables: new Map(tables) };
}

/** The rule set as far as it is known: without the rules that could not be read, or may not be there. */
export function withoutUnread(ruleset: Ruleset): Ruleset {
  const tables = [...ruleset.tables].map(([name, table]) => [name, { ...table, chains: new Map([...table.chains].map(([key, chain]) => [key, { ...chain, rules: chain.rules.filter(rule => rule.isUnread !== true) }])) }] as const);
  return { ...ruleset, tables: new Map(tables) };
}

/** Whether some rule of the table may jump to any chain, for all that is known of it. */
export function mayJumpAnywhere({ chains }: Table): boolean {
  return [...chains.values()].some(({ rules }) => rules.some(({ isUnread, target }) => isUnread === true && target.kind === 'opaque'));
}
