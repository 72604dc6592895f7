/** The same rules as those see them who take their time, those who send as fast as they can, and those who are on no list. */
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

/** Whether a match asks for a sender that is in a set, or for one that is not. */
function listOf(use: MatchUse): 'in' | 'out' | undefined {
  if (isOpaque(use) || use.definition.name !== 'set') return undefined;
  const { given }: Use<AnyMatch> = use;
  const asked = given['set'];
  const value: unknown = asked?.value;
  const isOfSenders = typeof value === 'object' && value !== null && 'directions' in value && Array.isArray(value.directions) && value.directions[0] === 'src';
  return !isOfSenders ? undefined : asked?.negated === true ? 'out' : 'in';
}

/** A rule as somebody meets it whom nobody has put into a set. */
function ruleForUnlisted(rule: Rule): Rule {
  const lists = rule.matches.map(listOf);
  if (lists.includes('in')) return { ...rule, matches: [], target: { kind: 'none' } };
  return lists.includes('out') ? { ...rule, matches: rule.matches.filter((_, i) => lists[i] === undefined) } : rule;
}

function changed<K, V>(map: ReadonlyMap<K, V>, change: (value: V) => V): ReadonlyMap<K, V> {
  const out = new Map([...map].map(([key, value]) => [key, change(value)] as const));
  return [...out].some(([key, value]) => map.get(key) !== value) ? out : map;
}

function chainWith(chain: Chain, change: (rule: Rule) => Rule): Chain {
  const rules: Rule[] = [];
  let isSame = true;
  for (const rule of chain.rules) {
    const own = change(rule);
    rules.push(own);
    isSame &&= own === rule;
  }
  return isSame ? chain : { ...chain, rules };
}

function tableWith(table: Table, change: (rule: Rule) => Rule): Table {
  const chains = changed(table.chains, chain => chainWith(chain, change));
  return chains === table.chains ? table : { ...table, chains };
}

/** Rules keep their places, and those without limits are the same objects; where none has a limit, so is the rule set. */
export function rulesetAt(ruleset: Ruleset, pace: Pace): Ruleset {
  return rulesetWith(ruleset, rule => ruleAt(rule, pace));
}

/** The same as somebody meets them who is in no set. */
export function forUnlisted(ruleset: Ruleset): Ruleset {
  return rulesetWith(ruleset, ruleForUnlisted);
}

function rulesetWith(ruleset: Ruleset, change: (rule: Rule) => Rule): Ruleset {
  const tables = changed(ruleset.tables, table => tableWith(table, change));
  return tables === ruleset.tables ? ruleset : { ...ruleset, tables };
}
