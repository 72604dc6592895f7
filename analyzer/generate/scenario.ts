/** Whole scenarios: a rule set, a host, and conversations near the rules' own constants. */
import { createHost, rulesetFor, type HostSetup } from '../netfilter/engine.js';
import type { Scenario } from '../netfilter/scenario.js';
import type { Arbitrary, Fc } from '../values/value.js';
import { places } from './scenario/places.js';
import type { ScenarioPlace } from './scenario/rule-place.js';
import { scenarioRules } from './scenario/rules.js';
import { flowsBefore, hostParts, setsFor, type HostPart } from './scenario/settings.js';
import { scripts, stepsOf, type Script } from './scenario/steps.js';

function scenarioOf(rules: string, part: HostPart, script: Script, { family, backend }: ScenarioPlace): Scenario {
  const setup = { interfaces: places[family].interfaces, ...part, ...setsFor(rules, family), ...flowsBefore(script.flows, rules) } satisfies HostSetup;
  const base: Scenario = { family, backend, ...setup, rules, steps: [] };
  return { ...base, steps: stepsOf(script, createHost(rulesetFor(base, []), setup)) };
}

/** Scenarios of at most `maxLength` steps. Shrinks to fewer rules, flows and packets. */
export function scenarios(fc: Fc, place: ScenarioPlace, maxLength = 12): Arbitrary<Scenario> {
  return fc.tuple(scenarioRules(fc, place), hostParts(fc, place.family), scripts(fc, place.family, maxLength))
    .map(([rules, part, script]) => scenarioOf(rules, part, script, place));
}
