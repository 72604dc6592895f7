import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import { printRuleset } from '../../analyzer/model/print.js';

function rulesOf(text: string): string[] {
  return load({ path: 'fw.sh', text }, { format: 'script' }).rulesets.flatMap(ruleset => [...printRuleset(ruleset)].filter(line => line.startsWith('-A')).map(line => `${ruleset.family} ${line}`));
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

test('what is not literal is skipped with a word, and the rest is read', t => {
  const text = `IPT=/sbin/iptables
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
iptables-restore < /etc/iptables/rules.v4
iptables -A INPUT -p tcp --dport 28 -j ACCEPT || exit 1
iptables -A INPUT -p tcp --dport 29 -j ACCEPT
`;
  t.deepEqual(skippedLines(text), [2, 3, 5, 6, 8, 10, 12, 13, 14]);
  t.deepEqual(rulesOf(text), ['ipv4 -A INPUT -p tcp -m tcp --dport 29 -j ACCEPT']);
});

test('a here-document is not taken for commands', t => {
  t.deepEqual(rulesOf('cat <<EOF\niptables -A INPUT -j DROP\nEOF\niptables -A INPUT -j ACCEPT\n'), ['ipv4 -A INPUT -j ACCEPT']);
});

test('commands are carried out in order', t => {
  t.deepEqual(rulesOf('iptables -A INPUT -j LOG\niptables -I INPUT -i lo -j ACCEPT\niptables -N web\niptables -A web -j ACCEPT\niptables -F INPUT\niptables -A INPUT -j web\niptables -A INPUT -j DROP\niptables -D INPUT 2\n'), ['ipv4 -A INPUT -j web', 'ipv4 -A web -j ACCEPT']);
});
