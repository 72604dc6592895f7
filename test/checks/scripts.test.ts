/** Scripts of which some commands are skipped: what is told of the others holds whatever those do. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { load } from '../../analyzer/model/load.js';

const closed = ['iptables -F', 'iptables -P INPUT DROP', 'iptables -P FORWARD DROP', 'iptables -P OUTPUT DROP', 'iptables -A INPUT -i lo -j ACCEPT', 'iptables -A OUTPUT -o lo -j ACCEPT', 'iptables -A OUTPUT -p tcp --dport 22 -j ACCEPT'];

/** What is found, but for what is skipped. */
function found(...lines: readonly string[]): readonly string[] {
  const { findings, internalErrors, undecided } = analyze({ path: 'fw.sh', text: ['#!/bin/sh', ...lines, ''].join('\n') }, {});
  if (internalErrors.length > 0 || Object.keys(undecided).length > 0) throw new Error(JSON.stringify([internalErrors, undecided]));
  return findings.filter(one => one.check !== 'skipped-line').map(one => `${one.check} ${one.severity}`);
}

function has(check: string, ...lines: readonly string[]): boolean {
  return found(...closed, ...lines).some(one => one.startsWith(`${check} `));
}

test('what a skipped rule may let out is not told to be cut off', t => {
  t.true(has('output-drop-breakage'));
  for (const line of ['iptables -A OUTPUT -d $SERVER -j ACCEPT', 'for a in $SERVERS; do iptables -A OUTPUT -d $a -j ACCEPT; done', 'iptables -A OUTPUT $RULE', '$IPT -A OUTPUT -o eth0 -j ACCEPT', 'timeout 5 iptables -A OUTPUT -j ACCEPT', 'iptables -P OUTPUT $POLICY', 'if x; then iptables -P OUTPUT ACCEPT; fi', 'iptables -A $chain -j ACCEPT']) {
    t.false(has('output-drop-breakage', line), line);
  }
  t.true(has('output-drop-breakage', 'iptables -A OUTPUT -d $SERVER -j DROP'), 'it lets nothing out');
  t.true(has('output-drop-breakage', 'iptables -A INPUT -s $CLIENT -j ACCEPT'), 'it is for others');
  t.true(has('output-drop-breakage', 'exit 0', 'iptables -A OUTPUT -d $SERVER -j ACCEPT'), 'it is never run');
  t.true(has('output-drop-breakage', 'if x; then iptables -P OUTPUT ACCEPT; fi', 'iptables -P OUTPUT DROP'), 'the last word is literal');
});

test('a function may be called when chains were flushed and deleted', t => {
  const open = ['open() {', '  iptables -N guests', '  iptables -A guests -s $1 -j ACCEPT', '  iptables -A OUTPUT -d $1 -j ACCEPT', '}'];
  const lines = [...open, ...closed, 'iptables -X', 'iptables -A INPUT -j guests'];
  t.false(found(...lines).some(one => /^(?:output-drop-breakage|undefined-chain|jump-to-empty-chain|unused-chain)/u.test(one)), found(...lines).join());
});

test('a chain that skipped commands may make, fill or lead to is neither missing nor empty nor unused', t => {
  const checks = ['undefined-chain error', 'duplicate-chain error', 'jump-to-empty-chain info', 'unused-chain info', 'unreachable-chain info'];
  const told = (...lines: string[]): readonly string[] => found(...closed, ...lines).filter(one => checks.includes(one));
  t.deepEqual(told('iptables -N web', 'iptables -A INPUT -j web'), ['jump-to-empty-chain info']);
  t.deepEqual(told('iptables -N web', 'iptables -A INPUT -j web', 'iptables -A web -s $A -j ACCEPT'), []);
  t.deepEqual(told('iptables -N web', 'iptables -A web -s 192.0.2.1 -j ACCEPT'), ['unused-chain info']);
  t.deepEqual(told('iptables -N web', 'iptables -A web -s 192.0.2.1 -j ACCEPT', 'iptables -A INPUT -j $C'), []);
  t.deepEqual(told('if x; then iptables -N web; fi', 'iptables -A web -s 192.0.2.1 -j ACCEPT', 'iptables -A INPUT -j web'), []);
  t.deepEqual(told('if x; then iptables -N web; fi', 'iptables -N web', 'iptables -A web -s 192.0.2.1 -j ACCEPT', 'iptables -A INPUT -j web'), []);
  t.deepEqual(told('for c in a b; do iptables -N $c; done', 'iptables -A a -s 192.0.2.1 -j ACCEPT', 'iptables -A INPUT -j a'), []);
});

