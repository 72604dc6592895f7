/** Rules that keep addresses out, and stand behind others that let them in. */
import type { Rule, Table } from '../../model/ruleset.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { correlated, reachWith } from '../../packet-space/index.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, ctstates, is, mentions, not, oneOf, type Constraint } from '../../packet/constraint.js';
import type { CheckContext } from '../define-check.js';
import { meet, rangesOf, without } from './asked.js';
import { conjuncts, hasConjunct } from './conjuncts.js';
import { isLoopback } from './host-networks.js';
import { fromOutside } from './outside.js';
import { isCatchAll } from './catch-all.js';
import { effectOf, refuses } from './targets.js';

/** Whose addresses. */
export type Side = 'source' | 'destination';

/** So many rules of a chain are looked at, of those that ask for addresses alone, and of the others: each takes a search. */
const lookLimit = 20;

/** A connection that begins from outside of the host: what comes back, and what lo carries, is not meant to be blocked, nor is it a service to answer a ping. */
const beginning = all([is('ctstate', ctstates.NEW), not(oneOf('protocol', [protocolNumber.icmp, protocolNumber.icmpv6])), not({ kind: 'interface', field: 'in', name: 'lo', prefix: false }), not({ kind: 'interface', field: 'out', name: 'lo', prefix: false })]);

const fields = { source: 'src', destination: 'dst' } as const;

/** Whether a constraint asks for addresses of one side: for some, those of a machine (-m mac), or those that are in a set. */
function isForSome(asked: Constraint, side: Side): boolean {
  return rangesOf(asked, fields[side]) !== undefined || (side === 'source' && rangesOf(asked, 'srcMac') !== undefined) || (asked.kind === 'atom' && asked.name.startsWith('set ') && asked.name.endsWith(` ${fields[side]}`));
}

/** What says nothing of what is wanted of the host: interfaces, a whole protocol, and that a connection begins. */
function isBeside(one: Constraint): boolean {
  if (one.kind === 'always') return true;
  return one.kind === 'within' && (one.field === 'protocol' || (one.field === 'ctstate' && meet(one.ranges, rangesOf(is('ctstate', ctstates.NEW), 'ctstate'))));
}

/** Whose packets a rule keeps out, where those are some addresses', and it asks for no port or the like. */
function blocks({ ruleset }: CheckContext, { table, rule }: RuleAt): Side | undefined {
  if (!refuses(rule)) return undefined;
  const [only, ...others] = without(constraintsOf(ruleset, table).of(rule), ['in', 'out']).filter(one => !isBeside(one));
  if (only === undefined || others.length > 0) return undefined;
  return (['source', 'destination'] as const).find(side => isForSome(only, side));
}

