/** ICMP errors by which the ends of a connection learn that their packets are too large, and that never come through. */
import type { Hook } from '../../extensions/define.js';
import type { Ruleset, Table } from '../../model/ruleset.js';
import type { Decider, RuleAt } from '../../packet-space/answers.js';
import { ask, reachWith } from '../../packet-space/index.js';
import { Patience } from '../../packet-space/patience.js';
import { firstPacket, neverReplied, type ConversationCase, type ConversationQuestion, type Pipeline } from '../../packet-space/pipeline/index.js';
import { solveBudget } from '../../packet-space/pipeline/solve.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, always, ctstates, is, oneOf, type Constraint } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import { printAddress, type Address } from '../../values/address.js';
import { arrivals, type Arrival } from './arrivals.js';
import type { CheckContext } from '../define-check.js';
import type { Illustration, ProposedStep, Shown } from '../../witness/proposal.js';
import { fromOutside } from './outside.js';
import { exchanges, notLoopback, replyHook, stepOf } from './replies.js';
import { asksForState } from './state-asked.js';
import { strangerAddresses } from './strangers.js';
import { effectOf, mayDrop } from './targets.js';

/** Fragmentation needed (RFC 1191), or packet too big (RFC 8201). */
export function tooBig({ family }: Ruleset): Constraint {
  return family === 'ipv4' ? all([is('protocol', protocolNumber.icmp), is('icmpType', 3), is('icmpCode', 4), is('fragment', 0)])
    : all([is('protocol', protocolNumber.icmpv6), is('icmpType', 2), is('icmpCode', 0), is('fragment', 0)]);
}

export interface LostErrors {
  readonly hook: 'INPUT' | 'FORWARD';
  /** Where they would come in, and connections that go that way exist. */
  readonly arrivals: readonly Arrival[];
  readonly by: readonly Decider[];
  /** Only those of routers that no rule names: they come from routers anywhere, and those of some are let in. */
  readonly areStrangers: boolean;
  /** A connection, and an error about it that is lost. */
  readonly shown: Illustration;
  /** Rules that let packets of known connections pass there, and these errors not, for they are RELATED and not ESTABLISHED. */
  readonly missing: readonly RuleAt[];
}

interface Questions {
  /** The routers that send the errors, where they are strangers. */
  readonly routers: readonly Address[];
  readonly of: readonly ConversationQuestion[];
}

/** Conversations whose errors come in at a hook by what `has` says: they began there, or they went out there; with anybody, and with strangers outside. */
function questionsAt(cx: CheckContext, hook: LostErrors['hook'], has: Arrival['has']): readonly Questions[] {
  const { ruleset } = cx;
  const [tcp] = exchanges(ruleset);
  const first = tcp?.first ?? is('protocol', protocolNumber.tcp);
  const [there, away] = hook === 'INPUT' ? (['in', 'out'] as const) : (['through', 'through'] as const);
  const between = (src: Constraint, dst: Constraint, answers: Constraint): readonly ConversationQuestion[] => [
    { path: there, packets: all([first, has('in'), src]), back: 'error-again', answers },
    { path: away, packets: all([first, has('out'), dst]), back: 'error', answers },
  ];
  const routers = strangerAddresses(ruleset);
  const [from, to] = ([['src', 'in'], ['dst', 'out']] as const).map(([field, device]) => all([oneOf(field, routers), fromOutside(cx, device)]));
  return [
    { routers: [], of: between(always, always, tooBig(ruleset)) },
    ...routers.length === 0 || from === undefined || to === undefined ? [] : [{ routers, of: between(from, to, all([tooBig(ruleset), oneOf('src', routers)])) }],
  ];
}

/** What the questions ask of packets. */
export function askedOfErrors(ruleset: Ruleset): readonly Constraint[] {
  return [tooBig(ruleset), ...(['src', 'dst'] as const).map(field => oneOf(field, strangerAddresses(ruleset)))];
}

/** By whom they are lost, where the connections themselves work. */
function lostBy(cx: CheckContext, hook: LostErrors['hook'], arrival: Arrival, patience: Patience): Pick<LostErrors, 'by' | 'areStrangers' | 'shown'> | undefined {
  const pipeline = cx.pipeline();
  if (pipeline === undefined) return undefined;
  const [tcp] = exchanges(cx.ruleset);
  const isNever = (question: ConversationQuestion): ReturnType<typeof neverReplied> => patience.ask(solveBudget(), budget => neverReplied(pipeline, undefined, { ...question, budget }));
  // By what no rule names: packets by one such interface are shown, and not by one of containers.
  const shown = arrival.name === undefined ? questionsAt(cx, hook, field => ({ kind: 'interface', field, name: arrival.device, prefix: false })) : [];
  for (const [kind, { routers, of }] of questionsAt(cx, hook, arrival.has).entries()) for (const [index, question] of of.entries()) {
    const answer = isNever(question);
    if (answer?.kind === 'undecided') cx.undecided();
    if (answer?.kind !== 'never' || isNever({ ...question, back: 'reply', ...tcp === undefined ? {} : { answers: tcp.reply } }) !== undefined) continue;
    const [stranger] = routers;
    const like = shown[kind]?.of[index];
    const alike = like === undefined ? undefined : isNever(like);
    const { dies } = alike?.kind === 'never' ? alike : answer;
    return { by: answer.by, areStrangers: stranger !== undefined, shown: illustrated(pipeline, hook, question, dies, answer.by, stranger === undefined ? router[cx.ruleset.family] : printAddress(stranger)) };
  }
  return undefined;
}

