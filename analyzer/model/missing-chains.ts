/** Jumps that lead nowhere: the kernel refuses such rules, and nobody knows what was meant by them. */
import type { Rule, Ruleset, Table } from './ruleset.js';

/** The rule set, where jumps to chains that are not there are targets that nobody knows; the same where there are none. */
export function withoutMissingChains(ruleset: Ruleset): Ruleset {
  const isMissing = ({ chains }: Table, { target }: Rule): boolean => target.kind === 'chain' && !chains.has(target.name);
  if (![...ruleset.tables.values()].some(table => [...table.chains.values()].some(chain => chain.rules.some(rule => isMissing(table, rule))))) return ruleset;
  const known = (table: Table, rule: Rule): Rule => rule.target.kind === 'chain' && isMissing(table, rule) ? { ...rule, target: { kind: 'opaque', use: { opaque: rule.target.name, words: [] } } } : rule;
  const tables = [...ruleset.tables].map(([name, table]) => [name, { ...table, chains: new Map([...table.chains].map(([key, chain]) => [key, { ...chain, rules: chain.rules.map(rule => known(table, rule)) }])) }] as const);
  return { ...ruleset, tables: new Map(tables) };
}
