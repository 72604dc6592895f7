/** From a scenario file, YAML or JSON, to a scenario. */
import { mostProblems, readYaml, type YamlProblem } from '../../model/read-yaml.js';
import { buildPacket } from './build-packet.js';
import { ScenarioError } from './scenario-error.js';
import { scenarioSchema } from './schema.js';
import type { Scenario, ScenarioPacket } from '../scenario.js';

/** What is wrong, and with which part of the file. */
export type ScenarioProblem = YamlProblem;

/** A scenario file, read. */
export interface ReadScenario {
  /** Undefined where there are problems. */
  readonly scenario: Scenario | undefined;
  readonly problems: readonly ScenarioProblem[];
}

/** The family that a packet speaks of: that of its source, unless the scenario says. */
function problemOfPacket(packet: ScenarioPacket, family: Scenario['family']): string | undefined {
  try {
    buildPacket(packet, family ?? (packet.src?.includes(':') === true ? 'ipv6' : 'ipv4'));
    return undefined;
  } catch (error) {
    if (error instanceof ScenarioError) return error.message;
    throw error;
  }
}

/** Reads a scenario of YAML or JSON. Never throws on bad input: what is wrong is in `problems`, with its place in the text. */
export function readScenario(text: string): ReadScenario {
  const read = readYaml(scenarioSchema, text);
  if (read.kind === 'wrong') return { scenario: undefined, problems: read.problems };
  const { value: scenario, spanAt } = read;
  const problems = scenario.steps.flatMap((step, index): readonly ScenarioProblem[] => {
    const message = problemOfPacket(step.packet, scenario.family);
    return message === undefined ? [] : [{ message: `step ${String(index + 1)}: ${message}`, span: spanAt(['steps', index, 'packet']) }];
  });
  return problems.length > 0 ? { scenario: undefined, problems: problems.slice(0, mostProblems) } : { scenario, problems: [] };
}
