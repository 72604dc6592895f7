import type { Ruleset, Table } from '../model/ruleset.js';
import { all, is, not, oneOf, type Constraint, ctstates } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import type { RuleAt } from '../packet-space/answers.js';
import { correlated, reachWith } from '../packet-space/index.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { rangesOf, without } from './shared/asked.js';
import { isLoopback } from './shared/host-networks.js';
import { conjuncts, hasConjunct } from './shared/conjuncts.js';
import { fromOutside } from './shared/outside.js';
import { isOwnDoing } from './shared/owners.js';
import { isCatchAll } from './shared/shadows.js';
import { effectOf, refuses, targetText } from './shared/targets.js';

type Side = 'source' | 'destination';

/** So many rules of a chain are looked at: each takes a search. */
const lookLimit = 20;

/** A connection that begins from outside of the host: what comes back, and what lo carries, is not meant to be blocked, nor is it a service to answer a ping. */
const beginning = all([is('ctstate', ctstates.NEW), not(oneOf('protocol', [protocolNumber.icmp, protocolNumber.icmpv6])), not({ kind: 'interface', field: 'in', name: 'lo', prefix: false }), not({ kind: 'interface', field: 'out', name: 'lo', prefix: false })]);

const fields = { source: 'src', destination: 'dst' } as const;

/** Whether a constraint asks for addresses of one side: for some, or for those that are in a set. */
function isForSome(asked: Constraint, side: Side): boolean {
  return rangesOf(asked, fields[side]) !== undefined || (asked.kind === 'atom' && asked.name.startsWith('set ') && asked.name.endsWith(` ${fields[side]}`));
}

/** Whose packets a rule keeps out, where those are some addresses', and it asks for nothing else but interfaces. */
function blocks({ ruleset }: CheckContext, { table, rule }: RuleAt): Side | undefined {
  if (!refuses(rule)) return undefined;
  const [only, ...others] = without(constraintsOf(ruleset, table).of(rule), ['in', 'out']).filter(one => one.kind !== 'always');
  if (only === undefined || others.length > 0) return undefined;
  return (['source', 'destination'] as const).find(side => isForSome(only, side));
}

/** Whether a rule accepts packets by something else than their addresses of that side. */
function letsIn({ ruleset }: CheckContext, { table, rule }: RuleAt, side: Side): boolean {
  return effectOf(rule) === 'accept' && rule[side] === undefined && !hasConjunct(constraintsOf(ruleset, table).of(rule), one => isForSome(one, side));
}

/** Earlier rules that let such packets in by something else than their address. */
function earlier(cx: CheckContext, table: Table, at: RuleAt, side: Side): readonly RuleAt[] {
  const { ruleset, space } = cx;
  const overlap = correlated(space(), table, at);
  if (overlap.kind !== 'correlated') return [];
  const asked = constraintsOf(ruleset, table.name).of(at.rule);
  // Who comes over a network with such an address is dropped by the kernel, whatever rules say.
  if (rangesOf(asked, 'src')?.every(isLoopback) === true) return [];
  const both = (one: RuleAt): Constraint => all([asked, beginning, constraintsOf(ruleset, table.name).of(one.rule)]);
  return overlap.with.filter(one => letsIn(cx, one, side) && reachWith(space(), table, one, both(one)).kind === 'live');
}

function report(ruleset: Ruleset, at: RuleAt, by: readonly RuleAt[], side: Side, others: readonly RuleAt[]): Report {
  const [first] = by;
  const names = by.length === 1 ? `rule ${String(first?.position ?? 0)} lets` : `rules ${by.slice(0, 3).map(one => String(one.position)).join(', ')}${by.length > 3 ? ' and more' : ''} let`;
  const isOne = others.length === 0 && at.rule[side] !== undefined;
  const who = `the ${side} address${isOne ? '' : 'es'} of this rule${others.length === 0 ? '' : ` and of ${String(others.length)} like it`}`;
  return {
    at,
    ...isOwnDoing(ruleset, at, by) ? { mutedIn: 'generated' as const } : {},
    alike: others.length + 1, message: `${who} ${isOne ? 'is' : 'are'} kept out of what is left only: ${names} ${side === 'source' ? 'packets from there in' : 'packets there pass'} before`,
    because: [
      ...by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `accepts packets of ${isOne ? 'that address' : 'such addresses'} before: ${targetText(ruleset, one)}` })),
      ...others.slice(0, 16).map(one => ({ rule: referenceOf(one), line: one.rule.line, message: 'comes too late as well' })),
    ],
    help: `if ${isOne ? 'the address is' : 'they are'} to be kept out of all, move the rule before rule ${String(first?.position ?? 1)}`,
  };
}

