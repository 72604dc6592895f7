/** Drawn rule sets: the packet by which exact reasoning calls a rule live matches it in the engine, and no finding's witness is contradicted. */
import test from 'ava';
import * as fc from 'fast-check';
import { examine } from '../../analyzer/examine.js';
import { rulesetText } from '../../analyzer/generate/ruleset.js';
import type { Ruleset, Table } from '../../analyzer/model/ruleset.js';
import { packetSpace, reach } from '../../analyzer/packet-space/index.js';
import type { Family } from '../../analyzer/values/value.js';
import type { Proposal } from '../../analyzer/witness/proposal.js';
import { replayAll } from '../../analyzer/witness/replay.js';
import { stepOf } from '../../analyzer/witness/step.js';
import { rulesetText as toyText, toyRulesets } from '../packet-space/oracle.js';
import { outcomeOf } from './confirmed.js';
import { gateways } from './gateways.js';

function* liveWitnesses(ruleset: Ruleset): Generator<Proposal, void> {
  const space = packetSpace(ruleset);
  for (const table of ruleset.tables.values()) yield* liveIn(table, reach(space, table));
}

function* liveIn(table: Table, answers: ReturnType<typeof reach>): Generator<Proposal, void> {
  for (const chain of table.chains.values()) for (const [index, rule] of chain.rules.entries()) {
    const answer = answers.get(rule);
    if (answer?.kind !== 'live') continue;
    const { hook, witness } = answer;
    const isSent = hook === 'OUTPUT' || (hook === 'POSTROUTING' && witness.in === undefined);
    yield {
      steps: [stepOf(witness, isSent ? 'local' : witness.in ?? 'eth0')],
      shows: [{ at: `${table.name}:${hook}`, matches: [`${table.name}:${chain.name}:${String(index + 1)}`] }], certainty: 'certain',
    };
  }
}

const kinds: Readonly<Record<string, { readonly texts: fc.Arbitrary<string>; readonly family: Family; readonly confirmed: number }>> = {
  'small worlds': { texts: toyRulesets(6, false).map(toyText), family: 'ipv4', confirmed: 0.8 },
  'small worlds with marks, atoms and the unknown': { texts: toyRulesets(6, true).map(toyText), family: 'ipv4', confirmed: 0.6 },
  gateways: { texts: gateways, family: 'ipv4', confirmed: 0.5 },
  'everything that iptables takes': { texts: rulesetText(fc, { family: 'ipv4', backend: 'nft', mistakes: false }), family: 'ipv4', confirmed: 0.2 },
  'everything that ip6tables takes': { texts: rulesetText(fc, { family: 'ipv6', backend: 'legacy', mistakes: false }), family: 'ipv6', confirmed: 0.2 },
};

for (const [name, { texts, family, confirmed }] of Object.entries(kinds)) {
  test(`${name}: the engine contradicts no witness`, t => {
    let [agreed, all] = [0, 0];
    for (const text of fc.sample(texts, { numRuns: 60, seed: 4 })) {
      const examination = examine({ path: 'generated', text }, { family });
      t.deepEqual(outcomeOf(examination).wrong, [], text);
      for (const ruleset of examination.loaded.rulesets) {
        const replays = replayAll(ruleset, [...liveWitnesses(ruleset)]);
        all += replays.length;
        agreed += replays.filter(one => one.kind === 'agrees').length;
        t.deepEqual(replays.filter(one => one.kind === 'disagrees'), [], text);
      }
    }
    t.log(`${String(agreed)} of ${String(all)} confirmed`);
    t.true(agreed > confirmed * all);
  });
}