test('what holds whatever is skipped is told', t => {
  t.deepEqual(found(...closed, 'iptables -A INPUT -p tcp --dport $P -j ACCEPT', 'iptables -A INPUT -p tcp -j DROP', 'iptables -A INPUT -p tcp --dport 22 -j ACCEPT').filter(one => one.startsWith('shadowed')), ['shadowed-rule error']);
});

test('of a script that is skipped altogether nothing is told', t => {
  t.deepEqual(found('IPT=$(which iptables)', '$IPT -P INPUT DROP', '$IPT -A INPUT -i lo -j ACCEPT', '$IPT -A INPUT -j DROP', '$IPT -A INPUT -j ACCEPT'), []);
});

test('rules are counted from those that the host has, unless they were flushed', t => {
  const of = (...lines: readonly string[]): readonly string[] => load({ path: 'fw.sh', text: lines.map(line => `${line}\n`).join('') }, { format: 'script' }).diagnostics.map(one => `${one.check} ${String(one.line)}`);
  t.deepEqual(of('iptables -I INPUT 6 -j ACCEPT', 'iptables -D INPUT 3', 'iptables -R OUTPUT 1 -j DROP'), ['skipped-line 1', 'skipped-line 2', 'skipped-line 3']);
  t.deepEqual(of('iptables -F', 'iptables -I INPUT 6 -j ACCEPT'), ['rule-number 2']);
  t.deepEqual(of('iptables -N web', 'iptables -I web 2 -j ACCEPT'), ['rule-number 2']);
});

test('side by side, many skipped rules are as good as one', t => {
  const text = `iptables -P INPUT DROP\n${'iptables -A INPUT -s $A -j ACCEPT\niptables -A INPUT -s $B -j DROP\n'.repeat(300)}iptables -I INPUT -i $C -j ACCEPT\n`;
  const [ruleset] = load({ path: 'fw.sh', text }, { format: 'script' }).rulesets;
  t.deepEqual(ruleset?.tables.get('filter')?.chains.get('INPUT')?.rules.map(one => one.line), [2, 3]);
});

test('a variable that is given one plain value is no matter: what is found is found at its words', t => {
  const text = ['#!/bin/sh', 'IPT=/sbin/iptables', 'WAN=eth0', 'LAN="10.0.0.0/8"', '$IPT -A INPUT -i "$WAN" -s 10.1.2.3/8 -j DROP', '$IPT -A INPUT -i ${WAN} -s $LAN -m state --state NEW -j ACCEPT', ''].join('\n');
  const checks = ['host-bits-set', 'shadowed-rule', 'deprecated-state-match', 'skipped-line'];
  const { findings } = analyze({ path: 'fw.sh', text }, {});
  t.deepEqual(findings.filter(one => checks.includes(one.check)).map(({ check, span, fix }) => [check, text.slice(span.start, span.end), fix?.edits.length]), [
    ['host-bits-set', '-s 10.1.2.3/8', 1], ['shadowed-rule', '$IPT -A INPUT -i ${WAN} -s $LAN -m state --state NEW -j ACCEPT', undefined], ['deprecated-state-match', '-m state --state NEW', 1],
  ]);
});

