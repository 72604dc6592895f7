/** Whole scenarios: a rule set, a host, and conversations near the rules' own constants. */
import { createHost, rulesetFor, type HostSetup } from '../netfilter/engine.js';
import type { Scenario } from '../netfilter/scenario.js';
import type { Arbitrary, Fc } from '../values/value.js';
import { places } from './scenario/places.js';
import { scenarioRules, type ScenarioPlace } from './scenario/rules.js';
import { scripts, stepsOf, type Script } from './scenario/steps.js';

/** Redirects are sent at a rate that hangs on the real clock. */
const quiet = Object.fromEntries(['all', 'eth0', 'eth1'].map(name => [`net.ipv4.conf.${name}.send_redirects`, 0]));

/** Sysctls that change what tracking and routing do, and what is drawn for them. */
const sysctls = ['net.netfilter.nf_conntrack_tcp_loose', 'net.netfilter.nf_conntrack_tcp_be_liberal', 'net.netfilter.nf_conntrack_acct'] as const;

function scenarioOf(rules: string, settings: Readonly<Record<string, number>>, script: Script, { family, backend }: ScenarioPlace): Scenario {
  const { interfaces, routes } = places[family];
  const setup = { interfaces, routes, sysctls: { ...family === 'ipv4' ? quiet : {}, ...settings } } satisfies HostSetup;
  const base: Scenario = { family, backend, ...setup, rules, steps: [] };
  return { ...base, steps: stepsOf(script, createHost(rulesetFor(base, []), setup)) };
}

/** Scenarios of at most `maxLength` steps. Shrinks to fewer rules, flows and packets. */
export function scenarios(fc: Fc, place: ScenarioPlace, maxLength = 12): Arbitrary<Scenario> {
  const settings = fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.constantFrom(...sysctls).map(name => ({ [name]: name.endsWith('loose') ? 0 : 1 })) },
  );
  return fc.tuple(scenarioRules(fc, place), settings, scripts(fc, place.family, maxLength))
    .map(([rules, chosen, script]) => scenarioOf(rules, chosen, script, place));
}
