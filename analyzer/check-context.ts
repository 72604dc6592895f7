/** What checks may ask about one rule set; each answer is computed once for all of them. */
import type { Check, CheckContext, RuleInChain } from './checks/define-check.js';
import { rulesetAt, type Pace } from './checks/shared/paces.js';
import { defaultSettings, type Settings } from './checks/settings.js';
import type { Rule, Ruleset, Table } from './model/ruleset.js';
import type { HostSetup } from './netfilter/engine.js';
import type { Reach } from './packet-space/answers.js';
import { packetSpace, reach, type PacketSpace } from './packet-space/index.js';
import { pipeline, type Pipeline } from './packet-space/pipeline/index.js';
import type { Family } from './values/value.js';

/** What all checks of one rule set are given. */
export interface Given {
  readonly host?: (family: Family) => HostSetup | undefined;
  readonly settings?: Partial<Settings>;
  readonly checks: readonly Check[];
  readonly sibling: () => Ruleset | undefined;
  readonly count: (by: number) => void;
}

function rulesOf(table: Table): readonly RuleInChain[] {
  const rules: RuleInChain[] = [];
  for (const chain of table.chains.values()) {
    for (const [index, rule] of chain.rules.entries()) rules.push({ table: table.name, chain: chain.name, position: index + 1, rule, in: chain });
  }
  return rules;
}

export function contextOf(ruleset: Ruleset, all: Given): CheckContext {
  const { checks, host, settings: given, sibling, count } = all;
  let space: PacketSpace | undefined;
  let whole: { readonly pipeline: Pipeline | undefined } | undefined;
  const settings = { ...defaultSettings, ...given };
  const reached = new Map<Table, ReadonlyMap<Rule, Reach>>();
  const listed = new Map<Table, readonly RuleInChain[]>();
  const paced = new Map<Pace, CheckContext>();
  const getSpace = (): PacketSpace => space ??= packetSpace(ruleset);
  const cx: CheckContext = {
    ruleset, settings, sibling,
    host: host?.(ruleset.family),
    space: getSpace,
    pipeline: () => (whole ??= { pipeline: pipeline(ruleset, { asked: checks.flatMap(check => check.asks?.({ ruleset, settings }) ?? []) }) }).pipeline,
    undecided: (by = 1) => { count(by); },
    reach: table => {
      let answer = reached.get(table);
      if (answer === undefined) {
        reached.set(table, answer = reach(getSpace(), table));
        count([...answer.values()].filter(one => one.kind === 'undecided').length);
      }
      return answer;
    },
    rules: table => {
      let rules = listed.get(table);
      if (rules === undefined) listed.set(table, rules = rulesOf(table));
      return rules;
    },
    at: pace => {
      const other = rulesetAt(ruleset, pace);
      const same = other === ruleset ? cx : paced.get(pace) ?? contextOf(other, all);
      paced.set(pace, same);
      return same;
    },
  };
  return cx;
}
