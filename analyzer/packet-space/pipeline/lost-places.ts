/** Where answers are lost, whatever rules let their conversations begin: found once, so that about each rule little is left to ask. */
import type { Rule } from '../../model/ruleset.js';
import type { Field } from '../../packet/constraint.js';
import { dimensionOf } from '../dimensions.js';
import { merge, type Intervals } from '../intervals.js';
import { likedClasses } from '../sample.js';
import { Justifier } from './claim.js';
import { conversationGoal, type Asked } from './conversations.js';
import { hull, isApart, meet, type Part } from './part.js';
import type { Pipeline, Trip } from './passes.js';
import { allPreimages } from './parts.js';
import type { Path } from './stages.js';
import { likelyPoint, solutions, tryFollow, type Goal, type SolveBudget } from './solve.js';

/** Boxes of first packets, and a part around all that were looked at. */
export interface LostPlaces {
  readonly places: readonly Part[];
  readonly around: Part;
}

/** Fields of which everybody's packets have the same, unless somebody takes trouble. */
const usual: readonly Field[] = ['mark', 'connmark', 'ttl', 'length', 'dscp', 'ecn', 'pkttype', 'srcMac'];

const usualInputs = new WeakMap<Pipeline, readonly (readonly [number, number])[]>();

/** Inputs of packets with no mark, a usual TTL and a usual length, and of what answers them: [input, class]. */
function usualOf(pipeline: Pipeline): readonly (readonly [number, number])[] {
  let known = usualInputs.get(pipeline);
  if (known === undefined) {
    const { chains: { dimensions }, backInputs } = pipeline;
    usualInputs.set(pipeline, known = usual.flatMap(field => dimensions.fields.get(field) ?? []).flatMap(d => {
      const at = likedClasses(dimensions, d)[0] ?? 0;
      return [[d, at], [backInputs + d, at]] as const;
    }));
  }
  return known;
}

/** Whether no rule tells everyday packets from others. */
export function areAllEveryday({ chains: { list, dimensions: { fields } } }: Pipeline): boolean {
  const odd = usual.flatMap(field => fields.get(field) ?? []);
  return list.every(({ asks }) => !odd.some(d => asks.includes(d)));
}

/** The everyday packets of a part; undefined where it holds none. */
function everyday(pipeline: Pipeline, { lo: from, hi: to, choices }: Part): Part | undefined {
  const inputs = usualOf(pipeline);
  if (inputs.some(([input, at]) => at < (from[input] ?? 0) || at > (to[input] ?? 0))) return undefined;
  const [lo, hi] = [from.slice(), to.slice()];
  for (const [input, at] of inputs) lo[input] = hi[input] = at;
  return { lo, hi, choices };
}

/** The everyday packets among those that are asked about. */
export function* everydayParts({ pipeline, parts }: Asked): Generator<Part, void> {
  for (const part of parts) {
    const narrowed = everyday(pipeline, part);
    if (narrowed !== undefined) yield narrowed;
  }
}

/** Whether a packet that comes by a rule may lie in one of the places. */
export function comesByPlaces(pipeline: Pipeline, path: Path, rule: Rule, { places }: LostPlaces): boolean {
  for (const _ of allPreimages(pipeline, path, pipeline.chains.numbers.get(rule) ?? -1, places)) return true;
  return false;
}

/** Places that are for the same clients. */
interface Group {
  readonly places: readonly Part[];
  readonly around: Part;
  /** Of inputs that tell the other side: the intervals in which all of the places lie. */
  readonly others: readonly { readonly input: number; readonly intervals: Intervals }[];
}

const knownGroups = new WeakMap<LostPlaces, Map<string, readonly Group[]>>();

function groupsOf(pipeline: Pipeline, lost: LostPlaces, who: readonly Field[]): readonly Group[] {
  let known = knownGroups.get(lost);
  if (known === undefined) knownGroups.set(lost, known = new Map<string, readonly Group[]>());
  let found = known.get(who.join());
  if (found === undefined) known.set(who.join(), found = grouped(pipeline, lost, who));
  return found;
}

const ends: readonly Field[] = ['dst', 'src', 'out', 'in'];

function grouped({ chains: { dimensions: { fields } } }: Pipeline, { places }: LostPlaces, who: readonly Field[]): Group[] {
  const own = who.flatMap(field => fields.get(field) ?? []);
  const theirs = ends.filter(field => !who.includes(field)).flatMap(field => fields.get(field) ?? []);
  const alike = new Map<string, Part[]>();
  for (const place of places) {
    const key = own.map(d => `${String(place.lo[d])} ${String(place.hi[d])}`).join();
    const known = alike.get(key);
    if (known === undefined) alike.set(key, [place]);
    else known.push(place);
  }
  return [...alike.values()].map(some => ({ places: some, around: hull(some), others: theirs.map(input => ({ input, intervals: merge(some.map(({ lo, hi }) => [lo[input] ?? 0, hi[input] ?? 0] as const)) })) }));
}

