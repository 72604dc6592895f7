/** Whether what the engine saw of a packet is what a witness shows. */
import type { DetailedStep } from '../netfilter/engine.js';
import type { PacketSample } from '../packet-space/answers.js';
import type { TrailEntry } from '../netfilter/trail/trail.js';
import { hookOf } from './host-plan.js';
import type { ProposedStep, Shown } from './proposal.js';

export type Comparison =
  | { readonly kind: 'agrees' }
  /** `refutes`: not only the one who decides is another. */
  | { readonly kind: 'disagrees'; readonly why: string; readonly refutes: boolean; readonly asked: Asked }
  /** The packet that is meant never came to the place that is meant. */
  | { readonly kind: 'elsewhere'; readonly why: string };

/** The chains that a packet came into, of one table at one hook. */
export interface AskedChains {
  readonly table: string;
  readonly chains: ReadonlySet<string>;
}

/** Where a packet was asked: there, and what it came through before; undefined: wherever it came. */
export type Asked = { readonly there: AskedChains; readonly before: readonly AskedChains[] } | undefined;

const agrees: Comparison = { kind: 'agrees' };

/** What happened to the packet itself, up to its end: without what was sent because of it, which may come in again behind that. */
function ownEntries({ trail, by, verdict }: DetailedStep): readonly TrailEntry[] {
  let depth = 0;
  const own = trail.filter(entry => {
    if (entry.kind === 'generated') depth++;
    const isOwn = depth === 0;
    if (entry.kind === 'generated-end') depth--;
    return isOwn;
  });
  const end = isLoss(verdict) && by !== null ? own.findIndex(entry => referenceOf(entry).includes(by)) : -1;
  return end === -1 ? own : own.slice(0, end + 1);
}

type Stage = Extract<TrailEntry, { kind: 'stage' }>;

/** One table at one hook. */
interface Section {
  readonly stage: Stage;
  readonly before: readonly TrailEntry[];
  readonly entries: readonly TrailEntry[];
}

function sectionAt(entries: readonly TrailEntry[], at: string): Section | undefined {
  const start = entries.findIndex(entry => entry.kind === 'stage' && `${entry.table}:${entry.hook}` === at);
  const stage = entries[start];
  if (stage?.kind !== 'stage') return undefined;
  const length = entries.slice(start + 1).findIndex(entry => entry.kind === 'stage');
  const end = length === -1 ? entries.length : start + 1 + length;
  return { stage, before: entries.slice(0, start), entries: entries.slice(start + 1, end) };
}

/** What rules have rewritten before the packet comes to where it is looked at, if it matters to the sample; a router's TTL is no matter, nor that the addresses of a reply are those of its flow again. */
function rewrittenBefore({ before }: Section, { length, ttl }: PacketSample, isReply: boolean): string | undefined {
  const matters: Readonly<Record<string, boolean>> = { source: !isReply, destination: !isReply, length: length !== undefined, TTL: ttl !== undefined, 'hop limit': ttl !== undefined };
  return before.flatMap(entry => entry.kind === 'rewrite' ? [entry] : []).find(({ what, isBetween }) => {
    const [name = ''] = /^(?:hop limit|\w+)/u.exec(what) ?? [];
    return matters[name] === true && (isBetween !== true || !/^(?:TTL|hop)/u.test(name));
  })?.what;
}

/** The mark that rules have given it by then, or that it was sent with. */
function markThere({ before }: Section, { packet }: ProposedStep): number {
  const marks = before.flatMap(entry => entry.kind === 'rewrite' ? /^mark .* \u2192 (0x[0-9a-f]+)$/u.exec(entry.what)?.slice(1) ?? [] : []);
  return Number(marks.at(-1) ?? packet['mark'] ?? 0);
}

/** A mark that the sample comes with, and that no packet has which nobody marked. */
function unsentMark({ sample = {}, packet }: ProposedStep): string | undefined {
  const sent = Number(packet['mark'] ?? 0);
  return sample.mark === undefined || sample.mark === sent ? undefined : `it comes with the mark ${String(sent)}, not ${String(sample.mark)}`;
}

