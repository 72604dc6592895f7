import type { Hook } from '../extensions/define.js';
import type { Because } from '../finding.js';
import type { Severity } from '../model/diagnostic.js';
import type { Rule, Table } from '../model/ruleset.js';
import type { Decider, PacketSample, RuleAt } from '../packet-space/answers.js';
import { ask } from '../packet-space/index.js';
import { deciderOf, firstPacket, neverReplied, nextPacket, reachThrough, type ConversationCase, type ConversationQuestion, type Path, type Pipeline } from '../packet-space/pipeline/index.js';
import { all, oneOf } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import type { ProposedStep, Shown } from '../witness/proposal.js';
import { deciderBecause, helpElsewhere, isPolicy } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { everydayClient, exchanges, notLoopback, replyHook, replyMarks, statesOf, stepOf, type Exchange } from './shared/replies.js';
import { effectOf, mayDrop } from './shared/targets.js';

const pathOf: Partial<Record<Hook, Path>> = { INPUT: 'in', FORWARD: 'through', OUTPUT: 'out' };

/** An exchange, and a hook whose rules it is worth to look at. */
interface Doubt {
  readonly hook: Hook;
  readonly path: Path;
  readonly exchange: Exchange;
  /** About all clients, and about everyday ones. */
  readonly questions: readonly { readonly everyday: boolean; readonly question: ConversationQuestion }[];
}

interface Broken extends Doubt {
  readonly dies: ConversationCase;
  readonly killers: readonly Decider[];
  /** Only replies to everyday clients are known to die. */
  readonly everyday: boolean;
  /** What else the rule lets pass is not affected. */
  readonly isAside: boolean;
}

/** Where some reply dies at all. Where none does, as behind an ESTABLISHED rule, no rule need be asked about. */
function doubtful(cx: CheckContext, table: Table): readonly Doubt[] {
  const states = statesOf(cx.ruleset);
  const elsewhere = [...cx.ruleset.tables.values()].some(other => other !== table && mayDrop(other));
  const doubts: Doubt[] = [];
  for (const { hook } of table.chains.values()) for (const exchange of exchanges(cx.ruleset)) {
    const back = hook === undefined ? undefined : replyHook[hook];
    const path = hook === undefined ? undefined : pathOf[hook];
    if (hook === undefined || back === undefined || path === undefined) continue;
    const dies = elsewhere || ask(cx.space(), table, back, all([exchange.reply, states.reply, notLoopback]), ['drop', 'reject', 'unknown', 'queue']).kind !== 'no';
    if (dies) doubts.push({ hook, path, exchange, questions: questionsOf(path, exchange) });
  }
  return doubts;
}

function questionsOf(path: Path, exchange: Exchange): Doubt['questions'] {
  // Who pings has no port.
  const whose = exchange.isPing ? [false] : [false, true];
  return whose.map(everyday => ({
    everyday, question: { path, packets: all([exchange.first, ...everyday ? [everydayClient.first] : []]), back: exchange.anySource ? 'anyone' : 'reply', answers: exchange.reply },
  }));
}

interface Place {
  readonly table: Table;
  readonly at: RuleAt;
}

/** Whether the rule lets something in of which no reply gets back. */
function brokenBy(cx: CheckContext, pipeline: Pipeline, { table, at }: Place, doubt: Doubt): Broken | undefined {
  const { exchange, path } = doubt;
  const hint = (): PacketSample | undefined => {
    const reached = cx.reach(table).get(at.rule);
    return reached?.kind === 'live' ? reached.witness : undefined;
  };
  for (const { everyday, question } of doubt.questions) {
    const answer = neverReplied(pipeline, at.rule, question, hint);
    if (answer?.kind === 'undecided') cx.undecided();
    if (answer?.kind === 'never') {
      if (exchange.unless !== undefined && reachThrough(pipeline, at.rule, { packets: exchange.unless, path }).kind === 'live') return undefined;
      return { ...doubt, dies: answer.dies, killers: answer.by, everyday, isAside: isAside(pipeline, at.rule, doubt) };
    }
  }
  return undefined;
}

/** Whether it is pings that are lost, and the rule is there for other things as well: who drops ICMP may mean it. */
function isAside(pipeline: Pipeline, rule: Rule, { exchange, path }: Doubt): boolean {
  return exchange.isPing && reachThrough(pipeline, rule, { packets: oneOf('protocol', [protocolNumber.tcp, protocolNumber.udp]), path }).kind !== 'dead';
}

function severityOf({ everyday, isAside: aside }: Broken): Severity {
  if (aside) return 'info';
  return everyday ? 'warning' : 'error';
}

function killedBy(cx: CheckContext, decider: Decider): Because {
  return deciderBecause(cx.ruleset, decider, isPolicy(decider) ? `policy ${decider.policy}: replies end here` : 'drops replies');
}

