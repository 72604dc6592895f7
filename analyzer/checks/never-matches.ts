import type { Rule, Ruleset, Table } from '../model/ruleset.js';
import { all, ctstates, mentions, not, oneOf, type Constraint } from '../packet/constraint.js';
import { isNothing } from '../packet-space/packets.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { asksForTranslation, translatedByRules } from '../packet-space/translations-in.js';
import type { RuleAt } from '../packet-space/answers.js';
import { seesNoFragments } from '../packet-space/tracking.js';
import { hooksOf } from '../packet-space/pipeline/read-ruleset.js';
import { settableMarks } from './shared/settable-marks.js';
import { deadElsewhere } from './shared/dead-elsewhere.js';
import { isDeadWith } from './shared/dead-with.js';
import { asksForState } from './shared/state-asked.js';
import { contradictionIn } from './shared/contradiction.js';
import { defineCheck, fixWith, referenceOf, type CheckContext, type Report } from './define-check.js';
import { withoutLines } from './shared/edits.js';
import { originReport } from './shared/origins.js';
import { isOwnDoing } from './shared/owners.js';
import { targetText } from './shared/targets.js';
import { withoutSyn } from './shared/unbegun.js';
import { nameReport, unsentReport } from './shared/unsent.js';

const overLo: Constraint = { kind: 'interface', field: 'in', name: 'lo', prefix: false };
/** nf_nat_inet_fn() in net/netfilter/nf_nat_core.c asks nat about these only. */
const seenByNat = oneOf('ctstate', [ctstates.NEW, ctstates.RELATED]);
/** No entry is attached to the packet before tracking has seen it, which is behind raw. */
const seenByRaw = oneOf('ctstate', [ctstates.INVALID, ctstates.UNTRACKED]);

/** A rule that waits for a state which packets do not have in its table. */
function stateReport(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  const muted = { mutedIn: 'generated' as const };
  if (table.name === 'nat' && isDeadWith(cx, table, at, seenByNat)) {
    return {
      at, ...muted, message: 'no packet can match this rule: nat sees the first packet of a connection only, which is NEW or RELATED',
      help: 'leave the state out: what nat decides about the first packet holds for all others of the connection',
    };
  }
  if (table.name === 'raw' && isDeadWith(cx, table, at, seenByRaw) && !isDeadWith(cx, table, at, not(overLo))) {
    return {
      at, ...muted, severity: 'warning', message: 'next to no packet can match this rule: raw comes before connection tracking, so that only packets over lo have a state there',
      help: 'do this in mangle PREROUTING, which comes behind connection tracking',
    };
  }
  return undefined;
}

/** How marks are told of. */
const markWords = {
  connmark: { whose: 'a mark of connections', by: '(-j CONNMARK --set-mark, --save-mark)', others: 'nft, conntrack -U' },
  mark: { whose: 'a mark of packets', by: '(-j MARK, CONNMARK --restore-mark)', others: 'tc, a program of this host by SO_MARK, a tunnel' },
} as const;

/**
 * It asks for a mark that no rule gives. Others may; a file without table mangle may be of a host that has one. What this host sends is marked by whoever
 * sends it; of other packets it is told where rules give them marks, and this is none of these.
 */
function markReport(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  const { ruleset } = cx;
  const asks = constraintsOf(ruleset, table.name).of(at.rule);
  if (!ruleset.tables.has('mangle')) return undefined;
  for (const field of ['connmark', 'mark'] as const) {
    if (!mentions(asks, [field])) continue;
    const { bits, marks } = settableMarks(ruleset, field);
    const copied = settableMarks(ruleset, field === 'mark' ? 'connmark' : 'mark').copied;
    const isOfOwn = (hooksOf(table).get(at.chain) ?? []).some(hook => hook === 'OUTPUT' || hook === 'POSTROUTING');
    // Where rules make another mark of whatever its packets have, unreachable-rule names them.
    if ((field === 'mark' && (bits === 0 || isOfOwn)) || !isDeadWith(cx, table, at, all([marks, copied])) || deadElsewhere(cx).has(at.rule)) continue;
    const { whose, by, others } = markWords[field];
    return {
      at, mutedIn: 'generated', severity: 'info', certainty: 'possible', message: `no packet matches this rule: it asks for ${whose}, and no rule gives them such a one ${by}`,
      help: `${bits === 0 ? 'write the rule that sets the mark, or leave it as it is where something else does' : 'compare it with the marks that rules set, or leave it as it is where something else sets it'} (${others})`,
    };
  }
  return undefined;
}

