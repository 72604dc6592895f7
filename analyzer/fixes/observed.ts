/** Rule sets of which `difference` sees more than what becomes of packets in the end. */
import { findTarget } from '../extensions/registry.js';
import type { Policy, Rule, RuleTarget, Ruleset, Table } from '../model/ruleset.js';
import { InvariantError } from '../packet-space/invariant.js';
import { effectOf } from '../checks/shared/targets.js';
import { pureMatches } from './purity.js';

function plainTarget(name: Policy, { family }: Ruleset): RuleTarget {
  const definition = findTarget(name, family);
  if (definition === undefined) throw new InvariantError(`there is no target ${name}`);
  return { kind: 'extension', use: { definition, given: {}, ordered: [], unresolved: {} } };
}

function mapRules(ruleset: Ruleset, opened: (table: Table) => boolean, change: (table: Table, rule: Rule) => Rule): Ruleset {
  const tables = [...ruleset.tables].map(([name, table]) => {
    const chains = [...table.chains].map(([chainName, chain]) => {
      const policy = chain.policy !== undefined && opened(table) ? 'ACCEPT' : chain.policy;
      return [chainName, { ...chain, policy, rules: chain.rules.map(rule => change(table, rule)) }] as const;
    });
    return [name, { ...table, chains: new Map(chains) }] as const;
  });
  return { ...ruleset, tables: new Map(tables) };
}

function isStopping(rule: Rule): boolean {
  const effect = effectOf(rule);
  return effect === 'drop' || effect === 'reject' || effect === 'queue';
}

/** Where no other table stops anything: what one table decides about every packet that might come to it, is then what becomes of the packet. */
export function alone(ruleset: Ruleset, { name }: Table): Ruleset {
  const accept = plainTarget('ACCEPT', ruleset);
  return mapRules(ruleset, table => table.name !== name, (table, rule) => table.name !== name && isStopping(rule) ? { ...rule, target: accept } : rule);
}

/**
 * Where nothing is dropped but what comes to one rule, or, if it has matches with a memory, to the first of these: then it is dropped
 * who is noticed there, and nobody else.
 */
export function noticing(ruleset: Ruleset, victim: Rule): Ruleset {
  const [accept, drop] = [plainTarget('ACCEPT', ruleset), plainTarget('DROP', ruleset)];
  return mapRules(ruleset, () => true, (table, rule) => {
    if (rule === victim) return { ...rule, matches: rule.matches.slice(0, pureMatches(ruleset, table, rule)), target: drop };
    return isStopping(rule) ? { ...rule, target: accept } : rule;
  });
}
