/** Rule sets that look as if a check should speak, and it must not. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';

function filter(...lines: readonly string[]): string {
  return ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...lines, 'COMMIT', ''].join('\n');
}

function found(text: string, ...checks: readonly string[]): string[] {
  return analyze({ path: 'near.rules', text }).findings.filter(one => checks.includes(one.check)).map(one => `${one.check} ${one.rule ?? ''}`.trim());
}

const established = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';

test('a rule behind a rate limit is not shadowed by it', t => {
  t.deepEqual(found(filter('-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j DROP'), 'shadowed-rule'), []);
});

test('nor by a set, whose contents nobody knows, nor by an unknown match', t => {
  t.deepEqual(found(filter('-A INPUT -m set --match-set web src -j ACCEPT', '-A INPUT -m frobnicate --x 1 -j ACCEPT', '-A INPUT -p udp -j ACCEPT'), 'shadowed-rule'), []);
});

test('the same set twice is the same packets', t => {
  t.deepEqual(found(filter('-A INPUT -m set --match-set web src -j DROP', '-A INPUT -p tcp -m set --match-set web src -j ACCEPT'), 'shadowed-rule'), ['shadowed-rule filter:INPUT:2']);
});

test('equal rules with a mark set between them are not the same', t => {
  const text = ['*mangle', '-A PREROUTING -m mark --mark 0x1 -j ACCEPT', '-A PREROUTING -i eth0 -j MARK --set-xmark 0x1/0xffffffff', '-A PREROUTING -m mark --mark 0x1 -j ACCEPT', 'COMMIT', ''].join('\n');
  t.deepEqual(found(text, 'duplicate-rule', 'shadowed-rule'), []);
});

test('a mark that each of several chains may set is asked for behind each, and none of these rules repeats another', t => {
  const pods = (target: string): string => filter(':one - [0:0]', ':two - [0:0]', ':pod - [0:0]', '-A FORWARD -j pod', '-A pod -j one', `-A pod -m mark --mark 0x1 ${target}`, '-A pod -j two', `-A pod -m mark --mark 0x1 ${target}`, '-A pod -j DROP',
    '-A one -p tcp -m tcp --dport 22 -j MARK --set-xmark 0x1/0xffffffff', '-A two -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x1/0xffffffff');
  for (const target of ['-j RETURN', '-g ok', '-j LOG', '']) t.deepEqual(found(pods(target).replace(':one', ':ok - [0:0]\n:one').replace('-A one', '-A ok -j ACCEPT\n-A one'), 'duplicate-rule'), [], target);
  t.deepEqual(found(pods('-j RETURN').replace('-A pod -j two\n', ''), 'duplicate-rule'), ['duplicate-rule filter:pod:3'], 'nothing is between them');
});

test('two equal limits are two limits', t => {
  const rule = '-A INPUT -p icmp -m limit --limit 1/sec -j ACCEPT';
  t.deepEqual(found(filter(rule, rule), 'duplicate-rule', 'shadowed-rule', 'redundant-rule'), []);
});

test('a redundant rule is told with all who decide in its place', t => {
  const by = (...lines: readonly string[]): readonly (string | undefined)[] => analyze({ path: 'x.rules', text: filter(...lines) }).findings.filter(({ check }) => check === 'redundant-rule').map(({ message }) => /the same, (by .*)$/u.exec(message)?.[1]);
  const ssh = '-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j DROP';
  const open = '-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT';
  t.deepEqual(by(ssh, '-A INPUT -s 203.0.113.0/24 -j DROP', '-A INPUT -s 192.0.2.0/25 -j DROP', open), ['by rule 3, and where that does not match, by what stands behind it'], 'the policy does the rest');
  t.deepEqual(by(ssh, '-A INPUT -s 203.0.113.0/24 -j DROP', '-A INPUT -s 192.0.0.0/16 -j DROP', open), ['by rule 3']);
});

test('a DROP before an ACCEPT policy, or before a log, is no redundant rule', t => {
  t.deepEqual(found('*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 203.0.113.0/24 -j DROP\nCOMMIT\n', 'redundant-rule'), []);
  t.deepEqual(found('*filter\n-A INPUT -s 203.0.113.0/24 -j ACCEPT\nCOMMIT\n', 'redundant-rule'), [], 'who knows what the policy is');
  t.deepEqual(found('*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 203.0.113.0/24 -j ACCEPT\nCOMMIT\n', 'redundant-rule'), ['redundant-rule filter:INPUT:1']);
  t.deepEqual(found('*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 224.0.0.0/4 -j ACCEPT\nCOMMIT\n', 'redundant-rule', 'never-matches'), ['never-matches filter:INPUT:1'], 'no packet matches it');
  t.deepEqual(found('#!/bin/sh\niptables -I FORWARD -j ACCEPT\n', 'redundant-rule'), []);
  t.deepEqual(found(filter('-A INPUT -s 203.0.113.0/24 -j DROP', '-A INPUT -j LOG --log-prefix "in "'), 'redundant-rule'), [], 'it keeps these packets out of the log');
});

test('replies that pass by any rule at all are replies', t => {
  t.deepEqual(found('*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A OUTPUT -p tcp -m tcp --sport 22 ! --tcp-flags SYN,ACK SYN -j ACCEPT\nCOMMIT\n', 'missing-established-return'), []);
});

test('replies go to where the packets came from, and not the other way round', t => {
  const text = (flag: string): string => `*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n-A INPUT -s 198.51.100.0/24 -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT\n-A OUTPUT ${flag} -j ACCEPT\nCOMMIT\n`;
  for (const right of ['-d 198.51.100.0/24', '-o eth0', '-p tcp -m tcp --sport 22', '! -d 192.0.2.0/24', '! -o eth1']) t.false(found(text(right), 'missing-established-return').includes('missing-established-return filter:INPUT:1'), right);
  for (const wrong of ['-s 198.51.100.0/24 -d 203.0.113.0/24', '-o eth1', '-p tcp -m tcp --dport 22 --sport 23', '! -d 198.51.0.0/16', '! -o eth0']) t.true(found(text(wrong), 'missing-established-return').includes('missing-established-return filter:INPUT:1'), wrong);
});

test('traffic that is not tracked has replies that are not ESTABLISHED', t => {
  const text = '*raw\n-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack\n-A OUTPUT -p udp -m udp --sport 53 -j CT --notrack\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n-A INPUT -p udp -m udp --dport 53 -j ACCEPT\n-A OUTPUT -p udp -m udp --sport 53 -m conntrack --ctstate UNTRACKED -j ACCEPT\nCOMMIT\n';
  t.deepEqual(found(text, 'missing-established-return'), []);
});

test('one-way UDP needs no reply, and the answer to a broadcast comes from the host itself', t => {
  t.deepEqual(found('*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n-A INPUT -p udp -m udp --dport 514 -j ACCEPT\n-A INPUT -d 192.0.2.255/32 -p udp -j ACCEPT\nCOMMIT\n', 'missing-established-return'), []);
});

test('what only lo sees needs no reply from outside', t => {
  t.deepEqual(found('*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n-A INPUT -i lo -p tcp -m tcp --dport 5432 -j ACCEPT\n-A OUTPUT -o lo -j ACCEPT\nCOMMIT\n', 'missing-established-return'), []);
});

test('a host that drops some of its output on purpose does not drop by default', t => {
  t.deepEqual(found(filter(established, '-A OUTPUT -p tcp -m tcp --dport 25 -j DROP'), 'output-drop-breakage'), []);
});

test('a chain that is only gone to is used', t => {
  t.deepEqual(found(filter(':web - [0:0]', '-A INPUT -p tcp -g web', '-A web -j ACCEPT'), 'unused-chain'), []);
});

test('a network written as a network has no host bits', t => {
  t.deepEqual(found(filter('-A INPUT -s 192.0.2.0/24 -j ACCEPT', '-A INPUT -s 192.0.2.1 -j ACCEPT'), 'host-bits-set'), []);
});

test('what lets in a loopback address by another interface matches nothing; what drops it is right, and what comes by lo is another thing', t => {
  const dead = (...lines: readonly string[]): string[] => found(filter('-A INPUT -i lo -j ACCEPT', established, ...lines), 'never-matches', 'redundant-rule', 'dnat-to-loopback');
  t.deepEqual(dead('-A INPUT -d 127.0.0.1/32 -i eth0 -p tcp -m tcp --dport 3306 -j ACCEPT'), ['never-matches filter:INPUT:3']);
  t.deepEqual(dead('-A INPUT -s 127.0.0.0/8 ! -i lo -j ACCEPT'), ['never-matches filter:INPUT:3']);
  t.deepEqual(dead('-A INPUT -s 127.0.0.0/8 ! -i lo -j DROP', '-A INPUT -d 127.0.0.0/8 -i eth0 -j REJECT', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'), []);
  t.deepEqual(dead('-A INPUT -s 127.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -s 126.0.0.0/7 -i eth0 -p tcp -m tcp --dport 23 -j ACCEPT', '-A FORWARD -s 127.0.0.0/8 -i eth0 -j ACCEPT'), []);
  const at = (sysctls: Readonly<Record<string, number>>): readonly string[] => analyze({ path: 'x.rules', text: filter('-A INPUT -d 127.0.0.1/32 -i eth0 -j ACCEPT') }, { host: () => ({ sysctls }) }).findings.filter(one => one.check === 'never-matches').map(one => one.certainty);
  t.deepEqual(at({ 'net.ipv4.conf.all.route_localnet': 0 }), ['certain']);
  t.deepEqual(at({ 'net.ipv4.conf.all.route_localnet': 0, 'net.ipv4.conf.eth0.route_localnet': 1 }), []);
  t.deepEqual(at({}), ['possible']);
  const nat = '*nat\n-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 127.0.0.1:8080\nCOMMIT\n';
  t.deepEqual(found(`${nat}${filter('-A INPUT -d 127.0.0.1/32 -i eth0 -p tcp -m tcp --dport 8080 -j ACCEPT')}`, 'never-matches', 'dnat-to-loopback'), ['dnat-to-loopback nat:PREROUTING:1']);
});

test('a mark of packets that no rule gives, where rules give others', t => {
  const told = (set: readonly string[], ...tested: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: ['*mangle', ...set, 'COMMIT', filter(...tested)].join('\n') }).findings.filter(({ check, message }) => check === 'never-matches' && message.includes('a mark of packets')).map(({ rule, severity, certainty }) => `${severity} ${certainty} ${rule ?? ''}`);
  const one = '-A PREROUTING -i eth1 -j MARK --set-mark 1';
  const four = '-A PREROUTING -i eth2 -j MARK --set-mark 4';
  const five = '-A INPUT -p tcp -m mark --mark 0x5 -j ACCEPT';
  t.deepEqual(told([one, four], five), ['info possible filter:INPUT:1'], 'either, and not both');
  t.deepEqual(told([one], '-A FORWARD -m mark --mark 0x2/0x2 -j ACCEPT'), ['info possible filter:FORWARD:1']);
  for (const other of ['-A PREROUTING -j MARK --or-mark 4', '-A PREROUTING -j MARK --set-mark 5', '-A PREROUTING -j CONNMARK --restore-mark', '-A PREROUTING -j NFQUEUE --queue-num 0', '-A PREROUTING -j FROBNICATE']) t.deepEqual(told([one, other], five), [], other);
  t.deepEqual(told(['-A PREROUTING -p tcp'], five), [], 'no rule gives marks: somebody else does');
  const [restore, save] = ['-A PREROUTING -j CONNMARK --restore-mark', '-A PREROUTING -j CONNMARK --save-mark'];
  t.deepEqual(told([restore, one, four, save], five), ['info possible filter:INPUT:1'], 'what is copied has been given');
  t.deepEqual(told([restore, one, '-A PREROUTING -j CONNMARK --or-mark 4', save], five), [], 'the one upon the other');
  t.deepEqual(told([restore, one, '-A OUTPUT -j CONNMARK --save-mark'], five), [], 'programs give marks to what they send');
  t.deepEqual(told([restore, one, '-A PREROUTING -j CONNMARK --set-mark 5'], five), []);
  for (const tested of ['-A INPUT -p tcp -m mark --mark 0x1 -j ACCEPT', '-A INPUT -p tcp -m mark ! --mark 0x5 -j ACCEPT', '-A INPUT -p tcp -m mark --mark 0x0/0x4 -j ACCEPT', '-A OUTPUT -m mark --mark 0x5 -j ACCEPT']) t.deepEqual(told([one], tested), [], tested);
});

test('0.0.0.0 is one address: who means everybody by it lets in nobody; clients of DHCP have it, and who keeps it out is right', t => {
  const told = (...lines: readonly string[]): readonly string[] => analyze({ path: 'x.rules', text: ['*filter', ':INPUT DROP', ':FORWARD DROP', ':OUTPUT ACCEPT', ...lines, 'COMMIT', ''].join('\n') }).findings.filter(({ check }) => check === 'never-matches').map(({ rule, severity }) => `${severity} ${rule ?? ''}`);
  for (const line of ['-A INPUT -s 0.0.0.0/32 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -d 0.0.0.0/32 -p tcp -m tcp --dport 80 -j ACCEPT', '-A INPUT -s 0.0.0.0/32 -d 192.0.2.1/32 -j ACCEPT', '-A INPUT -d 0.0.0.0/32 -j ACCEPT']) t.deepEqual(told(line), ['warning filter:INPUT:1'], line);
  for (const line of ['-A FORWARD -s 192.168.5.0/24 -d 0.0.0.0/32 -j ACCEPT', '-A FORWARD -s 0.0.0.0/32 -p tcp -m tcp --dport 443 -j ACCEPT']) t.deepEqual(told(line), ['warning filter:FORWARD:1'], line);
  for (const line of ['-A INPUT -s 0.0.0.0/32 -p udp -m udp --sport 68 --dport 67 -j ACCEPT', '-A INPUT -s 0.0.0.0/32 -j ACCEPT', '-A INPUT -s 0.0.0.0/32 -d 224.0.0.1/32 -p igmp -j ACCEPT', '-A INPUT -s 0.0.0.0/32 -j DROP', '-A FORWARD -s 0.0.0.0/32 -d 255.255.255.255/32 -p udp -m udp --dport 67 -j ACCEPT', '-A INPUT ! -s 0.0.0.0/32 -j ACCEPT', '-A OUTPUT -s 0.0.0.0/32 -j ACCEPT']) t.deepEqual(told(line), [], line);
});

test('what lets a group send matches nothing; what keeps it out is right, and a group is written to', t => {
  const dead = (rule: string, family: 'ipv4' | 'ipv6' = 'ipv4'): readonly string[] => analyze({ path: 'x.rules', text: filter('-A INPUT -i lo -j ACCEPT', established, rule) }, { family }).findings.filter(one => one.check === 'never-matches').map(({ severity, certainty }) => `${certainty} ${severity}`);
  for (const rule of ['-A INPUT -s 224.0.0.18/32 -p vrrp -j ACCEPT', '-A INPUT -s 224.0.0.0/4 -j ACCEPT', '-A FORWARD -s 255.255.255.255/32 -j ACCEPT']) t.deepEqual(dead(rule), ['certain warning'], rule);
  t.deepEqual(dead('-A INPUT -s ff02::fb/128 -p udp -m udp --dport 5353 -j ACCEPT', 'ipv6'), ['certain warning']);
  const whose = (rule: string): string => /from the address of (.*), and/u.exec(analyze({ path: 'x.rules', text: filter(rule) }).findings.find(one => one.check === 'never-matches')?.message ?? '')?.[1] ?? '';
  t.deepEqual([whose('-A INPUT -s 255.255.255.255/32 -j ACCEPT'), whose('-A INPUT -s 224.0.0.0/4 -j ACCEPT')], ['everybody on a network', 'a group']);
  for (const rule of ['-A INPUT -s 224.0.0.0/4 -j DROP', '-A INPUT -d 224.0.0.18/32 -p vrrp -j ACCEPT', '-A INPUT -s 240.0.0.0/4 -j ACCEPT', '-A INPUT -s 224.0.0.0/3 -j ACCEPT', '-A INPUT ! -s 224.0.0.0/4 -p vrrp -j ACCEPT']) t.deepEqual(dead(rule), [], rule);
});

const lonely = ['unused-chain', 'unreachable-chain', 'default-accept', 'undefined-chain'];

test('DOCKER-USER waits for docker: only where docker has made its chains and does not lead there, it is unused', t => {
  const look = (...lines: readonly string[]): readonly { readonly message: string; readonly fix: boolean }[] => analyze({ path: 'near.rules', text: filter(...lines) }).findings
    .filter(one => lonely.includes(one.check)).map(({ check, message, fix }) => ({ message: `${check}: ${message}`, fix: fix !== undefined }));
  const own = [':DOCKER-USER - [0:0]', ':office - [0:0]', '-A DOCKER-USER -i eth0 -j office', '-A office -s 198.51.100.0/24 -j RETURN', '-A office -j DROP'];
  t.deepEqual(look(...own), [{ message: 'unused-chain: no rule of table filter jumps to chain `DOCKER-USER` before docker does: until then its rule does nothing; what comes then is not looked at here', fix: false }]);
  t.deepEqual(look(':DOCKER - [0:0]', '-A FORWARD -o docker0 -j DOCKER', ...own).map(one => one.fix), [true, false]);
  t.deepEqual(look(':DOCKER-USER - [0:0]'), [], 'nothing stands in it');
});

test('a table with nothing in built-in chains is a part of one: nothing of it is to be deleted', t => {
  const part = '*filter\n:ufw-before-input - [0:0]\n:ufw-not-local - [0:0]\n-A ufw-before-input -i lo -j ACCEPT\n-A ufw-before-input -j ufw-not-local\n-A ufw-not-local -j ufw-logging-deny\nCOMMIT\n';
  const { findings } = analyze({ path: 'before.rules', text: part });
  t.deepEqual(findings.filter(one => lonely.includes(one.check)).map(({ check, fix }) => [check, fix]), [['unused-chain', undefined], ['undefined-chain', undefined]]);
  t.true(findings.every(({ help }) => help.includes('--noflush') || help.includes('iptables-save')));
  t.deepEqual(found(part.replace(':ufw-before', ':INPUT DROP [0:0]\n:ufw-before'), 'unused-chain'), [], 'ufw has made it');
});

test('where others lead packets, a rule that is said again behind one that goes on is no duplicate', t => {
  const marks = ['-A MINE -m mark --mark 0x1 -j ACCEPT', '-A MINE -i eth0 -j MARK --set-xmark 0x1/0xffffffff', '-A MINE -m mark --mark 0x1 -j ACCEPT'];
  const part = (...lines: readonly string[]): string => ['*mangle', ':MINE - [0:0]', ...lines, 'COMMIT', ''].join('\n');
  t.deepEqual(found(part(...marks), 'duplicate-rule'), []);
  t.deepEqual(found(part(...marks.filter(line => !line.includes('set-xmark'))), 'duplicate-rule'), ['duplicate-rule mangle:MINE:2']);
});