/** It waits for connections that are translated as no rule does it. Others may (nft), and those that were translated before the rules were loaded stay so. */
function translationReport(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  if (table.name === 'nat' || !asksForTranslation(constraintsOf(cx.ruleset, table.name).of(at.rule)) || !isDeadWith(cx, table, at, translatedByRules(cx.ruleset, table.name))) return undefined;
  return {
    at, mutedIn: 'generated', severity: 'info', certainty: 'possible', message: 'no packet matches this rule: it waits for translated connections, and no rule of table nat makes such',
    help: 'write the rule in table nat that it is for, or leave it as it is where something else translates (nft)',
  };
}

/** It is for NEW packets of TCP, and for none that begins a connection. */
function segmentReport(at: RuleAt): Report {
  return {
    at, message: 'next to no packet can match this rule, and no connection begins by it: what begins one is a SYN packet, and it asks for others that are NEW',
    help: 'leave the ! before its --syn (or --tcp-flags) out',
  };
}

/** A rule that no jump leads such packets to, in a chain that others come to. */
interface InVain {
  readonly at: RuleAt;
  readonly by: readonly RuleAt[];
}

/** So many of the others are named. */
const namedLimit = 64;

/** Such rules of one chain. */
function calledInVain({ ruleset }: CheckContext, { at, by }: InVain, others: readonly InVain[]): Report {
  const callers = by.length === 1 ? `the rule that leads to chain \`${at.chain}\` lets no such packet come` : `none of the ${String(by.length)} rules that lead to chain \`${at.chain}\` lets such a packet come`;
  return {
    at, severity: 'warning', ...[{ at, by }, ...others].every(one => isOwnDoing(ruleset, one.at, one.by)) ? { mutedIn: 'generated' as const } : {},
    alike: others.length + 1, message: `no packet can match this rule${others.length === 0 ? '' : ` (nor ${String(others.length)} more of its chain)`}: ${callers}`,
    because: [
      ...by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `leads other packets here: ${targetText(ruleset, one)}` })),
      ...others.slice(0, namedLimit).map(one => ({ rule: referenceOf(one.at), line: one.at.rule.line, message: 'no such packet comes here either' })),
    ],
    help: 'delete it, or let its packets come to the chain',
    ...fixWith(others.length === 0 ? 'delete the rule' : 'delete the rules', 'safe', withoutLines(ruleset, [at, ...others.map(one => one.at)].map(({ rule }) => rule))),
  };
}

/** Fragments, where connection tracking puts them together first (nf_defrag_ipv4, in front of table raw). */
function fragmentReport({ ruleset }: CheckContext, at: RuleAt): Report | undefined {
  if (at.rule.fragment?.negated !== false || !seesNoFragments(ruleset) || isNothing(ruleset.family, constraintsOf(ruleset, at.table).of(at.rule))) return undefined;
  return {
    at, mutedIn: 'generated', severity: 'info', message: 'no packet can match this rule: it is for fragments, and connection tracking puts them together before any rule is asked',
    help: 'delete it: what does not fit together never comes this far, and the whole is judged by the other rules', ...fixWith('delete the rule', 'safe', withoutLines(ruleset, [at.rule])),
  };
}

function contradictionReport({ ruleset }: CheckContext, table: Table, at: RuleAt): Report | undefined {
  const why = contradictionIn(ruleset, table, at);
  // What asks for an interface that a built-in chain has not got is refused at loading.
  if (why === undefined) return undefined;
  return { at, mutedIn: 'generated', message: `no packet can match this rule: ${why.text}`, help: why.help, ...fixWith('delete the rule', 'safe', withoutLines(ruleset, [at.rule])) };
}

