/** `iptables-lint fuzz RULES` */
import { writeFile } from 'node:fs/promises';
import { claimsOf } from '../analyzer/claims.js';
import { fuzz as test, usualRuns, type FuzzOptions, type Outcome } from '../analyzer/fuzz/fuzz.js';
import type { AnalyzeOptions } from '../analyzer/examine.js';
import { claimsHold } from '../analyzer/fuzz/properties/claims-hold.js';
import { properties } from '../analyzer/fuzz/properties/index.js';
import type { Property } from '../analyzer/fuzz/property.js';
import { seedOf } from '../analyzer/fuzz/seed.js';
import type { Ruleset } from '../analyzer/model/ruleset.js';
import { didYouMean } from '../analyzer/model/suggest.js';
import { createHost } from '../analyzer/netfilter/engine.js';
import { setupOf } from '../analyzer/netfilter/scenario/host-setup.js';
import { ScenarioError } from '../analyzer/netfilter/scenario/scenario-error.js';
import { fuzzJson, printFuzz, scenarioFile, type FuzzResult } from '../report/fuzz.js';
import { visible } from '../report/visible.js';
import { wantsColor } from './color.js';
import { allowedPorts } from './fuzz/allowed-ports.js';
import type { FuzzCommandOptions } from './fuzz/fuzz-options.js';
import { inputFiles } from './inputs.js';
import { notAnInput } from './not-an-input.js';
import { loadOptions } from './options.js';
import { Progress } from './progress.js';
import { readSource, standardInput } from './read-source.js';
import { print, stdout } from './streams.js';
import { hostFrom, rulesFrom } from './trace/read-inputs.js';
import { raiseExitCode, say, systemCause, Trouble } from './trouble.js';

function chosen(names: readonly string[] | undefined): readonly Property[] {
  const known = properties.map(one => one.name);
  for (const name of names ?? []) if (!known.includes(name)) throw new Trouble(`there is no property ${name}: ${didYouMean(name, known) ?? `they are ${known.join(', ')}`}`);
  return names === undefined ? properties : properties.filter(one => names.includes(one.name));
}

type Settings = Pick<FuzzOptions, 'properties' | 'seed' | 'path' | 'allowed' | 'untrusted' | 'progress'>;

function settingsOf(options: FuzzCommandOptions, texts: readonly string[]): Settings {
  const { seed = seedOf(texts), path, untrusted, allowPorts } = options;
  if (options.runs === 0) throw new Trouble('--runs 0 tests nothing');
  if (untrusted !== undefined && allowPorts === undefined) throw new Trouble('--untrusted goes with --allow-ports: which ports may be reached from there?');
  const wanted = chosen(options.property);
  if (path !== undefined && (wanted.length !== 1 || options.property === undefined)) throw new Trouble('--path goes with --property: the one that was printed with it');
  if (path !== undefined && !/^\d+(?::\d+)*$/u.test(path)) throw new Trouble(`--path ${path} is none: it is numbers with colons, as printed with a failure`);
  return {
    properties: wanted, seed,
    ...path === undefined ? {} : { path }, ...untrusted === undefined ? {} : { untrusted }, ...allowPorts === undefined ? {} : { allowed: allowedPorts(allowPorts) },
  };
}

/** The host that is described; none where nobody does. */
async function hostOf({ host: path, color }: FuzzCommandOptions): Promise<{ readonly of: (ruleset: Ruleset) => Pick<FuzzOptions, 'setup' | 'start'>; readonly text: string; readonly known: Pick<AnalyzeOptions, 'host'> }> {
  if (path === undefined) return { of: () => ({}), text: '', known: {} };
  const host = await hostFrom(path, color);
  return {
    text: JSON.stringify(host),
    known: { host: family => setupOf(host, family) },
    of: ruleset => {
      const setup = setupOf(host, ruleset.family);
      for (const problem of new Set(createHost(ruleset, setup).problems)) say(`iptables-lint: left out of the host: ${visible(problem)}\n`);
      return { setup, ...host.collected === undefined ? {} : { start: Date.parse(host.collected) / 1000 } };
    },
  };
}

async function writeScenario(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new Trouble(`cannot write ${path}: ${systemCause(error)}`, { cause: error });
  }
}

function tested(ruleset: Ruleset, options: FuzzOptions, fc: Parameters<typeof test>[0]): readonly Outcome[] {
  try {
    return [...test(fc, ruleset, options)];
  } catch (error) {
    if (error instanceof ScenarioError) throw new Trouble(`the host cannot be so: ${error.message}`, { cause: error });
    throw error;
  }
}

export async function fuzz(operand: string | undefined, options: FuzzCommandOptions): Promise<void> {
  const [path = standardInput] = operand === undefined ? await inputFiles([], 'iptables-lint fuzz') : [operand];
  const source = await readSource(path, options.stdinFilename, options.maxSize);
  if (options.output !== undefined) notAnInput(`--output ${options.output}`, options.output, options.host === undefined ? [path] : [path, options.host]);
  const host = await hostOf(options);
  const settings = settingsOf(options, [source.text, host.text]);
  const rulesets = rulesFrom(source, options, 'tested');
  if (rulesets.length === 0) throw new Trouble(`${source.path} holds no rules`);
  const claims = settings.properties.some(({ name }) => name === claimsHold.name) ? claimsOf(source, { ...loadOptions(options), ...host.known }) : () => [];
  const fc = await import('fast-check');
  const progress = new Progress();
  const results = rulesets.map((ruleset): FuzzResult => {
    const runs = options.runs ?? usualRuns(ruleset);
    const told = (property: string, played: number): void => { progress.update(played, runs, `${source.path}: ${property}`); };
    const outcomes = tested(ruleset, { ...settings, ...host.of(ruleset), claims: claims(ruleset.family), runs, progress: told }, fc);
    progress.clear();
    return { family: ruleset.family, seed: settings.seed, outcomes };
  });
  const failed = results.flatMap(({ outcomes }) => outcomes).find(one => one.kind === 'failed');
  if (failed?.kind === 'failed' && options.output !== undefined) await writeScenario(options.output, scenarioFile(failed, settings.seed));
  await print(options.format === 'json' ? fuzzJson(results) : printFuzz(results, { path: source.path, output: options.output, host: options.host, color: wantsColor(options.color, stdout()) }));
  if (failed !== undefined) raiseExitCode(1);
}
