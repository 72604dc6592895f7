import type { Ruleset, Table } from '../model/ruleset.js';
import { firstPacket, question } from '../packet-space/pipeline/index.js';
import { RuleConstraints } from '../packet-space/rule-constraint.js';
import { all, ctstates, is, masked, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { stepOf } from '../witness/step.js';
import { isPolicy } from './shared/deciders.js';
import { dropsTheRest } from './shared/default-drop.js';
import { defineCheck, referenceOf } from './define-check.js';
import { fromStrangers } from './shared/strangers.js';
import { asksForState } from './shared/state-asked.js';

/** An answer that nobody asked for: INVALID even where the kernel picks up connections in their midst (tcp_new() in nf_conntrack_proto_tcp.c). */
function strayAnswers(cx: Parameters<typeof fromStrangers>[0]): Constraint {
  return all([is('protocol', protocolNumber.tcp), masked('tcpFlags', 18, 63), is('ctstate', ctstates.INVALID), fromStrangers(cx)]);
}

/** Some rule asks for states: who asks for none has no such thing as INVALID. */
function asksForStates(ruleset: Ruleset, table: Table): boolean {
  const constraints = new RuleConstraints(ruleset, table.name);
  return [...table.chains.values()].some(({ rules }) => rules.some(rule => asksForState(constraints.of(rule))));
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
connections costs next to nothing.`,
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
    if (table === undefined || !asksForStates(cx.ruleset, table) || !dropsTheRest(cx, table, 'INPUT')) return;
    const pipeline = cx.pipeline();
    const strayAnswer = strayAnswers(cx);
    const answer = pipeline === undefined ? undefined : question(pipeline, 'in', strayAnswer, 'accept');
    if (answer?.kind === 'undecided') cx.undecided();
    if (pipeline === undefined || answer?.kind !== 'yes' || !answer.certain || answer.by === undefined || isPolicy(answer.by)) return;
    const { sample } = firstPacket(pipeline, answer.found, strayAnswer);
    yield {
      at: answer.by,
      message: 'this rule lets anybody’s packets in even if they belong to no connection and begin none (state INVALID)',
      witness: [stepOf(sample, sample.in ?? 'eth0')],
      shows: [{ at: 'filter:INPUT', fate: 'passes', matches: [referenceOf(answer.by)] }],
      help: 'drop them behind the rule for known connections: -m conntrack --ctstate INVALID -j DROP; or let in only what is NEW: -m conntrack --ctstate NEW',
    };
  },
});
