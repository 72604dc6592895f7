/** Whether what follows a packet that a rule lets pass gets through, too: answers to it, ICMP errors about it, later packets. */
import type { Rule } from '../../model/ruleset.js';
import { all, always, ctstates, is, type Constraint } from '../../packet/constraint.js';
import type { Decider, PacketSample, RuleAt } from '../answers.js';
import { cellsOf } from '../product.js';
import { productsOf } from '../products.js';
import { Replayed } from '../replayed.js';
import { deciderOf, decidingRules, inOrder, referenceTo } from './deciders.js';
import { holds, type Part } from './part.js';
import { acceptsAll, droppedBy, missesRule, sawIn } from './goals.js';
import { tryHint } from './hints.js';
import type { Pipeline, Trip } from './passes.js';
import { allPreimages, partsOf } from './parts.js';
import type { StageRun } from './run.js';
import type { Sighting } from './samples.js';
import { solve, solveBudget, type Goal, type Reason, type SolveBudget, type Solved } from './solve.js';
import type { Path } from './stages.js';
import { ofHosts } from './strays.js';
import type { Back } from './turn.js';
import { watchFor, type Watch } from './watch.js';

/** Conversations between two hosts that begin with a packet which a rule lets pass: what is sent to a group, or from no address, begins none (strays.ts). */
export interface ConversationQuestion {
  readonly path: Path;
  /** The first packets. They are NEW, unless raw makes them UNTRACKED. */
  readonly packets?: Constraint;
  readonly back?: Back;
  /** What is asked of the fields that what comes back does not share with the first packet: TCP flags, ICMP type, length …; the source, where anybody may send it. */
  readonly answers?: Constraint;
  readonly budget?: SolveBudget;
}

/** A conversation, and where it ends. */
export interface ConversationCase extends Sighting {
  /** What dropped what came back; undefined where it got through. */
  readonly by: Decider | undefined;
}

/** How often what comes back gets through. */
export type Replies =
  /** No first packet that the rule matches gets through itself. */
  | { readonly kind: 'unreached' }
  | { readonly kind: 'always'; readonly passes: ConversationCase }
  | { readonly kind: 'sometimes'; readonly passes: ConversationCase; readonly dies: ConversationCase }
  /** `by`: all rules and policies at which they end. */
  | { readonly kind: 'never'; readonly dies: ConversationCase; readonly by: readonly Decider[] }
  | { readonly kind: 'undecided' };

export interface Asked {
  readonly pipeline: Pipeline;
  readonly question: ConversationQuestion;
  readonly watch: Watch | undefined;
  readonly back: Back;
  readonly parts: Iterable<Part>;
  readonly budget: SolveBudget;
  readonly hint: (() => PacketSample | undefined) | undefined;
  /** Who dropped what came back, in trips that were followed. */
  readonly killers: Map<string, Decider>;
}

/**
 * Of the conversations that begin with a packet which `rule` matches (without a rule: any packet) and the host lets pass: does what comes
 * back get through always, sometimes or never?
 */
export function replies(pipeline: Pipeline, rule: Rule | undefined, question: ConversationQuestion): Replies {
  const asked = ask(pipeline, rule, question);
  if (asked === undefined) return { kind: 'unreached' };
  const passes = conversation(asked, 'passes');
  if (passes.kind === 'undecided') return passes;
  const dies = conversation(asked, 'dies');
  if (dies.kind === 'undecided') return dies;
  if (passes.kind === 'found') {
    const got: ConversationCase = { ...passes, by: undefined };
    return dies.kind === 'none' ? { kind: 'always', passes: got } : { kind: 'sometimes', passes: got, dies: endOf(pipeline, dies) };
  }
  return dies.kind === 'none' ? { kind: 'unreached' } : { kind: 'never', dies: endOf(pipeline, dies), by: inOrder(pipeline, asked.killers.values()) };
}

/** Whether an answer ever gets through: `some` does, and it is this one. */
export type EverReplied = Extract<Replies, { kind: 'unreached' | 'never' | 'undecided' }> | { readonly kind: 'some'; readonly passes: Sighting };

export interface EverRepliedOptions {
  /** A packet that the rule is known to match, maybe. */
  readonly hint?: () => PacketSample | undefined;
  /** Instead of the question's own. */
  readonly budget?: SolveBudget;
}