/** Rules of a chain that block addresses, and behind which rule they come too late. */
function* inChain(cx: CheckContext, table: Table, rules: readonly RuleAt[]): Generator<Report, void> {
  const late = new Map<string, { readonly first: RuleAt; readonly by: readonly RuleAt[]; readonly side: Side; readonly others: RuleAt[] }>();
  const open = { source: false, destination: false };
  let asked = 0;
  for (const at of rules) {
    if (effectOf(at.rule) === 'accept') for (const side of ['source', 'destination'] as const) open[side] ||= at.rule[side] === undefined && !isCatchAll(at.rule);
    const side = asked >= lookLimit ? undefined : blocks(cx, at);
    if (side === undefined || !open[side] || cx.reach(table).get(at.rule)?.kind !== 'live') continue;
    asked++;
    const by = earlier(cx, table, at, side);
    const key = `${side} ${by.map(one => String(one.position)).join(' ')}`;
    const known = late.get(key);
    if (by.length > 0 && known === undefined) late.set(key, { first: at, by, side, others: [] });
    else known?.others.push(at);
  }
  for (const { first, by, side, others } of late.values()) yield report(cx.ruleset, first, by, side, others);
}

const deciding = new Set(['accept', 'drop', 'reject', 'queue', 'nat', 'unknown']);

/** Of a chain that only keeps sources out, as fail2ban, sshguard and CrowdSec have for those whom they ban: the first rule that does. Where some are let off, it is about liars. */
function firstBan(cx: CheckContext, table: Table, name: string): RuleAt | undefined {
  const rules = table.chains.get(name)?.rules.map((rule, i): RuleAt => ({ table: table.name, chain: name, position: i + 1, rule })) ?? [];
  const constraints = constraintsOf(cx.ruleset, table.name);
  const bans = rules.filter(at => at.rule.source?.negated !== true && blocks(cx, at) === 'source');
  const isBeside = ({ rule }: RuleAt): boolean => rule.target.kind !== 'chain' && !deciding.has(effectOf(rule) ?? '')
    && (effectOf(rule) !== 'return' || conjuncts(constraints.of(rule)).every(({ kind }) => kind === 'always'));
  return rules.every(at => bans.includes(at) || isBeside(at)) ? bans[0] : undefined;
}

/** Of DHCP, in either family: who has no address yet, or gives them, is on the same link. */
const leasing = oneOf('dport', [67, 68, 546, 547]);

/** Calls of such chains behind rules that let everybody in to a port: anybody on the internet, and not who is behind an inner interface. */
function* lateBans(cx: CheckContext, table: Table, rules: readonly RuleAt[]): Generator<Report, void> {
  const constraints = constraintsOf(cx.ruleset, table.name);
  const services = rules.filter(at => letsIn(cx, at, 'source') && rangesOf(constraints.of(at.rule), 'dport') !== undefined);
  for (const at of rules) {
    const { target, source, inInterface } = at.rule;
    // Who is asked for by where he comes from is not anybody.
    const isForAll = source === undefined && inInterface === undefined;
    const ban = target.kind !== 'chain' || !isForAll || !services.some(one => one.position < at.position) ? undefined : firstBan(cx, table, target.name);
    if (ban === undefined) continue;
    const banned = all([beginning, not(leasing), fromOutside(cx), constraints.of(ban.rule), constraints.of(at.rule)]);
    const by = services.filter(one => one.position < at.position && reachWith(cx.space(), table, one, all([banned, constraints.of(one.rule)])).kind === 'live');
    const [first] = by;
    if (first === undefined) continue;
    yield {
      at, severity: 'warning',
      ...isOwnDoing(cx.ruleset, at, by) ? { mutedIn: 'generated' as const } : {},
      message: `those whom chain \`${ban.chain}\` keeps out get in all the same: ${by.length === 1 ? `rule ${String(first.position)} lets` : `rules ${by.slice(0, 3).map(one => String(one.position)).join(', ')}${by.length > 3 ? ' and more' : ''} let`} everybody in before`,
      because: [...by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `accepts packets of such addresses before: ${targetText(cx.ruleset, one)}` })), { rule: referenceOf(ban), line: ban.rule.line, message: 'keeps out too late' }],
      help: `move the rule before rule ${String(first.position)}`,
    };
  }
}

export const correlatedRules = defineCheck({
  name: 'correlated-rules',
  kind: 'reachability',
  severity: 'info',
  summary: 'An address is blocked behind rules that let it in',
  why: `Two rules that decide otherwise, and that ask for some of the same packets, each for others as well: which one comes
first decides about what they share. Mostly that is as it should be: exceptions first, then the rule. It is a surprise
where a rule keeps an address out, and a rule for a port stands before it: the address still comes in by that port.
So it is where the list of the banned that fail2ban, sshguard or CrowdSec keeps is a chain of its own, and is called behind the rule for the port: a warning, for then nobody is banned there.`,
  bad: `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A INPUT -s 203.0.113.7/32 -j DROP
-A INPUT -p tcp -m tcp --dport 22 -j DROP
COMMIT
`,
  good: `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 203.0.113.7/32 -j DROP
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j DROP
COMMIT
`,
  nearMiss: `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 203.0.113.0/28 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -j DROP
COMMIT
`,
  * run(cx) {
    for (const table of cx.ruleset.tables.values()) {
      if (table.name !== 'filter' && table.name !== 'mangle' && table.name !== 'raw') continue;
      for (const chain of table.chains.values()) {
        const rules = chain.rules.map((rule, i) => ({ table: table.name, chain: chain.name, position: i + 1, rule }));
        yield* inChain(cx, table, rules);
        yield* lateBans(cx, table, rules);
      }
    }
  },
});
