/** Witnesses of rule sets in the wild (RULES_CORPUS names a folder of them) and of the examples: the engine confirms what is printed. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { decodeBytes } from '../../grammar/source-text.js';
import { examine } from '../../analyzer/examine.js';
import { outcomeOf, type Outcome } from './confirmed.js';

const folder = process.env['RULES_CORPUS'];
const index = join(folder ?? '', 'index.json');
const entries = folder !== undefined && existsSync(index) ? JSON.parse(readFileSync(index, 'utf8')) as { readonly name: string; readonly family: 4 | 6 }[] : [];
const onCorpus = entries.length === 0 ? test.skip : test;

function outcomeOfFile(path: string, family?: 4 | 6): Outcome {
  const source = { path, text: decodeBytes(readFileSync(path)) };
  return outcomeOf(examine(source, family === undefined ? {} : { family: family === 6 ? 'ipv6' : 'ipv4' }));
}

onCorpus('no witness of a rule set in the wild is contradicted, and most are played', t => {
  let [printed, proposed] = [0, 0];
  for (const { name, family } of entries) {
    const outcome = outcomeOfFile(join(folder ?? '', name), family);
    t.deepEqual(outcome.wrong, [], name);
    printed += outcome.printed;
    proposed += outcome.proposed;
  }
  t.log(`${String(printed)} of ${String(proposed)} witnesses confirmed`);
  t.true(printed > 0.7 * proposed);
});

test('every example: no witness is contradicted', t => {
  let printed = 0;
  for (const name of readdirSync('rules-examples').filter(one => /\.(?:rules|sh|txt)$/u.test(one))) {
    const outcome = outcomeOfFile(join('rules-examples', name));
    t.deepEqual(outcome.wrong, [], name);
    printed += outcome.printed;
  }
  t.true(printed > 0);
});
