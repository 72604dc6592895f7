/** From trips to packets that a person would choose. */
import type { Constraint } from '../../packet/constraint.js';
import { printAddress } from '../../values/address.js';
import type { PacketSample } from '../answers.js';
import type { Dimension } from '../dimensions.js';
import { valuesOf } from '../packets.js';
import type { Scalar } from '../fields.js';
import { sampleOf } from '../sample.js';
import type { Classes, Part } from './part.js';
import { follow, type Pipeline, type Trip } from './passes.js';
import { OutOfBudget } from './run.js';
import type { Goal } from './solve.js';

/** A trip that a goal holds of, where the search found it. */
export interface Sighting {
  readonly goal: Goal;
  readonly trip: Trip;
  readonly part: Part;
}

/** The first packet of a trip, as a person would choose it: the goal holds of it, too. And the trip that it makes. */
export function firstPacket(pipeline: Pipeline, { goal, trip, part }: Sighting, asked?: Constraint): { readonly sample: PacketSample; readonly trip: Trip } {
  const { dimensions, fieldCount } = pipeline.chains;
  const size = dimensions.list.length;
  const { inputs, choices } = trip.run.point;
  const point = new Int32Array(size);
  const region = { lo: new Int32Array(size), hi: new Int32Array(size) };
  for (let d = 0; d < size; d++) {
    point[d] = d < fieldCount ? inputs[d] ?? 0 : choices.get(pipeline.choices.atom(d, 0, false)) ?? 0;
    region.lo[d] = d < fieldCount ? part.lo[d] ?? 0 : point[d] ?? 0;
    region.hi[d] = d < fieldCount ? part.hi[d] ?? 0 : point[d] ?? 0;
  }
  let best = trip;
  const accepts = (candidate: Int32Array): boolean => {
    const next = inputs.slice();
    for (let d = 0; d < fieldCount; d++) next[d] = candidate[d] ?? 0;
    const tried = tryFollow(pipeline, goal, next, choices);
    if (tried === undefined || goal.miss(tried) !== undefined) return false;
    best = tried;
    return true;
  };
  return { sample: sampleOf({ dimensions }, { point, region }, accepts, asked), trip: best };
}

/** Undefined where it takes too long. */
export function tryFollow(pipeline: Pipeline, goal: Goal, inputs: Classes, choices: ReadonlyMap<number, number>): Trip | undefined {
  try {
    return follow(pipeline, goal.path, { inputs, choices }, goal);
  } catch (error) {
    if (error instanceof OutOfBudget) return undefined;
    throw error;
  }
}

const moving = ['src', 'dst', 'sport', 'dport', 'in', 'out'] as const;

/**
 * What comes back, as it arrives: addresses, ports and interfaces of the first packet that it shares with it, or that nat gave it. Other fields
 * are left to `marks`. Undefined where nat chooses as it likes (an address of the host, one of a range): then it takes the host to say.
 */
export function nextPacket({ chains, backInputs }: Pipeline, trip: Trip, first: PacketSample, marks: PacketSample): PacketSample | undefined {
  const origins = trip.run.stages[trip.backFrom]?.origins ?? trip.run.origins;
  const { dimensions } = chains;
  const found: Record<string, string | number> = {};
  for (const field of moving) {
    const d = dimensions.fields.get(field)?.[0];
    const own = d === undefined ? undefined : dimensions.list[d];
    if (d === undefined || own === undefined) {
      const twin = first[twins[field]];
      if (twin !== undefined) found[field] = twin;
      continue;
    }
    const { input } = origins.of(d);
    if (input >= chains.fieldCount && input < backInputs) return undefined;
    const from = input < chains.fieldCount ? dimensions.list[input] : undefined;
    // Where anybody may send it, he who was asked does.
    const twin = input < backInputs ? undefined : first[twins[field]];
    const value = from !== undefined && from.kind !== 'atom' ? first[from.field as 'src'] : twin ?? valueIn(own, origins.valueOf(d, trip.run.point.inputs));
    if (value !== undefined) found[field] = value;
  }
  return { ...first.protocol === undefined ? {} : { protocol: first.protocol }, ...found, ...marks };
}

const twins = { src: 'dst', dst: 'src', sport: 'dport', dport: 'sport', in: 'out', out: 'in' } as const;

/** An address, if there is another than the network's own. */
function hostIn(low: Scalar, high: Scalar): Scalar {
  const host = typeof low === 'bigint' ? low + 10n : low + 10;
  return host <= high ? host : high;
}

/** A value of a class. */
function valueIn(dimension: Dimension, at: number): string | number | undefined {
  switch (dimension.kind) {
    case 'name': return at === 0 ? undefined : dimension.names.nameIn(at, ['eth0']);
    case 'range': {
      const { low, high } = valuesOf(dimension, at, at);
      return dimension.field === 'src' || dimension.field === 'dst' ? printAddress(hostIn(low, high)) : Number(low);
    }
    default: return undefined;
  }
}
