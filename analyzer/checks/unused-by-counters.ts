import type { Chain, Rule, Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { entries, takenAtMost } from './shared/counter-evidence.js';
import { defineCheck, referenceOf, type Report } from './define-check.js';
import { effectOf } from './shared/targets.js';

/** Fewer packets than this prove nothing: the counters may just have been zeroed. */
const enough = 10_000n;

/** Whether the rule lets something pass or leads it on: of what keeps packets out, nobody minds that none has come. */
function isOpening(rule: Rule): boolean {
  const effect = effectOf(rule);
  return rule.target.kind === 'chain' || effect === 'accept' || effect === 'nat';
}

/** The rules of a chain that never matched, though so many packets came to each of them. */
function neverHit(table: Table, chain: Chain, entered: bigint): readonly { readonly at: RuleAt; readonly passed: bigint }[] {
  let left = entered;
  const some: { at: RuleAt; passed: bigint }[] = [];
  for (const [index, rule] of chain.rules.entries()) {
    if (left < enough) break;
    if (rule.counters?.packets === 0n && isOpening(rule)) some.push({ at: { table: table.name, chain: chain.name, position: index + 1, rule }, passed: left });
    left -= takenAtMost(table, rule);
  }
  return some;
}

function report(chain: Chain, [first, ...others]: ReturnType<typeof neverHit>): Report | undefined {
  if (first === undefined) return undefined;
  const { at, passed } = first;
  return {
    at,
    alike: others.length + 1, message: `${others.length === 0 ? 'no packet' : `of ${String(others.length + 1)} rules of ${chain.name}, this is the first that no packet`} has matched, of at least ${String(passed)} that came by since the counters began`,
    because: others.map(one => ({ rule: referenceOf(one.at), line: one.at.rule.line, message: `nor this, of at least ${String(one.passed)}` })),
    help: 'ask whether it is still needed: what it opens, nobody used',
  };
}

export const unusedByCounters = defineCheck({
  name: 'unused-by-counters',
  kind: 'hygiene',
  severity: 'info',
  summary: 'The counters say that rules which open something were never used',
  why: `iptables-save -c writes down how many packets each rule has matched. Where thousands of packets have come to a rule
and none has matched, what it lets in is not in use: the service is gone, or comes by another rule. A rule that nobody
needs is a hole that nobody watches. Counters begin anew at each boot and each reload, so what happens once a month may
be missing. Rules that drop are not meant: that nothing came is no reason to let it in.`,
  bad: counted('[0:0]'),
  good: counted('[214:12840]'),
  nearMiss: counted('[0:0]').replaceAll('482113', '12'),
  * run({ ruleset }) {
    for (const table of ruleset.tables.values()) {
      const entered = entries(table);
      for (const chain of table.chains.values()) {
        const found = report(chain, neverHit(table, chain, entered(chain)));
        if (found !== undefined) yield found;
      }
    }
  },
});

function counted(smtp: string): string {
  return `*filter
:INPUT DROP [482113:28926780]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [903:541800]
[40:3360] -A INPUT -i lo -j ACCEPT
[880:1056000] -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[95:5700] -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
${smtp} -A INPUT -p tcp -m tcp --dport 25 -j ACCEPT
COMMIT
`;
}