test('a script may find chains and rules that others, or an earlier run of it, have made', t => {
  const missing = (...lines: readonly string[]): readonly string[] => found(...lines).filter(one => /^(?:undefined-chain|no-such-rule|unused-chain|unreachable-rule)/u.test(one));
  const again = ['iptables -D INPUT -j guests', 'iptables -F guests', 'iptables -X guests', 'iptables -N guests', 'iptables -A guests -j DROP', 'iptables -I INPUT -i wlan1 -j guests'];
  t.deepEqual(missing(...again), []);
  t.deepEqual(missing('iptables -I DOCKER-USER -i eth0 -p tcp --dport 3306 -j DROP', 'iptables -A INPUT -i eth0 -j DROP'), ['undefined-chain warning'], 'docker leads there');
  t.deepEqual(missing('iptables -A INPUT -p tcp --dport 22 -j f2b-sshd'), ['undefined-chain warning']);
  t.deepEqual(missing('iptables -A INPUT -p tcp --dport 22 -j ACCEP'), ['undefined-chain error'], 'nobody makes a chain of that name');
  t.deepEqual(missing('iptables -A INPUT -g REJECT'), ['undefined-chain error'], 'no chain has the name of a target');
  t.deepEqual(missing('iptables -D web -j DROP', 'iptables -A web -j ACCEPT', 'iptables -D web -p tcp -j DROP', 'iptables -A INPUT -j web'), ['undefined-chain warning']);
  t.deepEqual(missing('iptables -F INPUTS', 'iptables -P INPTU DROP'), ['undefined-chain warning', 'undefined-chain error'], 'typing errors');
});

test('who tidies up behind an earlier run says nothing that is not analyzed', t => {
  const skipped = (...lines: readonly string[]): readonly number[] => load({ path: 'fw.sh', text: lines.map(line => `${line}\n`).join('') }, { format: 'script' }).diagnostics.flatMap(({ check, line }) => check === 'skipped-line' ? line : []);
  t.deepEqual(skipped('iptables -D INPUT -j guests 2>/dev/null || true', 'iptables -F guests || :', 'iptables -X guests || true', 'iptables -N guests', 'iptables -A INPUT -j guests'), []);
  t.deepEqual(skipped('iptables -A INPUT -j DROP', 'iptables -D INPUT -j DROP || true', 'iptables -N guests', 'iptables -X guests || true'), [2, 4], 'what it has put there itself');
  t.deepEqual(skipped('stop() {', '  iptables -D INPUT -j guests || true', '}', 'iptables -D INPUT -s $A -j DROP || true', 'iptables -X $C || true'), [2, 4, 5], 'nobody knows when, or what');
});

test('what a script has flushed or deleted it does not find', t => {
  const missing = (...lines: readonly string[]): readonly string[] => found(...lines).filter(one => /^(?:undefined-chain|no-such-rule)/u.test(one));
  t.deepEqual(missing('iptables -F', 'iptables -D INPUT -j DROP'), ['no-such-rule error']);
  t.deepEqual(missing('iptables -N web', 'iptables -D web -j DROP'), ['no-such-rule error']);
  t.deepEqual(missing('iptables -F', 'iptables -X', 'iptables -A web -j DROP', 'iptables -A INPUT -j guests', 'iptables -F old'), ['undefined-chain error', 'undefined-chain error', 'undefined-chain error']);
  t.deepEqual(missing('iptables -t nat -X', 'iptables -A INPUT -j guests'), ['undefined-chain warning'], 'of another table');
  t.deepEqual(analyze({ path: 'x.rules', text: '*filter\n-D INPUT -j DROP\n-A INPUT -j guests\n-F old\nCOMMIT\n' }, {}).findings.flatMap(({ check, severity }) => severity === 'error' ? check : []), ['no-such-rule', 'undefined-chain', 'undefined-chain'], 'iptables-restore begins with nothing');
});
