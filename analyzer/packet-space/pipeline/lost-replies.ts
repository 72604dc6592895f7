/** Of conversations that a rule lets begin: those whose answers are lost, one by one of those that drop them. */
import type { Rule } from '../../model/ruleset.js';
import { all, ctstates, type Constraint, type Field } from '../../packet/constraint.js';
import type { Decider, RuleAt } from '../answers.js';
import { Justifier, type PartClaim } from './claim.js';
import { ask, killerOf, killersOf, notBegun, type Asked, type ConversationCase, type ConversationQuestion } from './conversations.js';
import { referenceTo } from './deciders.js';
import { partsWithin, spacesOf, type Space } from './difference/rest.js';
import { contradiction } from './fate.js';
import { boxOf, readable, type ReadableBox } from './fates/box.js';
import { acceptsAll, droppedBy, missesRule, sawIn } from './goals.js';
import { answeredLike, everydayParts, inPlaces, kindOf, lostPlaces, type LostPlaces } from './lost-places.js';
import { hull, type Classes, type Part, type PartHole } from './part.js';
import type { Pipeline, Trip } from './passes.js';
import { isOfStrays, ofHosts } from './strays.js';
import { solutions, solve, type Goal, type Reason, type SolveBudget, type Solved } from './solve.js';

/** A conversation whose answer is lost, whatever is unknown. */
export interface LostReply extends ConversationCase {
  readonly by: Decider;
  /** Where that is a rule: it, behind those that led to its chain. */
  readonly rules: readonly RuleAt[];
  /** Whether no conversation with another network that the rule lets begin is answered whose first packet is the same in these fields. */
  readonly isLostFor: (fields: readonly Field[]) => boolean;
  /** Answers from behind another interface of the same kind (`tun+`) get through: maybe these alone are meant. */
  readonly isWithinKind: boolean;
}

/** `more`: as many were found as were looked for; `undecided`: the budget ended. */
export type LostRepliesEnd = 'complete' | 'more' | 'undecided';

export interface LostRepliesOptions {
  /** So many rules or policies, or places, are looked for. */
  readonly limit: number;
  readonly budget: SolveBudget;
  /** What `whereLost` says; elsewhere is not looked. */
  readonly places?: LostPlaces | undefined;
  /** Those are looked for who get no answer at all from anybody to whom the rule lets them talk: whoever is the same in these fields. */
  readonly who?: readonly Field[] | undefined;
}

/** What goes without saying of packets, in words: what all of them are, and what the rule asks. */
export interface Unsaid {
  readonly packets: Constraint;
  readonly asks: Constraint;
}

/** First packets whose answers are lost, in words. */
export interface LostPackets {
  /** Who sends them, to whom. */
  readonly fields: readonly string[];
  /** What is left out of them: of each, all of its words hold. */
  readonly except: readonly (readonly string[])[];
}

/** So many conversations are passed over whose answers one rule or policy drops by chance only: first with those that by the same chance are answered, then with those that are lost alike. */
const chanceLimits = { answered: 64, lost: 8 } as const;

/**
 * Conversations of everyday packets that begin with one which `rule` matches (without a rule: any) and the host lets pass, and whose answer is dropped
 * for certain: for each rule or policy that drops some one conversation, as it is asked for. Whatever is not tracked is left out.
 */
