/** Rules that no packet comes to because of other tables, and rules of which that would be wrong to say. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import type { Finding } from '../../analyzer/finding.js';

function table(name: string, chains: readonly string[], ...rules: readonly string[]): string {
  return [`*${name}`, ...chains.map(chain => `:${chain} ${/^[A-Z]+$/u.test(chain) ? 'ACCEPT' : '-'} [0:0]`), ...rules, 'COMMIT', ''].join('\n');
}

function unreachable(...tables: readonly string[]): Finding[] {
  return analyze({ path: 'tables.rules', text: tables.join('') }).findings.filter(one => one.check === 'unreachable-rule');
}

const filter = (...rules: readonly string[]): string => table('filter', ['INPUT', 'FORWARD', 'OUTPUT'], ...rules);
const mangle = (...rules: readonly string[]): string => table('mangle', ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'], ...rules);
const nat = (...rules: readonly string[]): string => table('nat', ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'], ...rules);
const raw = (...rules: readonly string[]): string => table('raw', ['PREROUTING', 'OUTPUT'], ...rules);
const because = (one: Finding | undefined): string => one?.because.map(({ rule }) => rule).join(' ') ?? '';

test('what mangle drops never comes to filter, and a packet shows it', t => {
  const [found, ...others] = unreachable(
    mangle('-A PREROUTING -i eth0 -s 203.0.113.0/24 -j DROP'),
    filter('-A INPUT -i eth0 -s 203.0.113.7/32 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -s 203.0.113.7/32 -p tcp -m tcp --dport 23 -j ACCEPT'),
  );
  t.deepEqual(others, [], 'on another interface the second is reached');
  t.is(found?.severity, 'error');
  t.is(found?.rule, 'filter:INPUT:1');
  t.is(because(found), 'mangle:PREROUTING:1');
  t.is(found?.witness?.[0]?.packet['src'], '203.0.113.7');
});

test('where what comes before does the same it is a warning', t => {
  t.deepEqual(unreachable(raw('-A PREROUTING -s 203.0.113.0/24 -j DROP'), filter('-A FORWARD -s 203.0.113.7/32 -j DROP')).map(one => [one.rule, one.severity]), [['filter:FORWARD:1', 'warning']]);
});

test('a mark that is always another one, and several rules that only together take all', t => {
  t.is(because(unreachable(mangle('-A PREROUTING -j MARK --set-xmark 0x1/0xffffffff'), filter('-A FORWARD -m mark --mark 0x2 -j ACCEPT'))[0]), 'mangle:PREROUTING:1');
  const halves = ['-A PREROUTING -i eth0 -s 10.0.0.0/9 -j DROP', '-A PREROUTING -i eth0 -s 10.128.0.0/9 -j DROP'];
  t.is(because(unreachable(mangle(...halves), filter('-A FORWARD -i eth0 -s 10.0.0.0/8 -j ACCEPT'))[0]), 'mangle:PREROUTING:1 mangle:PREROUTING:2');
  t.deepEqual(unreachable(mangle(halves[0] ?? ''), filter('-A FORWARD -i eth0 -s 10.0.0.0/8 -j ACCEPT')), []);
});

test('a mark that a rule of the same table always sets, whatever it was before', t => {
  const all = '-A PREROUTING -j MARK --set-xmark 0x1/0xffffffff';
  const [found, ...others] = unreachable(mangle(all, '-A PREROUTING -m mark --mark 0x1 -j CONNMARK --save-mark', '-A PREROUTING -m mark --mark 0x2 -j DROP'));
  t.deepEqual(others, []);
  t.is(found?.rule, 'mangle:PREROUTING:3');
  t.is(because(found), 'mangle:PREROUTING:1');
  t.is(found?.message, 'no packet comes to this rule: before it sees them, mangle:PREROUTING:1 changes all that it is for');
  t.is(found?.severity, 'error');
  t.deepEqual(unreachable(mangle(all, '-A PREROUTING -m mark --mark 0x1 -j DROP', '-A PREROUTING -s 10.0.0.0/8 -j ACCEPT')).map(one => [one.rule, because(one)]), [['mangle:PREROUTING:3', 'mangle:PREROUTING:1 mangle:PREROUTING:2']], 'who is marked is dropped');
  t.deepEqual(unreachable(mangle(all.replace('-j', '-i eth0 -j'), '-A PREROUTING -m mark --mark 0x2 -j DROP')), [], 'who comes by another interface may have one: of an earlier hook, or a program');
  t.deepEqual(unreachable(mangle(all, '-A PREROUTING -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff', '-A PREROUTING -m mark --mark 0x2 -j DROP')), [], 'or its connection may');
});

test('what ends the chain for packets takes them, also where it translates them; who says the same again is told so, and no more', t => {
  const chains = ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING', 'marks'];
  const after = (rule: string): readonly string[] => analyze({
    path: 'tables.rules',
    text: table('nat', chains, '-A POSTROUTING -j marks', '-A POSTROUTING -m mark --mark 0x21 -j MASQUERADE', rule, '-A marks -m mark ! --mark 0x4000/0x4000 -j RETURN', '-A marks -j MARK --set-xmark 0x4000/0x0', '-A marks -j ACCEPT'),
  }).findings.map(({ check, message, help }) => `${check}: ${message}; ${help}`);
  t.deepEqual(after('-A POSTROUTING -s 10.0.0.0/8 -m mark --mark 0x21 -j MASQUERADE'), [
    'unreachable-rule: no packet comes to this rule: before it sees them, nat:POSTROUTING:2 takes all that it is for; let its packets pass nat:POSTROUTING:2, or delete it',
  ]);
  t.deepEqual(after('-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE'), [
    'unreachable-rule: no packet comes to this rule: before it sees them, nat:marks:3 takes all that it is for; let its packets pass nat:marks:3, or delete it',
  ], 'in another chain, where the mark is as it came');
  t.deepEqual(after('-A POSTROUTING -m mark --mark 0x21 -j MASQUERADE'), ['duplicate-rule: this rule repeats rule 2 of the chain word for word, and never sees a packet; delete one of the two']);
});

test('marks of the same table, in chains that are jumped and gone to', t => {
  const chains = (...rules: readonly string[]): (readonly [string | null, string])[] => unreachable(table('mangle', ['PREROUTING', 'FORWARD', 'one', 'two'], ...rules)).map(one => [one.rule, because(one)] as const);
  const all = '-A one -j MARK --set-xmark 0x1/0xffffffff';
  t.deepEqual(chains('-A PREROUTING -j one', all, '-A PREROUTING -m mark --mark 0x1 -j two', '-A PREROUTING -p tcp -j ACCEPT', '-A two -j DROP'), [['mangle:PREROUTING:3', 'mangle:PREROUTING:1 mangle:one:1 mangle:PREROUTING:2 mangle:two:1']], 'the mark is set in one chain, and who has it dropped in another');
  t.deepEqual(chains('-A PREROUTING -j one', all, '-A PREROUTING -m mark --mark 0x1 -g two', '-A PREROUTING -p tcp -j ACCEPT', '-A two -p udp -j LOG'), [['mangle:PREROUTING:3', 'mangle:PREROUTING:1 mangle:one:1 mangle:PREROUTING:2']], 'nobody comes back from a goto');
  t.deepEqual(chains('-A PREROUTING -j one', all, '-A PREROUTING -m mark --mark 0x2 -j two', '-A two -p tcp -j ACCEPT'), [['mangle:PREROUTING:2', 'mangle:PREROUTING:1 mangle:one:1']], 'what stands in a chain to which nobody comes is not told as well');
  t.deepEqual(chains('-A PREROUTING -j two', '-A PREROUTING -j one', all, '-A PREROUTING -j two', '-A two -m mark --mark 0x1 -j DROP', '-A two -m mark --mark 0x2 -j ACCEPT'), [], 'the first time the mark is as it came');
});

test('of many exemptions from tracking only the one that matters is named', t => {
  const others = Array.from({ length: 12 }, (_, i) => `-A PREROUTING -d 192.0.2.${String(i + 20)}/32 -p udp -m udp --dport 53 -j CT --notrack`);
  const found = unreachable(raw(...others), filter('-A FORWARD -d 192.0.2.25/32 -p udp -m udp --dport 53 -m conntrack --ctstate NEW -j ACCEPT'));
  t.deepEqual(found.map(because), ['raw:PREROUTING:6']);
});

test('where several exemptions take parts of what a rule is for, and one takes all, that one is named', t => {
  const ways = [49, 59, 69, 80].flatMap(host => [`-s 192.0.2.${String(host)}/32 -i eth1.96`, `-d 192.0.2.${String(host)}/32`]).flatMap(way => ['--dport', '--sport'].map(port => `-A PREROUTING ${way} -p udp -m udp ${port} 53 -j CT --notrack`));
  const [found, ...others] = unreachable(
    raw('-A PREROUTING -d 192.0.2.47/32 -p udp -m udp --dport 53 -j CT --notrack', '-A PREROUTING -d 192.0.2.47/32 -p udp -m udp --sport 53 -j CT --notrack', ...ways),
    nat('-A POSTROUTING -d 198.51.100.42/32 -p tcp -m multiport --dports 389,636 -j SNAT --to-source 198.51.100.150'),
    table('filter', ['FORWARD', 'one', 'two'], '-A FORWARD -d 192.0.2.0/25 -o eth1.96 -j one', '-A FORWARD -d 192.0.2.128/26 -o eth1.108 -j two', '-A one -s 192.0.2.0/25 -d 192.0.2.47/32 -p udp -m udp --dport 53 -m conntrack --ctstate NEW -j ACCEPT'),
  );
  t.deepEqual(others, []);
  t.is(because(found), 'raw:PREROUTING:1');
});

test('where one table drops all, no rule is named that some of them would meet on their way', t => {
  const established = (chain: string): string => `-A ${chain} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`;
  const admins = '-p tcp -m multiport --dports 22,23 -m conntrack --ctstate NEW';
  const found = unreachable(
    table('mangle', ['PREROUTING', 'POSTROUTING', 'none', 'all'], '-A PREROUTING -j all', '-A POSTROUTING -j none', '-A POSTROUTING -j all', '-A all -o eth2 -m conntrack --ctstate NEW -j ACCEPT', '-A all -j DROP'),
    nat('-A POSTROUTING -s 10.3.0.0/24 -o ppp+ -j MASQUERADE'),
    table(
      'filter', ['INPUT', 'OUTPUT', 'one', 'two', 'log', 'mail'], established('INPUT'), '-A INPUT -s 10.3.0.1/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT',
      established('OUTPUT'), `-A OUTPUT ${admins} -j one`, '-A one -d 10.3.0.1/32 -j ACCEPT', `-A OUTPUT ${admins} -j two`, '-A two -d 10.3.0.1/32 -j log', '-A two -d 10.4.0.1/32 -j log', '-A log -j ACCEPT',
      '-A OUTPUT -d 203.0.113.200/32 -m conntrack --ctstate NEW -j ACCEPT', '-A OUTPUT -d 203.0.113.200/32 -m conntrack --ctstate NEW -j mail', '-A mail -s 10.3.0.0/24 -j ACCEPT',
    ).replace(':OUTPUT ACCEPT', ':OUTPUT DROP'),
  );
  t.is(because(found.find(one => one.rule === 'filter:INPUT:2')), 'mangle:PREROUTING:1 mangle:all:2');
});

test('an address that DNAT always rewrites, and one that it rewrites for some', t => {
  const rule = '-A FORWARD -i eth0 -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT';
  const always = [nat('-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5'), filter(rule)];
  const found = analyze({ path: 'tables.rules', text: always.join('') }).findings.filter(one => one.rule === 'filter:FORWARD:1' && ['filter-matches-pre-nat', 'unreachable-rule'].includes(one.check));
  t.deepEqual(found.map(one => one.check), ['filter-matches-pre-nat'], 'one of the two speaks');
  t.is(because(found[0]), 'nat:PREROUTING:1');
  t.deepEqual(unreachable(nat('-A PREROUTING -s 10.0.0.0/8 -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5'), filter(rule)), []);
});

test('without connection tracking in its way an address that DNAT rewrites may be that of a connection under way', t => {
  t.deepEqual(unreachable(nat('-A PREROUTING -d 192.0.2.1/32 -j DNAT --to-destination 10.0.0.5'), filter('-A FORWARD -d 192.0.2.1/32 -j ACCEPT')), []);
});

test('in a chain to which only an unreachable rule leads, that rule is reported and not those of the chain', t => {
  const rules = table('filter', ['INPUT', 'FORWARD', 'OUTPUT', 'lan'], '-A FORWARD -i eth1 -j lan', '-A lan -p tcp -j ACCEPT', '-A lan -p udp -j ACCEPT');
  t.deepEqual(unreachable(mangle('-A PREROUTING -i eth1 -j DROP'), rules).map(one => one.rule), ['filter:FORWARD:1']);
  t.deepEqual(unreachable(mangle('-A PREROUTING -i eth1 -j DROP'), rules.replace('-A FORWARD -i eth1', '-A FORWARD')).map(one => one.rule), [], 'others come by the jump');
});

test('what later tables do is behind filter, and what filter does is before them', t => {
  t.deepEqual(unreachable(mangle('-A POSTROUTING -o eth1 -j DROP'), filter('-A FORWARD -o eth1 -j ACCEPT')), []);
  t.deepEqual(unreachable(filter('-A FORWARD -o eth1 -j DROP', '-A OUTPUT -o eth1 -j DROP'), nat('-A POSTROUTING -o eth1 -j MASQUERADE')).map(because), ['filter:FORWARD:1 filter:OUTPUT:1']);
});

test('nothing is said of what only the kernel or policies keep away, nor of what may or may not be', t => {
  t.deepEqual(unreachable(mangle('-A PREROUTING -s 203.0.113.0/24 -j DROP'), filter('-A FORWARD -i lo -j ACCEPT')), []);
  t.deepEqual(unreachable(filter('-P FORWARD DROP', '-P OUTPUT DROP').replaceAll(/-P (\w+) DROP\n/gu, '').replace(':FORWARD ACCEPT', ':FORWARD DROP').replace(':OUTPUT ACCEPT', ':OUTPUT DROP'), nat('-A POSTROUTING -o eth1 -j MASQUERADE')), []);
  t.deepEqual(unreachable(mangle('-A PREROUTING -m limit --limit 1/sec -j DROP', '-A PREROUTING -m set --match-set bad src -j DROP'), filter('-A FORWARD -i eth1 -j ACCEPT')), []);
});

test('rules of one table alone are left to shadowed-rule', t => {
  const text = filter('-A INPUT -p tcp -j DROP', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT');
  t.deepEqual(analyze({ path: 'one.rules', text: mangle('-A PREROUTING -p udp -j DROP') + text }).findings.filter(one => one.rule === 'filter:INPUT:2').map(one => one.check), ['shadowed-rule']);
});

test('a mark that no rule gives, where rules always give another, is told of once', t => {
  const told = (...rules: readonly string[]): readonly string[] => analyze({ path: 'tables.rules', text: mangle(...rules) + filter('-A FORWARD -m mark --mark 0x3 -j ACCEPT') }).findings
    .filter(({ check }) => check === 'unreachable-rule' || check === 'never-matches').map(one => `${one.severity} ${one.check} ${because(one)}`.trim());
  t.deepEqual(told('-A PREROUTING -j MARK --set-xmark 0x2/0xffffffff'), ['error unreachable-rule mangle:PREROUTING:1']);
  t.deepEqual(told('-A PREROUTING -i eth0 -j MARK --set-xmark 0x2/0xffffffff'), ['info never-matches']);
});

/** By the rule that overwrites them, the rules whose marks are overwritten. */
function overwritten(...tables: readonly string[]): readonly string[] {
  return analyze({ path: 'tables.rules', text: tables.join('') }).findings.filter(one => one.check === 'mark-overwritten').map(one => `${one.rule ?? ''}${one.alike === undefined ? '' : ` x${String(one.alike)}`} by ${one.because[0]?.rule ?? ''}`);
}

