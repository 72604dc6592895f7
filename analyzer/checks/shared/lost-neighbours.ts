/** Messages of neighbour discovery that never come in, or never go out. */
import type { Table } from '../../model/ruleset.js';
import type { Answer, Decider } from '../../packet-space/answers.js';
import { ask } from '../../packet-space/index.js';
import { question } from '../../packet-space/pipeline/index.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, always, any, ctstates, is, not, within, type Constraint } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { CheckContext } from '../define-check.js';
import { arrivals, type Arrival } from './arrivals.js';
import { rangesOf } from './asked.js';
import { isPolicy } from './deciders.js';
import { dropsTheRest } from './default-drop.js';
import { knownOutside } from './outside.js';
import { hasNoNeighbours } from './point-to-point.js';
import { notLoopback } from './replies.js';

/** A kind of message. */
export interface Message {
  readonly type: number;
  readonly name: string;
  readonly word: string;
  /** A group is asked. */
  readonly isForGroup: boolean;
}

const linkLocal = (field: 'src' | 'dst'): Constraint => within(field, 0xfe80n << 112n, (0xfec0n << 112n) - 1n);
const internet = (field: 'src' | 'dst'): Constraint => within(field, 0x2000n << 112n, (0x4000n << 112n) - 1n);
const global = (field: 'src' | 'dst'): Constraint => any([internet(field), within(field, 0xfcn << 120n, (0xfen << 120n) - 1n)]);
/** Sorts of addresses. */
const sorts = { any: field => any([linkLocal(field), global(field)]), linkLocal, global, internet } satisfies Record<string, (field: 'src' | 'dst') => Constraint>;
/** To the solicited-node group of an address (RFC 4291, 2.7.1), by which a neighbour is looked for first. */
const solicited = within('dst', 0xff02_0000_0000_0000_0000_0001_ff00_0000n, 0xff02_0000_0000_0000_0000_0001_ffff_ffffn);
const toHost = not(within('dst', 0xffn << 120n, (1n << 128n) - 1n));

const advertisement: Message = { type: 136, name: 'neighbour advertisements', word: 'neighbour-advertisement', isForGroup: false };
const needed: readonly [Message, ...Message[]] = [{ type: 135, name: 'neighbour solicitations', word: 'neighbour-solicitation', isForGroup: true }, advertisement];
const fromRouters: Message = { type: 134, name: 'router advertisements', word: 'router-advertisement', isForGroup: false };

/** The kernel does not track them (nf_conntrack_icmpv6_error), and takes none that came through a router (RFC 4861, 7.1). */
function packetsOf({ type }: Message): Constraint {
  return all([is('protocol', protocolNumber.icmpv6), is('icmpType', type), is('icmpCode', 0), is('ctstate', ctstates.UNTRACKED), is('ttl', 255), is('fragment', 0)]);
}

/** Constraints that are asked about. */
export function neighbourPackets(): readonly Constraint[] {
  return [...[...needed, fromRouters].map(packetsOf), ...(['src', 'dst'] as const).map(sorts.any), solicited, toHost];
}

type NeighbourHook = 'INPUT' | 'OUTPUT';

const ways = { INPUT: { path: 'in', field: 'in', theirs: 'src', own: 'dst' }, OUTPUT: { path: 'out', field: 'out', theirs: 'dst', own: 'src' } } as const;

/** What is lost of what some neighbours, or this host by some of its addresses, send or are sent. */
export interface Kind {
  readonly hook: NeighbourHook;
  /** Of the neighbours' addresses, or of this host's. */
  readonly whose: 'theirs' | 'own';
  readonly of: keyof typeof sorts;
}

/** Routers ask from link-local addresses; a host by the address from which it then sends, and by its link-local one for others, or whether a neighbour is still there (ndisc_solicit()). */
const kinds = ([['theirs', 'any'], ['theirs', 'linkLocal'], ['theirs', 'global'], ['own', 'linkLocal'], ['own', 'global'], ['own', 'internet'], ['theirs', 'internet']] as const).map(([whose, of]) => ({ whose, of }));

export interface Lost {
  readonly messages: readonly (Message & { readonly by: readonly Decider[] })[];
  readonly arrival: Arrival;
}

function lostBy(cx: CheckContext, hook: NeighbourHook, arrival: Arrival, messages: readonly Message[], some: Constraint): Lost {
  const pipeline = cx.pipeline();
  const { path, field } = ways[hook];
  const lost = messages.flatMap(message => {
    const answer = pipeline === undefined ? undefined : question(pipeline, path, all([packetsOf(message), some, toOf(message), arrival.has(field)]), 'accept');
    if (answer?.kind === 'undecided') cx.undecided();
    return answer?.kind === 'no' ? [{ ...message, by: answer.by }] : [];
  });
  return { arrival, messages: lost };
}

function toOf({ type, isForGroup }: Message): Constraint {
  return isForGroup ? solicited : type === fromRouters.type ? always : toHost;
}

/** A rule for ICMPv6 lets it pass: where one names a link, others need not be there. */
function isForDiscovery(answer: Answer): boolean {
  return answer.kind === 'yes' && !isPolicy(answer.by) && answer.by.rule.protocol !== undefined;
}

/** The field in which these addresses stand. */
function addressField({ hook, whose, of }: Kind): 'src' | 'dst' {
  return of === 'any' ? 'src' : ways[hook][whose];
}

/** Of what goes to a group the destination says nothing of who is asked. */
function messagesOf(kind: Kind): readonly Message[] {
  return addressField(kind) === 'src' ? needed : [advertisement];
}