/** Whether it asks for a protocol or a state, besides addresses. */
function asksForMore({ ruleset }: CheckContext, { table, rule }: RuleAt): boolean {
  return mentions(constraintsOf(ruleset, table).of(rule), ['protocol', 'ctstate']);
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

/** A rule that comes too late. */
export interface LateBlock {
  readonly at: RuleAt;
  /** Those who let in before. */
  readonly by: readonly RuleAt[];
  readonly side: Side;
  /** Rules like it, behind the same. */
  readonly others: readonly RuleAt[];
}

/** A call of a chain that only keeps sources out, and comes too late. */
export interface LateBan {
  readonly at: RuleAt;
  readonly by: readonly RuleAt[];
  /** The rules of that chain that keep out. */
  readonly bans: readonly [RuleAt, ...RuleAt[]];
}

/** What comes too late in all tables; `rules`: all of which that is so, or of which it was not asked any more. */
export interface LateBlocks {
  readonly blocks: readonly LateBlock[];
  readonly bans: readonly LateBan[];
  readonly rules: ReadonlySet<Rule>;
}

const known = new WeakMap<CheckContext, LateBlocks>();

export function lateBlocks(cx: CheckContext): LateBlocks {
  let found = known.get(cx);
  if (found === undefined) known.set(cx, found = findLate(cx));
  return found;
}

function findLate(cx: CheckContext): LateBlocks {
  const [blocking, banning, late]: readonly [LateBlock[], LateBan[], Set<Rule>] = [[], [], new Set()];
  for (const table of cx.ruleset.tables.values()) {
    if (table.name !== 'filter' && table.name !== 'mangle' && table.name !== 'raw') continue;
    for (const chain of table.chains.values()) {
      const rules = chain.rules.map((rule, i) => ({ table: table.name, chain: chain.name, position: i + 1, rule }));
      const own = inChain(cx, table, rules);
      const bans = [...lateBans(cx, table, rules)];
      blocking.push(...own.late);
      banning.push(...bans);
      for (const { rule } of [...own.late.flatMap(one => [one.at, ...one.others]), ...own.late.length === 0 ? [] : own.left, ...bans.flatMap(one => one.bans)]) late.add(rule);
    }
  }
  return { blocks: blocking, bans: banning, rules: late };
}

/** Rules of a chain that block addresses, and behind which rules they come too late; `left`: those that were not looked at. */
function inChain(cx: CheckContext, table: Table, rules: readonly RuleAt[]): { readonly late: readonly LateBlock[]; readonly left: readonly RuleAt[] } {
  const late = new Map<string, LateBlock & { readonly others: RuleAt[] }>();
  const left: RuleAt[] = [];
  const open = { source: false, destination: false };
  const asked = { alone: 0, more: 0 };
  for (const at of rules) {
    if (effectOf(at.rule) === 'accept') for (const side of ['source', 'destination'] as const) open[side] ||= at.rule[side] === undefined && !isCatchAll(at.rule);
    const side = blocks(cx, at);
    if (side === undefined || !open[side] || cx.reach(table).get(at.rule)?.kind !== 'live') continue;
    if (asked[asksForMore(cx, at) ? 'more' : 'alone']++ >= lookLimit) {
      left.push(at);
      continue;
    }
    const by = earlier(cx, table, at, side);
    const key = `${side} ${by.map(one => String(one.position)).join(' ')}`;
    const same = late.get(key);
    if (by.length > 0 && same === undefined) late.set(key, { at, by, side, others: [] });
    else same?.others.push(at);
  }
  return { late: [...late.values()], left };
}

const deciding = new Set(['accept', 'drop', 'reject', 'queue', 'nat', 'unknown']);

/** Of a chain that only keeps sources out, as fail2ban, sshguard and CrowdSec have for those whom they ban: the rules that do. Where some are let off, it is about liars. */
function bansOf(cx: CheckContext, table: Table, name: string): readonly RuleAt[] {
  const rules = table.chains.get(name)?.rules.map((rule, i): RuleAt => ({ table: table.name, chain: name, position: i + 1, rule })) ?? [];
  const constraints = constraintsOf(cx.ruleset, table.name);
  const bans = rules.filter(at => at.rule.source?.negated !== true && blocks(cx, at) === 'source');
  const isBesides = ({ rule }: RuleAt): boolean => rule.target.kind !== 'chain' && !deciding.has(effectOf(rule) ?? '')
    && (effectOf(rule) !== 'return' || conjuncts(constraints.of(rule)).every(({ kind }) => kind === 'always'));
  return rules.every(at => bans.includes(at) || isBesides(at)) ? bans : [];
}

/** Of DHCP, in either family: who has no address yet, or gives them, is on the same link. */
const leasing = oneOf('dport', [67, 68, 546, 547]);

/** Calls of such chains behind rules that let everybody in to a port: anybody on the internet, and not who is behind an inner interface. */
function* lateBans(cx: CheckContext, table: Table, rules: readonly RuleAt[]): Generator<LateBan, void> {
  const constraints = constraintsOf(cx.ruleset, table.name);
  const services = rules.filter(at => letsIn(cx, at, 'source') && rangesOf(constraints.of(at.rule), 'dport') !== undefined);
  for (const at of rules) {
    const { target, source, inInterface } = at.rule;
    // Who is asked for by where he comes from is not anybody.
    const isForAll = source === undefined && inInterface === undefined;
    if (target.kind !== 'chain' || !isForAll || !services.some(one => one.position < at.position)) continue;
    const [ban, ...more] = bansOf(cx, table, target.name);
    if (ban === undefined) continue;
    const banned = all([beginning, not(leasing), fromOutside(cx), constraints.of(ban.rule), constraints.of(at.rule)]);
    const by = services.filter(one => one.position < at.position && reachWith(cx.space(), table, one, all([banned, constraints.of(one.rule)])).kind === 'live');
    if (by.length > 0) yield { at, by, bans: [ban, ...more] };
  }
}