/** Parts of a part in which an input is in none of the intervals. */
function* besides(part: Part, { input, intervals }: Group['others'][number]): Generator<Part, void> {
  const [from, to] = [part.lo[input] ?? 0, part.hi[input] ?? 0];
  let low = from;
  for (let i = 0; i <= intervals.length && low <= to; i += 2) {
    const high = Math.min(to, (intervals[i] ?? Infinity) - 1);
    if (low <= high) {
      const [lo, hi] = [part.lo.slice(), part.hi.slice()];
      lo[input] = low;
      hi[input] = high;
      yield { lo, hi, choices: part.choices };
    }
    low = Math.max(low, (intervals[i + 1] ?? Infinity) + 1);
  }
}

/** The input that one of the fields is, where it lies for packets of a part, and the interfaces that it may be there. */
function interfacesOf({ chains: { dimensions } }: Pipeline, { lo, hi }: Pick<Part, 'lo' | 'hi'>, field: 'in' | 'out'): { readonly side: readonly [number, number, number]; readonly names: readonly { readonly text: string; readonly other: boolean }[] } {
  const input = dimensionOf(dimensions, field);
  const [low, high, one] = [lo[input] ?? 0, hi[input] ?? 0, dimensions.list[input]];
  return { side: [input, low, high], names: one?.kind === 'name' ? one.names.classes.slice(low, high + 1) : [] };
}

/** How the names begin of the interfaces that the rule is for, where it is for many (`-i tun+`). */
export function kindOf({ pipeline, watch }: Asked): string | undefined {
  const named = pipeline.chains.rules[watch?.rule ?? -1]?.rule.inInterface;
  return named?.value.prefix === true && !named.negated && named.value.name !== '' ? named.value.name : undefined;
}

/**
 * The interfaces by which packets of a part come, and leave again: [input, low, high] for both; undefined where these are two, or may be. Those whose names
 * begin with `kind` count as one.
 */
function turnedBack(pipeline: Pipeline, path: Path, part: Pick<Part, 'lo' | 'hi'>, kind: string | undefined): readonly (readonly [number, number, number])[] | undefined {
  if (path !== 'through') return undefined;
  const both = [interfacesOf(pipeline, part, 'in'), interfacesOf(pipeline, part, 'out')] as const;
  const names = both.flatMap(one => one.names);
  const [came, leaves] = names;
  const isSame = names.length === 2 && came !== undefined && came.text !== '' && !came.other && leaves?.other === false && came.text === leaves.text;
  const areOfKind = kind !== undefined && names.length > 0 && names.every(({ text }) => text.startsWith(kind));
  return isSame || areOfKind ? both.map(({ side }) => side) : undefined;
}

function turnedBackOn(pipeline: Pipeline, { path, run: { point: { inputs } } }: Trip, kind: string | undefined): ReturnType<typeof turnedBack> {
  return turnedBack(pipeline, path, { lo: inputs, hi: inputs }, kind);
}

/**
 * That an answer gets through to a client who gets none to this packet: from another network, if that is where this one went. Whoever leaves by the interface
 * by which he came has gone nowhere, nor has he by another of its `kind`.
 */
export function answeredLike(asked: Asked, lost: Trip, kind: string | undefined): Goal {
  const goal = conversationGoal(asked, 'passes');
  if (turnedBackOn(asked.pipeline, lost, kind) !== undefined) return goal;
  return {
    ...goal, miss: trip => {
      const reasons = goal.miss(trip);
      const interfaces = reasons === undefined ? turnedBackOn(asked.pipeline, trip, kind) : undefined;
      return interfaces === undefined ? reasons : [claim => { for (const [input, low, high] of interfaces) claim.cutInput(input, low, high); }];
    },
  };
}

const triesOf = 3;

/** Whether the likeliest packet of a part passes and is answered, whatever rules it meets: from another network, unless the part is about none. */
function isAnswered(asked: Asked, passes: Goal, part: Part): boolean {
  const { pipeline, question: { path } } = asked;
  const inputs = likelyPoint(pipeline, part);
  const trip = passes.over?.({ inputs, choices: part.choices }) === undefined ? tryFollow(pipeline, passes, part, inputs) : undefined;
  if (trip === undefined || passes.miss(trip) !== undefined) return false;
  const kind = kindOf(asked);
  return turnedBackOn(pipeline, trip, kind) === undefined || turnedBack(pipeline, path, part, kind) !== undefined;
}

/** Whether a client is answered by somebody for whom the places of its group are not: the likeliest that the shared part holds. */
function isAnsweredElsewhere(asked: Asked, passes: Goal, { others }: Group, whole: Part, shared: Part): boolean {
  let left = triesOf;
  for (const other of others) {
    const client = { lo: shared.lo.slice(), hi: shared.hi.slice(), choices: shared.choices };
    client.lo[other.input] = whole.lo[other.input] ?? 0;
    client.hi[other.input] = whole.hi[other.input] ?? 0;
    for (const beside of besides(client, other)) {
      if (left-- === 0) return false;
      if (isAnswered(asked, passes, beside)) return true;
    }
  }
  return false;
}

/** So many clients of a group are answered, and it is taken that all are. */
const enoughAnswered = 4;

