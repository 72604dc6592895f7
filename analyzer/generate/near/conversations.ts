import type { Ruleset } from '../../model/ruleset.js';
import type { HostSetup } from '../../netfilter/engine.js';
import type { Scenario } from '../../netfilter/scenario.js';
import type { Arbitrary, Fc } from '../../values/value.js';
import { placeOf } from './packets-near.js';
import { play, scenarioOf } from './play.js';
import { preludesTo } from './preludes.js';
import { scripts } from './script.js';

/**
 * Conversations near the constants of a rule set, answers and all, as scenarios, for tests of one's own: `fc.assert(fc.property(
 * conversations(fc, ruleset), scenario => runScenario([ruleset], scenario)…))`. They take place on the host of `setup`; without
 * it, on one that the rules make likely. They shrink to fewer and plainer packets.
 */
export function conversations(fc: Fc, ruleset: Ruleset, setup?: HostSetup): Arbitrary<Scenario> {
  const place = placeOf(ruleset, setup);
  return scripts(fc, place, preludesTo(place)).map(script => scenarioOf(play(place, script)));
}
