/**
 * How often we say what the kernel says, written down beside the cases for docs/conformance.md:
 * `node build/test/kernel/measure.js --rules 10000 --packets 5000 --seed 1`, as root; then `npm run docs`.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { parseArgs } from 'node:util';
import type { Backend, Family } from '../../analyzer/values/value.js';
import { Kernel } from '../../kernel/kernel.js';
import { agreement, show } from './agreement/agreement.js';
import { conformance, generateRules } from './conformance.js';
import { kernelAvailable } from './kernel-available.js';
import { RealIptables } from './real-iptables.js';

/** Of one family and backend. */
interface Compared {
  readonly family: Family;
  readonly backend: Backend;
  readonly rules: { readonly accepted: number; readonly refused: number; readonly disagreements: number };
  readonly packets: { readonly packets: number; readonly scenarios: number; readonly disagreements: number };
}

export interface Measured {
  /** `2026-11-22` */
  readonly date: string;
  readonly kernel: string;
  readonly iptables: string;
  readonly seed: number;
  readonly compared: readonly Compared[];
}

export const measuredFile = 'test/kernel/measured.json';

function rulesOf(family: Family, backend: Backend, count: number, seed: number): Compared['rules'] {
  const real = new RealIptables();
  try {
    const { accepted, refused, disagreements } = conformance(real, generateRules(family, backend, count, seed), family, backend, 300);
    for (const { rule, kernel } of disagreements) console.error(`${rule.table} ${rule.line}\n  ${kernel}`);
    return { accepted, refused, disagreements: disagreements.length };
  } finally {
    real.close();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rules: { type: 'string', default: '10000' }, packets: { type: 'string', default: '5000' }, seed: { type: 'string', default: '1' } } });
  const reason = kernelAvailable();
  if (reason !== undefined) throw new Error(`the kernel cannot be asked: ${reason}`);
  const seed = Number(values.seed);
  const kernel = new Kernel();
  const compared: Compared[] = [];
  try {
    for (const family of ['ipv4', 'ipv6'] as const) for (const backend of ['legacy', 'nft'] as const) {
      const { packets, scenarios, disagreements } = await agreement(kernel, { family, backend, packets: Number(values.packets), seed, patience: Number.POSITIVE_INFINITY, shrink: false });
      disagreements.forEach(show);
      compared.push({ family, backend, rules: rulesOf(family, backend, Number(values.rules), seed), packets: { packets, scenarios, disagreements: disagreements.length } });
      console.log(JSON.stringify(compared.at(-1)));
    }
  } finally {
    await kernel.close();
  }
  const iptables = execFileSync('iptables', ['--version'], { encoding: 'utf8' }).replace(/^iptables v(\S+).*\n$/u, '$1');
  const measured: Measured = { date: new Date().toISOString().slice(0, 10), kernel: release().split('-')[0] ?? '', iptables, seed, compared };
  writeFileSync(measuredFile, `${JSON.stringify(measured, null, 2)}\n`);
}

if (process.argv[1]?.endsWith('measure.js') === true) await main();