/** Whether rules take them that name the addresses: that others of that sort are not let pass is no word about these. */
function isByName(cx: CheckContext, kind: Kind, { messages }: Lost): boolean {
  const constraints = constraintsOf(cx.ruleset, 'filter');
  return messages.some(({ by }) => by.some(one => !isPolicy(one) && rangesOf(constraints.of(one.rule), addressField(kind)) !== undefined));
}

/** Whether the rules that let the lost messages pass elsewhere leave this link out by its name: `! -i he0`. */
function isLeftOut(cx: CheckContext, kind: Kind, { arrival, messages }: Lost): boolean {
  const table = cx.ruleset.tables.get('filter');
  if (table === undefined || arrival.name === undefined) return false;
  const { field } = ways[kind.hook];
  return messages.every(message => {
    const answer = ask(cx.space(), table, kind.hook, all([packetsOf(message), sorts[kind.of](addressField(kind)), toOf(message), notLoopback, not(arrival.has(field))]), ['accept']);
    const link = answer.kind !== 'yes' || isPolicy(answer.by) ? undefined : field === 'in' ? answer.by.rule.inInterface : answer.by.rule.outInterface;
    return link?.negated === true && arrival.name === `${link.value.name}${link.value.prefix ? '+' : ''}`;
  });
}

/** What is lost on the links on which something else passes, to or from addresses of that kind where it is this host that must have one. */
function lostOf(cx: CheckContext, kind: Kind): readonly Lost[] {
  const table = cx.ruleset.tables.get('filter');
  if (table === undefined) return [];
  const { hook } = kind;
  const { field } = ways[hook];
  const addresses = sorts[kind.of](addressField(kind));
  const other = all([not(is('protocol', protocolNumber.icmpv6)), kind.of === 'internet' || (kind.whose === 'own' && kind.of === 'global') ? addresses : always]);
  const named = arrivals(cx.ruleset).filter(({ name }) => name !== undefined);
  const isThoughtOf = named.some(one => isForDiscovery(ask(cx.space(), table, hook, all([packetsOf(needed[0]), one.has(field)]), ['accept'])));
  // Where it is known which interface leads outside, others are there if anything new comes by them: a rule for ESTABLISHED packets is for all that there are.
  const begins = knownOutside(cx, field) === undefined ? always : is('ctstate', ctstates.NEW);
  const used = arrivals(cx.ruleset).filter(one => (one.name === undefined ? !isThoughtOf : !hasNoNeighbours(one.name))
    && ask(cx.space(), table, hook, all([other, one.has(field), one.name === undefined ? begins : always]), ['accept', 'queue', 'unknown']).kind !== 'no');
  return used.map(arrival => lostBy(cx, hook, arrival, messagesOf(kind), addresses)).filter(one => one.messages.length > 0 && (kind.of !== 'internet' || isByName(cx, kind, one)));
}

export interface LostNeighbours extends Kind {
  readonly lost: readonly [Lost, ...Lost[]];
  /** By links that the rules for it leave out by name. */
  readonly areLeftOut: boolean;
}

/** The first kind of which anything is lost at a hook, other than by links that are left out by name, or else by these. */
export function lostNeighbours(cx: CheckContext, hook: NeighbourHook): LostNeighbours | undefined {
  const table = cx.ruleset.tables.get('filter');
  if (table === undefined || !isDoubtful(cx, table, hook)) return undefined;
  let leftOut: LostNeighbours | undefined;
  for (const { whose, of } of kinds) {
    const kind: Kind = { hook, whose, of };
    const [one, ...more] = lostOf(cx, kind);
    if (one === undefined) continue;
    // Then `output-drop-breakage` says what cannot get out.
    if (of === 'any' && hook === 'OUTPUT' && dropsTheRest(cx, table, hook)) return undefined;
    const [first, ...others] = [one, ...more].filter(each => !isLeftOut(cx, kind, each));
    if (first !== undefined) return { ...kind, lost: [first, ...others], areLeftOut: false };
    leftOut ??= { ...kind, lost: [one, ...more], areLeftOut: true };
  }
  return leftOut;
}

/** Whether this host passes packets on. */
export function passesOn(cx: CheckContext): boolean {
  const table = cx.ruleset.tables.get('filter');
  return table !== undefined && ask(cx.space(), table, 'FORWARD', notLoopback, ['accept', 'queue', 'unknown']).kind !== 'no';
}

/** Router advertisements alone, which come from link-local addresses (RFC 4861, 6.1.2): a router has no need of them, nor a host that is told its addresses. */
export function lostRouters(cx: CheckContext): readonly Lost[] {
  const table = cx.ruleset.tables.get('filter');
  if (table === undefined || passesOn(cx) || !isDoubtful(cx, table, 'INPUT')) return [];
  const lost = arrivals(cx.ruleset).map(arrival => lostBy(cx, 'INPUT', arrival, [fromRouters], linkLocal('src')));
  return lost.every(({ messages }) => messages.length > 0) ? lost : [];
}

/** Table filter may lose some at all. */
function isDoubtful(cx: CheckContext, table: Table, hook: NeighbourHook): boolean {
  const { ruleset: { tables } } = cx;
  const messages = hook === 'INPUT' ? [...needed, fromRouters] : needed;
  return tables.size > 1 || messages.some(message => ask(cx.space(), table, hook, all([packetsOf(message), notLoopback]), ['drop', 'reject', 'queue', 'unknown']).kind !== 'no');
}