export function* lostReplies(pipeline: Pipeline, rule: Rule | undefined, question: ConversationQuestion, { limit, budget, places, who }: LostRepliesOptions): Generator<LostReply, LostRepliesEnd, void> {
  const asked = ask(pipeline, rule, question);
  const known = new Set<string>();
  if (asked === undefined) return 'complete';
  const parts = places === undefined ? everydayParts(asked) : inPlaces(asked, places, who);
  const answered = (trip: Trip, fields: readonly Field[], kind: string | undefined): Solved => solve(pipeline, answeredLike(asked, trip, kind), likeFirst(asked, trip, fields), budget);
  const isLostFor = (trip: Trip, fields: readonly Field[]): boolean => answered(trip, fields, kindOf(asked)).kind === 'none';
  const wanted = goalOf(asked, by => !known.has(by));
  // Who drops an answer may hang on a list, as may whether the conversation begins; that it is dropped does not.
  const dropped = goalOf(asked, () => true);
  const lost: Goal = { ...dropped, miss: trip => hasBegun(asked, trip) ? dropped.miss(trip) : undefined };
  const byChance = new Map<string, number>();
  // One that is lost by chance is passed over with those that are lost like it: the next may be lost for certain.
  const miss = (trip: Trip): readonly Reason[] | undefined => {
    const reasons = wanted.miss(trip);
    const killer = reasons === undefined ? killerOf(pipeline, trip) : undefined;
    if (killer === undefined) return reasons;
    const by = referenceTo(killer);
    const other = contradiction(pipeline, { trip, goal: lost });
    if (other === 'none') return undefined;
    const count = (byChance.get(by) ?? 0) + 1;
    byChance.set(by, count);
    const answered = count > chanceLimits.answered || other === 'unknown' ? undefined : answeredAround(asked, other);
    if (answered !== undefined) return [claim => { for (const side of answered) claim.cutInput(...side); }];
    if (count <= chanceLimits.answered + chanceLimits.lost) return droppedBy(trip, trip.backFrom, trip.run.stages.length).slice(0, 1);
    known.add(by);
    return wanted.miss(trip);
  };
  const search = solutions(pipeline, { ...wanted, miss }, parts, budget);
  while (known.size < limit) {
    const next = search.next();
    if (next.done === true) return next.value.kind === 'none' ? 'complete' : 'undecided';
    const { trip } = next.value;
    const by = killerOf(pipeline, trip);
    if (by === undefined) break;
    const own = referenceTo(by);
    known.add(own);
    if (who !== undefined && !isLostFor(trip, who)) continue;
    const isWithinKind = who !== undefined && kindOf(asked) !== undefined && answered(trip, who, undefined).kind === 'found';
    yield { ...next.value, goal: goalOf(asked, one => one === own), by, rules: killersOf(pipeline, trip), isWithinKind, isLostFor: fields => isLostFor(trip, fields) };
  }
  return 'more';
}

/**
 * Where answers are lost: boxes of first packets, among which are all those of everyday conversations whose answers are dropped, whatever rules let
 * them pass. The questions are about the same path, and what comes back is the same to all. `many`: in more boxes than the limit; `undecided`: the budget ended.
 */
export function whereLost(pipeline: Pipeline, questions: readonly ConversationQuestion[], { limit, budget }: Pick<LostRepliesOptions, 'limit' | 'budget'>): LostPlaces | 'many' | 'undecided' {
  const asked = questions.flatMap(question => ask(pipeline, undefined, question) ?? []);
  const [first] = asked;
  return first === undefined ? { places: [], around: hull([]) } : lostPlaces(pipeline, asked.flatMap(one => [...everydayParts(one)]), goalOf(first, () => true), limit, budget);
}

/** What the first packet of a trip is in these fields: [input, class]. */
function sameAs({ pipeline: { chains: { dimensions } } }: Asked, { run: { point: { inputs } } }: Trip, fields: readonly Field[]): readonly (readonly [number, number])[] {
  return fields.flatMap(field => dimensions.fields.get(field) ?? []).map(d => [d, inputs[d] ?? 0]);
}

/** Of the packets that are asked about those that are, in these fields, as the first of a trip. */
function* likeFirst(asked: Asked, trip: Trip, fields: readonly Field[]): Generator<Part, void> {
  const same = sameAs(asked, trip, fields);
  for (const { lo, hi, choices } of asked.parts) {
    if (same.some(([d, at]) => at < (lo[d] ?? 0) || at > (hi[d] ?? 0))) continue;
    const part = { lo: lo.slice(), hi: hi.slice(), choices };
    for (const [d, at] of same) part.lo[d] = part.hi[d] = at;
    yield part;
  }
}

function seesRule({ watch }: Asked, trip: Trip): boolean {
  return watch === undefined || sawIn(trip, 0, trip.backFrom);
}

/** The rule lets a connection begin. */
function hasBegun(asked: Asked, trip: Trip): boolean {
  return !trip.dropped && trip.state === ctstates.NEW && seesRule(asked, trip);
}

/**
 * First packets, among them that of a trip, that begin a conversation which is answered, if what is unknown turns out as it did there: [input, low, high], all
 * of which hold. Undefined where it is no such trip, or there are too many others among them.
 */
function answeredAround({ pipeline, watch }: Asked, trip: Trip): readonly (readonly [number, number, number])[] | undefined {
  const { last } = pipeline;
  const { point, seen, stages } = trip.run;
  if (trip.dropped || trip.backDropped || trip.state !== ctstates.NEW) return undefined;
  const claim = new Justifier(pipeline, trip, { lo: last.map(() => 0), hi: last, choices: new Map() });
  acceptsAll(trip, 0, stages.length)(claim);
  notBegun(pipeline, trip)(claim);
  if (watch !== undefined) claim.alike(seen.find(at => at < trip.backFrom) ?? 0);
  const { lo, hi, holes, hasMany } = claim.finish();
  if (hasMany) return undefined;
  const sides = last.map((_, input): [number, number, number] => [input, lo[input] ?? 0, hi[input] ?? 0]);
  for (const hole of holes) if (hole.choices.every(([choice, value]) => (point.choices.get(choice) ?? 0) === value)) keepOut(sides, hole, point.inputs);
  return sides.filter(([input, low, high]) => low > 0 || high < (last[input] ?? 0));
}

