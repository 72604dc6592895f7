/** What `iptables-lint fuzz` says: which properties hold, and the conversations that break the others. */
import pc from 'picocolors';
import { isMap, parseDocument, stringify, visit } from 'yaml';
import type { Outcome } from '../analyzer/fuzz/fuzz.js';
import type { Scenario, ScenarioPacket } from '../analyzer/netfilter/scenario.js';
import { visible, visibleJson } from './visible.js';

export interface FuzzResult {
  readonly family: string;
  readonly seed: number;
  readonly outcomes: readonly Outcome[];
}

type Failed = Extract<Outcome, { kind: 'failed' }>;

interface Circumstances {
  readonly path: string;
  /** Where the first scenario was written to, and what the host was read from. */
  readonly output: string | undefined;
  readonly host: string | undefined;
  readonly color: boolean;
}

/** Who and where to, before what else there is. */
function inOrder({ proto, src, sport, dst, dport, ...rest }: ScenarioPacket): object {
  return { proto, src, sport, dst, dport, ...rest };
}

/** A packet, and an interface, on one line each. */
function yamlOf(scenario: Scenario): string {
  const told = { ...scenario, steps: scenario.steps.map(step => ({ ...step, packet: inOrder(step.packet) })) };
  const document = parseDocument(stringify(told, { lineWidth: 0, aliasDuplicateObjects: false }));
  visit(document, { Pair: (_, { key, value }) => {
    if (String(key) === 'packet' && isMap(value)) value.flow = true;
    return undefined;
  }, Map: (_, map) => {
    if (map.has('addresses')) map.flow = true;
    return undefined;
  } });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** A scenario file, as `iptables-lint trace RULES --scenario FILE` takes it, with what it shows in front. */
export function scenarioFile({ property, why, path, scenario }: Failed, seed: number): string {
  const lines = [`# ${property.name}: ${why}`, `# --property ${property.name} --seed ${String(seed)} --path ${path}`, ...yamlOf(scenario).split('\n')];
  return lines.map(visible).join('\n');
}

function counted(number: number, what: string): string {
  return `${String(number)} ${what}${number === 1 ? '' : 's'}`;
}

function outcomeLine(outcome: Outcome, seed: number, colors: ReturnType<typeof pc.createColors>): string {
  const { property } = outcome;
  switch (outcome.kind) {
    case 'held': return `${colors.green('✔')} ${property.name}: ${colors.dim(`held in ${counted(outcome.runs, 'conversation')}, ${counted(outcome.packets, 'packet')}`)}`;
    case 'skipped': return `${colors.yellow('-')} ${property.name}: ${colors.dim(`skipped: ${outcome.why}`)}`;
    case 'failed': return `${colors.red('✖')} ${colors.bold(property.name)}: ${visible(outcome.why)}\n    ${colors.dim(`in conversation ${String(outcome.runs)}, made smaller ${counted(outcome.shrinks, 'time')}; --property ${property.name} --seed ${String(seed)} --path ${outcome.path} plays it again`)}`;
  }
}

/** For people: each property, then each conversation as the scenario file that it is. */
export function printFuzz(results: readonly FuzzResult[], { path, output, host, color }: Circumstances): string {
  const colors = pc.createColors(color);
  const lines = results.flatMap(({ family, seed, outcomes }) => [
    `${colors.underline(visible(path))}${results.length > 1 ? ` (${family})` : ''} ${colors.dim(`seed ${String(seed)}`)}`,
    ...outcomes.map(one => `  ${outcomeLine(one, seed, colors)}`), '',
  ]);
  const failed = results.flatMap(({ seed, outcomes }) => outcomes.flatMap(one => one.kind === 'failed' ? [{ one, seed }] : []));
  if (failed.length === 0) return lines.join('\n');
  const hint = `iptables-lint trace ${visible(path)}${host === undefined ? '' : ` --host ${visible(host)}`} --scenario ${output === undefined ? 'FILE' : visible(output)}`;
  const told = output === undefined ? failed : failed.slice(1);
  return `${[...lines, `${output === undefined ? 'Each scenario below can be a file' : `The first is written to ${visible(output)}`}: ${hint} shows what happens.${host === undefined ? '\nThe host is one that the rules make likely; --host FILE says what it is.' : ''}`, ...told.flatMap(({ one, seed }) => ['', scenarioFile(one, seed).trimEnd()])].join('\n')}\n`;
}

function outcomeJson(outcome: Outcome): object {
  const { property, ...rest } = outcome;
  return { property: property.name, summary: property.summary, ...rest };
}

/** For programs. */
export function fuzzJson(results: readonly FuzzResult[]): string {
  const document = { schemaVersion: 1, rulesets: results.map(({ family, seed, outcomes }) => ({ family, seed, properties: outcomes.map(outcomeJson) })) };
  return `${visibleJson(JSON.stringify(document, undefined, 2))}\n`;
}