/** Why the packet is not the one of the sample when it comes there. */
function strangeness(step: ProposedStep, section: Section, isReply: boolean): string | undefined {
  const { sample = {} } = step;
  const rewritten = rewrittenBefore(section, sample, isReply);
  if (rewritten !== undefined) return `on its way there a rule rewrites it: ${rewritten}`;
  const { state, way } = section.stage;
  const mark = markThere(section, step);
  if (sample.mark !== undefined && sample.mark !== mark) return `its mark there is ${String(mark)}, not ${String(sample.mark)}`;
  if (sample.ctstate !== undefined && state !== null && sample.ctstate !== state) return `its state there is ${state}, not ${sample.ctstate}`;
  if (sample.out !== undefined && way !== undefined && way.split('→ ')[1] !== sample.out) return `it does not leave by ${sample.out}`;
  return undefined;
}

interface Seen {
  readonly matched: readonly string[];
  readonly decider: string | undefined;
  readonly isLost: boolean;
  readonly asked: Asked;
}

function referenceOf(entry: TrailEntry): readonly string[] {
  if (entry.kind === 'rule') return [entry.ref];
  return entry.kind === 'policy' ? [`${entry.table}:${entry.chain}:policy`] : [];
}

/** Stage by stage. */
function askedIn(entries: readonly TrailEntry[]): readonly AskedChains[] {
  const asked: { readonly table: string; readonly chains: Set<string> }[] = [];
  for (const entry of entries) {
    if (entry.kind === 'stage') asked.push({ table: entry.table, chains: new Set([entry.hook]) });
    else if (entry.kind === 'enter') asked.at(-1)?.chains.add(entry.chain);
  }
  return asked;
}

function seenIn({ stage, before, entries }: Section, { by, verdict }: DetailedStep): Seen {
  const matched = entries.flatMap(referenceOf);
  const decider = matched.at(-1);
  const [there] = askedIn([stage, ...entries]);
  return { matched, decider, asked: there === undefined ? undefined : { there, before: askedIn(before) }, isLost: isLoss(verdict) && by === decider };
}

/** Whether a verdict is that of a packet that was dropped or rejected. */
export function isLoss(verdict: string): boolean {
  return verdict === 'drop' || verdict.startsWith('reject');
}

function seenOnTheWay({ path, by, verdict }: DetailedStep): Seen {
  const isLost = isLoss(verdict);
  return { matched: path, decider: isLost ? by ?? undefined : path.at(-1), isLost, asked: undefined };
}

/** The first thing that is not as shown. */
function contradiction({ fate, by, matches = [], misses = [], leavesFrom }: Shown, { matched, decider, isLost }: Seen, left: DetailedStep['out']): { readonly why: string; readonly refutes: boolean } | undefined {
  if (fate !== undefined && (fate === 'lost') !== isLost) return { why: `it ${isLost ? 'is lost' : 'passes'} by ${decider ?? 'nothing'}`, refutes: true };
  const absent = matches.find(one => !matched.includes(one));
  if (absent !== undefined) return { why: `it does not match ${absent}`, refutes: true };
  const present = misses.find(one => matched.includes(one));
  if (present !== undefined) return { why: `it matches ${present}`, refutes: true };
  if (by !== undefined && (decider === undefined || !by.includes(decider))) return { why: `${decider ?? 'nothing'} decides, and not ${by.join(' or ')}`, refutes: false };
  const [source] = left.map(one => one.src);
  if (leavesFrom !== undefined && source !== leavesFrom) return { why: source === undefined ? 'it does not leave' : `it leaves with the source ${source}, not ${leavesFrom}`, refutes: true };
  return undefined;
}

/** Compares what a step shows with what the engine says of it. `isReply`: it answers an earlier step. */
export function compare(step: ProposedStep, shown: Shown, answer: DetailedStep, isReply = false): Comparison {
  const section = shown.at === undefined ? undefined : sectionAt(ownEntries(answer), shown.at);
  if (shown.at !== undefined) {
    if (section === undefined) return { kind: 'elsewhere', why: `it does not come to ${shown.at}${answer.by === null ? '' : `: ${answer.by}`}` };
    const strange = strangeness(step, section, isReply);
    if (strange !== undefined) return { kind: 'elsewhere', why: strange };
  } else if (answer.by?.startsWith('kernel: ') === true && shown.by?.includes(answer.by) !== true) return { kind: 'elsewhere', why: `${answer.by}, before ${hookOf(step, shown)} has decided` };
  const seen = section === undefined ? seenOnTheWay(answer) : seenIn(section, answer);
  const found = contradiction(shown, seen, answer.out);
  if (found === undefined) return agrees;
  const unsent = section === undefined ? unsentMark(step) : undefined;
  return unsent === undefined ? { kind: 'disagrees', ...found, asked: seen.asked } : { kind: 'elsewhere', why: unsent };
}
