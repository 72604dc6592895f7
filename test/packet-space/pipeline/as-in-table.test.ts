import test from 'ava';
import * as fc from 'fast-check';
import { load } from '../../../analyzer/model/load.js';
import { packetSpace, reach } from '../../../analyzer/packet-space/index.js';
import { comesAsInTable } from '../../../analyzer/packet-space/pipeline/as-in-table.js';
import { pipeline, reachThrough } from '../../../analyzer/packet-space/pipeline/index.js';
import { solveBudget } from '../../../analyzer/packet-space/pipeline/solve.js';
import { tinyWorlds } from './tiny-worlds.js';
import { worlds } from './worlds.js';

/** Of each rule: whether it was seen without a search that packets come, and what a search says. */
function compared(text: string): readonly (readonly [string, boolean, string])[] {
  const [ruleset] = load({ path: 'rules', text }).rulesets;
  const whole = ruleset === undefined ? undefined : pipeline(ruleset);
  if (ruleset === undefined || whole === undefined) throw new Error(`does not load\n${text}`);
  const space = packetSpace(ruleset);
  return [...ruleset.tables.values()].flatMap(table => {
    reach(space, table);
    return whole.chains.rules.filter(at => at.table === table.name).map(at => [`${at.table}:${at.chain}:${String(at.position)}`, comesAsInTable(whole, space, table, at, solveBudget()), reachThrough(whole, at.rule).kind] as const);
  });
}

for (const [name, drawn] of [['tiny', tinyWorlds], ['larger', worlds]] as const) {
  test(`to a rule of ${name} worlds packets come where they are seen to come as in its own table, and they mostly are`, t => {
    const counts = { seen: 0, live: 0, dead: 0 };
    fc.assert(fc.property(drawn, ({ text }) => {
      for (const [rule, isSeen, kind] of compared(text)) {
        if (isSeen && kind === 'dead') throw new Error(`${rule} is dead\n${text}`);
        if (isSeen) counts.seen++;
        if (kind === 'live') counts.live++;
        if (kind === 'dead') counts.dead++;
      }
    }), { numRuns: 100, seed: 7 });
    t.log(counts);
    t.true(counts.seen > 0.6 * counts.live);
    t.true(counts.dead > 50);
  });
}

test('a packet that another table takes does not come, one that lo brings does, and what it matched on its way is matched', t => {
  const answers = compared(`*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 23 -j DROP
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:services - [0:0]
-A INPUT -p tcp -m tcp --dport 23 -j ACCEPT
-A INPUT -p tcp -j services
-A INPUT -i lo -j ACCEPT
-A services -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`);
  t.deepEqual(new Map(answers.map(([rule, isSeen]) => [rule, isSeen])), new Map([
    ['mangle:PREROUTING:1', true], ['filter:services:1', true], ['filter:INPUT:1', false], ['filter:INPUT:2', true], ['filter:INPUT:3', true],
  ]));
});