test('mark-overwritten: the last of two marks counts', t => {
  const set = (mark: string, asks = ''): string => `-A PREROUTING ${asks}-j MARK --set-xmark ${mark}`;
  const [few, rest] = [set('0x1/0xffffffff', '-s 192.168.7.0/24 '), set('0x2/0xffffffff')];
  t.deepEqual(overwritten(mangle(few, rest)), ['mangle:PREROUTING:1 by mangle:PREROUTING:2']);
  t.deepEqual(overwritten(mangle(few, few.replace('7.0', '8.0'), rest)), ['mangle:PREROUTING:1 x2 by mangle:PREROUTING:3']);
  t.deepEqual(overwritten(mangle(few, set('0x2/0xffffffff', '-s 192.168.0.0/16 '))), ['mangle:PREROUTING:1 by mangle:PREROUTING:2'], 'a wider network');
  t.deepEqual(overwritten(mangle(few, '-A PREROUTING -s 10.0.0.0/8 -j RETURN', '-A PREROUTING -p tcp', rest)), ['mangle:PREROUTING:1 by mangle:PREROUTING:4'], 'others are taken, and packets counted');
  t.deepEqual(overwritten(mangle(set('0x1/0x1', '-m limit --limit 5/sec '), set('0x2/0xff'))), ['mangle:PREROUTING:1 by mangle:PREROUTING:2'], 'whichever the limit marks');
  t.deepEqual(overwritten(mangle(...[few, rest].map(rule => rule.replace('-j MARK', '-j CONNMARK')))), ['mangle:PREROUTING:1 by mangle:PREROUTING:2']);
  t.deepEqual(overwritten(table('mangle', ['PREROUTING', 'own'], '-A PREROUTING -j own', ...[few, rest].map(rule => rule.replace('PREROUTING', 'own')))), ['mangle:own:1 by mangle:own:2']);
});

