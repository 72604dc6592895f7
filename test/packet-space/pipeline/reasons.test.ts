/** What a proof names is what proves it: with the rules that it rests on, whatever the others do, no packet comes to a rule. */
import test from 'ava';
import * as fc from 'fast-check';
import { load } from '../../../analyzer/model/load.js';
import { pipeline, reachThrough } from '../../../analyzer/packet-space/pipeline/index.js';
import { proveDead } from '../../../analyzer/packet-space/pipeline/reach.js';
import { solveBudget } from '../../../analyzer/packet-space/pipeline/solve.js';
import { worlds } from './worlds.js';

/** Of each rule that no packet comes to, whether the rules that are named keep all packets from it if all others may do anything. */
function* provenBy(text: string): Generator<readonly [rule: string, holds: boolean]> {
  const [ruleset] = load({ path: 'rules', text }).rulesets;
  const made = ruleset === undefined ? undefined : pipeline(ruleset);
  if (ruleset === undefined || made === undefined) return;
  for (const table of ruleset.tables.values()) for (const chain of table.chains.values()) for (const [i, rule] of chain.rules.entries()) {
    const answer = reachThrough(made, rule);
    if (answer.kind !== 'dead') continue;
    const only = new Set(answer.by.map(one => made.chains.numbers.get(one.rule) ?? -1));
    yield [`${table.name}:${chain.name}:${String(i + 1)}`, proveDead(made, rule, only, solveBudget()) !== undefined];
  }
}

const failing = (text: string): string[] => [...provenBy(text)].filter(([, holds]) => !holds).map(([rule]) => rule);

test('in worlds of a few rules', t => {
  fc.assert(fc.property(worlds, ({ text }) => { t.deepEqual(failing(text), [], text); }), { numRuns: 250, seed: 11 });
});
