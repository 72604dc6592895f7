/** Rules that let conversations begin of which none gets an answer. */
import type { Hook } from '../../extensions/define.js';
import type { Rule, Table } from '../../model/ruleset.js';
import type { Decider, PacketSample, RuleAt } from '../../packet-space/answers.js';
import { ask } from '../../packet-space/index.js';
import { everReplied, isAskedAbout, reachThrough, type ConversationCase, type ConversationQuestion, type Path, type Pipeline, type Sighting } from '../../packet-space/pipeline/index.js';
import { all, oneOf } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import { Patience } from '../../packet-space/patience.js';
import { solveBudget } from '../../packet-space/pipeline/solve.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import type { CheckContext } from '../define-check.js';
import { meet, rangesOf } from './asked.js';
import { unreadAt } from './hooks-into.js';
import { everydayClient, exchanges, notLoopback, replyHook, statesOf, type Exchange } from './replies.js';
import { mayDrop } from './targets.js';

const pathOf: Partial<Record<Hook, Path>> = { INPUT: 'in', FORWARD: 'through', OUTPUT: 'out' };

/** An exchange, and a hook whose rules it is worth to look at. */
export interface Doubt {
  readonly hook: Hook;
  readonly path: Path;
  readonly exchange: Exchange;
  /** About all clients, and about everyday ones. */
  readonly questions: readonly { readonly everyday: boolean; readonly question: ConversationQuestion }[];
}

export interface Broken extends Doubt {
  readonly dies: ConversationCase;
  readonly killers: readonly Decider[];
  /** Only replies to everyday clients are known to die. */
  readonly everyday: boolean;
  /** What else the rule lets pass is not affected. */
  readonly isAside: boolean;
}

/** The hooks that a reply passes, by the one at which filter judges it. */
const wayBack: Partial<Record<Hook, readonly Hook[]>> = { INPUT: ['PREROUTING', 'INPUT'], FORWARD: ['PREROUTING', 'FORWARD', 'POSTROUTING'], OUTPUT: ['OUTPUT', 'POSTROUTING'] };

/** At which of some hooks something is let pass whose reply dies at all. Where none does, as behind an ESTABLISHED rule, no rule need be asked about. */
export function doubtful(cx: CheckContext, table: Table, hooks: ReadonlySet<Hook>): readonly Doubt[] {
  const states = statesOf(cx.ruleset);
  const elsewhere = [...cx.ruleset.tables.values()].some(other => other !== table && mayDrop(other));
  const unread = unreadAt(cx.ruleset);
  const doubts: Doubt[] = [];
  for (const { hook } of table.chains.values()) for (const exchange of exchanges(cx.ruleset)) {
    const back = hook === undefined ? undefined : replyHook[hook];
    const path = hook === undefined ? undefined : pathOf[hook];
    if (hook === undefined || back === undefined || path === undefined || !hooks.has(hook)) continue;
    const dies = elsewhere || ask(cx.space(), table, back, all([exchange.reply, states.reply, notLoopback]), ['drop', 'reject', 'unknown', 'queue']).kind !== 'no';
    // What hangs on a rule that could not be read, nobody knows; that it could not be is told.
    if (dies && wayBack[back]?.some(one => unread.has(one)) !== true) doubts.push({ hook, path, exchange, questions: questionsOf(path, exchange) });
  }
  return doubts;
}

export function questionsOf(path: Path, exchange: Exchange): Doubt['questions'] {
  // Who pings has no port.
  const whose = exchange.isPing ? [false] : [false, true];
  return whose.map(everyday => ({
    everyday, question: { path, packets: all([exchange.first, ...everyday ? [everydayClient.first] : []]), back: exchange.anySource ? 'anyone' : 'reply', answers: exchange.reply },
  }));
}

const patience = new WeakMap<Pipeline, Patience>();

/** What the questions about all rules may cost. */
function patienceOf(pipeline: Pipeline): Patience {
  let known = patience.get(pipeline);
  if (known === undefined) patience.set(pipeline, known = new Patience());
  return known;
}

interface Place {
  readonly table: Table;
  readonly at: RuleAt;
}

/** Whether the rule lets something in of which no reply gets back. */
function brokenBy(cx: CheckContext, pipeline: Pipeline, { table, at }: Place, doubt: Doubt): Broken | undefined {
  const hint = (): PacketSample | undefined => {
    const reached = cx.reach(table).get(at.rule);
    return reached?.kind === 'live' ? reached.witness : undefined;
  };
  let replied: Sighting | undefined;
  for (const { everyday, question } of doubt.questions) {
    if (replied !== undefined && isAskedAbout(pipeline, question, replied)) continue;
    const answer = patienceOf(pipeline).ask(solveBudget(), budget => everReplied(pipeline, at.rule, question, { hint, budget }));
    if (answer.kind === 'undecided') cx.undecided();
    if (answer.kind === 'some') replied = answer.passes;
    // Of what lets nothing in nobody is an everyday client.
    if (answer.kind === 'unreached') return undefined;
    if (answer.kind === 'never') {
      if (isForOthers(pipeline, at.rule, doubt)) return undefined;
      return { ...doubt, dies: answer.dies, killers: answer.by, everyday, isAside: isAside(pipeline, at.rule, doubt) };
    }
  }
  return undefined;
}

/** Whether the rule lets in what need not be answered as well. */
export function isForOthers(pipeline: Pipeline, rule: Rule, { exchange: { unless }, path }: Pick<Doubt, 'exchange' | 'path'>): boolean {
  return unless !== undefined && reachThrough(pipeline, rule, { packets: unless, path }).kind === 'live';
}

/** Whether it is pings that are lost, and the rule is there for other things as well: who drops ICMP may mean it. */
export function isAside(pipeline: Pipeline, rule: Rule, { exchange, path }: Pick<Doubt, 'exchange' | 'path'>): boolean {
  return exchange.isPing && reachThrough(pipeline, rule, { packets: oneOf('protocol', [protocolNumber.tcp, protocolNumber.udp]), path }).kind !== 'dead';
}

/** The exchanges that a rule may be about: nothing gives a packet another protocol. */
export function doubtsAbout({ ruleset }: CheckContext, { table, rule }: RuleAt, doubts: readonly Doubt[]): readonly Doubt[] {
  const protocols = rangesOf(constraintsOf(ruleset, table).of(rule), 'protocol');
  return protocols === undefined ? doubts : doubts.filter(({ exchange }) => meet(protocols, rangesOf(exchange.first, 'protocol')));
}

export function firstBroken(cx: CheckContext, pipeline: Pipeline, place: Place, doubts: readonly Doubt[]): Broken | undefined {
  for (const doubt of doubtsAbout(cx, place.at, doubts)) {
    const found = brokenBy(cx, pipeline, place, doubt);
    if (found !== undefined) return found;
  }
  return undefined;
}
