/** Whether packets that are like those of a rule, but in some fields, can leave a built-in chain with a certain fate. */
import type { Hook } from '../extensions/define.js';
import type { Table } from '../model/ruleset.js';
import type { Constraint, Field } from '../packet/constraint.js';
import type { Answer, Fate, RuleAt } from './answers.js';
import { searchFates } from './ask.js';
import type { Boxes, Region } from './boxes.js';
import type { Dimensions } from './dimensions.js';
import { packetsOf } from './packets.js';
import { numberOf } from './question.js';
import { makeQuery, spaceOf, type PacketSpace } from './space.js';

/** What is asked about many rules. */
export interface LikeQuestion {
  /** What all of the packets are, by themselves. */
  readonly packets: Constraint;
  /** What the rule asks of these does not matter. */
  readonly but: readonly Field[];
  readonly fates: readonly Fate[];
}

export type LikeAnswer = Extract<Answer, { kind: 'no' | 'undecided' }> | { readonly kind: 'yes' };

/**
 * For one rule after the other: whether some of the question's packets that has what the rule asks for, and enters the built-in chain, can leave
 * it with one of the fates. How packets come to the rule is not asked. What is unknown may go either way, so that `no` is a proof.
 */
export function askLike(space: PacketSpace, table: Table, chain: Hook, { packets, but, fates }: LikeQuestion): (at: RuleAt) => LikeAnswer {
  const known = spaceOf(space, table);
  const { compiled } = known;
  const built = known.built.find(one => one.hook === chain);
  if (built === undefined || compiled.cyclic) return () => ({ kind: 'undecided' });
  const whole = packetsOf(compiled.dimensions, packets).regions(built.region);
  const goals = fates.reduce((mask, fate) => mask | compiled.fates.maskOf(fate), 0);
  const query = makeQuery(compiled, built.chain, { goals });
  const free = dimensionsOf(compiled.dimensions, but);
  return at => {
    const number = numberOf(known, at);
    if (number === undefined) return { kind: 'undecided' };
    const regions: Region[] = [];
    for (const region of whole) for (let box = compiled.start[number] ?? 0; box < (compiled.start[number + 1] ?? 0); box++) {
      const part = narrowed(region, compiled.own, box, free);
      if (part !== undefined) regions.push(part);
    }
    const outcome = searchFates(known, built.chain, query, regions);
    return outcome.kind === 'found' ? { kind: 'yes' } : outcome;
  };
}

/** The dimensions of some fields, and properties that stand for their masks. */
function dimensionsOf({ fields, atoms }: Dimensions, some: readonly Field[]): ReadonlySet<number> {
  return new Set([...some.flatMap(field => fields.get(field) ?? []), ...[...atoms].flatMap(([name, d]) => some.some(field => name.startsWith(`${field} & 0x`)) ? [d] : [])]);
}

/** What of a region is in a box, whatever this says of some dimensions; undefined where there is nothing. */
function narrowed(region: Region, { at, dim, lo, hi }: Boxes, box: number, free: ReadonlySet<number>): Region | undefined {
  const part = { lo: region.lo.slice(), hi: region.hi.slice() };
  for (let i = at[box] ?? 0; i < (at[box + 1] ?? 0); i++) {
    const d = dim[i] ?? 0;
    if (free.has(d)) continue;
    part.lo[d] = Math.max(part.lo[d] ?? 0, lo[i] ?? 0);
    part.hi[d] = Math.min(part.hi[d] ?? 0, hi[i] ?? 0);
    if ((part.lo[d] ?? 0) > (part.hi[d] ?? 0)) return undefined;
  }
  return part;
}
