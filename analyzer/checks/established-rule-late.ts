import { isOpaque, type Chain, type Rule, type Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { reachWith } from '../packet-space/index.js';
import { constraintsOf, type RuleConstraints } from '../packet-space/rule-constraint.js';
import { all, ctstates, is, type Constraint } from '../packet/constraint.js';
import { plausible } from '../witness/plausible.js';
import type { Illustration } from '../witness/proposal.js';
import { stepOf } from '../witness/step.js';
import { acceptsAll } from './shared/accepting.js';
import { conjuncts } from './shared/conjuncts.js';
import type { Because } from '../finding.js';
import { defineCheck, fixWith, referenceOf, type CheckContext, type Report } from './define-check.js';
import { withMoved } from './shared/edits.js';

/** Fewer are not worth a word. */
const worthAWord = 10;

function isInterface(one: Constraint): boolean {
  return one.kind === 'interface' || (one.kind === 'not' && one.of.kind === 'interface');
}

/** It asks for the state and for nothing else, but perhaps for an interface. */
function asksOnlyForState({ source, destination, protocol, fragment, matches }: Rule, constraint: Constraint): boolean {
  const known = matches.flatMap(use => isOpaque(use) ? [] : [use.definition.name]);
  const isOnly = known.length === matches.length && [source, destination, protocol, fragment].every(one => one === undefined);
  const parts = conjuncts(constraint);
  const isState = (one: Constraint): boolean => one.kind === 'within' && one.field === 'ctstate';
  return isOnly && parts.some(isState) && parts.every(one => isState(one) || isInterface(one));
}

/** By chain: how many rules a packet is compared with at least before it comes there, the jump included. */
function waysIn(table: Table): ReadonlyMap<string, number> {
  const least = new Map<string, number>();
  const open = [...table.chains.values()].filter(({ hook }) => hook !== undefined);
  for (const { name } of open) least.set(name, 0);
  for (let chain = open.shift(); chain !== undefined; chain = open.shift()) {
    const own = least.get(chain.name) ?? 0;
    for (const [index, { target }] of chain.rules.entries()) {
      const callee = target.kind === 'chain' ? table.chains.get(target.name) : undefined;
      if (callee === undefined || (least.get(callee.name) ?? Infinity) <= own + index + 1) continue;
      // In order of the calls: a chain that is found to be nearer is seldom looked at again.
      least.set(callee.name, own + index + 1);
      open.push(callee);
    }
  }
  return least;
}

/** The first rule that lets known connections pass in each chain, where it is the first of all that do. */
function firstRule(cx: CheckContext, table: Table, chain: Chain, constraints: RuleConstraints): RuleAt | undefined {
  const index = chain.rules.findIndex(rule => acceptsAll(table, rule) && asksOnlyForState(rule, constraints.of(rule)));
  const rule = chain.rules[index];
  const at = rule === undefined ? undefined : { table: table.name, chain: chain.name, position: index + 1, rule };
  return at !== undefined && reachWith(cx.space(), table, at, is('ctstate', ctstates.ESTABLISHED)).kind === 'live' ? at : undefined;
}

/** More chains than this are not named. */
const named = 5;

/** Up to the head of a built-in chain, behind rules about lo. */
function moved({ ruleset }: CheckContext, chain: Chain | undefined, rule: Rule): Pick<Report, 'fix'> {
  const to = chain?.hook === undefined ? undefined : chain.rules.find(one => [one.inInterface, one.outInterface].every(name => name?.value.name !== 'lo'));
  return to === undefined || to === rule ? {} : fixWith('move the rule up', 'safe', withMoved(ruleset, rule, to));
}

/** A packet of a known connection that comes as far as this rule, which lets it pass. */
function illustrate(cx: CheckContext, at: RuleAt): Illustration | undefined {
  const table = cx.ruleset.tables.get('filter');
  if (table === undefined) return undefined;
  for (const hook of ['INPUT', 'FORWARD', 'OUTPUT'] as const) for (const everyday of plausible(cx.ruleset.family, hook)) {
    const answer = reachWith(cx.space(), table, at, all([everyday, is('ctstate', ctstates.ESTABLISHED)]), hook);
    if (answer.kind !== 'live') continue;
    const { witness } = answer;
    return { steps: [stepOf(witness, hook === 'OUTPUT' ? 'local' : witness.in ?? 'eth0')], shows: [{ at: `filter:${hook}`, fate: 'passes', matches: [referenceOf(at)] }] };
  }
  return undefined;
}

function report(cx: CheckContext, at: RuleAt, count: number, others: readonly RuleAt[]): Report {
  return {
    at,
    alike: others.length + 1, message: `packets of known connections are compared with ${String(count)} rules at least before this one lets them pass${others.length === 0 ? '' : `, and so it is in ${String(others.length)} more chains`}`,
    because: others.slice(0, named).map((one): Because => ({ rule: referenceOf(one), line: one.rule.line, message: 'comes as late' })),
    illustrate: () => illustrate(cx, at),
    help: `move it up, to the beginning of the built-in chain${others.length === 0 ? '' : ', once for all'}; what is dropped before it now then goes on until its connections end`,
    ...moved(cx, cx.ruleset.tables.get('filter')?.chains.get(at.chain), at.rule),
  };
}

export const establishedRuleLate = defineCheck({
  name: 'established-rule-late',
  kind: 'conversations',
  severity: 'info',
  mutedIn: 'generated',
  summary: 'Packets of known connections pass many rules before the one that lets them in',
  why: `Nearly all packets belong to connections that are known already. Each is compared with every rule in front of the one
that lets it pass, so that this rule should be among the first: behind lo, and before lists of ports and addresses.
What stands before it also decides about connections under way: an address that is blocked there is cut off in
the midst of them, which may be what you want. Ten rules and more are reported.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A INPUT -s 192.0.2.1/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 192.0.2.9/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 192.0.2.33/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 192.0.2.64/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 198.51.100.1/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 198.51.100.7/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A INPUT -s 192.0.2.1/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 192.0.2.9/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:known - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -j known
-A INPUT -s 192.0.2.1/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 192.0.2.9/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 192.0.2.33/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 192.0.2.64/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 198.51.100.1/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 198.51.100.7/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A known -m conntrack --ctstate INVALID -j DROP
-A known -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`,
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined) return;
    const constraints = constraintsOf(cx.ruleset, table.name);
    const ways = waysIn(table);
    const late: { readonly at: RuleAt; readonly count: number }[] = [];
    for (const chain of table.chains.values()) {
      const way = ways.get(chain.name);
      const at = way === undefined || way + chain.rules.length <= worthAWord ? undefined : firstRule(cx, table, chain, constraints);
      if (way !== undefined && at !== undefined && way + at.position > worthAWord) late.push({ at, count: way + at.position - 1 });
    }
    const [first, ...others] = late.filter(({ at }) => table.chains.get(at.chain)?.hook === undefined);
    for (const one of late) if (table.chains.get(one.at.chain)?.hook !== undefined) yield report(cx, one.at, one.count, []);
    if (first !== undefined) yield report(cx, first.at, first.count, others.map(({ at }) => at));
  },
});
