/** What hangs on things that nobody knows offline. */
import { isCertain, type Pipeline, type Sighting } from '../../packet-space/pipeline/index.js';
import { follow } from '../../packet-space/pipeline/passes.js';

/** What a sender cannot see to: sets are those of somebody who knows whom he lets in, and who comes through IPsec has a key. */
const isGiven = (name: string): boolean => name.startsWith('set ') || name.startsWith('policy ');

/** Hooks and tables are fewer than this. */
const epochs = 24;

/** Choices about properties that a sender can have. */
function ownChoices({ chains: { dimensions, fieldCount }, choices: names }: Pipeline, choices: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  const own = new Map<number, number>();
  for (let d = fieldCount; d < dimensions.list.length; d++) {
    const one = dimensions.list[d];
    if (one?.kind !== 'atom' || isGiven(one.name)) continue;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const id = names.atom(d, epoch, false);
      const chosen = choices.get(id);
      if (chosen !== undefined) own.set(id, chosen);
    }
  }
  return own;
}

/** The same packet where nothing of which nobody knows is so: its sender is on no list, and it meets no match that says nothing offline. Undefined where it does not fare as it did. */
export function withoutLuck(pipeline: Pipeline, sighting: Sighting): Sighting | undefined {
  const { goal, trip: { run: { point: { inputs } } } } = sighting;
  const trip = follow(pipeline, goal.path, { inputs, choices: new Map() }, goal);
  return goal.miss(trip) === undefined ? { ...sighting, trip } : undefined;
}

/**
 * What a sighting says of anybody: `certain`, whatever is unknown; `possible`, where nothing that is unknown is in the way (a set in which the sender
 * is, an unknown match); `no`, where the sender must be on a list, come through IPsec or have knocked, or whatever a match asks for that says nothing offline.
 */
export function holdsForAnybody(pipeline: Pipeline, sighting: Sighting): 'certain' | 'possible' | 'no' {
  if (isCertain(pipeline, sighting)) return 'certain';
  const { goal, trip: { run: { point } } } = sighting;
  const tried = follow(pipeline, goal.path, { inputs: point.inputs, choices: ownChoices(pipeline, point.choices) }, goal);
  return goal.miss(tried) === undefined ? 'possible' : 'no';
}
