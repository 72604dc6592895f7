/**
 * Packets that lead to rules to which no single packet leads, as those of a port knock: found by sending, behind what has led somewhere
 * new, one packet of each rule after the other, and by keeping what leads somewhere new again.
 */
import { nameOf } from '../../netfilter/journey.js';
import type { ScenarioStep } from '../../netfilter/scenario.js';
import { ScenarioError } from '../../netfilter/scenario/scenario-error.js';
import { freshHost, packetFor, type Drawn, type Place } from './packets-near.js';

/** Rules that are made ready in all (for each try it is the whole rule set), packets that are tried as the next, and packets of one prelude. */
const most = { rules: 200_000, next: 40, length: 6 };
/** What a try costs beside its rules, in rules. */
const basis = 30;

/** What rules ask for, the plain packet of each; those that arrive all come from one source, unless the rule names another. */
function nextPackets(place: Place): readonly ScenarioStep[] {
  const drawn: readonly Drawn[] = Array.from({ length: Math.min(place.sketches.count, 400) }, (_, index) => packetFor(place, index)).filter(one => one !== undefined);
  const steps = new Map(drawn.map(({ step }) => [JSON.stringify(step), step]));
  return [...steps.values()].slice(0, most.next);
}

/** Which rules the last of these packets matches. */
function matchedBy(place: Place, steps: readonly ScenarioStep[]): readonly string[] {
  const host = freshHost(place);
  let path: readonly string[] = [];
  try {
    for (const step of steps) path = host.travel(step).flatMap(journey => journey.steps.map(nameOf));
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    return [];
  }
  return path;
}

/** Sequences of packets, each of which leads to a rule that is not met without what comes before it; the shortest first. */
export function preludesTo(place: Place): readonly (readonly ScenarioStep[])[] {
  const next = nextPackets(place);
  const met = new Set<string>();
  const found: (readonly ScenarioStep[])[] = [];
  const open: (readonly ScenarioStep[])[] = [[]];
  let left = most.rules;
  for (let before = open.shift(); before !== undefined; before = open.shift()) {
    for (const step of next) {
      const steps = [...before, step];
      left -= place.sketches.count + basis + steps.length;
      if (left < 0) return found;
      const added = matchedBy(place, steps).filter(rule => !met.has(rule));
      for (const rule of added) met.add(rule);
      if (added.length === 0 || steps.length >= most.length) continue;
      open.push(steps);
      if (before.length > 0) found.push(steps);
    }
  }
  return found;
}
