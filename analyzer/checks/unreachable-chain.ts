import type { Chain, Rule, Table } from '../model/ruleset.js';
import type { Reach, RuleAt } from '../packet-space/answers.js';
import { defineCheck, referenceOf, type Report } from './define-check.js';
import { mayBeEntered } from './shared/parts.js';

/** The rules that jump or go to each chain of a user. */
function callersIn(rules: Iterable<RuleAt>): ReadonlyMap<string, readonly RuleAt[]> {
  const callers = new Map<string, RuleAt[]>();
  for (const at of rules) {
    const { target } = at.rule;
    if (target.kind !== 'chain') continue;
    const some = callers.get(target.name);
    if (some === undefined) callers.set(target.name, [at]);
    else some.push(at);
  }
  return callers;
}

function isDead(reached: ReadonlyMap<Rule, Reach>, rule: Rule): boolean {
  const kind = reached.get(rule)?.kind;
  return kind !== undefined && kind !== 'live' && kind !== 'undecided';
}

/** `chain` `a` and 3 more, that only it leads to. */
function withItOf(chain: Chain, callers: ReadonlyMap<string, readonly RuleAt[]>, unreached: ReadonlySet<string>): readonly string[] {
  const lost = new Set([chain.name]);
  for (let size = 0; size !== lost.size;) {
    size = lost.size;
    for (const [name, by] of callers) if (unreached.has(name) && by.every(one => lost.has(one.chain))) lost.add(name);
  }
  return [...lost].slice(1);
}

function report(chain: Chain, by: readonly RuleAt[], unused: ReadonlySet<string>, withIt: readonly string[]): Report {
  const [first] = by;
  const isUnused = by.every(one => unused.has(one.chain));
  const more = withIt.length === 0 ? '' : `, nor into ${withIt.length === 1 ? `\`${withIt[0] ?? ''}\`` : `${String(withIt.length)} more chains`} behind it`;
  const why = isUnused ? 'only chains that nothing jumps to lead here' : by.length === 1 ? 'the only rule that leads here matches none' : 'none of the rules that lead here matches any';
  return {
    message: `no packet comes into chain \`${chain.name}\`${more}: ${why}`,
    chain, span: chain.span,
    because: by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: unused.has(one.chain) ? `stands in chain \`${one.chain}\`, which nothing jumps to` : 'matches no packet' })),
    help: first === undefined ? 'delete the chain' : `repair ${isUnused ? `the way to chain ${first.chain}` : referenceOf(first)}, or delete the chain with what leads to it`,
  };
}

/** The chains of users that are called, and that no packet comes into: for each chain, who calls it. */
function unreachedIn(table: Table, callers: ReadonlyMap<string, readonly RuleAt[]>, reached: ReadonlyMap<Rule, Reach>): ReadonlyMap<string, readonly RuleAt[]> {
  return new Map([...callers].filter(([name, by]) => table.chains.get(name)?.hook === undefined && by.every(one => isDead(reached, one.rule))));
}

export const unreachableChain = defineCheck({
  name: 'unreachable-chain',
  kind: 'reachability',
  severity: 'info',
  mutedIn: 'generated',
  summary: 'Rules lead to the chain, and no packet ever comes by them',
  why: `The chain looks used: rules jump to it. But each of these is shadowed, contradicts itself, or stands in a chain
that nothing jumps to, so what the chain says never happens. The cause is reported where it is; this says how far it goes.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:old-web - [0:0]
:web-guard - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A old-web -p tcp -m tcp --dport 443 -j web-guard
-A web-guard -s 203.0.113.0/24 -j DROP
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:web-guard - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j web-guard
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A web-guard -s 203.0.113.0/24 -j DROP
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:old-web - [0:0]
:web-guard - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j web-guard
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A old-web -p tcp -m tcp --dport 80 -j web-guard
-A web-guard -s 203.0.113.0/24 -j DROP
COMMIT
`,
  * run({ ruleset, rules, reach }) {
    for (const table of ruleset.tables.values()) {
      const callers = callersIn(rules(table));
      if (callers.size === 0) continue;
      const unreached = unreachedIn(table, callers, reach(table));
      const unused = new Set([...table.chains.values()].flatMap(chain => chain.hook === undefined && !callers.has(chain.name) ? [chain.name] : []));
      for (const [name, by] of unreached) {
        // Behind another such chain it is told with that one.
        const chain = table.chains.get(name);
        if (chain === undefined || by.every(one => unreached.has(one.chain)) || mayBeEntered(ruleset, table, name)) continue;
        yield report(chain, by, unused, withItOf(chain, callers, new Set(unreached.keys())));
      }
    }
  },
});