/**
 * What lies in the places. `who`: where the likeliest clients, whoever is the same in these fields, are seen to get an answer from somebody else, it is
 * left out.
 */
export function* inPlaces(asked: Asked, lost: LostPlaces, who: readonly Field[] | undefined): Generator<Part, void> {
  const { pipeline, parts } = asked;
  const passes = conversationGoal({ ...asked, watch: undefined }, 'passes');
  const groups = who === undefined ? [{ places: lost.places, around: hull(lost.places), others: [] }] : groupsOf(pipeline, lost, who);
  const left = new Map(groups.map(group => [group, enoughAnswered]));
  for (const whole of parts) {
    if (left.size === 0) return;
    for (const [group, count] of left) {
      const part = isApart(whole, group.around) ? undefined : everyday(pipeline, whole);
      const first = part === undefined ? undefined : group.places.find(place => !isApart(part, place));
      if (part === undefined || first === undefined) continue;
      if (!isAnsweredElsewhere(asked, passes, group, part, meet(part, first) ?? part)) {
        for (const place of group.places) {
          const shared = meet(part, place);
          if (shared !== undefined) yield shared;
        }
      } else if (count === 1) left.delete(group);
      else left.set(group, count - 1);
    }
  }
}

/** A place, and the few inputs of which it says anything: [input, low, high]. */
interface Place {
  readonly part: Part;
  readonly sides: readonly (readonly [number, number, number])[];
}

function placeIn({ lo, hi }: Part, part: Part): Place {
  const sides: [number, number, number][] = [];
  for (let i = 0; i < lo.length; i++) {
    const [low, high] = [part.lo[i] ?? 0, part.hi[i] ?? 0];
    if (low !== lo[i] || high !== hi[i]) sides.push([i, low, high]);
  }
  return { part, sides };
}

/** Whether what reaches from `lo` to `hi` lies in a place, with all of its choices; `chosen` is undefined where one is open. */
function isWithin({ part, sides }: Place, lo: Part['lo'], hi: Part['hi'], chosen: (choice: number) => number | undefined): boolean {
  for (const [input, low, high] of sides) if ((lo[input] ?? 0) < low || (hi[input] ?? 0) > high) return false;
  for (const [choice, value] of part.choices) if (chosen(choice) !== value) return false;
  return true;
}

/** Places that were found. Most are about one class of one input, such as an address: these are looked up by it. */
class FoundPlaces {
  readonly #around: Part;
  readonly #byClass = new Map<number, Map<number, Place[]>>();
  readonly #others: Place[] = [];

  constructor(around: Part) {
    this.#around = around;
  }

  add(part: Part): void {
    const place = placeIn(this.#around, part);
    const [input, at] = place.sides.find(([, low, high]) => low === high) ?? [];
    if (input === undefined || at === undefined) {
      this.#others.push(place);
      return;
    }
    const known = this.#byClass.get(input) ?? new Map<number, Place[]>();
    this.#byClass.set(input, known);
    known.set(at, [...known.get(at) ?? [], place]);
  }

  /** One that holds all from `lo` to `hi`. */
  around(lo: Part['lo'], hi: Part['hi'], chosen: (choice: number) => number | undefined): Part | undefined {
    for (const [input, places] of this.#byClass) {
      const found = lo[input] === hi[input] ? places.get(lo[input] ?? 0)?.find(place => isWithin(place, lo, hi, chosen)) : undefined;
      if (found !== undefined) return found.part;
    }
    return this.#others.find(place => isWithin(place, lo, hi, chosen))?.part;
  }
}

/**
 * Boxes of first packets, among which are all those of everyday conversations that are as the goal says: an answer is lost. `parts`: the everyday packets
 * that are asked about. `many`: in more boxes than the limit; `undecided`: the budget ended.
 */
export function lostPlaces(pipeline: Pipeline, parts: readonly Part[], goal: Goal, limit: number, budget: SolveBudget): LostPlaces | 'many' | 'undecided' {
  // What lies between the parts costs less than to look at each of them.
  const around = hull(parts);
  const places: Part[] = [];
  if (parts.length === 0) return { places, around };
  const found = new FoundPlaces(around);
  const search = solutions(pipeline, {
    ...goal,
    over: point => found.around(point.inputs, point.inputs, choice => point.choices.get(choice) ?? 0) ?? goal.over?.(point),
    isDone: ({ lo, hi, choices }) => found.around(lo, hi, choice => choices.get(choice)) !== undefined,
  }, [around], budget);
  let next = search.next();
  while (next.done !== true) {
    if (places.length === limit) return 'many';
    const { trip } = next.value;
    const claim = new Justifier(pipeline, trip, around);
    claim.verdict(trip.run.drops.find(at => at >= trip.backFrom) ?? 0);
    const { lo, hi, choices } = claim.finish();
    places.push({ lo, hi, choices });
    found.add({ lo, hi, choices });
    next = search.next();
  }
  if (next.value.kind !== 'none') return 'undecided';
  return { around, places: places.filter(place => parts.some(part => !isApart(part, place))) };
}