/** The rules that lead to a chain, where no packet comes by any of them: that is reported as a whole. */
function isUnreached(cx: CheckContext, table: Table, callers: ReadonlyMap<string, readonly Rule[]>, chain: string): boolean {
  return (callers.get(chain) ?? []).every(rule => {
    const kind = cx.reach(table).get(rule)?.kind;
    return kind !== 'live' && kind !== 'undecided';
  });
}

function callersOf(cx: CheckContext, table: Table): ReadonlyMap<string, readonly Rule[]> {
  const callers = new Map<string, Rule[]>();
  for (const { rule } of cx.rules(table)) {
    if (rule.target.kind !== 'chain') continue;
    const some = callers.get(rule.target.name);
    if (some === undefined) callers.set(rule.target.name, [rule]);
    else some.push(rule);
  }
  return callers;
}

function hasStates({ tables }: Ruleset, { name }: Table): boolean {
  return (name === 'nat' || name === 'raw') && tables.size > 0;
}

export const neverMatches = defineCheck({
  name: 'never-matches',
  kind: 'reachability',
  severity: 'error',
  claimsDead: true,
  summary: 'The rule’s criteria exclude each other, or its place, so no packet can match it',
  why: `All that a rule asks must hold of one and the same packet. Two ranges of ports without a port in common, an address
outside of the range beside it, a negation of everything, a state that packets do not have in that table or that no TCP packet with such flags or ICMP message of such a type has (a SYN/ACK
is never NEW, nor is an echo reply), or next to none (NEW and no SYN), an interface that they do not have at that hook, a translation (--ctstate DNAT, or another --ctorigdst than -d) that no rule of table nat makes, a mark that no rule sets, a name that no interface can have (eth0:1) or has (tun*; the wildcard is tun+), a text (-m string) in the packets that begin TCP connections, what comes in by lo, or goes to a loopback address, in PREROUTING of nat, a loopback address by another interface than lo (the kernel drops such packets before INPUT), a group's address as the source, 0.0.0.0 as one address, a
fragment (-f) where some rule has connection tracking put them together, ICMP of the other family (ip6tables takes -p icmp), or one of its types by the number that only the other family has (8 is an echo request in IPv4, and 128 in IPv6): iptables loads all that without a word, and the rule never matches,
whatever stands before it. A rule in a chain of your own is as dead where the jumps to the chain let no such packet come.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m iprange --src-range 198.51.100.1-198.51.100.20 -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m iprange --src-range 198.51.100.1-198.51.100.20 -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m iprange --src-range 192.0.2.250-198.51.100.20 -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  * run(cx) {
    for (const { at, by } of withoutSyn(cx)) if (by.length === 0) yield segmentReport(at);
    for (const table of cx.ruleset.tables.values()) {
      const reached = cx.reach(table);
      const constraints = hasStates(cx.ruleset, table) ? constraintsOf(cx.ruleset, table.name) : undefined;
      let callers: ReadonlyMap<string, readonly Rule[]> | undefined;
      const inVain = new Map<string, InVain[]>();
      for (const at of cx.rules(table)) {
        const answer = reached.get(at.rule);
        let report: Report | undefined;
        if (answer?.kind === 'contradiction') report = fragmentReport(cx, at) ?? nameReport(at) ?? contradictionReport(cx, table, at);
        else if (answer?.kind === 'live') report = unsentReport(cx, table, at) ?? markReport(cx, table, at) ?? translationReport(cx, table, at) ?? originReport(cx, table, at) ?? (constraints !== undefined && asksForState(constraints.of(at.rule)) ? stateReport(cx, table, at) : undefined);
        else if (answer?.kind === 'unreachable-chain' && answer.by.length > 0 && !isUnreached(cx, table, callers ??= callersOf(cx, table), at.chain)) {
          const some = inVain.get(at.chain);
          if (some === undefined) inVain.set(at.chain, [{ at, by: answer.by }]);
          else some.push({ at, by: answer.by });
        }
        if (report !== undefined) yield report;
      }
      for (const [first, ...others] of inVain.values()) if (first !== undefined) yield calledInVain(cx, first, others);
    }
  },
});