test('mark-overwritten: the mark of the connection comes first, or it is the last', t => {
  const [wan, restore, save] = ['-A PREROUTING -i wan1 -m mark --mark 0x0 -j MARK --set-xmark 0x1/0xffffffff', '-A PREROUTING -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff', '-A PREROUTING -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff'];
  t.deepEqual(overwritten(mangle(restore, wan, save)), []);
  t.deepEqual(overwritten(mangle(wan, restore, save)), ['mangle:PREROUTING:1 by mangle:PREROUTING:2']);
  t.deepEqual(overwritten(mangle(wan, wan.replace('wan1', 'wan2').replace('0x1', '0x2'), restore, save)), ['mangle:PREROUTING:1 x2 by mangle:PREROUTING:3']);
  t.deepEqual(overwritten(mangle(wan, save, restore)), [], 'it is what the connection has then');
  t.deepEqual(overwritten(mangle(wan, restore.replace('nfmask 0xffffffff', 'nfmask 0xff'))), [], 'something stays');
  t.deepEqual(overwritten(mangle(wan, restore.replace('-j', '-m mark --mark 0x0 -j'))), [], 'where there is none');
  t.deepEqual(overwritten(mangle(wan, restore.replace('-j', '-i lan -j'))), [], 'others');
  t.deepEqual(overwritten(table('raw', ['PREROUTING'], '-A PREROUTING -p udp -j CT --notrack'), mangle(wan, restore)), [], 'to what is not tracked nothing is copied');
  const [first] = analyze({ path: 'tables.rules', text: mangle(wan, restore) }).findings.filter(one => one.check === 'mark-overwritten');
  t.is(first?.help, 'move rule 2 before this one: what the connection has first, then what is new');
});

