/** Packets that are worth a try before a long search: such as one that is known to come to the rule in its own table. */
import { parseAddress } from '../../values/address.js';
import { Problem } from '../../values/value.js';
import type { PacketSample } from '../answers.js';
import { classOf } from '../fields.js';
import type { Part } from './part.js';
import type { Pipeline } from './passes.js';
import { likelyPoint, tryFollow, type Goal, type Solved } from './solve.js';

const hinted = ['in', 'out', 'src', 'dst', 'sport', 'dport'] as const;

/** The classes of a sample's places, addresses and ports: [input, class]. */
function classesOf({ chains: { dimensions } }: Pipeline, sample: PacketSample): [number, number][] {
  return hinted.flatMap((field): [number, number][] => {
    const d = dimensions.fields.get(field)?.[0];
    const dimension = dimensions.list[d ?? -1];
    const value = sample[field];
    if (d === undefined || value === undefined || dimension === undefined) return [];
    if (dimension.kind === 'name') return [[d, dimension.names.classOf(String(value))]];
    if (dimension.kind !== 'range') return [];
    const scalar = typeof value === 'number' ? value : parseAddress(value, dimensions.family);
    return scalar instanceof Problem ? [] : [[d, classOf(dimension.starts, scalar)]];
  });
}

/** So many boxes may be looked up for one sample. */
const lookupsForHints = 10_000;

/** Tries the packets of some parts that are as a sample says, as far as the parts allow. */
export function tryHint(pipeline: Pipeline, goal: Goal, parts: Iterable<Part>, sample: PacketSample): Extract<Solved, { kind: 'found' }> | undefined {
  const classes = classesOf(pipeline, sample);
  let left = lookupsForHints;
  for (const part of parts) {
    const inputs = likelyPoint(pipeline, part);
    for (const [input, at] of classes) if (at >= (part.lo[input] ?? 0) && at <= (part.hi[input] ?? 0)) inputs[input] = at;
    if (goal.over?.({ inputs, choices: part.choices }) !== undefined) continue;
    const trip = tryFollow(pipeline, goal, part, inputs, left);
    if (trip === undefined) return undefined;
    if (goal.miss(trip) === undefined) return { kind: 'found', goal, trip, part };
    left -= trip.run.work;
  }
  return undefined;
}
