import type { Chain, Rule, Ruleset, Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { entries, hitsOf, takenAtMost } from './shared/counter-evidence.js';
import { defineCheck, referenceOf, type Report } from './define-check.js';
import { isFinal, isStateless, targetText } from './shared/targets.js';

/** Fewer packets than this say nothing about those to come. */
const enough = 10_000n;
/** So many comparisons a packet must be saved, and so large a part of all. */
const worth = { rules: 0.5, share: 0.1 };

/** How many rules a packet is compared with on average, of these in this order, where so many packets come. */
function costOf(table: Table, rules: readonly Rule[], entered: bigint): number {
  let left = entered;
  let compared = 0n;
  for (const rule of rules) {
    compared += left;
    left -= takenAtMost(table, rule);
    if (left < 0n) left = 0n;
  }
  return Number(compared) / Number(entered);
}

function isMovable(ruleset: Ruleset, rule: Rule): boolean {
  return rule.counters !== undefined && isFinal(rule) && isStateless(ruleset, rule);
}

/** Neighbours that do the same: whichever comes first, every packet fares alike. */
function runsOf(ruleset: Ruleset, table: Table, { name, rules }: Chain): readonly (readonly Rule[])[] {
  const runs: Rule[][] = [];
  const does = (rule: Rule): string => targetText(ruleset, { table: table.name, chain: name, position: 0, rule });
  for (const rule of rules) {
    const run = runs.at(-1);
    const [first] = run ?? [];
    if (run !== undefined && first !== undefined && isMovable(ruleset, first) && isMovable(ruleset, rule) && does(first) === does(rule)) run.push(rule);
    else runs.push([rule]);
  }
  return runs;
}

function byUse(rules: readonly Rule[]): readonly Rule[] {
  return [...rules].sort((a, b) => hitsOf(a) > hitsOf(b) ? -1 : hitsOf(a) < hitsOf(b) ? 1 : 0);
}

/** The rule that has furthest to go, and the one that it is to stand before. */
function furthest(table: Table, chain: Chain, sorted: readonly Rule[]): { readonly at: RuleAt; readonly before: RuleAt } | undefined {
  const atOf = (index: number, rule: Rule): RuleAt => ({ table: table.name, chain: chain.name, position: index + 1, rule });
  const places = new Map(chain.rules.map((rule, index) => [rule, index]));
  const moves = sorted.map((rule, to) => ({ rule, to, up: (places.get(rule) ?? to) - to })).sort((a, b) => b.up - a.up || a.to - b.to);
  const [move] = moves;
  const before = move === undefined ? undefined : chain.rules[move.to];
  return move === undefined || before === undefined || move.up <= 0 ? undefined : { at: atOf(move.to + move.up, move.rule), before: atOf(move.to, before) };
}

function examine(ruleset: Ruleset, table: Table, chain: Chain, entered: bigint): Report | undefined {
  const sorted = runsOf(ruleset, table, chain).flatMap(byUse);
  const [now, then] = [costOf(table, chain.rules, entered), costOf(table, sorted, entered)];
  const move = furthest(table, chain, sorted);
  if (move === undefined || now - then < Math.max(worth.rules, now * worth.share)) return undefined;
  return {
    at: move.at,
    message: `by the counters, a packet in ${chain.name} is compared with ${now.toFixed(1)} rules on average; with neighbours of one verdict sorted by use it would be ${then.toFixed(1)}`,
    because: [{ rule: referenceOf(move.before), line: move.before.rule.line, message: `has ${String(hitsOf(move.before.rule))} hits, and rule ${String(move.at.position)} has ${String(hitsOf(move.at.rule))}` }],
    help: `to begin with, move rule ${String(move.at.position)} before rule ${String(move.before.position)}: both do the same, so no packet fares otherwise`,
  };
}

export const ruleOrderCost = defineCheck({
  name: 'rule-order-cost',
  kind: 'hygiene',
  severity: 'info',
  isOff: true,
  summary: 'Rules that are used much stand behind others that are used little',
  why: `Rules are tried one after the other, and each comparison costs time. Where the file has counters (iptables-save -c),
they tell how many rules a packet is compared with on average. Neighbours that do the same may change places without
any packet faring otherwise, so the most used can come first. Off by default: on few packets or few rules it does not matter.`,
  bad: counted(['[12:720] -A INPUT -p tcp -m tcp --dport 21 -j ACCEPT', '[30:1800] -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '[903:54180] -A INPUT -p udp -m udp --dport 123 -j ACCEPT', '[812404:48744240] -A INPUT -p tcp -m tcp --dport 443 -j ACCEPT']),
  good: counted(['[812404:48744240] -A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', '[903:54180] -A INPUT -p udp -m udp --dport 123 -j ACCEPT', '[30:1800] -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '[12:720] -A INPUT -p tcp -m tcp --dport 21 -j ACCEPT']),
  nearMiss: counted(['[12:720] -A INPUT -s 192.0.2.0/24 -p tcp -j DROP', '[812404:48744240] -A INPUT -p tcp -m tcp --dport 443 -j ACCEPT']),
  * run({ ruleset }) {
    for (const table of ruleset.tables.values()) {
      const entered = entries(table);
      for (const chain of table.chains.values()) {
        const packets = entered(chain);
        const report = packets < enough || chain.rules.every(rule => rule.counters === undefined) ? undefined : examine(ruleset, table, chain, packets);
        if (report !== undefined) yield report;
      }
    }
  },
});

function counted(rules: readonly string[]): string {
  return `*filter
:INPUT DROP [1204:72240]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [903:541800]
[40:3360] -A INPUT -i lo -j ACCEPT
[880:1056000] -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[7:420] -A INPUT -s 198.51.100.0/24 -j DROP
${rules.join('\n')}
COMMIT
`;
}
