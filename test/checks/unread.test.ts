/** Rules that could not be read: what stands around them is told as far as it holds whatever they do. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import type { Finding } from '../../analyzer/finding.js';

const unread = '-A INPUT -m conntrack --no-such-option -j ACCEPT';

function of(lines: readonly string[], policies = ['INPUT DROP', 'FORWARD DROP', 'OUTPUT ACCEPT']): readonly Finding[] {
  const { findings, internalErrors } = analyze({ path: 'x.rules', text: ['*filter', ...policies.map(one => `:${one} [0:0]`), ...lines, 'COMMIT', ''].join('\n') }, {});
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings;
}

const told = (check: string, ...args: Parameters<typeof of>): readonly string[] => of(...args).filter(one => one.check === check).map(one => `${one.rule ?? ''} ${one.certainty}`);

test('rules behind one keep their numbers, and are shadowed by those before it', t => {
  const [finding, ...others] = of(['-A INPUT -p tcp -j ACCEPT', unread, '-A INPUT -p tcp -m tcp --dport 22 -j DROP']).filter(one => one.check === 'shadowed-rule');
  t.deepEqual([finding?.rule, finding?.certainty, finding?.because.map(one => one.rule), others.length], ['filter:INPUT:3', 'certain', ['filter:INPUT:1'], 0]);
  t.deepEqual(told('shadowed-rule', [unread, unread, '-A INPUT -p tcp -m tcp --dport 22 -j DROP']), [], 'by it alone nobody knows');
});

test('a rule is not redundant because of what stands behind one', t => {
  const drop = '-A INPUT -p tcp -m tcp --dport 22 -j DROP';
  t.deepEqual(told('redundant-rule', [drop]), ['filter:INPUT:1 certain']);
  t.deepEqual(told('redundant-rule', [drop, unread]), []);
});

test('what is read of it is believed: it lets nothing else through', t => {
  const drop = '-A INPUT -p tcp -m tcp --dport 22 -j DROP';
  t.deepEqual(told('redundant-rule', [drop, '-A INPUT -p udp -m udp --dprot 53 -j ACCEPT']), ['filter:INPUT:1 certain']);
  t.deepEqual(told('redundant-rule', [drop, '-A INPUT -p tcp -m tcp --dprot 53 -j ACCEPT']), []);
});

test('replies that one may let through are not told to be lost', t => {
  const ssh = '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', closed = ['INPUT DROP', 'FORWARD DROP', 'OUTPUT DROP'];
  t.deepEqual(told('missing-established-return', [ssh], closed), ['filter:INPUT:1 certain']);
  t.deepEqual(told('missing-established-return', [ssh, '-A OUTPUT -m conntrack --ctstat ESTABLISHED -j ACCEPT'], closed), []);
  t.deepEqual(told('missing-established-return', [unread, ssh], closed), ['filter:INPUT:2 certain'], 'no reply comes by INPUT');
});

test('a service behind one is exposed perhaps', t => {
  const database = '-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT';
  t.deepEqual(told('exposed-service', [database]), ['filter:INPUT:1 certain']);
  t.deepEqual(told('exposed-service', [unread, database]), ['filter:INPUT:2 possible']);
  t.deepEqual(told('exposed-service', [database, unread]), ['filter:INPUT:1 certain']);
});

test('what a policy lets in is let in perhaps, where one may have dropped it', t => {
  const open = ['INPUT ACCEPT', 'FORWARD DROP', 'OUTPUT ACCEPT'];
  t.deepEqual(told('default-accept', ['-A INPUT -p tcp -m tcp --dport 25 -j DROP'], open), [' certain']);
  t.deepEqual(told('default-accept', ['-A INPUT -p tcp -m tcp --dport 25 -j DROP', '-A INPUT -m conntrak --ctstate NEW --no-such -j DROP', '-A INPUT --no-such -j DROP'], open), [' possible']);
});

test('lines that could not be read are no duplicates, nor do they keep others from being', t => {
  t.deepEqual(told('duplicate-rule', [unread, unread]), []);
  const drop = '-A INPUT -s 203.0.113.0/24 -j DROP';
  for (const lines of [[drop, drop, unread], [drop, unread, drop]]) t.is(told('duplicate-rule', lines).length, 1);
});

test('a chain that only such a line leads to is in use', t => {
  const lines = [':ssh - [0:0]', '-A INPUT -p tcp -m tcp --dprot 22 -j ssh', '-A ssh -s 192.0.2.0/24 -j ACCEPT', '-A ssh -s 192.0.2.5/32 -j DROP'];
  t.deepEqual(of(lines).map(one => one.check).filter(check => ['unused-chain', 'unreachable-chain', 'never-matches', 'shadowed-rule'].includes(check)), ['shadowed-rule']);
});

test('one that is inserted or replaces another takes its place', t => {
  t.deepEqual(told('shadowed-rule', ['-A INPUT -p tcp -j ACCEPT', '-A INPUT -p tcp -j DROP', '-I INPUT 1 --no-such -j DROP']), ['filter:INPUT:3 certain']);
  t.deepEqual(told('shadowed-rule', ['-A INPUT -p tcp -j ACCEPT', '-A INPUT -p tcp -j DROP', '-R INPUT 1 --no-such -j DROP']), []);
});

test('of very many nothing is assumed but that they are there', t => {
  const many = Array.from({ length: 120 }, (_, i) => `-A INPUT -s 192.0.2.${String(2 * i)}/32 -m mac --mac-source XX -j DROP`);
  const lines = many.flatMap((line, i) => [line, `-A INPUT -s 192.0.2.${String(2 * i + 1)}/32 -j DROP`]);
  t.deepEqual(of(lines).filter(one => one.severity !== 'error' && one.check !== 'loopback-blocked').map(one => `${one.check} ${one.rule ?? ''}`), ['redundant-rule filter:INPUT:240'], 'behind the last of them');
});
