/** The same rules as those see them who take their time, and those who send as fast as they can. */
import type { Use } from '../../extensions/use.js';
import type { AnyMatch } from '../../extensions/define.js';
import { isOpaque, type Chain, type MatchUse, type Rule, type Ruleset, type Table } from '../../model/ruleset.js';

/** `patient`: never more than any limit allows; `flood`: always more. */
export type Pace = 'patient' | 'flood';

function boundOf(use: MatchUse): 'below' | 'above' | undefined {
  if (isOpaque(use)) return undefined;
  const { definition, given }: Use<AnyMatch> = use;
  return definition.bounds?.(given);
}

/** A rule whose limits are taken as they are at that pace: those that match go, and with one that does not the rule does nothing. */
function ruleAt(rule: Rule, pace: Pace): Rule {
  const matching = pace === 'patient' ? 'below' : 'above';
  const bounds = rule.matches.map(boundOf);
  if (bounds.every(one => one === undefined)) return rule;
  if (bounds.some(one => one !== undefined && one !== matching)) return { ...rule, matches: [], target: { kind: 'none' } };
  return { ...rule, matches: rule.matches.filter((_, i) => bounds[i] === undefined) };
}

function changed<K, V>(map: ReadonlyMap<K, V>, change: (value: V) => V): ReadonlyMap<K, V> {
  const out = new Map([...map].map(([key, value]) => [key, change(value)] as const));
  return [...out].some(([key, value]) => map.get(key) !== value) ? out : map;
}

function chainAt(chain: Chain, pace: Pace): Chain {
  const rules: Rule[] = [];
  let isSame = true;
  for (const rule of chain.rules) {
    const own = ruleAt(rule, pace);
    rules.push(own);
    isSame &&= own === rule;
  }
  return isSame ? chain : { ...chain, rules };
}

function tableAt(table: Table, pace: Pace): Table {
  const chains = changed(table.chains, chain => chainAt(chain, pace));
  return chains === table.chains ? table : { ...table, chains };
}

/** Rules keep their places, and those without limits are the same objects; where none has a limit, so is the rule set. */
export function rulesetAt(ruleset: Ruleset, pace: Pace): Ruleset {
  const tables = changed(ruleset.tables, table => tableAt(table, pace));
  return tables === ruleset.tables ? ruleset : { ...ruleset, tables };
}
