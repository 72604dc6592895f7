import type { Hook } from '../extensions/define.js';
import type { Because, WitnessStep } from '../finding.js';
import type { Table } from '../model/ruleset.js';
import type { Decider, PacketSample, RuleAt } from '../packet-space/answers.js';
import { ask, reachWith } from '../packet-space/index.js';
import { all, not, type Constraint } from '../packet/constraint.js';
import { deciderBecause, isPolicy } from './deciders.js';
import { defineCheck, type CheckContext, type Report } from './define-check.js';
import { everydayClient, exchanges, mirror, replyHook, replyMarks, replyTo, ruleConstraint, statesOf, stepOf, type Exchange } from './replies.js';
import { effectOf } from './targets.js';

/** Fates after which a reply may arrive; a queue or an unknown target may let it pass. */
const passes = ['accept', 'queue', 'nat', 'unknown'] as const;

interface Broken {
  readonly hook: Hook;
  readonly exchange: Exchange;
  readonly sample: PacketSample;
  readonly killers: readonly Decider[];
  /** Only replies to everyday clients are known to die. */
  readonly everyday: boolean;
}

/** What comes in or goes out on lo never leaves the host, so its replies are no matter of the other side. */
const notLoopback: Constraint = all([
  not({ kind: 'interface', field: 'in', name: 'lo', prefix: false }), not({ kind: 'interface', field: 'out', name: 'lo', prefix: false }),
]);

/** The hooks of table filter in which rules of this chain may run. */
function hooksOf(table: Table): Hook[] {
  return [...table.chains.values()].flatMap(chain => chain.hook === undefined ? [] : [chain.hook]);
}

function brokenIn(cx: CheckContext, table: Table, at: RuleAt, hook: Hook, exchange: Exchange): Broken | undefined {
  const back = replyHook[hook];
  if (back === undefined) return undefined;
  const states = statesOf(cx.ruleset);
  const own = ruleConstraint(cx.ruleset, at.rule, table.name);
  if (exchange.unless !== undefined && reachWith(cx.space(), table, at, exchange.unless, hook).kind === 'live') return undefined;
  for (const everyday of [false, true]) {
    const first = all([exchange.first, states.first, notLoopback, ...everyday ? [everydayClient.first] : []]);
    const arrives = reachWith(cx.space(), table, at, first, hook);
    if (arrives.kind === 'undecided') cx.undecided();
    if (arrives.kind !== 'live') return undefined;
    const reply = all([exchange.reply, states.reply, notLoopback, mirror(own, exchange.anySource), ...everyday ? [everydayClient.reply] : []]);
    const answer = ask(cx.space(), table, back, reply, passes);
    if (answer.kind === 'undecided') cx.undecided();
    if (answer.kind === 'no') return { hook, exchange, sample: arrives.witness, killers: answer.by, everyday };
    if (exchange.name.startsWith('echo')) return undefined;
  }
  return undefined;
}

function killedBy(cx: CheckContext, decider: Decider): Because {
  return deciderBecause(cx.ruleset, decider, isPolicy(decider) ? `policy ${decider.policy}: replies end here` : 'drops replies');
}

function witnessOf({ hook, sample }: Broken): WitnessStep[] {
  const marks = replyMarks(sample);
  const from = hook === 'OUTPUT' ? 'local' : sample.in ?? 'eth0';
  const back = hook === 'INPUT' ? 'local' : sample.out ?? 'eth0';
  return [stepOf(sample, from), stepOf(replyTo(sample, marks), back)];
}

const directions: Partial<Record<Hook, readonly [string, string]>> = { INPUT: ['in', 'out'], OUTPUT: ['out', 'in'], FORWARD: ['through', 'back'] };

