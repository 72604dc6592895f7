/**
 * The harness itself: of each of these cases it is known what the kernel does, and that must be what it reports; and what is
 * recorded must be what this kernel still answers.
 */
import { release } from 'node:os';
import test from 'ava';
import type { ScenarioAnswer, StepAnswer } from '../../analyzer/netfilter/scenario.js';
import { recordedAnswers } from './cases/answers.js';
import type { Expectation } from './cases/define.js';
import { allCases } from './cases/index.js';
import { differences, isSameTable } from './compare.js';
import { Kernel } from '../../kernel/kernel.js';
import { kernelAvailable } from './kernel-available.js';
import { persisting } from './persisting.js';

const reason = kernelAvailable();
const onKernel = reason === undefined ? test : test.skip;
let kernel: Kernel | undefined;

test.before(() => {
  if (reason === undefined) kernel = new Kernel();
});

test.after.always(async () => {
  await kernel?.close();
});

/** The first key that is not as expected. */
function mistake({ conntrack, ...expected }: Expectation, answer: StepAnswer): string | undefined {
  if (conntrack !== undefined && !isSameTable(conntrack, answer.conntrack)) return `conntrack: ${JSON.stringify(answer.conntrack)}`;
  const key = (Object.keys(expected) as (keyof typeof expected)[]).find(one => JSON.stringify(expected[one]) !== JSON.stringify(answer[one]));
  return key === undefined ? undefined : `${key}: ${JSON.stringify(answer[key])}`;
}

function mistakes(expected: readonly Expectation[], { steps }: ScenarioAnswer): readonly string[] {
  const first = expected.length === steps.length ? [] : [`${String(steps.length)} steps`];
  return [...first, ...steps.flatMap((step, index) => mistake(expected[index] ?? {}, step) ?? [])];
}

for (const [file, list] of Object.entries(allCases)) {
  for (const { name, scenario, expect } of list) {
    onKernel(`the kernel: ${name}`, async t => {
      if (kernel === undefined) return t.fail(reason);
      const [own, { kernel: version, answers }] = [kernel, recordedAnswers(file)];
      t.deepEqual(await persisting(async () => {
        const answer = await own.run(scenario);
        return [...mistakes(expect, answer), ...release().split('-')[0] === version ? differences(answers[name] ?? { steps: [] }, answer) : []];
      }), []);
    });
  }
}

test('every case has an answer that was recorded, and no answer is left over', t => {
  for (const [file, list] of Object.entries(allCases)) t.deepEqual(Object.keys(recordedAnswers(file).answers), list.map(one => one.name));
});
