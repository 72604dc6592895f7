/** Chains that accept all that is led to them, as those that write down what they accept: what is told of the rules that lead there. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';

const ends = [':ok - [0:0]', '-A ok -m limit --limit 5/min -j LOG', '-A ok -j ACCEPT'];

function filter(output: 'ACCEPT' | 'DROP', ...rules: readonly string[]): string {
  return ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', `:OUTPUT ${output} [0:0]`, '-A INPUT -i lo -j ACCEPT', '-A OUTPUT -o lo -j ACCEPT', ...rules, 'COMMIT', ''].join('\n');
}

function found(check: string, text: string): readonly string[] {
  const { findings, internalErrors } = analyze({ path: 'accepting.rules', text });
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings.filter(one => one.check === check).map(({ rule, severity }) => `${severity} ${rule ?? ''}`);
}

const known = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';

test('what is open by such a chain is told of the rule that names it', t => {
  const mysql = '-A INPUT -p tcp -m tcp --dport 3306 -j ok';
  t.deepEqual(found('exposed-service', filter('ACCEPT', known, ...ends, mysql)), ['warning filter:INPUT:3']);
  t.deepEqual(found('exposed-service', filter('ACCEPT', known, ':log - [0:0]', '-A log -g ok', ...ends, mysql.replace('ok', 'log'))), ['warning filter:INPUT:3'], 'by a chain of its own');
  t.deepEqual(found('exposed-service', filter('ACCEPT', known, ':ok - [0:0]', '-A ok -s 203.0.113.0/24 -j ACCEPT', mysql)), [], 'for some only');
  t.deepEqual(found('exposed-service', filter('ACCEPT', known, ':ok - [0:0]', '-A ok -s 203.0.113.0/24 -j RETURN', '-A ok -j ACCEPT', mysql)), [], 'some come back');
  t.deepEqual(found('exposed-service', filter('ACCEPT', known, ':ok - [0:0]', '-A ok -j LOG', '-A ok -j DROP', mysql)), []);
  t.deepEqual(found('source-port-trusted', filter('ACCEPT', known, ...ends, '-A INPUT -p udp -m udp --sport 53 -j ok')), ['warning filter:INPUT:3']);
});

test('what has no answer is told of the rule that leads there, not of all that is led there', t => {
  const lost = (...rules: readonly string[]): readonly string[] => found('missing-established-return', filter('DROP', ...ends, ...rules));
  const ssh = ['-A INPUT -p tcp -m tcp --dport 22 -j ok', '-A OUTPUT -p tcp -m tcp --sport 22 -m conntrack --ctstate ESTABLISHED -j ok'];
  t.deepEqual(lost(...ssh), []);
  t.deepEqual(lost(...ssh, '-A INPUT -p tcp -m tcp --dport 80 -j ok', '-A OUTPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate ESTABLISHED -j ok'), ['warning filter:INPUT:3']);
  t.deepEqual(lost(...ssh, '-A INPUT -p tcp -m tcp --dport 80 -j ok'), ['error filter:INPUT:3']);
});

test('any-any-accept: a chain to which others lead what they name opens nothing else', t => {
  const open = (...rules: readonly string[]): readonly string[] => found('any-any-accept', filter('ACCEPT', known, ...ends, ...rules));
  t.deepEqual(open('-A INPUT -p tcp -m tcp --dport 22 -j ok', '-A INPUT -p udp -m udp --sport 53 -j ok', '-A INPUT -p tcp -m tcp --sport 20 -j ok'), []);
  t.deepEqual(open('-A INPUT -i lo -j ok', '-A INPUT -p udp -m udp --sport 53 -j ok'), [], 'all of lo');
  t.deepEqual(open('-A INPUT -i eth1 -j ok', '-A INPUT -i eth0 -p udp -m udp --sport 53 -j ok'), [], 'all from inside');
  t.deepEqual(open('-A INPUT -p udp -m udp --sport 53 -j ok', '-A INPUT -p tcp -j ok'), ['warning filter:ok:2'], 'all of TCP');
});
