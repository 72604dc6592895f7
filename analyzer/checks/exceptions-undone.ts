import { isUnresolved, type Rule, type Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { reachWith } from '../packet-space/index.js';
import { isNothing } from '../packet-space/packets.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, not, type Constraint } from '../packet/constraint.js';
import { printAddressMask } from '../values/address-mask.js';
import { without } from './shared/asked.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { effectOf, isFinal, isStateless, refuses, targetText } from './shared/targets.js';

/** What a rule may make an exception of, and how it is written. */
const criteria = [
  { key: 'source', option: '-s', field: 'src' }, { key: 'destination', option: '-d', field: 'dst' },
  { key: 'inInterface', option: '-i', field: 'in' }, { key: 'outInterface', option: '-o', field: 'out' },
] as const;
type Criterion = typeof criteria[number];

/** How many rules before it a rule is compared with. */
const lookBack = 16;

function excepts(rule: Rule, { key }: Criterion): boolean {
  return rule[key]?.negated === true;
}

/** Whom a rule excepts, as they would be asked for. */
function textOf(rule: Rule, { key, option }: Criterion): string {
  const given = rule[key]?.value;
  if (given === undefined) return option;
  if ('prefix' in given) return `${option} ${given.name}${given.prefix ? '+' : ''}`;
  return `${option} ${isUnresolved(given) ? 'ADDRESS' : printAddressMask(given)}`;
}

/** It decides nothing, or the same. */
function isBetween(cx: CheckContext, one: RuleAt, at: RuleAt): boolean {
  if (one.rule.target.kind === 'none') return true;
  return effectOf(one.rule) === 'continue' || (isFinal(one.rule) && targetText(cx.ruleset, one) === targetText(cx.ruleset, at));
}

/** All whom a rule excepts, of those that it is for. */
function exceptedBy(asks: Constraint, { field }: Criterion): Constraint {
  return all([...without(asks, [field]), not(asks)]);
}

/** The rule before that excepts some, all of whom this one takes, and does the same to. */
function undoneBy(cx: CheckContext, table: Table, at: RuleAt, criterion: Criterion, before: readonly RuleAt[]): RuleAt | undefined {
  const { family } = cx.ruleset;
  const constraints = constraintsOf(cx.ruleset, table.name);
  for (const one of before.toReversed().slice(0, lookBack)) {
    if (!isBetween(cx, one, at)) return undefined;
    if (!isFinal(one.rule) || !excepts(one.rule, criterion) || !isStateless(cx.ruleset, one.rule)) continue;
    const excepted = exceptedBy(constraints.of(one.rule), criterion);
    if (isNothing(family, all([excepted, not(constraints.of(at.rule))])) && reachWith(cx.space(), table, at, excepted).kind === 'live') return one;
  }
  return undefined;
}

function report({ ruleset }: CheckContext, at: RuleAt, by: RuleAt, criterion: Criterion): Report {
  const [first, second] = [textOf(by.rule, criterion), textOf(at.rule, criterion)];
  const aside = refuses(at.rule) ? 'ACCEPT' : effectOf(at.rule) === 'accept' ? 'DROP' : 'RETURN';
  return {
    at,
    message: `this rule takes those whom rule ${String(by.position)} excepts (! ${first}), and does the same to them: together they are for everybody`,
    because: [{ rule: referenceOf(by), line: by.rule.line, message: `takes all others, and those whom this one excepts: ${targetText(ruleset, by)}` }],
    help: `put the exceptions into rules of their own first (${first} … -j ${aside}, ${second} … -j ${aside}), and then one rule for all others, without !`,
  };
}

const host = (...rules: readonly string[]): string => `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
${rules.map(rule => `-A INPUT ${rule}\n`).join('')}COMMIT
`;
const [one, other] = ['! -s 203.0.113.10/32 -p tcp -m tcp --dport 22 -j DROP', '! -s 203.0.113.11/32 -p tcp -m tcp --dport 22 -j DROP'] as const;

export const exceptionsUndone = defineCheck({
  name: 'exceptions-undone',
  kind: 'reachability',
  severity: 'warning',
  mutedIn: 'generated',
  summary: 'Two rules except somebody each, and each takes whom the other excepts',
  why: `“Drop all but A” and “drop all but B”, one behind the other, drop everybody: A is not B, so the second rule takes A, and B never got past the first. The same with ACCEPT lets everybody in, and with
MASQUERADE translates what goes to either network. An exception holds for its own rule only. Who has two needs two rules that take them aside, and one behind these for all others, or a set of addresses (\`-m set ! --match-set\`). It is reported where all packets that a rule
excepts by \`!\` (of -s, -d, -i or -o) come to a later one of its chain that excepts others in the same way and decides alike, and nothing between them decides otherwise.`,
  bad: host(one, other),
  good: host(one.replace('! ', '').replace('DROP', 'ACCEPT'), other.replace('! ', '').replace('DROP', 'ACCEPT'), '-p tcp -m tcp --dport 22 -j DROP'),
  nearMiss: host(one, other.replace('--dport 22', '--dport 25')),
  * run(cx) {
    for (const table of cx.ruleset.tables.values()) for (const chain of table.chains.values()) {
      const rules = chain.rules.map((rule, i): RuleAt => ({ table: table.name, chain: chain.name, position: i + 1, rule }));
      for (const [i, at] of rules.entries()) {
        if (!isFinal(at.rule) || cx.reach(table).get(at.rule)?.kind !== 'live' || !isStateless(cx.ruleset, at.rule)) continue;
        for (const criterion of criteria) {
          const by = excepts(at.rule, criterion) ? undoneBy(cx, table, at, criterion, rules.slice(Math.max(0, i - lookBack), i)) : undefined;
          if (by !== undefined) yield report(cx, at, by, criterion);
        }
      }
    }
  },
});