/** Makes the box around a point smaller by one side, so that it is apart from a hole. */
function keepOut(box: [number, number, number][], { sides }: PartHole, point: Classes): void {
  if (sides.some(([input, low, high]) => (box[input]?.[1] ?? 0) > high || (box[input]?.[2] ?? 0) < low)) return;
  for (const [input, low, high] of sides) {
    const [at, side] = [point[input] ?? 0, box[input]];
    if (side === undefined || (at >= low && at <= high)) continue;
    if (at < low) side[2] = Math.min(side[2], low - 1);
    else side[1] = Math.max(side[1], high + 1);
    return;
  }
}

/** An answer is lost, by one who `isWanted`. */
function goalOf(asked: Asked, isWanted: (by: string) => boolean): Goal {
  const { pipeline, question, watch, back } = asked;
  return ofHosts(pipeline, back, {
    path: question.path, watch, back,
    miss: trip => {
      const end = trip.run.stages.length;
      const killer = killerOf(pipeline, trip);
      const isLost = killer !== undefined && isWanted(referenceTo(killer));
      if (isLost && hasBegun(asked, trip)) return undefined;
      return [
        ...droppedBy(trip, 0, trip.backFrom), ...trip.state === ctstates.NEW ? [] : [notBegun(pipeline, trip)],
        ...isLost ? [] : trip.backDropped ? droppedBy(trip, trip.backFrom, end).slice(0, 1) : [acceptsAll(trip, trip.backFrom, end)],
        ...watch === undefined || seesRule(asked, trip) ? [] : missesRule(trip, watch.leads, pipeline.chains, 0, trip.backFrom),
      ];
    },
  });
}

const ends = ['src', 'dst', 'sport', 'dport'];
const told = [...ends, 'in', 'out'];
const isTold = (words: string): boolean => told.includes(words.split(' ')[0] ?? '');

/** `in `: an interface by which nothing comes on the path. */
const isNothing = (words: string): boolean => words.endsWith(' ');

/** Of the packets that the rule is for, those of which the same can be said as of the first of this conversation, as far as it is about ends, ports and interfaces. */
export function lostWith(pipeline: Pipeline, { path, back = 'reply' }: ConversationQuestion, { trip }: LostReply, { asks, packets }: Unsaid): LostPackets {
  const { inputs } = trip.run.point;
  const holds = ({ lo, hi }: Part): boolean => inputs.every((at, i) => at >= (lo[i] ?? 0) && at <= (hi[i] ?? 0));
  const drop = trip.run.drops.find(at => at >= trip.backFrom);
  for (const space of drop === undefined ? [] : spacesOf(pipeline, path)) {
    // What is translated on its way does not come as the rule asks.
    const parts = [all([packets, asks]), packets].map(one => partsWithin(pipeline, space, one)).find(some => some.some(holds)) ?? [];
    const part = parts.find(holds);
    if (part === undefined || drop === undefined) continue;
    // Of several ports that the rule asks for, this part has one.
    const varies = (field: string): boolean => ends.includes(field) && (pipeline.chains.dimensions.fields.get(field as Field) ?? []).some(d => parts.some(one => one.lo[d] !== part.lo[d] || one.hi[d] !== part.hi[d]));
    const claim = new Justifier(pipeline, trip, part);
    const said = wordsOf(pipeline, space, trip, { ...claim.finish(), holes: [] });
    claim.verdict(drop);
    const lost = claim.finish();
    const { fields, except } = wordsOf(pipeline, space, trip, { ...lost, holes: lost.holes.filter(hole => !isOfStrays(pipeline, path, back, hole)) });
    const isNews = (words: string): boolean => isTold(words) && (!said.fields.includes(words) || varies(words.split(' ')[0] ?? ''));
    return { fields: fields.filter(isNews), except: except.filter(one => !one.some(isNothing)).map(one => one.filter(isNews)).filter(one => one.length > 0) };
  }
  return { fields: [], except: [] };
}

function wordsOf(pipeline: Pipeline, space: Space, trip: Trip, claim: PartClaim): ReadableBox {
  return readable(pipeline.chains.dimensions, space, boxOf(space, claim), [[pipeline, trip]]);
}
