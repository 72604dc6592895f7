/** The engine says what a kernel has answered: the answers were recorded (test/kernel/record.ts), so that no kernel need be asked here. */
import test from 'ava';
import { runScenario } from '../../analyzer/netfilter/engine.js';
import { recordedAnswers } from '../kernel/cases/answers.js';
import { allCases } from '../kernel/cases/index.js';
import { differences } from '../kernel/compare.js';

for (const [file, list] of Object.entries(allCases)) {
  const { kernel, iptables, answers } = recordedAnswers(file);
  test(`the engine answers ${file} as Linux ${kernel} with ${iptables} did: ${String(list.length)} cases`, t => {
    for (const { name, scenario } of list) t.deepEqual(differences(answers[name] ?? { steps: [] }, runScenario([], scenario)), [], name);
  });
}

test('there are at least 120 cases', t => {
  t.true(Object.values(allCases).flat().length >= 120);
});