/** The first packet and the reply that dies, as steps; undefined where nat chooses addresses as it likes. */
function conversationSteps(pipeline: Pipeline, path: Path, dies: ConversationCase): ProposedStep[] | undefined {
  const { sample, trip } = firstPacket(pipeline, dies);
  const reply = nextPacket(pipeline, trip, sample, replyMarks(sample));
  if (reply === undefined) return undefined;
  return [stepOf(sample, path === 'out' ? 'local' : sample.in ?? 'eth0'), stepOf(reply, path === 'in' ? 'local' : reply.in ?? sample.out ?? 'eth0')];
}

const directions: Partial<Record<Path, readonly [string, string]>> = { in: ['in', 'out'], out: ['out', 'in'], through: ['through', 'back'] };

/** Where the reply dies, as it is shown. */
function lostAt({ killers }: Pick<Broken, 'killers'>, back: Hook): Shown {
  return killers.every(one => one.table === 'filter') ? { at: `filter:${back}`, fate: 'lost' } : { fate: 'lost' };
}

function report(cx: CheckContext, pipeline: Pipeline, at: RuleAt, broken: Broken): Report {
  const { hook, path, exchange, dies, killers, everyday } = broken;
  const back = replyHook[hook] ?? 'OUTPUT';
  const [there, again] = directions[path] ?? ['in', 'out'];
  const whose = everyday ? ` to an everyday client (source port 32768 or more)` : '';
  const witness = conversationSteps(pipeline, path, dies);
  return {
    at,
    severity: severityOf(broken),
    message: `this rule lets ${exchange.name} ${there}, but no reply${whose} gets ${again}`,
    because: killers.map(decider => killedBy(cx, decider)),
    ...witness === undefined ? {} : { witness, shows: [{ at: `filter:${hook}`, fate: 'passes', matches: [referenceOf(at)] }, lostAt(broken, back)] },
    help: helpElsewhere('replies', killers) ?? `let replies pass: -I ${back} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  };
}

export const missingEstablishedReturn = defineCheck({
  name: 'missing-established-return',
  kind: 'conversations',
  severity: 'error',
  summary: 'A rule lets connections in, and no reply to any of them gets back',
  why: `A packet filter must let both directions pass. Accepting the first packet of a connection is of no use if
every answer dies on its way back: the client waits until it gives up. The usual repair is one rule that accepts
what belongs to known connections (ESTABLISHED) and to their errors (RELATED), early in each chain.
It is reported when not one reply can pass; only then is it certain that the rule is of no use. Where only pings are
lost, and the rule lets TCP or UDP pass as well, that is an info: somebody may have meant to drop ICMP.`,
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
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A OUTPUT -o lo -j ACCEPT
-A OUTPUT -p tcp -m tcp --sport 22 ! --tcp-flags SYN,ACK SYN -j ACCEPT
COMMIT
`,
  asks: ({ ruleset }) => [...exchanges(ruleset).flatMap(({ first, reply, unless }) => [first, reply, ...unless === undefined ? [] : [unless]]), everydayClient.first],
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined) return;
    const doubts = doubtful(cx, table);
    if (doubts.length === 0) return;
    const reached = cx.reach(table);
    for (const at of cx.rules(table)) {
      if (effectOf(at.rule) !== 'accept' || reached.get(at.rule)?.kind !== 'live') continue;
      const pipeline = cx.pipeline();
      if (pipeline === undefined) return;
      const found = firstBroken(cx, pipeline, { table, at }, doubts);
      if (found !== undefined) yield report(cx, pipeline, at, found);
    }
    yield* brokenPolicy(cx, table);
  },
});

function firstBroken(cx: CheckContext, pipeline: Pipeline, place: Place, doubts: readonly Doubt[]): Broken | undefined {
  for (const doubt of doubts) {
    const found = brokenBy(cx, pipeline, place, doubt);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The policy ACCEPT of OUTPUT lets everything out; do everyday connections get an answer? */
function* brokenPolicy(cx: CheckContext, table: Table): Generator<Report, void> {
  const output = table.chains.get('OUTPUT');
  const [tcp] = exchanges(cx.ruleset);
  const pipeline = output?.policy === 'ACCEPT' ? cx.pipeline() : undefined;
  if (output === undefined || tcp === undefined || pipeline === undefined) return;
  const question = questionsOf('out', tcp).find(one => one.everyday)?.question;
  const answer = question === undefined ? undefined : neverReplied(pipeline, undefined, question);
  if (answer?.kind === 'undecided') cx.undecided();
  if (answer?.kind !== 'never') return;
  const passing = answer.dies.trip.run.stages.find(({ stage }) => stage.table === 'filter' && stage.hook === 'OUTPUT');
  const by = passing === undefined ? undefined : deciderOf(pipeline, passing);
  if (by === undefined || !isPolicy(by)) return;
  const witness = conversationSteps(pipeline, 'out', answer.dies);
  yield {
    span: output.line === 0 ? table.span : output.span,
    severity: 'warning',
    message: 'the policy ACCEPT of OUTPUT lets connections out, but no reply to an everyday connection (client port 32768 or more) gets in',
    because: answer.by.map(decider => killedBy(cx, decider)),
    ...witness === undefined ? {} : { witness, shows: [{ at: 'filter:OUTPUT', fate: 'passes' }, lostAt({ killers: answer.by }, 'INPUT')] },
    help: 'let replies pass: -I INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  };
}
