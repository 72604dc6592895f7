/**
 * Records anew what the kernel answers to all cases, beside them: `node build/test/kernel/record.js [FILE…]`, as root.
 * Then `git diff test/kernel/cases/answers` shows what is different.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import type { ScenarioAnswer } from '../../analyzer/netfilter/scenario.js';
import { answersFolder, type RecordedAnswers } from './cases/answers.js';
import type { Case } from './cases/define.js';
import { allCases } from './cases/index.js';
import { differences } from './compare.js';
import { Kernel } from '../../kernel/kernel.js';
import { kernelAvailable } from './kernel-available.js';

/** A line for each case, and no more: `git diff` then names the cases that changed. */
function textOf({ kernel, iptables, answers }: RecordedAnswers): string {
  const lines = Object.entries(answers).map(([name, answer]) => `    ${JSON.stringify(name)}: ${JSON.stringify(answer)}`);
  return `{\n  "kernel": ${JSON.stringify(kernel)},\n  "iptables": ${JSON.stringify(iptables)},\n  "answers": {\n${lines.join(',\n')}\n  }\n}\n`;
}

/** Asked twice: what is not the same both times is left to chance or time, and is no answer. */
async function answerTo(kernel: Kernel, { name, scenario }: Case): Promise<readonly [string, ScenarioAnswer]> {
  const [first, second] = await Promise.all([kernel.run(scenario), kernel.run(scenario)]);
  for (const line of differences(first, second)) console.error(`${name}: ${line}`);
  return [name, first];
}

async function record(): Promise<void> {
  const reason = kernelAvailable();
  if (reason !== undefined) throw new Error(`the kernel cannot be asked: ${reason}`);
  const kernel = new Kernel();
  const iptables = execFileSync('iptables', ['--version'], { encoding: 'utf8' }).replace(/^iptables v(\S+).*\n$/u, '$1');
  const wanted = process.argv.slice(2);
  mkdirSync(answersFolder, { recursive: true });
  for (const [file, list] of Object.entries(allCases)) {
    if (wanted.length > 0 && !wanted.includes(file)) continue;
    const answers = await Promise.all(list.map(one => answerTo(kernel, one)));
    writeFileSync(`${answersFolder}${file}.json`, textOf({ kernel: release().split('-')[0] ?? '', iptables, answers: Object.fromEntries(answers) }));
    console.log(`${file}: ${String(answers.length)} cases`);
  }
  await kernel.close();
}

await record();