test('mark-overwritten: who looks at the mark before, or takes packets elsewhere, and marks of which something stays', t => {
  const set = (mark: string, asks = ''): string => `-A PREROUTING ${asks}-j MARK --set-xmark ${mark}`;
  const [few, rest] = [set('0x1/0xffffffff', '-s 192.168.7.0/24 '), set('0x2/0xffffffff')];
  t.deepEqual(overwritten(mangle(rest, few)), []);
  const between = ['-m mark --mark 0x1 -j ACCEPT', '-s 192.168.7.9/32 -j RETURN', '-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff', '-p tcp -j LOG', '-m mark --mark 0x1', '-p tcp -j CLASSIFY --set-class 0001:0001'];
  for (const one of between) t.deepEqual(overwritten(mangle(few, `-A PREROUTING ${one}`, rest)), [], one);
  t.deepEqual(overwritten(table('mangle', ['PREROUTING', 'own'], few, '-A PREROUTING -j own', rest, '-A own -m mark --mark 0x1 -j ACCEPT')), [], 'in another chain');
  const partly = ['0x2/0xfe', '0x100/0xff00', '0x2/0x0'];
  for (const mark of partly) t.deepEqual(overwritten(mangle(few, set(mark))), [], mark);
  t.deepEqual(overwritten(mangle(few, set('0x1/0xffffffff'))), [], 'the same mark');
  for (const asks of ['-i eth0 ', '-s 192.168.7.0/25 ', '-m mark --mark 0x0 ', '-m statistic --mode random --probability 0.5 ', '-m limit --limit 5/sec ', '! -d 10.0.0.0/8 ']) t.deepEqual(overwritten(mangle(few, set('0x2/0xffffffff', asks))), [], asks);
  t.deepEqual(overwritten(mangle(few, rest.replace('MARK', 'CONNMARK'))), [], 'another mark');
  t.deepEqual(overwritten(mangle(few, rest), filter('-A FORWARD -m mark --mark 0x1 -j ACCEPT')), [], 'unreachable-rule tells of the rule that waits for it');
});

