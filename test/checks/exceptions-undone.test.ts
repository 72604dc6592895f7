/** exceptions-undone: which rules take whom the other excepts. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';

function found(...lines: readonly string[]): readonly string[] {
  const text = ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ...lines, 'COMMIT', ''].join('\n');
  const { findings, internalErrors } = analyze({ path: 'x.rules', text });
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings.filter(one => one.check === 'exceptions-undone').map(({ rule }) => rule ?? '');
}

const drop = (asked: string, verdict = 'DROP'): string => `-A INPUT ${asked} -p tcp -m tcp --dport 22 -j ${verdict}`;
const [one, other] = ['! -s 203.0.113.10/32', '! -s 203.0.113.11/32'];

test('whom one excepts, the other takes', t => {
  t.deepEqual(found(drop(one), drop(other)), ['filter:INPUT:2']);
  t.deepEqual(found(drop(one, 'ACCEPT'), drop(other, 'ACCEPT')), ['filter:INPUT:2']);
  t.deepEqual(found(drop('! -i eth0'), drop('! -i eth1')), ['filter:INPUT:2']);
  t.deepEqual(found(drop(one), `-A INPUT ${other} -j DROP`), ['filter:INPUT:2'], 'and others');
  t.deepEqual(found(drop(one), '-A INPUT -p udp -j LOG', drop('-s 203.0.113.9/32'), drop(other)), ['filter:INPUT:4'], 'nothing between them decides otherwise');
});

test('exceptions that hold', t => {
  t.deepEqual(found(drop(one), drop(other, 'ACCEPT')), [], 'the other way');
  t.deepEqual(found(drop(one), drop(one)), [], 'of the same');
  t.deepEqual(found(drop('! -s 203.0.113.0/24'), drop(one)), [], 'of one among them');
  t.deepEqual(found(drop(one), drop('! -i eth0')), [], 'each of another thing');
  t.deepEqual(found(drop(one), drop(other).replace('22', '25')), []);
  t.deepEqual(found(drop(one), drop('-s 203.0.113.10/32', 'ACCEPT'), drop(other)), [], 'they are let in before');
  t.deepEqual(found(drop(one, 'LOG'), drop(other, 'LOG')), [], 'who is logged twice is no matter');
  t.deepEqual(found(drop(`-m limit --limit 3/sec ${one}`), drop(other)), [], 'a limit lets some of all pass');
});
