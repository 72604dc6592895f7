import type { Ruleset, Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { ask } from '../packet-space/index.js';
import { firstPacket, isCertain, question, reachThrough, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, ctstates, is, masked, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { stepOf } from '../witness/step.js';
import { dropsTheRest } from './shared/default-drop.js';
import { deciderBecause, deciderReference, isPolicy } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { fromAnybody, fromStrangers, isForSomebody } from './shared/strangers.js';
import { asksForState } from './shared/state-asked.js';
import { effectOf } from './shared/targets.js';

/** An answer that nobody asked for: INVALID even where the kernel picks up connections in their midst (tcp_new() in nf_conntrack_proto_tcp.c). */
function strayAnswers(cx: Parameters<typeof fromStrangers>[0]): Constraint {
  return all([is('protocol', protocolNumber.tcp), masked('tcpFlags', 18, 63), is('ctstate', ctstates.INVALID), fromStrangers(cx)]);
}

/** Some rule asks for states: who asks for none has no such thing as INVALID. */
function asksForStates(ruleset: Ruleset, table: Table): boolean {
  const constraints = constraintsOf(ruleset, table.name);
  return [...table.chains.values()].some(({ rules }) => rules.some(rule => asksForState(constraints.of(rule))));
}

/** What it may cost to name the rules, all together. */
const namingBudget = { packets: 20_000, work: 2_000_000 };

/** A rule, and a packet that it lets in. */
interface LettingIn {
  readonly at: RuleAt;
  readonly found: Sighting;
  readonly packets: Constraint;
}

/** Rules that let such packets in for certain, in the order of the file. */
function lettingIn(cx: CheckContext, pipeline: Pipeline, table: Table, packets: Constraint): readonly LettingIn[] {
  const budget = solveBudget(namingBudget.packets, namingBudget.work);
  const found: LettingIn[] = [];
  for (const at of cx.rules(table)) {
    if (effectOf(at.rule) !== 'accept' || isForSomebody(at.rule)) continue;
    const answer = reachThrough(pipeline, at.rule, { packets, path: 'in', passes: true, budget });
    if (answer.kind === 'live' && isCertain(pipeline, answer.found)) found.push({ at, packets, found: answer.found });
    if (answer.kind !== 'undecided') continue;
    cx.undecided();
    if (budget.packets <= 0 || budget.work <= 0) break;
  }
  return found;
}

const dropped = '-m conntrack --ctstate INVALID -j DROP';

/** No rule lets them in: those that drop the rest drop what is NEW, and the policy accepts what is not. */
function* byPolicy(cx: CheckContext, table: Table, packets: Constraint): Generator<Report, void> {
  const [chain, answer] = [table.chains.get('INPUT'), ask(cx.space(), table, 'INPUT', packets, ['accept'])];
  if (chain === undefined || answer.kind !== 'yes' || !isPolicy(answer.by)) return;
  const { witness, by } = answer;
  yield {
    chain, span: chain.span,
    message: 'anybody’s packets that belong to no connection and begin none (state INVALID) come in: INPUT accepts by default, and no rule drops them',
    because: [deciderBecause(cx.ruleset, by, 'lets in what is not NEW')],
    witness: [stepOf(witness, witness.in ?? 'eth0')],
    shows: [{ at: 'filter:INPUT', fate: 'passes', by: [deciderReference(by)] }],
    help: `drop them as well: ${dropped}`,
  };
}

export const invalidAccepted = defineCheck({
  name: 'invalid-accepted',
  kind: 'conversations',
  severity: 'info',
  auditor: 'warning',
  summary: 'Packets that belong to no connection, and begin none (state INVALID), are let in from anywhere',
  why: `A packet is INVALID where connection tracking can make nothing of it: an answer that nobody asked for, a reset out of
the blue, an error about an unknown connection. A rule that opens a port without asking for the state lets them in.
Most of them are harmless, for TCP itself refuses them; port scanners use them to tell open ports from closed ones, and
translated connections leak them untranslated. A rule that drops INVALID packets behind the one for known
connections costs next to nothing. All rules that let them in are named in one finding; where none does, but the last rule
drops only what is NEW, it is the policy that lets them in.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m multiport --dports 22,443 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT -p tcp -m multiport --dports 22,443 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT
COMMIT
`,
  asks: cx => [strayAnswers({ ...cx, host: undefined })],
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined || !asksForStates(cx.ruleset, table) || !dropsTheRest(cx, table, 'INPUT', fromAnybody(cx))) return;
    const pipeline = cx.pipeline();
    const packets = strayAnswers(cx);
    const any = pipeline === undefined ? undefined : question(pipeline, 'in', packets, 'accept');
    if (any?.kind === 'undecided') cx.undecided();
    if (pipeline === undefined || any?.kind !== 'yes') return;
    const [first, ...others] = lettingIn(cx, pipeline, table, packets);
    if (first === undefined) {
      if (isCertain(pipeline, any.found)) yield* byPolicy(cx, table, packets);
      return;
    }
    const { sample } = firstPacket(pipeline, first.found, first.packets);
    const more = others.length === 0 ? 'this rule lets' : `this rule and ${others.length === 1 ? 'another' : `${String(others.length)} others`} let`;
    yield {
      at: first.at,
      alike: others.length + 1, message: `${more} anybody’s packets in even if they belong to no connection and begin none (state INVALID)`,
      because: others.map(({ at }) => ({ rule: referenceOf(at), line: at.rule.line, message: 'lets them in as well' })),
      witness: [stepOf(sample, sample.in ?? 'eth0')],
      shows: [{ at: 'filter:INPUT', fate: 'passes', matches: [referenceOf(first.at)] }],
      help: `drop them behind the rule for known connections: ${dropped}; or let in only what is NEW: -m conntrack --ctstate NEW`,
    };
  },
});
