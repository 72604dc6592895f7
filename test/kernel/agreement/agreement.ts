/**
 * Does the engine say what the kernel does? Scenarios are drawn, played in both, and compared field by field; by hand:
 * `npm run test:kernel -- --runs 20000 --seed random --family ipv6 --backend legacy`
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { scenarios } from '../../../analyzer/generate/scenario.js';
import { runScenario } from '../../../analyzer/netfilter/engine.js';
import type { Scenario } from '../../../analyzer/netfilter/scenario.js';
import type { Arbitrary, Backend, Family } from '../../../analyzer/values/value.js';
import { Kernel } from '../../../kernel/kernel.js';
import { SetUpError } from '../../../kernel/set-up.js';
import { persisting } from '../persisting.js';
import { compareAnswers, type Difference } from './compare.js';
import { extensionHeaderScenarios } from './extension-headers.js';

/** So many scenarios are played side by side: some of them wait for the clock. */
const atOnce = 4;

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
  /** What is drawn: anything, where nothing is said. */
  readonly draw?: typeof scenarios;
}

/** Played in both: where they differ. A host that the kernel will not have is a difference too. */
export async function differencesOf(kernel: Kernel, scenario: Scenario): Promise<readonly Difference[]> {
  const engine = runScenario([], scenario);
  try {
    return await persisting(async () => compareAnswers(await kernel.run(scenario), engine));
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    return [{ step: 0, field: 'set-up', kernel: error.message, engine: 'takes it' }];
  }
}

/** Up to where chance or the unknown came in: what is behind that is not compared. */
function comparable(scenario: Scenario): number {
  const { steps } = runScenario([], scenario);
  const end = steps.findIndex(step => step.chance !== undefined || step.unknown !== undefined);
  return end < 0 ? steps.length : end;
}

/** The smallest scenario that still disagrees. */
async function shrunk(kernel: Kernel, drawn: Arbitrary<Scenario>, seed: number, first: Scenario): Promise<Scenario> {
  const property = fc.asyncProperty(drawn, async scenario => (await differencesOf(kernel, scenario)).length === 0);
  const { counterexample } = await fc.check(property, { seed, numRuns: 1, interruptAfterTimeLimit: 60_000 });
  return counterexample?.[0] ?? first;
}

export async function agreement(kernel: Kernel, { family, backend, packets, seed, patience, shrink, draw = scenarios }: Wish): Promise<Agreement> {
  const disagreements: Disagreement[] = [];
  const drawn = draw(fc, { family, backend });
  let played = 0;
  let number = 0;
  for (; played < packets && disagreements.length < patience; number += atOnce) {
    const seeds = Array.from({ length: atOnce }, (_, index) => seed + number + index);
    // All come to their end, also where one of them fails: the kernel is not to be left in the middle of a scenario.
    const results = await Promise.allSettled(seeds.map(async one => {
      const [scenario = { steps: [] }] = fc.sample(drawn, { seed: one, numRuns: 1 });
      return { seed: one, scenario, differences: await differencesOf(kernel, scenario) };
    }));
    for (const settled of results) {
      if (settled.status === 'rejected') throw settled.reason;
      const result = settled.value;
      played += comparable(result.scenario);
      if (result.differences.length === 0) continue;
      const scenario = shrink ? await shrunk(kernel, drawn, result.seed, result.scenario) : result.scenario;
      disagreements.push({ seed: result.seed, scenario, differences: shrink ? await differencesOf(kernel, scenario) : result.differences });
    }
  }
  return { packets: played, scenarios: number, disagreements };
}

export function show({ seed, scenario, differences }: Disagreement): void {
  console.log(`--- seed ${String(seed)}\n${scenario.rules ?? ''}`);
  const { rules: _, ipsets, conntrack, steps, ...host } = scenario;
  console.log(`${ipsets ?? ''}${conntrack ?? ''}${JSON.stringify(host)}`);
  for (const [index, { in: entry, packet, ...step }] of steps.entries()) console.log(`${String(index)} ${entry}: ${JSON.stringify(packet)}${Object.keys(step).length === 0 ? '' : ` ${JSON.stringify(step)}`}`);
  for (const { step, field, kernel, engine } of differences) console.log(`  step ${String(step)} ${field}\n    kernel ${JSON.stringify(kernel)}\n    engine ${JSON.stringify(engine)}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: {
    family: { type: 'string' }, backend: { type: 'string' }, runs: { type: 'string', default: '2000' }, seed: { type: 'string', default: '1' },
    patience: { type: 'string', default: '5' }, 'no-shrink': { type: 'boolean', default: false }, 'extension-headers': { type: 'boolean', default: false }, length: { type: 'string', default: '12' },
  } });
  const seed = values.seed === 'random' ? Math.floor(Math.random() * 0x4000_0000) : Number(values.seed);
  const kernel = new Kernel();
  try {
    for (const family of ['ipv4', 'ipv6'] as const) for (const backend of ['legacy', 'nft'] as const) {
      if (values['extension-headers'] && family === 'ipv4') continue;
      if ((values.family ?? family) !== family || (values.backend ?? backend) !== backend) continue;
      const result = await agreement(kernel, { family, backend, packets: Number(values.runs), seed, patience: Number(values.patience), shrink: !values['no-shrink'], draw: values['extension-headers'] ? extensionHeaderScenarios : (...[check, place]) => scenarios(check, place, Number(values.length)) });
      result.disagreements.forEach(show);
      console.log(`${family} ${backend}, from seed ${String(seed)}: ${String(result.packets)} packets in ${String(result.scenarios)} scenarios, ${String(result.disagreements.length)} scenarios disagree`);
      if (result.disagreements.length > 0) process.exitCode = 1;
    }
  } finally {
    await kernel.close();
  }
}

if (process.argv[1]?.endsWith('agreement.js') === true) await main();
