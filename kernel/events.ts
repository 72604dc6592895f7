/** What the kernel told, as one row of events: rules that matched, chains that ended in their policy, and our own stages. */
import type { Backend } from '../analyzer/values/value.js';
import { messagesIn, messageTypes, type Attributes, type Message } from './netlink.js';
import type { RuleBook } from './rule-book.js';
import { watchTable, type Stage } from './watch.js';

/** What connection tracking thinks of the packet; undefined: nothing (untracked by default, or INVALID). */
export interface CtSeen {
  /** NF_CT_STATE_BIT: 1 << state. */
  readonly state: number;
  readonly direction: number | undefined;
  readonly status: number;
}

export interface StageEvent {
  readonly kind: 'stage';
  readonly hook: string;
  readonly stage: Stage;
  /** From the IP header on, as the packet is here. */
  readonly bytes: Buffer;
  readonly inIndex: number;
  readonly outIndex: number;
  readonly ct: CtSeen | undefined;
  readonly id: number | undefined;
}

export type Event = StageEvent | {
  readonly kind: 'rule' | 'policy';
  readonly table: string;
  readonly chain: string;
  /** Of a rule, from 1. */
  readonly position: number;
  /** Undefined where the trace does not say. */
  readonly drops: boolean | undefined;
  readonly id: number | undefined;
};

const traceTypes = { policy: 1, return: 2, rule: 3 } as const;
const verdicts = { drop: 0, accept: 1 } as const;

type RuleEvent = Exclude<Event, StageEvent>;

/** @see nf_log_trace() callers in net/ipv4/netfilter/ip_tables.c: an unconditional rule is called "policy" or "return" too, by its number. */
function legacyEvent(prefix: string, book: RuleBook): RuleEvent | undefined {
  const match = /^TRACE: ([^:]*):(.*):(rule|return|policy):(\d+) $/u.exec(prefix);
  if (match === null) return undefined;
  const [, table = '', name = '', , number = ''] = match;
  const position = Number(number);
  const chain = book.chain(table, name);
  if (position <= (chain?.targets.length ?? 0)) return { kind: 'rule', table, chain: name, position, drops: undefined, id: undefined };
  if (chain?.policy === undefined) return undefined;
  return { kind: 'policy', table, chain: name, position: 0, drops: chain.policy === 'DROP', id: undefined };
}

/** Rules under test may log into the same groups. */
const stagePrefix = /^([A-Z]+)-(start|tracked|filter|last|end)$/u;

function logEvent(attributes: Attributes, book: RuleBook): Event | undefined {
  const prefix = attributes.string(10) ?? '';
  const event = legacyEvent(prefix, book);
  if (event !== undefined) return event;
  const [, hook, stage] = stagePrefix.exec(prefix) ?? [];
  if (hook === undefined || stage === undefined) return undefined;
  return { kind: 'stage', hook, stage: stage as Stage, bytes: attributes.bytes(9) ?? Buffer.alloc(0), inIndex: attributes.u32(4) ?? 0, outIndex: attributes.u32(5) ?? 0, ct: undefined, id: undefined };
}

function ctSeen(attributes: Attributes): CtSeen | undefined {
  const state = attributes.u32(21);
  return state === undefined ? undefined : { state, direction: attributes.u8(19), status: attributes.u32(20) ?? 0 };
}

/** Undefined: it depends (NF_QUEUE). Those of nf_tables itself, as jump and return, are negative numbers. */
function doesDrop(verdict = 0): boolean | undefined {
  return verdict === verdicts.drop ? true : verdict === verdicts.accept || verdict > 0x7fffffff ? false : undefined;
}

/** A rule that matched has its handle and a verdict; the end of a chain has not, and is only told where it is that of a built-in one. */
function traceEvent(attributes: Attributes, book: RuleBook): RuleEvent | undefined {
  const [chain = '', table = '', handle, type, id] = [attributes.string(2), attributes.string(1), attributes.u64(3), attributes.u32(4), attributes.u32(6)];
  if (type === traceTypes.policy) return { kind: 'policy', table, chain, position: 0, drops: attributes.u32(16) === verdicts.drop, id };
  if (handle === undefined) return undefined;
  return { kind: 'rule', table, chain, position: book.positionOf(table, chain, handle) ?? 0, drops: doesDrop(attributes.nested(5)?.u32(1)), id };
}

function messagesOf(words: readonly string[], letter: string, type: number): readonly Message[] {
  return words.flatMap(word => word.startsWith(letter) ? messagesIn(Buffer.from(word.slice(1), 'hex')) : []).filter(message => message.type === type);
}

function isOurs(attributes: Attributes): boolean {
  return attributes.string(1) === watchTable;
}

/** For each of our stages what its trace began with: only there it tells of connection tracking. */
function stageTraces(traced: readonly Attributes[]): readonly Attributes[] {
  const stages: Attributes[] = [];
  let first: Attributes | undefined;
  for (const attributes of traced) {
    if (!isOurs(attributes)) continue;
    first ??= attributes;
    if (attributes.u32(4) !== traceTypes.policy) continue;
    stages.push(first);
    first = undefined;
  }
  return stages;
}

/** Both rows tell of every stage, in the same order: what the one knows is added to the other. */
export function eventsIn(words: readonly string[], backend: Backend, book: RuleBook): readonly Event[] {
  const logged = messagesOf(words, 'L', messageTypes.logPacket).flatMap(({ attributes }) => logEvent(attributes, book) ?? []);
  const traced = messagesOf(words, 'T', messageTypes.nftTrace).map(({ attributes }) => attributes);
  const traces = stageTraces(traced);
  const stages = logged.filter(event => event.kind === 'stage').map((event, index) => {
    const trace = traces[index];
    return trace === undefined ? event : { ...event, ct: ctSeen(trace), id: trace.u32(6) };
  });
  let next = 0;
  if (backend === 'legacy') return logged.map(event => event.kind === 'stage' ? stages[next++] ?? event : event);
  return traced.flatMap((attributes): Event | readonly Event[] => {
    if (isOurs(attributes)) return attributes.u32(4) === traceTypes.policy ? stages[next++] ?? [] : [];
    return traceEvent(attributes, book) ?? [];
  });
}

