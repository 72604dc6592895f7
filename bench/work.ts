/**
 * How much work all default checks are, counted and not timed: `node build/bench/work.js [--rules N] [--family ipv6] [KIND…]`. What is counted is how often
 * V8 ran each block of the program: the same on every machine, however busy it is.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Family } from '../analyzer/values/value.js';
import { generators, inIPv6, type Kind } from './generators.js';

interface Block {
  /** Its file and function. */
  readonly name: string;
  readonly times: number;
}

/** How often blocks ran: all of them, and the one that ran most often. */
export interface Work {
  readonly blocks: number;
  readonly most: Block;
}

/** The work of linting so many rules of a kind, in a process of its own. */
export function workOn(kind: Kind, rules: number, family: Family): Work {
  const text = generators[kind](rules);
  const folder = mkdtempSync(join(tmpdir(), 'iptables-lint-'));
  try {
    const file = join(folder, 'x.rules');
    writeFileSync(file, family === 'ipv6' ? inIPv6(text) : text);
    const counting = fileURLToPath(new URL('count-blocks.js', import.meta.url));
    const { output, stderr } = spawnSync(process.execPath, [counting, file], { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 28, encoding: 'utf8' });
    if (!output[3]) throw new Error(stderr);
    const blocks = JSON.parse(output[3]) as readonly Block[];
    return { blocks: blocks.reduce((sum, { times }) => sum + times, 0), most: blocks.reduce((most, one) => one.times > most.times ? one : most) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function main(): void {
  const { values, positionals } = parseArgs({ options: { rules: { type: 'string', default: '4000' }, family: { type: 'string', default: 'ipv4' } }, allowPositionals: true });
  const rules = Number(values.rules);
  const perRule = (times: number): string => (times / rules).toFixed(0).padStart(7);
  for (const kind of positionals.length === 0 ? Object.keys(generators) : positionals) {
    if (!(kind in generators)) throw new Error(`kinds: ${Object.keys(generators).join(', ')}`);
    const { blocks, most } = workOn(kind as Kind, rules, values.family as Family);
    console.log(`${kind.padEnd(12)} ${String(rules)} rules, for each of them: ${perRule(blocks)} blocks, ${perRule(most.times)} in ${most.name}`);
  }
}

if (process.argv[1]?.endsWith('work.js') === true) main();
