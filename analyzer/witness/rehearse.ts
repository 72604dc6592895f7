/** A proposal's packets behind others: whether they show then what they are to show, with nothing left to assume. */
import type { WitnessHost, WitnessStep } from '../finding.js';
import type { Ruleset } from '../model/ruleset.js';
import { createHost, type DetailedStep, type HostSetup } from '../netfilter/engine.js';
import type { ScenarioStep } from '../netfilter/scenario.js';
import { ScenarioError } from '../netfilter/scenario/scenario-error.js';
import { compareSteps } from './compare-steps.js';
import { describeHost, setupOf } from './host-plan.js';
import type { Proposal } from './proposal.js';
import { toldStep } from './quote.js';
import { prepare, travel } from './replay.js';

export interface Rehearsal {
  /** With its packets complete. */
  readonly proposal: Proposal;
  readonly setup: HostSetup;
  readonly host: WitnessHost;
  /** All packets, as they are sent; undefined where they do not show it, or where that hangs on something unknown, or on chance. */
  readonly after: (before: readonly ScenarioStep[]) => readonly WitnessStep[] | undefined;
}

function isSure({ unknown, chance }: Pick<DetailedStep, 'unknown' | 'chance'>): boolean {
  return unknown === undefined && chance === undefined;
}

/** Undefined where there is no host for the packets of the proposal. */
export function rehearse(ruleset: Ruleset, given: Proposal): Rehearsal | undefined {
  const play = prepare(given, ruleset.family);
  if (typeof play === 'string') return undefined;
  const { proposal, plan } = play;
  const setup = setupOf(plan);
  const after = (before: readonly ScenarioStep[]): readonly WitnessStep[] | undefined => {
    const host = createHost(ruleset, setup);
    const isKnown = before.every(step => isSure(host.send(step)));
    const { steps, answers, repliesTo } = travel(host, play);
    if (!isKnown || !answers.every(isSure) || compareSteps(steps, proposal.shows, answers, repliesTo).kind !== 'agrees') return undefined;
    return [...before.map(wordsOf), ...steps.map(toldStep)];
  };
  return { proposal, setup, host: describeHost(plan), after: before => orNothing(() => after(before)) };
}

/** A packet of a scenario as a witness has it; what is no single value, as the quote of an error, has no place there. */
function wordsOf({ in: from, packet }: ScenarioStep): WitnessStep {
  const words = Object.entries(packet).filter((one): one is [string, string | number | boolean] => typeof one[1] !== 'object' && one[1] !== undefined);
  return { in: from, packet: Object.fromEntries(words) };
}

function orNothing<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof ScenarioError) return undefined;
    throw error;
  }
}
