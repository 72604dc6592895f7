/** Work grows with the rules, and not with their square: counted, for what a clock says hangs on the machine. */
import test from 'ava';
import type { Kind } from '../../bench/generators.js';
import { workOn } from '../../bench/work.js';
import type { Family } from '../../analyzer/values/value.js';

const cases: readonly (readonly [Kind, Family])[] = [['acl', 'ipv4'], ['acl', 'ipv6'], ['kube-proxy', 'ipv4'], ['kube-proxy', 'ipv6'], ['zones', 'ipv4'], ['gateway', 'ipv4'], ['matrix', 'ipv6']];

for (const [kind, family] of cases) test.serial(`four times the rules of a kind are at most five and a half times the work: ${kind}, ${family}`, t => {
  const [few, many] = [3000, 12_000].map(rules => workOn(kind, rules, family));
  if (few === undefined || many === undefined) return t.fail();
  t.true(few.blocks > 1_000_000, 'it is counted');
  const times = many.blocks / few.blocks;
  t.true(times <= 5.5, `${times.toFixed(2)} times; most often ran ${many.most.name}`);
});
