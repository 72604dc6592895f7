/** Of drawn rule sets: no packet fares differently when they are repaired, nothing else notices it, and what was not touched stays. */
import test from 'ava';
import * as fc from 'fast-check';
import { packetsNear } from '../../analyzer/generate/near/packets-near.js';
import { supposedHost } from '../../analyzer/generate/near/supposed-host.js';
import { load } from '../../analyzer/model/load.js';
import { printBody } from '../../analyzer/model/print.js';
import type { Ruleset, Table } from '../../analyzer/model/ruleset.js';
import { createHost } from '../../analyzer/netfilter/engine.js';
import type { ScenarioStep } from '../../analyzer/netfilter/scenario.js';
import { difference } from '../../analyzer/packet-space/pipeline/index.js';
import { drawnText, fixed } from './fixed-rulesets.js';

const runs = Number(process.env['FIXES_RUNS'] ?? 8);

function rulesetOf(text: string): Ruleset {
  const { rulesets: [ruleset], diagnostics } = load({ path: 'rules', text }, { family: 'ipv4' });
  const error = diagnostics.find(({ severity }) => severity === 'error');
  if (ruleset === undefined || error !== undefined) throw new Error(`does not load: ${error?.message ?? ''}\n${text}`);
  return ruleset;
}

function ruleText({ family, backend, tables }: Ruleset, reference: string): string {
  const [name = '', chain = '', position = ''] = reference.split(':');
  const table: Table | undefined = [...tables.values()].find(one => one.name === name);
  const rule = table?.chains.get(chain)?.rules[Number(position) - 1];
  return rule === undefined ? '' : printBody(rule, { family, backend, table: name });
}

/** What the engine does with packets, one after the other, and which logs and lists they come to. */
function fates(ruleset: Ruleset, setup: ReturnType<typeof supposedHost>, steps: readonly ScenarioStep[]): readonly string[] {
  const host = createHost(ruleset, setup);
  return steps.map(step => {
    const { verdict, path } = host.send(step);
    const noticed = path.map(one => ruleText(ruleset, one)).filter(text => / -j LOG|-m (?:limit|recent)/u.test(text));
    return [verdict, ...noticed].join(' | ');
  });
}

/** Whether the lines of one text stand in another in the same order. */
function isSubsequence(lines: readonly string[], of: readonly string[]): boolean {
  let at = 0;
  for (const line of of) if (line === lines[at]) at++;
  return at === lines.length;
}

test('of drawn rule sets no packet fares differently, no log and no list sees another, and all other lines stay', async t => {
  t.timeout(600_000);
  let made = 0;
  for (let seed = 1; seed <= runs; seed++) {
    const text = drawnText(seed, 'ipv4');
    const result = await fixed(text, 'ipv4');
    const [before, after] = [rulesetOf(text), rulesetOf(result.text)];
    const setup = supposedHost(before);
    const steps = fc.sample(packetsNear(fc, before, setup), { numRuns: 150, seed });
    t.deepEqual(fates(after, setup, steps), fates(before, setup, steps), `${text}\n--- and\n${result.text}`);
    t.not(difference(before, after)?.kind, 'different', text);
    t.is((await fixed(result.text, 'ipv4')).text, result.text, 'a second run changes nothing');
    const old = text.split('\n');
    t.true(isSubsequence(result.text.split('\n').filter(line => old.includes(line)), old) || result.made.some(one => one.finding.check === 'established-rule-late'), text);
    made += result.made.length;
  }
  t.true(made > 3 * runs, String(made));
  t.log(`${String(made)} repairs in ${String(runs)} rule sets`);
});