function report(cx: CheckContext, at: RuleAt, broken: Broken): Report {
  const back = replyHook[broken.hook] ?? 'OUTPUT';
  const [there, again] = directions[broken.hook] ?? ['in', 'out'];
  const whose = broken.everyday ? ` to an everyday client (source port 32768 or more)` : '';
  return {
    at,
    severity: broken.everyday ? 'warning' : 'error',
    message: `this rule lets ${broken.exchange.name} ${there}, but no reply${whose} gets ${again}`,
    because: broken.killers.map(decider => killedBy(cx, decider)),
    witness: witnessOf(broken),
    help: `let replies pass: -I ${back} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  };
}

export const missingEstablishedReturn = defineCheck({
  name: 'missing-established-return',
  severity: 'error',
  summary: 'A rule lets connections in, and no reply to any of them gets back',
  why: `A packet filter must let both directions pass. Accepting the first packet of a connection is of no use if
every answer dies on its way back: the client waits until it gives up. The usual repair is one rule that accepts
what belongs to known connections (ESTABLISHED) and to their errors (RELATED), early in each chain.
It is reported when not one reply can pass; only then is it certain that the rule is of no use.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A OUTPUT -o lo -j ACCEPT
-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT
-A OUTPUT -p tcp -m tcp --dport 53 -j ACCEPT
-A OUTPUT -p tcp -m multiport --dports 80,443 -j ACCEPT
-A OUTPUT -p udp -m udp --dport 123 -j ACCEPT
-A OUTPUT -p icmp -j ACCEPT
-A OUTPUT -p udp -m udp --sport 68 --dport 67 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A OUTPUT -o lo -j ACCEPT
-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT
-A OUTPUT -p tcp -m tcp --dport 53 -j ACCEPT
-A OUTPUT -p tcp -m multiport --dports 80,443 -j ACCEPT
-A OUTPUT -p udp -m udp --dport 123 -j ACCEPT
-A OUTPUT -p icmp -j ACCEPT
-A OUTPUT -p udp -m udp --sport 68 --dport 67 -j ACCEPT
COMMIT
`,
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined) return;
    const doubts = doubtful(cx, table);
    if (doubts.length === 0) return;
    const reached = cx.reach(table);
    for (const at of cx.rules(table)) {
      if (effectOf(at.rule) !== 'accept' || reached.get(at.rule)?.kind !== 'live') continue;
      const found = firstBroken(cx, table, at, doubts);
      if (found !== undefined) yield report(cx, at, found);
    }
    yield* brokenPolicy(cx, table);
  },
});

/** An exchange, and a hook for whose rules it is worth to look. */
interface Doubt {
  readonly hook: Hook;
  readonly exchange: Exchange;
}

/** Where some reply dies at all. Where none does, as behind an ESTABLISHED rule, no rule need be asked about. */
function doubtful(cx: CheckContext, table: Table): readonly Doubt[] {
  const states = statesOf(cx.ruleset);
  return hooksOf(table).flatMap(hook => exchanges(cx.ruleset).flatMap(exchange => {
    const back = replyHook[hook];
    if (back === undefined) return [];
    const dies = ask(cx.space(), table, back, all([exchange.reply, states.reply, notLoopback]), ['drop', 'reject', 'unknown', 'queue']);
    return dies.kind === 'no' ? [] : [{ hook, exchange }];
  }));
}

function firstBroken(cx: CheckContext, table: Table, at: RuleAt, doubts: readonly Doubt[]): Broken | undefined {
  for (const { hook, exchange } of doubts) {
    const found = brokenIn(cx, table, at, hook, exchange);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The policy ACCEPT of OUTPUT lets everything out; do everyday connections get an answer? */
function* brokenPolicy(cx: CheckContext, table: Table): Generator<Report, void> {
  const output = table.chains.get('OUTPUT');
  const [tcp] = exchanges(cx.ruleset);
  if (output?.policy !== 'ACCEPT' || tcp === undefined) return;
  const states = statesOf(cx.ruleset);
  const leaves = ask(cx.space(), table, 'OUTPUT', all([tcp.first, states.first, everydayClient.first, notLoopback]), ['accept']);
  if (leaves.kind !== 'yes' || !('policy' in leaves.by)) return;
  const comesBack = ask(cx.space(), table, 'INPUT', all([tcp.reply, states.reply, everydayClient.reply, notLoopback]), passes);
  if (comesBack.kind === 'undecided') cx.undecided();
  if (comesBack.kind !== 'no') return;
  yield {
    span: output.line === 0 ? table.span : output.span,
    severity: 'warning',
    message: 'the policy ACCEPT of OUTPUT lets connections out, but no reply to an everyday connection (client port 32768 or more) gets in',
    because: comesBack.by.map(decider => killedBy(cx, decider)),
    witness: [stepOf(leaves.witness, 'local'), stepOf(replyTo(leaves.witness, replyMarks(leaves.witness)), leaves.witness.out ?? 'eth0')],
    help: 'let replies pass: -I INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  };
}
