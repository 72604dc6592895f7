import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import { withoutUnread } from '../../analyzer/model/nobody-knows.js';
import { printRuleset } from '../../analyzer/model/print.js';

function rulesOf(text: string): string[] {
  return load({ path: 'fw.sh', text }, { format: 'script' }).rulesets.flatMap(ruleset => [...printRuleset(withoutUnread(ruleset))].filter(line => line.startsWith('-A')).map(line => `${ruleset.family} ${line}`));
}

function skippedLines(text: string): number[] {
  return load({ path: 'fw.sh', text }, { format: 'script' }).diagnostics.filter(one => one.check === 'skipped-line').map(one => one.line);
}

test('literal commands are read, with quotes, continuations and both families', t => {
  t.deepEqual(rulesOf(`#!/bin/sh
set -e
iptables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT   # loopback
/usr/sbin/iptables -A INPUT -p tcp \\
  --dport 22 -j ACCEPT
sudo ip6tables -A INPUT -m comment --comment 'it is "so"' -j DROP 2>/dev/null
iptables -t filter -A OUTPUT -m comment --comment "a \\"b\\"" -j ACCEPT
`), [
    'ipv4 -A INPUT -i lo -j ACCEPT',
    'ipv4 -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT',
    'ipv4 -A OUTPUT -m comment --comment "a \\"b\\"" -j ACCEPT',
    'ipv6 -A INPUT -m comment --comment "it is \\"so\\"" -j DROP',
  ]);
});

test('a dollar sign before what is no name is one', t => {
  t.deepEqual(rulesOf('iptables -A INPUT -p tcp -m string --string "$" --algo bm -j DROP\niptables -A INPUT -m comment --comment "5 $, all in" -j DROP\n'), [
    'ipv4 -A INPUT -p tcp -m string --string "$" --algo bm -j DROP', 'ipv4 -A INPUT -m comment --comment "5 $, all in" -j DROP',
  ]);
  t.deepEqual(skippedLines('iptables -A INPUT -m comment --comment "$a" -j DROP\niptables -A INPUT -m comment --comment "$(id)" -j DROP\niptables -A INPUT -m comment --comment "$?" -j DROP\n'), [1, 2, 3]);
});

test('an address in brackets is what it says: no file is called so', t => {
  const rule = 'ip6tables -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination';
  t.deepEqual(skippedLines(`${rule} [2001:db8::5]:8080\n${rule} [2001:db8::5]\n${rule} [a-z]\n${rule} [$HOST]:8080\n`), [3, 4]);
});

test('what is not literal is skipped with a word, and the rest is read', t => {
  const text = `IPT=$(which iptables)
$IPT -A INPUT -j ACCEPT
iptables -A INPUT -s $HOME_NET -j ACCEPT
for p in 80 443; do
  iptables -A INPUT -p tcp --dport $p -j ACCEPT
  iptables -A INPUT -p tcp --dport 25 -j ACCEPT
done
if [ -x /bin/foo ]; then iptables -A INPUT -p tcp --dport 26 -j ACCEPT; fi
open() {
  iptables -A INPUT -p tcp --dport 27 -j ACCEPT
}
iptables -A INPUT -s \`hostname\` -j ACCEPT
iptables-restore < /etc/iptables/rules.v4 && sudo ip6tables-restore < /etc/iptables/rules.v6
iptables -A INPUT -p tcp --dport 28 -j ACCEPT || exit 1
iptables -A INPUT -p tcp --dport 29 -j ACCEPT
`;
  t.deepEqual(skippedLines(text), [2, 3, 5, 6, 8, 10, 12, 13, 13]);
  t.deepEqual(rulesOf(text), ['ipv4 -A INPUT -p tcp -m tcp --dport 28 -j ACCEPT', 'ipv4 -A INPUT -p tcp -m tcp --dport 29 -j ACCEPT']);
});

test('a variable that is given one value, at the top, stands for it', t => {
  const of = (...lines: readonly string[]): string => rulesOf([...lines, 'iptables -A INPUT -p tcp --dport $P -j ACCEPT', ''].join('\n')).join().replace(/^.*--dport (\S+) .*$/u, '$1');
  t.is(of('P=22'), '22');
  t.is(of('readonly P="22" # ssh'), '22');
  t.is(of('A=2', 'export P=$A${A}'), '22');
  for (const lines of [
    [], ['if x; then P=22; fi'], ['x && P=22'], ['echo 22 | P=22'], ['P=22', 'P=23'], ['P=22', 'f() { P=23; }'], ['P=22', 'read P'], ['for P in 22 23; do :; done'], ['P=22', 'unset P'],
    ['P=22', '. /etc/fw.conf'], ['P=22', '[ -f x ] && source x'], ['P=22', 'eval "$x"'], ['P=`cat x`'], ['P=${1:-22}'], ['P=22 echo'], ['P=(22 23)'], ['P="22 -j DROP"'], ['P='], ['P="2*"'], ['P=22', 'IFS=2'], ['P=22', 'P+=2'],
  ]) t.is(of(...lines), '', lines.join('; '));
  t.is(of('. /etc/fw.conf', 'P=22'), '22', 'it is given after the file was read');
  t.is(of('P=22', 'echo "P is $P"', '# P=23'), '22');
});

test('the program, and what stands in quotes, may be variables as well', t => {
  t.deepEqual(rulesOf(`IPT="/sbin/iptables"
IP6='ip6tables'
NOTE="two words"
$IPT -A INPUT -m comment --comment "the $NOTE" -j ACCEPT
sudo $IP6 -A INPUT -m comment --comment '$NOTE' -j ACCEPT
$IPT -A INPUT -m comment --comment $NOTE -j ACCEPT
`), ['ipv4 -A INPUT -m comment --comment "the two words" -j ACCEPT', 'ipv6 -A INPUT -m comment --comment "$NOTE" -j ACCEPT']);
});

