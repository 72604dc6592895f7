/**
 * Do the engine and the kernel agree on rule sets that somebody wrote? Packets near what the rules speak of are played in both; by hand:
 * `node build/test/kernel/agreement/real-rules.js --runs 200 FILE…`
 */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { decodeBytes } from '../../../grammar/source-text.js';
import { load } from '../../../analyzer/model/load.js';
import { printRuleset } from '../../../analyzer/model/print.js';
import { ScenarioError } from '../../../analyzer/netfilter/scenario/scenario-error.js';
import type { Backend, Family } from '../../../analyzer/values/value.js';
import { Kernel } from '../harness/kernel.js';
import { SetUpError } from '../harness/set-up.js';
import { differencesOf, show, type Disagreement } from './agreement.js';
import { scenariosNear, type GivenRules } from './near-rules.js';

/** Rules whose answer hangs on the real clock, or on who listens on this machine. */
const leftOut = /-m limit --limit \d+\/sec|--hashlimit-(?:upto|above) \S+\/(?:sec|s)\b|-m time |-j (?:NFQUEUE|QUEUE|SYNPROXY|TEE)\b|-m (?:osf|cgroup|bpf)\b/u;

/** The rule sets of a file, as both backends would save them. A set that rules name is taken from the file's neighbour `NAME.ipset`. */
export function rulesIn(path: string, backends: readonly Backend[] = ['legacy', 'nft']): readonly GivenRules[] {
  const source = { path, text: decodeBytes(readFileSync(path)) };
  const sets = path.replace(/\.[^./]*$/u, '.ipset');
  const ipsets = existsSync(sets) ? { ipsets: readFileSync(sets, 'utf8') } : {};
  return backends.flatMap(backend => {
    const { rulesets, diagnostics } = load(source, { backend });
    if (diagnostics.some(one => one.severity === 'error')) return [];
    return rulesets.map((ruleset): GivenRules => ({
      family: ruleset.family, backend, ...ipsets, rules: `${[...printRuleset(ruleset)].filter(line => !line.startsWith('#') && !leftOut.test(line)).join('\n')}\n`,
    }));
  });
}

export interface OnRules {
  readonly packets: number;
  readonly disagreements: readonly Disagreement[];
  /** Why it could not be played. */
  readonly refused?: string;
}

/** Plays at least so many packets near these rules. */
export async function agreementOn(kernel: Kernel, given: GivenRules, { packets, seed, patience }: { readonly packets: number; readonly seed: number; readonly patience: number }): Promise<OnRules> {
  const disagreements: Disagreement[] = [];
  const drawn = scenariosNear(fc, given);
  let played = 0;
  try {
    for (let number = 0; played < packets && disagreements.length < patience; number++) {
      const [scenario] = fc.sample(drawn, { seed: seed + number, numRuns: 1 });
      if (scenario === undefined) continue;
      played += scenario.steps.length;
      const differences = await differencesOf(kernel, scenario);
      if (differences.length > 0) disagreements.push({ seed: seed + number, scenario, differences });
    }
  } catch (error) {
    if (error instanceof SetUpError || error instanceof ScenarioError) return { packets: played, disagreements, refused: error.message };
    throw error;
  }
  return { packets: played, disagreements };
}

/** A file, a family and a backend, with the number of packets that were played; or why none were. */
function told(path: string, { family, backend }: { readonly family: Family; readonly backend: Backend }, { packets, disagreements, refused }: OnRules): string {
  const name = `${path.slice(path.lastIndexOf('/') + 1)} ${family} ${backend}`;
  return refused === undefined ? `${name}: ${String(packets)} packets, ${String(disagreements.length)} scenarios disagree` : `${name}: refused: ${refused.trim()}`;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: {
    runs: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' }, patience: { type: 'string', default: '3' }, backend: { type: 'string' },
  } });
  const kernel = new Kernel();
  try {
    for (const path of positionals) for (const given of rulesIn(path)) {
      if ((values.backend ?? given.backend) !== given.backend) continue;
      const result = await agreementOn(kernel, given, { packets: Number(values.runs), seed: Number(values.seed), patience: Number(values.patience) });
      result.disagreements.forEach(show);
      console.log(told(path, given, result));
      if (result.disagreements.length > 0) process.exitCode = 1;
    }
  } finally {
    await kernel.close();
  }
}

if (process.argv[1]?.endsWith('real-rules.js') === true) await main();
