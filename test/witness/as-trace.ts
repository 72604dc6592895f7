/** What `trace` would do with a printed witness: steps and host pasted into a scenario. */
import type { Finding } from '../../analyzer/finding.js';
import type { Ruleset } from '../../analyzer/model/ruleset.js';
import { runScenario, type DetailedStep } from '../../analyzer/netfilter/engine.js';
import { assumedHost } from '../../analyzer/netfilter/scenario/assumed-host.js';
import { readScenario } from '../../analyzer/netfilter/scenario/read-scenario.js';

/** @throws where the witness is no scenario. */
export function traced(ruleset: Ruleset, { witness, host }: Pick<Finding, 'witness' | 'host'>): readonly DetailedStep[] {
  const { scenario, problems } = readScenario(JSON.stringify({ family: ruleset.family, ...host, steps: witness }));
  if (scenario === undefined) throw new Error(problems.map(one => one.message).join('; '));
  const assumed = scenario.interfaces === undefined ? assumedHost(scenario.steps, ruleset.family).setup : {};
  const setup = { ...assumed, ...scenario, routes: scenario.routes ?? assumed.routes ?? [] };
  return runScenario([ruleset], { ...scenario, interfaces: (setup.interfaces ?? []).map(({ name, addresses = [] }) => ({ name, addresses: addresses.map(String) })), routes: setup.routes.map(String) }).steps;
}