/** A script of these lines, in which `+1` adds a rule for 192.0.2.1; the last numbers of the rules that are read, and the lines that are skipped. */
function ran(...lines: readonly string[]): { readonly rules: readonly string[]; readonly skipped: readonly number[]; readonly errors: number } {
  const text = lines.map(line => `${line.replaceAll(/\+(\d)/gu, 'iptables -A INPUT -s 192.0.2.$1 -j DROP')}\n`).join('');
  const errors = load({ path: 'fw.sh', text }, { format: 'script' }).diagnostics.filter(one => one.severity === 'error').length;
  return { rules: rulesOf(text).map(rule => /192\.0\.2\.(\d)/u.exec(rule)?.[1] ?? ''), skipped: skippedLines(text), errors };
}

test('what stands behind && is run where what stands before it cannot but succeed', t => {
  t.deepEqual(ran('+1 && +2 &&', '', '  +3', 'echo web && +4', 'modprobe x && +5', '+6'), { rules: ['1', '2', '3', '4', '6'], skipped: [5], errors: 0 });
});

test('what stands behind || is run where what stands before it fails', t => {
  t.deepEqual(ran('+1 || exit 1', '+2 || +3', 'grep -q x y || +4', '+5 | cat'), { rules: ['1', '2', '5'], skipped: [2, 3], errors: 0 });
});

test('a command that may fail, and is followed by ||, is no error', t => {
  t.deepEqual(ran('iptables -D INPUT -j LOG || true', 'iptables -X web || true', 'iptables -N web || true', 'iptables -A INPUT -s 192.0.2.1 -j web'), { rules: ['1'], skipped: [], errors: 0 });
});

test('a rule that is added where it is not there yet is there', t => {
  t.deepEqual(ran('iptables -C INPUT -s 192.0.2.1 -j DROP 2>/dev/null || +1', 'iptables -C INPUT -s 192.0.2.3 -j DROP || +2', 'iptables -C INPUT -j LOG && +3'), { rules: ['1'], skipped: [1, 2, 2, 3, 3], errors: 0 });
});

test('behind exit nothing is run', t => {
  t.deepEqual(ran('f() { exit 1; }', '[ -x /sbin/x ] || exit 1', 'if x; then exit 2; fi', '+1', 'exit 0', '+2'), { rules: ['1'], skipped: [6], errors: 0 });
});

test('programs that run others are seen through, or told', t => {
  t.deepEqual(ran('LC_ALL=C +1', 'sudo A=b +2', 'time +3', 'timeout 5 +4', 'eval "+5"', 'sudo -n +6', 'sh -c \'+7\'', 'command -v iptables', 'sudo which iptables'), { rules: ['1', '2', '3'], skipped: [4, 5, 6, 7], errors: 0 });
});

test('a here-document is not taken for commands', t => {
  t.deepEqual(rulesOf('cat <<EOF\niptables -A INPUT -j DROP\nEOF\niptables -A INPUT -j ACCEPT\n'), ['ipv4 -A INPUT -j ACCEPT']);
});

test('commands are carried out in order', t => {
  t.deepEqual(rulesOf('iptables -A INPUT -j LOG\niptables -I INPUT -i lo -j ACCEPT\niptables -N web\niptables -A web -j ACCEPT\niptables -F INPUT\niptables -A INPUT -j web\niptables -A INPUT -j DROP\niptables -D INPUT 2\n'), ['ipv4 -A INPUT -j web', 'ipv4 -A web -j ACCEPT']);
});

test('a file with -4 and -6 lines is read for both families', t => {
  const text = '*filter\n:INPUT DROP [0:0]\n-4 -A INPUT -s 192.0.2.1 -j ACCEPT\n-6 -A INPUT -s 2001:db8::1 -j ACCEPT\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n';
  const { rulesets, diagnostics } = load({ path: 'both.rules', text });
  t.deepEqual(diagnostics, []);
  t.deepEqual(rulesets.flatMap(ruleset => [...printRuleset(ruleset)].filter(line => line.startsWith('-A')).map(line => `${ruleset.family} ${line}`)), [
    'ipv4 -A INPUT -s 192.0.2.1/32 -j ACCEPT', 'ipv4 -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT',
    'ipv6 -A INPUT -s 2001:db8::1/128 -j ACCEPT', 'ipv6 -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT',
  ]);
});

test('dumps of both families in one file, told apart by their headers', t => {
  const dump = (program: string, address: string): string => `# Generated by ${program} v1.8.9 (nf_tables) on Sat Nov 21 03:23:33 2026\n*filter\n:INPUT DROP [0:0]\n-A INPUT -s ${address} -j ACCEPT\nCOMMIT\n# Completed on Sat Nov 21 03:23:33 2026\n`;
  const { rulesets, diagnostics } = load({ path: 'both.txt', text: dump('iptables-save', '192.0.2.1/32') + dump('ip6tables-save', '2001:db8::1/128') });
  t.deepEqual(diagnostics, []);
  t.deepEqual(rulesets.map(one => one.family), ['ipv4', 'ipv6']);
});

test('what is only flushed is no table: iptables-nft makes none for that', t => {
  const text = 'iptables -F\niptables -X\niptables -t nat -F\niptables -t mangle -X\niptables -Z\niptables -A INPUT -j DROP\n';
  const tables = (backend?: 'legacy'): readonly string[] => load({ path: 'fw.sh', text }, { format: 'script', backend }).rulesets.flatMap(one => [...one.tables.keys()]);
  t.deepEqual(tables(), ['filter']);
  t.deepEqual(tables('legacy'), ['filter', 'nat', 'mangle']);
});
