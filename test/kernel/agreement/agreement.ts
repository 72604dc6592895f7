/**
 * Does the engine say what the kernel does? Scenarios are drawn, played in both, and compared field by field; by hand:
 * `npm run test:kernel -- --runs 20000 --seed random --family ipv6 --backend legacy`
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { scenarios } from '../../../analyzer/generate/scenario.js';
import { runScenario } from '../../../analyzer/netfilter/engine.js';
import type { Scenario } from '../../../analyzer/netfilter/scenario.js';
import type { Backend, Family } from '../../../analyzer/values/value.js';
import { Kernel } from '../harness/kernel.js';
import { compareAnswers, type Difference } from './compare.js';

export interface Disagreement {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly differences: readonly Difference[];
}

export interface Agreement {
  readonly packets: number;
  readonly scenarios: number;
  readonly disagreements: readonly Disagreement[];
}

interface Wish {
  readonly family: Family;
  readonly backend: Backend;
  /** So many packets at least. */
  readonly packets: number;
  /** Of the first scenario; the next have the next numbers. */
  readonly seed: number;
  /** Stop when so many scenarios disagree. */
  readonly patience: number;
  readonly shrink: boolean;
}

/** Played in both: where they differ. */
export async function differencesOf(kernel: Kernel, scenario: Scenario): Promise<readonly Difference[]> {
  return compareAnswers(await kernel.run(scenario), runScenario([], scenario));
}

/** The smallest scenario that still disagrees. */
async function shrunk(kernel: Kernel, place: { family: Family; backend: Backend }, seed: number, first: Scenario): Promise<Scenario> {
  const property = fc.asyncProperty(scenarios(fc, place), async scenario => (await differencesOf(kernel, scenario)).length === 0);
  const { counterexample } = await fc.check(property, { seed, numRuns: 1, interruptAfterTimeLimit: 60_000 });
  return counterexample?.[0] ?? first;
}

export async function agreement(kernel: Kernel, { family, backend, packets, seed, patience, shrink }: Wish): Promise<Agreement> {
  const disagreements: Disagreement[] = [];
  const place = { family, backend };
  let played = 0;
  let number = 0;
  for (; played < packets && disagreements.length < patience; number++) {
    const [scenario] = fc.sample(scenarios(fc, place), { seed: seed + number, numRuns: 1 });
    if (scenario === undefined) continue;
    played += scenario.steps.length;
    if ((await differencesOf(kernel, scenario)).length === 0) continue;
    const smallest = shrink ? await shrunk(kernel, place, seed + number, scenario) : scenario;
    disagreements.push({ seed: seed + number, scenario: smallest, differences: await differencesOf(kernel, smallest) });
  }
  return { packets: played, scenarios: number, disagreements };
}

function show({ seed, scenario, differences }: Disagreement): void {
  console.log(`--- seed ${String(seed)}\n${scenario.rules ?? ''}`);
  const rest = Object.entries(scenario.sysctls ?? {});
  if (rest.length > 0) console.log(`sysctls ${JSON.stringify(scenario.sysctls)}`);
  for (const [index, step] of scenario.steps.entries()) console.log(`${String(index)} ${step.in}: ${JSON.stringify(step.packet)}`);
  for (const { step, field, kernel, engine } of differences) console.log(`  step ${String(step)} ${field}\n    kernel ${JSON.stringify(kernel)}\n    engine ${JSON.stringify(engine)}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: {
    family: { type: 'string' }, backend: { type: 'string' }, runs: { type: 'string', default: '2000' }, seed: { type: 'string', default: '1' },
    patience: { type: 'string', default: '5' }, 'no-shrink': { type: 'boolean', default: false },
  } });
  const seed = values.seed === 'random' ? Math.floor(Math.random() * 0x4000_0000) : Number(values.seed);
  const kernel = new Kernel();
  try {
    for (const family of ['ipv4', 'ipv6'] as const) for (const backend of ['legacy', 'nft'] as const) {
      if ((values.family ?? family) !== family || (values.backend ?? backend) !== backend) continue;
      const result = await agreement(kernel, { family, backend, packets: Number(values.runs), seed, patience: Number(values.patience), shrink: !values['no-shrink'] });
      result.disagreements.forEach(show);
      console.log(`${family} ${backend}, from seed ${String(seed)}: ${String(result.packets)} packets in ${String(result.scenarios)} scenarios, ${String(result.disagreements.length)} scenarios disagree`);
      if (result.disagreements.length > 0) process.exitCode = 1;
    }
  } finally {
    await kernel.close();
  }
}

if (process.argv[1]?.endsWith('agreement.js') === true) await main();
