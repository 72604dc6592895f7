/** What two rule sets do differently, in lines. */
import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import { emptyRuleset, type Ruleset } from '../../analyzer/model/ruleset.js';
import { difference } from '../../analyzer/packet-space/pipeline/index.js';
import { differenceLines } from '../../report/difference.js';

function ruleset(...lines: readonly string[]): Ruleset {
  const text = ['*filter', ':INPUT DROP [0:0]', ':A - [0:0]', ...lines, 'COMMIT', ''].join('\n');
  return load({ path: 'rules', text }).rulesets[0] ?? emptyRuleset('ipv4');
}

test('who stops packets is told of one of them: some go to a chain, and others come to the policy', t => {
  const rules = ['-A INPUT -s 10.0.0.0/8 -p tcp -j A', '-A A -j DROP'];
  const lines = differenceLines(difference(ruleset(...rules), ruleset('-A INPUT -i eth0 -j ACCEPT', ...rules), { path: 'in' }) ?? { kind: 'undecided', open: 0 });
  t.deepEqual(lines, ['to this host: in eth0: drop, for one by the policy of INPUT -> accept, for one by INPUT:1']);
});
