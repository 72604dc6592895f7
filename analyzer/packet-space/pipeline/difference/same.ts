/** Whether a packet fares alike in two rule sets, and for which others that can be said for the same reasons. */
import type { Dimension, Dimensions } from '../../dimensions.js';
import { next } from '../../fields.js';
import type { Justifier } from '../claim.js';
import { behind, stoppedAt, writable, type Ends, passes } from '../fates/outcome.js';
import type { Joint } from '../joint.js';
import type { Classes } from '../part.js';
import type { Trip } from '../passes.js';
import { isSameOrigin, type Origins } from '../origins.js';
import type { Path } from '../stages.js';

/** What must be said of the packet in the one rule set, and in the other. */
export type TwoReasons = readonly [(claim: Justifier) => void, (claim: Justifier) => void];

export interface Compared {
  readonly joint: Joint;
  readonly ends: readonly [Ends, Ends];
  readonly path: Path;
  readonly trips: readonly [Trip, Trip];
}

/** The reasons why both fare alike; undefined where they do not. */
export function alike(compared: Compared): TwoReasons | undefined {
  return stageByStage(compared) ?? (isAlike(compared) ? whole(compared) : undefined);
}

type Step = (claim: Justifier) => void;

/** The fields of a packet that both let pass which are not the same in the end: dimensions. */
export function differingFields({ joint: { sides }, trips: [left, right] }: Compared): readonly number[] {
  const { dimensions } = sides[0].chains;
  const { inputs } = left.run.point;
  return writable(sides[0]).filter(d => {
    if (isSameOrigin(left.leaving.of(d), right.leaving.of(d))) return false;
    const value = left.leaving.valueOf(d, inputs);
    return value !== right.leaving.valueOf(d, inputs) || !isSingle(dimensions, d, value);
  });
}

/** The reasons why a packet fares in both as it does, where that is not alike. */
export function unlike(compared: Compared): TwoReasons {
  const { ends, trips, joint: { sides } } = compared;
  const fields = stoppedAt(trips[0]) === undefined && stoppedAt(trips[1]) === undefined ? differingFields(compared) : [];
  const side = (at: 0 | 1) => (claim: Justifier): void => {
    const stop = stoppedAt(trips[at]);
    if (stop !== undefined) ends[at].stopped(claim, trips[at], stop);
    else passes(claim, trips[at]);
    for (const d of fields) apart(claim, trips[at], trips[1 - at] ?? trips[at], d, sides[0].chains.dimensions.last[d] ?? 0);
  };
  return [side(0), side(1)];
}

/** The field keeps away from what the other rule set makes of it. */
function apart(claim: Justifier, own: Trip, other: Trip, d: number, last: number): void {
  const { inputs } = own.run.point;
  const [mine, theirs] = [own.leaving.valueOf(d, inputs), other.leaving.valueOf(d, inputs)];
  if (own.leaving.of(d).input < 0) claim.cameFrom(own.leaving, d);
  else if (mine === theirs || other.leaving.of(d).input >= 0) claim.same(own.leaving, d, mine, mine);
  else if (mine < theirs) claim.same(own.leaving, d, 0, theirs - 1);
  else claim.same(own.leaving, d, theirs + 1, last);
}

/**
 * Stages with the same rules do the same with the same packet: where all others did the same, too, that is all there is to say.
 * Undefined where some did not; the packet may fare alike all the same.
 */
function stageByStage({ joint, ends, path, trips }: Compared): TwoReasons | undefined {
  const steps: [Step[], Step[]] = [[], []];
  const differs = joint.differs[path];
  for (const left of trips[0].run.stages) {
    const { number } = left;
    const right = trips[1].run.stages[number];
    if (right === undefined) return undefined;
    if (differs[number] !== 1) {
      if (!left.dropped) continue;
      steps[0].push(claim => { claim.verdict(number); });
      break;
    }
    if (left.dropped !== right.dropped || (left.dropped && ends[0].of(left) !== ends[1].of(right))) return undefined;
    steps[0].push(claim => { if (left.dropped) ends[0].stops(claim, left); else claim.verdict(number); });
    steps[1].push(claim => { if (right.dropped) ends[1].stops(claim, right); else claim.verdict(number); });
    if (left.dropped) break;
    const [own, other] = [behind(trips[0], number), behind(trips[1], number)];
    const same = sameFields(joint, own, other, trips[0].run.point.inputs, 1 << number);
    // What is written into it may have it routed anew, even where it is what was there before.
    const isRerouted = joint.sides[0].outInputs[0] >= 0 && writable(joint.sides[0]).some(d => !isSameOrigin(own.of(d), other.of(d)));
    if (same === undefined || isRerouted) return undefined;
    steps[0].push(same[0]);
    steps[1].push(same[1]);
  }
  return [claim => { for (const step of steps[0]) step(claim); }, claim => { for (const step of steps[1]) step(claim); }];
}

/** Whether what becomes of the packet is the same in the end. */
function isAlike({ joint, ends, trips }: Compared): boolean {
  const [left, right] = [stoppedAt(trips[0]), stoppedAt(trips[1])];
  if (left !== undefined && right !== undefined) return ends[0].of(left) === ends[1].of(right);
  if (left !== undefined || right !== undefined) return false;
  return sameFields(joint, trips[0].leaving, trips[1].leaving, trips[0].run.point.inputs, -1) !== undefined;
}

function whole({ joint, ends, trips }: Compared): TwoReasons {
  const same = stoppedAt(trips[0]) === undefined ? sameFields(joint, trips[0].leaving, trips[1].leaving, trips[0].run.point.inputs, -1) : undefined;
  const side = (at: 0 | 1) => (claim: Justifier): void => {
    const stop = stoppedAt(trips[at]);
    if (stop !== undefined) ends[at].stopped(claim, trips[at], stop);
    else passes(claim, trips[at]);
    same?.[at](claim);
  };
  return [side(0), side(1)];
}

/** The reasons for which both have the same values in all fields that stages of `mask` may have written; undefined where they have not. */
function sameFields({ sides }: Joint, left: Origins, right: Origins, inputs: Classes, mask: number): TwoReasons | undefined {
  const steps: [Step[], Step[]] = [[], []];
  const { dimensions } = sides[0].chains;
  for (const d of writable(sides[0])) {
    if (((left.of(d).stages | right.of(d).stages) & mask) === 0) continue;
    const isOne = isSameOrigin(left.of(d), right.of(d));
    if (!isOne && (left.valueOf(d, inputs) !== right.valueOf(d, inputs) || !isSingle(dimensions, d, left.valueOf(d, inputs)))) return undefined;
    ([left, right] as const).forEach((origins, side) => {
      const value = origins.valueOf(d, inputs);
      steps[side]?.push(isOne ? claim => { claim.cameFrom(origins, d); } : claim => { claim.same(origins, d, value, value); });
    });
  }
  return [claim => { for (const step of steps[0]) step(claim); }, claim => { for (const step of steps[1]) step(claim); }];
}

/** Whether a class holds one value only. */
function isSingle({ list }: Dimensions, d: number, at: number): boolean {
  const one: Dimension | undefined = list[d];
  switch (one?.kind) {
    case 'range': return (one.starts[at + 1] ?? next(one.max)) === next(one.starts[at] ?? 0);
    case 'bits': return at < one.values.length;
    default: return false;
  }
}