/** Some router on the way. */
const router = { ipv4: '198.51.100.254', ipv6: '2001:db8:1::fe' };

/** The first packet, the answer where the error is about that, and the error, from `sender`. */
function illustrated(pipeline: Pipeline, hook: LostErrors['hook'], { path, back }: ConversationQuestion, dies: ConversationCase, by: readonly Decider[], sender: string): Illustration {
  const { family } = pipeline.chains.ruleset;
  const { sample } = firstPacket(pipeline, dies);
  const { in: from = 'eth0', out: to = path === 'through' ? 'eth1' : 'eth0', src, dst, sport, dport } = sample;
  const isAboutAnswer = back === 'error-again';
  const answer = Object.fromEntries(Object.entries({ protocol: sample.protocol, src: dst, dst: src, sport: dport, dport: sport, tcpFlags: 18 }).filter(([, value]) => value !== undefined));
  const first = [stepOf(sample, path === 'out' ? 'local' : from), ...isAboutAnswer ? [stepOf(path === 'through' ? { ...answer, out: from } : answer, path === 'in' ? 'local' : to)] : []];
  const target = isAboutAnswer ? dst : src;
  const words = family === 'ipv4' ? { proto: 'icmp', type: 3, code: 4 } : { proto: 'icmpv6', type: 2, code: 0 };
  const error: ProposedStep = {
    in: isAboutAnswer ? from : to, about: first.length - 1, packet: { ...words, src: sender, ...target === undefined ? {} : { dst: target } },
    ...path === 'through' ? { sample: { out: isAboutAnswer ? to : from } } : {},
  };
  const there = ({ in: 'INPUT', out: 'OUTPUT', through: 'FORWARD', loop: 'OUTPUT' } as const)[path];
  const lost: Shown = by.every(({ table }) => table === 'filter') ? { at: `filter:${hook}`, fate: 'lost' } : { fate: 'lost' };
  return { steps: [...first, error], shows: [{ at: `filter:${there}`, fate: 'passes' }, ...isAboutAnswer ? [{ at: `filter:${replyHook[there] ?? hook}`, fate: 'passes', isPremise: true } as const] : [], lost] };
}

/** Table filter may lose them at all. */
function isDoubtful(cx: CheckContext, table: Table, hook: Hook): boolean {
  const related = all([tooBig(cx.ruleset), is('ctstate', ctstates.RELATED), notLoopback]);
  return [...cx.ruleset.tables.values()].some(one => one !== table && mayDrop(one)) || ask(cx.space(), table, hook, related, ['drop', 'reject', 'queue', 'unknown']).kind !== 'no';
}

/** Rules that would take the errors if they were ESTABLISHED, and do not take them as they are. */
function withoutRelated(cx: CheckContext, table: Table, hook: Hook, lost: readonly Arrival[], from: Constraint): readonly RuleAt[] {
  const constraints = constraintsOf(cx.ruleset, table.name);
  const isTaken = (at: RuleAt, arrival: Arrival, state: number): boolean => reachWith(cx.space(), table, at, all([tooBig(cx.ruleset), is('ctstate', state), from, arrival.has('in')]), hook).kind === 'live';
  return cx.rules(table).filter(at => effectOf(at.rule) === 'accept' && asksForState(constraints.of(at.rule))
    && lost.some(arrival => isTaken(at, arrival, ctstates.ESTABLISHED) && !isTaken(at, arrival, ctstates.RELATED)));
}

function lostAt(cx: CheckContext, table: Table, hook: LostErrors['hook']): LostErrors | undefined {
  if (!isDoubtful(cx, table, hook)) return undefined;
  const lost: Arrival[] = [];
  const by = new Map<string, Decider>();
  const patience = new Patience();
  let first: Illustration | undefined;
  let areStrangers = true;
  for (const arrival of arrivals(cx.ruleset)) {
    const killers = lostBy(cx, hook, arrival, patience);
    if (killers === undefined) continue;
    lost.push(arrival);
    first ??= killers.shown;
    areStrangers &&= killers.areStrangers;
    for (const one of killers.by) by.set(`${one.table} ${one.chain} ${'policy' in one ? '' : String(one.position)}`, one);
  }
  const from = areStrangers ? oneOf('src', strangerAddresses(cx.ruleset)) : always;
  return first === undefined ? undefined : { hook, arrivals: lost, by: [...by.values()], areStrangers, shown: first, missing: withoutRelated(cx, table, hook, lost, from) };
}

const known = new WeakMap<CheckContext, readonly LostErrors[]>();

/** Where errors about connections that the rules let pass never come in, at INPUT and at FORWARD. */
export function lostErrors(cx: CheckContext): readonly LostErrors[] {
  let lost = known.get(cx);
  const table = cx.ruleset.tables.get('filter');
  if (lost === undefined) known.set(cx, lost = table === undefined ? [] : (['INPUT', 'FORWARD'] as const).flatMap(hook => lostAt(cx, table, hook) ?? []));
  return lost;
}
