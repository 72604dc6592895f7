/** What was seen of one packet, as a scenario's answer. */
import { describePacket } from '../analyzer/netfilter/scenario/describe-packet.js';
import type { CtAnswer, GeneratedAnswer, ScenarioPacket, SentPacket, StepAnswer } from '../analyzer/netfilter/scenario.js';
import type { Family } from '../analyzer/values/value.js';
import { statusNames } from './conntrack-table.js';
import { reasonText } from './drop-reasons.js';
import type { Journey } from './journeys.js';
import type { RuleBook } from './rule-book.js';

/** A packet that left, from the IP header on. */
export interface Left {
  readonly device: string;
  readonly index: number;
  readonly bytes: Buffer;
}

export interface Observation {
  readonly family: Family;
  readonly book: RuleBook;
  readonly isLocal: boolean;
  readonly journeys: readonly Journey[];
  readonly left: readonly Left[];
  /** Kernel names of drop reasons. */
  readonly reasons: readonly string[];
  /** Whether anything, at any time, showed that connections are tracked. */
  readonly isTracking: boolean;
  /** What the system call said that sends local packets; 0: it went well. */
  readonly failed: number;
}

export type Fate = Pick<StepAnswer, 'path' | 'verdict' | 'by' | 'out' | 'ct' | 'generated'>;

/** NF_CT_STATE_BIT(ctinfo), and NF_CT_STATE_UNTRACKED_BIT. */
export const untracked = 64;
const states: Readonly<Record<number, CtAnswer['state']>> = { 1: 'INVALID', 2: 'ESTABLISHED', 4: 'RELATED', 8: 'NEW', [untracked]: 'UNTRACKED' };

function ctOf({ seen }: Journey, isTracking: boolean): CtAnswer | null {
  if (!seen.isTracked || (!isTracking && seen.ct === undefined)) return null;
  const state = seen.ct === undefined ? 'INVALID' : states[seen.ct.state] ?? 'INVALID';
  if (seen.ct === undefined || state === 'UNTRACKED' || state === 'INVALID') return { state, dir: null, status: [] };
  return { state, dir: seen.ct.direction === 1 ? 'REPLY' : 'ORIGINAL', status: statusNames(seen.ct.status) };
}

/** What fragments have in common with the packet that they are of. */
function sameness(bytes: Buffer): string {
  if (bytes.length < 20) return '';
  return (bytes.readUInt8() >> 4) === 4 ? `${bytes.toString('hex', 4, 6)} ${bytes.toString('hex', 9, 10)} ${bytes.toString('hex', 12, 20)}` : bytes.toString('hex', 8, 40);
}

function sentBy(journey: Journey, { journeys, left, family }: Observation): readonly SentPacket[] {
  const { end } = journey;
  if (!journey.isSent || end === undefined) return [];
  const own = left.filter(one => one.index === end.outIndex);
  const isAlone = journeys.filter(other => other.isSent && other.end?.outIndex === end.outIndex).length === 1;
  const alike = own.filter(one => sameness(one.bytes) === sameness(end.bytes));
  const equal = alike.filter(one => one.bytes.equals(end.bytes));
  const of = isAlone ? own : equal.length > 0 ? equal.slice(0, 1) : alike;
  return of.map(one => ({ ...describePacket(new Uint8Array(one.bytes), family), oif: one.device }));
}

/** As it set out: what it is. Its checksum is filled in when it leaves. */
function made(journey: Journey, family: Family): ScenarioPacket {
  const { badcsum, rest_hex, ...packet } = describePacket(new Uint8Array(journey.start.bytes), family);
  return packet;
}

function generatedAnswer(journey: Journey, observation: Observation): GeneratedAnswer {
  return {
    packet: made(journey, observation.family), path: journey.path,
    ct: ctOf(journey, observation.isTracking), out: sentBy(journey, observation),
  };
}

function rejectWords({ proto, flags = '', type = 0, code = 0 }: ScenarioPacket): string {
  return proto === 'tcp' && flags.includes('R') ? 'tcp-reset' : `icmp ${String(type)}/${String(code)}`;
}

/** Targets behind which a packet goes on, whatever comes then. */
const goesOn = new Set(['ACCEPT', 'RETURN', '']);

/** The rule, policy or part of the kernel that was the last to see it. */
function decider(journey: Journey | undefined, { book, reasons, isLocal, failed }: Observation): string {
  const last = journey?.last;
  const own = reasons.find(name => name !== 'NETFILTER_DROP') ?? reasons[0];
  if (journey === undefined || last === undefined) return `kernel: ${isLocal && failed !== 0 ? localReason(failed) : own === undefined || own === 'NETFILTER_DROP' ? '?' : reasonText(own, false)}`;
  const reference = journey.path.at(-1) ?? '';
  const isKernels = own !== undefined && own !== 'NETFILTER_DROP';
  if (last.kind !== 'stage' && last.drops === true) return reference;
  if (last.kind === 'rule' && last.drops === undefined && !isKernels && !goesOn.has(target(last, book)) && !isChain(last, book)) return reference;
  if (own === undefined) return last.kind === 'stage' && journey.isFragment ? 'kernel: held fragment' : 'kernel: ?';
  return own === 'NETFILTER_DROP' ? 'kernel: ?' : `kernel: ${reasonText(own, journey.seen.isTracked)}`;
}

function target({ table, chain, position }: { readonly table: string; readonly chain: string; readonly position: number }, book: RuleBook): string {
  return book.target(table, chain, position);
}

function isChain(rule: { readonly table: string; readonly chain: string; readonly position: number }, book: RuleBook): boolean {
  return book.chain(rule.table, target(rule, book)) !== undefined;
}

function localReason(failed: number): string {
  const [noNetwork, noHost, tooBig] = [101, 113, 90];
  return failed === noNetwork || failed === noHost ? 'no route' : failed === tooBig ? 'mtu' : '?';
}

/** The way of the packet that was sent, and those of the packets that were made because of it. Before PREROUTING, nothing is seen of the former. */
function ownJourney({ journeys, isLocal }: Observation): readonly [own: Journey | undefined, others: readonly Journey[]] {
  const [first, ...others] = journeys;
  return isLocal || first?.start.hook === 'PREROUTING' ? [first, others] : [undefined, journeys];
}

/** The fate of the one packet that was sent. */
export function fateOf(observation: Observation): Fate {
  const [journey, others] = ownJourney(observation);
  const generated = others.map(other => generatedAnswer(other, observation));
  const out = journey === undefined ? [] : sentBy(journey, observation);
  const known = { path: journey?.path ?? [], out, ct: journey === undefined ? null : ctOf(journey, observation.isTracking), generated };
  if (journey?.isDelivered === true) return { ...known, verdict: 'delivered', by: null };
  const [first] = out;
  if (first !== undefined) return { ...known, verdict: `${observation.isLocal ? 'sent' : 'forwarded'} ${first.oif}`, by: null };
  const by = decider(journey, observation);
  const last = journey?.last;
  const isReject = last?.kind === 'rule' && !by.startsWith('kernel') && target(last, observation.book) === 'REJECT';
  const [answer] = generated;
  return { ...known, by, verdict: !isReject ? 'drop' : `reject ${answer === undefined ? '(nothing sent)' : rejectWords(answer.packet)}` };
}
