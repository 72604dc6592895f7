import type { Chain, Rule, Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { defineCheck, referenceOf, type Report } from './define-check.js';
import { effectOf, isFinal } from './targets.js';

/** Fewer packets than this prove nothing: the counters may just have been zeroed. */
const enough = 10_000n;
/** As deep as nftables lets chains be nested. */
const deepest = 16;

function hitsOf({ counters }: Rule): bigint {
  return counters?.packets ?? 0n;
}

/** How many packets came into a chain at least. */
function enteredAtLeast(chain: Chain, callers: ReadonlyMap<string, bigint>): bigint {
  if (chain.hook === undefined) return callers.get(chain.name) ?? 0n;
  const decided = chain.rules.reduce((sum, rule) => isFinal(rule) ? sum + hitsOf(rule) : sum, chain.policyCounters?.packets ?? 0n);
  return chain.rules.reduce((most, rule) => hitsOf(rule) > most ? hitsOf(rule) : most, decided);
}

function callsIn({ chains }: Table): ReadonlyMap<string, bigint> {
  const calls = new Map<string, bigint>();
  for (const { rules } of chains.values()) for (const rule of rules) {
    if (rule.target.kind === 'chain') calls.set(rule.target.name, (calls.get(rule.target.name) ?? 0n) + hitsOf(rule));
  }
  return calls;
}

/** Whether the rule lets something pass or leads it on: of what keeps packets out, nobody minds that none has come. */
function isOpening(rule: Rule): boolean {
  const effect = effectOf(rule);
  return rule.target.kind === 'chain' || effect === 'accept' || effect === 'nat';
}

/** How many packets a chain has decided about, or chains below it. */
function decidedIn(table: Table, name: string, depth = 0): bigint {
  let sum = 0n;
  for (const rule of table.chains.get(name)?.rules ?? []) {
    if (isFinal(rule)) sum += hitsOf(rule);
    else if (rule.target.kind === 'chain' && depth < deepest) sum += decidedIn(table, rule.target.name, depth + 1);
  }
  return sum;
}

/** How many packets a rule has kept from the next one at most. Of a jump, no more than were decided about where it leads. */
function takenAtMost(table: Table, rule: Rule): bigint {
  const { target } = rule;
  const hits = hitsOf(rule);
  if (target.kind === 'none' || effectOf(rule) === 'continue') return 0n;
  if (target.kind !== 'chain' || target.goto) return hits;
  const decided = decidedIn(table, target.name);
  return decided < hits ? decided : hits;
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
    message: `${others.length === 0 ? 'no packet' : `of ${String(others.length + 1)} rules of ${chain.name}, this is the first that no packet`} has matched, of at least ${String(passed)} that came by since the counters began`,
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
      const calls = callsIn(table);
      for (const chain of table.chains.values()) {
        const found = report(chain, neverHit(table, chain, enteredAtLeast(chain, calls)));
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