test('policies of other tables that let nothing through the host, though rules of filter do', t => {
  const through = filter('-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -i eth1 -o eth0 -j ACCEPT').replace(':FORWARD ACCEPT', ':FORWARD DROP');
  const shut = (text: string, chain: string): string => text.replace(`:${chain} ACCEPT`, `:${chain} DROP`);
  const told = (...tables: readonly string[]): readonly (string | null)[] => unreachable(...tables).map(one => one.because[0]?.rule ?? null);
  for (const chain of ['PREROUTING', 'FORWARD', 'POSTROUTING']) t.deepEqual(told(shut(mangle(), chain), through), [`mangle:${chain}:policy`], chain);
  t.deepEqual(told(shut(table('security', ['FORWARD']), 'FORWARD'), through), ['security:FORWARD:policy']);
  t.deepEqual(told(shut(nat(), 'POSTROUTING'), through), ['nat:POSTROUTING:policy']);
  const [found] = unreachable(shut(mangle(), 'FORWARD'), through);
  t.deepEqual([found?.severity, found?.because[0]?.line, found?.because.map(({ rule }) => rule), found?.witness?.map(one => one.in)], ['error', 4, ['mangle:FORWARD:policy', 'filter:FORWARD:2'], ['eth1']]);
  t.deepEqual(told(shut(mangle(), 'INPUT'), through), [], 'nothing to do with it');
  t.deepEqual(told(shut(mangle('-A FORWARD -i eth1 -j ACCEPT'), 'FORWARD'), through), [], 'a rule lets some of it pass');
  t.deepEqual(told(shut(mangle(), 'FORWARD'), filter()), [], 'nobody means to forward anything');
});