/** As `replies`, where it is of no interest whether some answers are lost: one search instead of two. */
export function everReplied(pipeline: Pipeline, rule: Rule | undefined, question: ConversationQuestion, options: EverRepliedOptions = {}): EverReplied {
  const asked = ask(pipeline, rule, question, options);
  if (asked === undefined) return { kind: 'unreached' };
  // Whoever is asked answers himself, mostly.
  const himself = asked.back === 'anyone' ? conversation({ ...asked, back: 'reply' }, 'passes') : undefined;
  if (himself?.kind === 'found') return { kind: 'some', passes: himself };
  asked.killers.clear();
  const passes = conversation(asked, 'passes');
  if (passes.kind === 'found') return { kind: 'some', passes };
  const dies = passes.kind === 'none' ? conversation(asked, 'dies') : passes;
  if (dies.kind === 'none') return { kind: 'unreached' };
  return dies.kind === 'undecided' ? dies : { kind: 'never', dies: endOf(pipeline, dies), by: inOrder(pipeline, asked.killers.values()) };
}

/** `everReplied`, where only that no answer gets through is of interest. */
export function neverReplied(pipeline: Pipeline, rule: Rule | undefined, question: ConversationQuestion): Extract<Replies, { kind: 'never' | 'undecided' }> | undefined {
  const answer = everReplied(pipeline, rule, question);
  return answer.kind === 'never' || answer.kind === 'undecided' ? answer : undefined;
}

/** Whether the first packet of a conversation is one that another question is about. */
export function isAskedAbout(pipeline: Pipeline, question: ConversationQuestion, { trip: { run: { point } } }: Sighting): boolean {
  return beginnings(pipeline, question).some(part => holds(part, point));
}

/** What is needed to search conversations; undefined where no packet can match the rule. */
export function ask(pipeline: Pipeline, rule: Rule | undefined, question: ConversationQuestion, { hint, budget = question.budget ?? solveBudget() }: EverRepliedOptions = {}): Asked | undefined {
  const { path, back = 'reply' } = question;
  const number = rule === undefined ? -1 : pipeline.chains.numbers.get(rule) ?? -1;
  const watch = rule === undefined ? undefined : watchFor(pipeline.chains, number);
  if (rule !== undefined && watch === undefined) return undefined;
  const within = beginnings(pipeline, question);
  const parts = watch === undefined ? within : new Replayed(allPreimages(pipeline, path, number, within));
  const { done: isEmpty } = parts[Symbol.iterator]().next();
  if (isEmpty === true) return undefined;
  return { pipeline, question, watch, back, parts, budget, hint, killers: new Map() };
}

const known = new WeakMap<Pipeline, WeakMap<ConversationQuestion, readonly Part[]>>();

/** The first packets of a question: one question is asked about many rules. */
function beginnings(pipeline: Pipeline, question: ConversationQuestion): readonly Part[] {
  let mine = known.get(pipeline);
  if (mine === undefined) known.set(pipeline, mine = new WeakMap<ConversationQuestion, readonly Part[]>());
  let parts = mine.get(question);
  if (parts === undefined) {
    const { path, packets = always, back = 'reply', answers = always } = question;
    const first = partsOf(pipeline, path, all([packets, is('ctstate', ctstates.NEW)]));
    // Of a connection it is the first packet that nat is asked about.
    mine.set(question, parts = answering(pipeline, first, back, answers).filter(({ lo }) => (lo[pipeline.natInput] ?? 0) === 0));
  }
  return parts;
}

/** Fields that what comes back has from the first packet: to ask anything of them would ask it twice. */
const sharedFields: ReadonlySet<string> = new Set(['src', 'dst', 'sport', 'dport', 'in', 'out', 'protocol', 'ctstate', 'connmark']);

/** From whom it comes is open in these. */
const fromAnywhere: ReadonlySet<Back> = new Set(['anyone', 'error', 'error-again']);

