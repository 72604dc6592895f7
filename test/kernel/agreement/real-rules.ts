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
import type { Backend } from '../../../analyzer/values/value.js';
import { Kernel } from '../../../kernel/kernel.js';
import { agreement, show, type Agreement } from './agreement.js';
import { scenariosNear, type GivenRules } from './near-rules.js';

const backends = ['legacy', 'nft'] as const satisfies readonly Backend[];

/** Rules whose answer hangs on the real clock, or on who listens on this machine; and those that name a set, where there is none. */
const leftOut = /-m limit --limit \d+\/sec|--hashlimit-(?:upto|above) \S+\/(?:sec|s)\b|-m time |-j (?:NFQUEUE|QUEUE|SYNPROXY|TEE)\b|-m (?:osf|cgroup|bpf)\b/u;
const namesSet = /-m set |-j SET /u;

/** The rule sets of a file, as both backends would save them. Sets that rules name are taken from the file's neighbour `NAME.ipset`. */
export function rulesIn(path: string): readonly GivenRules[] {
  const source = { path, text: decodeBytes(readFileSync(path)) };
  const sets = `${path.replace(/\.rules$/u, '')}.ipset`;
  const ipsets = existsSync(sets) ? readFileSync(sets, 'utf8') : undefined;
  const isPlayed = (line: string): boolean => !line.startsWith('#') && !leftOut.test(line) && (ipsets !== undefined || !namesSet.test(line));
  return backends.flatMap(backend => {
    const { rulesets, diagnostics } = load(source, { backend });
    // What names a host, only a machine that can look it up loads.
    if (diagnostics.some(one => one.severity === 'error' || one.check === 'unresolved-name')) return [];
    return rulesets.map((ruleset): GivenRules => ({
      family: ruleset.family, backend, ...ipsets !== undefined && { ipsets }, rules: `${[...printRuleset(ruleset)].filter(isPlayed).join('\n')}\n`,
    }));
  });
}

/** Plays at least so many packets near these rules. */
export function agreementOn(kernel: Kernel, given: GivenRules, { packets, seed, patience }: { readonly packets: number; readonly seed: number; readonly patience: number }): Promise<Agreement> {
  const { family, backend } = given;
  return agreement(kernel, { family, backend, packets, seed, patience, shrink: false, draw: () => scenariosNear(fc, given) });
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
      console.log(`${path.slice(path.lastIndexOf('/') + 1)} ${given.family} ${given.backend}: ${String(result.packets)} packets, ${String(result.disagreements.length)} scenarios disagree`);
      if (result.disagreements.length > 0) process.exitCode = 1;
    }
  } finally {
    await kernel.close();
  }
}

if (process.argv[1]?.endsWith('real-rules.js') === true) await main();
