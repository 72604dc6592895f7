/** Rules of one chain that decide differently about the same packets. */
import type { Table } from '../model/ruleset.js';
import type { Overlap, RuleAt } from './answers.js';
import { partIn, without, type Region } from './boxes.js';
import { Act, ruleAt, type CompiledTable } from './compile.js';
import { allFates, fateBits } from './effect.js';
import { numberOf, placeOf, type RulePlace } from './question.js';
import { sampleOf } from './sample.js';
import { isImpossible } from './tracked-states.js';
import { spaceOf, waysTo, type PacketSpace, type TableSpace } from './space.js';

/** More parts than this, and whether one rule asks for all that another asks for is left open. */
const partLimit = 2048;
/** So many rules are listed. */
const listLimit = 16;
/** So many that overlap are looked at. */
const lookLimit = 256;

type Kind = 'correlated' | 'generalization' | 'no' | 'undecided';

/**
 * Earlier rules of the chain with another verdict that ask for some of the same packets, where each of the two asks for
 * others as well: which is first decides. Only rules that end the traversal are compared, and only what they ask: of the
 * packets that the hooks have which lead to the chain, whatever becomes of them before. What hangs on something unknown
 * is left out.
 */
export function correlated(space: PacketSpace, table: Table, at: RuleAt): Overlap {
  return overlap(space, table, at, 'correlated');
}

/** The same for earlier rules all of whose packets the rule asks for, and others as well: they are exceptions to it. */
export function generalization(space: PacketSpace, table: Table, at: RuleAt): Overlap {
  return overlap(space, table, at, 'generalization');
}

function overlap(space: PacketSpace, table: Table, at: RuleAt, wanted: 'correlated' | 'generalization'): Overlap {
  const known = spaceOf(space, table);
  const number = numberOf(known, at);
  if (known.compiled.cyclic || number === undefined) return { kind: 'undecided' };
  return overlapsOf(known, placeOf(known, number), () => true)[wanted];
}

/** Both at once; of earlier rules only those that `counts` says yes to. */
export function overlapsOf(space: TableSpace, place: RulePlace, counts: (rule: number) => boolean): Readonly<Record<'correlated' | 'generalization', Overlap>> {
  const found = { correlated: [] as number[], generalization: [] as number[] };
  let open = false;
  const regions = isCertainEnd(space.compiled, place.number) ? askedBy(space, place, place.number) : [];
  const others = regions.length === 0 ? [] : otherVerdicts(space, place, regions).filter(counts);
  for (const other of others.slice(0, lookLimit)) {
    const kind = kindOf(space, place, regions, other);
    if (kind === 'undecided') open = true;
    else if (kind !== 'no') found[kind].push(other);
  }
  const more = others.length > lookLimit;
  const answer = (kind: 'correlated' | 'generalization'): Overlap => {
    const [first] = found[kind];
    if (first === undefined) return { kind: open || more ? 'undecided' : 'no' };
    return {
      kind, with: found[kind].slice(0, listLimit).map(rule => ruleAt(space.compiled, rule)), more: more || found[kind].length > listLimit,
      get witness() { return commonPacket(space, regions, first); },
    };
  };
  return { correlated: answer('correlated'), generalization: answer('generalization') };
}

function boxesOf({ start }: CompiledTable, rule: number): number[] {
  return Array.from({ length: (start[rule + 1] ?? 0) - (start[rule] ?? 0) }, (_, i) => (start[rule] ?? 0) + i);
}

function isCertainEnd(compiled: CompiledTable, rule: number): boolean {
  const { act, soft } = compiled.boxes;
  return boxesOf(compiled, rule).every(box => act[box] === Act.End && soft[box] === 0);
}

/** What a rule asks for, of the packets of the hooks that lead to the place. */
function askedBy(space: TableSpace, { chain }: RulePlace, rule: number): Region[] {
  const ways = waysTo(space, chain.id);
  return space.built.filter(built => ways.has(built.chain.id)).flatMap(built => boxesOf(space.compiled, rule).flatMap(box => partIn(built.region, space.compiled.own, box) ?? []));
}

/** Earlier rules of the chain that end otherwise, and ask for some of the packets. */
function otherVerdicts({ compiled }: TableSpace, { chain, number }: RulePlace, regions: readonly Region[]): number[] {
  const { boxes, start, fates, dimensions: { tracked } } = compiled;
  const fate = boxes.bits[start[number] ?? 0] ?? 0;
  const others = (fates.isOneFate(fate) ? allFates & ~fate : allFates) & ~fateBits.side & ~fateBits.unknown;
  const rules = new Set<number>();
  for (const region of regions) for (const box of chain.hard.meeting(region, others, chain.from, start[number] ?? 0)) {
    const part = partIn(region, boxes, box);
    if (part !== undefined && !isImpossible(tracked, part)) rules.add(boxes.rule[box] ?? 0);
  }
  return [...rules].filter(rule => isCertainEnd(compiled, rule)).sort((a, b) => a - b);
}

function kindOf(space: TableSpace, place: RulePlace, regions: readonly Region[], other: number): Kind {
  const { compiled } = space;
  const isWithin = (some: readonly Region[], rule: number): boolean | undefined => {
    const left = without(some, compiled.own, boxesOf(compiled, rule), partLimit);
    return left === undefined ? undefined : left.length === 0;
  };
  const isExceeded = isWithin(regions, other);
  const isException = isWithin(askedBy(space, place, other), place.number);
  if (isExceeded === undefined || isException === undefined) return 'undecided';
  // All of its packets are asked for before: that is a shadow.
  if (isExceeded) return 'no';
  return isException ? 'generalization' : 'correlated';
}

function commonPacket(space: TableSpace, regions: readonly Region[], other: number): ReturnType<typeof sampleOf> {
  for (const box of boxesOf(space.compiled, other)) {
    for (const region of regions) {
      const part = partIn(region, space.compiled.own, box);
      if (part !== undefined && !isImpossible(space.compiled.dimensions.tracked, part)) return sampleOf(space.compiled, { point: part.lo, region: part }, () => true);
    }
  }
  return {};
}