/** Narrows down what comes back. */
function answering({ chains, backInputs }: Pipeline, parts: readonly Part[], back: Back, answers: Constraint): Part[] {
  const { dimensions, fieldCount } = chains;
  const isOwn = (d: number): boolean => {
    const one = dimensions.list[d];
    return d < fieldCount && one !== undefined && one.kind !== 'atom' && (!sharedFields.has(one.field) || (one.field === 'src' && fromAnywhere.has(back)));
  };
  const asked = new Map<string, readonly { readonly dimension: number; readonly low: number; readonly high: number }[]>();
  for (const { sides } of cellsOf(productsOf(dimensions, answers), 256)) {
    const own = sides.filter(side => isOwn(side.dimension));
    asked.set(own.map(side => `${String(side.dimension)} ${String(side.low)} ${String(side.high)}`).join(), own);
  }
  return parts.flatMap(part => [...asked.values()].map((sides): Part => {
    const [lo, hi] = [part.lo.slice(), part.hi.slice()];
    for (const { dimension, low, high } of sides) {
      lo[backInputs + dimension] = Math.max(lo[backInputs + dimension] ?? 0, low);
      hi[backInputs + dimension] = Math.min(hi[backInputs + dimension] ?? 0, high);
    }
    return { lo, hi, choices: part.choices };
  })).filter(isPossible);
}

function isPossible({ lo, hi }: Part): boolean {
  for (let i = 0; i < lo.length; i++) if ((lo[i] ?? 0) > (hi[i] ?? 0)) return false;
  return true;
}

/** Packets that are followed before a hint is asked for. */
const hintAfter = 24;

const begins: readonly number[] = [ctstates.NEW, ctstates.UNTRACKED];

/** A conversation whose answer gets through, or does not. */
export function conversation(asked: Asked, wanted: 'passes' | 'dies'): Solved {
  const { pipeline, hint, parts, budget } = asked;
  const goal = conversationGoal(asked, wanted);
  const attempt = (): ReturnType<typeof tryHint> => {
    const sample = hint?.();
    return sample === undefined ? undefined : tryHint(pipeline, goal, parts, sample);
  };
  return solve(pipeline, goal, parts, budget, wanted === 'dies' ? undefined : { after: hintAfter, attempt });
}

/** That an answer gets through, or does not. */
export function conversationGoal(asked: Asked, wanted: 'passes' | 'dies'): Goal {
  const { pipeline, question, watch, back } = asked;
  return ofHosts(pipeline, back, {
    path: question.path, watch, back,
    miss: trip => {
      const end = trip.run.stages.length;
      const seen = watch === undefined || sawIn(trip, 0, trip.backFrom);
      const isBegun = begins.includes(trip.state);
      if (seen && isBegun && !trip.dropped) noteKiller(asked, trip);
      if (seen && isBegun && !trip.dropped && trip.backDropped === (wanted === 'dies')) return undefined;
      return [
        ...droppedBy(trip, 0, trip.backFrom), ...isBegun ? [] : [notBegun(pipeline, trip)],
        ...wanted === 'passes' ? droppedBy(trip, trip.backFrom, end) : trip.backDropped ? [] : [acceptsAll(trip, trip.backFrom, end)],
        ...seen ? [] : missesRule(trip, watch.leads, pipeline.chains, 0, trip.backFrom),
      ];
    },
  });
}

/** The packet is of no new connection. */
export function notBegun({ chains }: Pipeline, trip: Trip): Reason {
  const state = chains.dimensions.fields.get('ctstate')?.[0] ?? 0;
  return claim => { claim.same(trip.leaving, state, trip.state, trip.state); };
}

function noteKiller({ pipeline, killers }: Asked, trip: Trip): void {
  const by = killerOf(pipeline, trip);
  if (by !== undefined) killers.set(referenceTo(by), by);
}

/** Who dropped what came back; undefined where it got through. */
export function killerOf(pipeline: Pipeline, trip: Trip): Decider | undefined {
  const run = stageThatDrops(trip);
  return run === undefined ? undefined : deciderOf(pipeline, run);
}

/** The rule that dropped what came back, behind those that led to its chain; none where a policy did. */
export function killersOf(pipeline: Pipeline, trip: Trip): readonly RuleAt[] {
  const run = stageThatDrops(trip);
  return run === undefined ? [] : decidingRules(pipeline, run);
}

function stageThatDrops({ run, backFrom }: Trip): StageRun | undefined {
  const at = run.drops.find(one => one >= backFrom);
  return at === undefined ? undefined : run.stages[at];
}

function endOf(pipeline: Pipeline, found: Sighting): ConversationCase {
  return { ...found, by: killerOf(pipeline, found.trip) };
}
