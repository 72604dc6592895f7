/** What `--fix` makes of files: check by check, and what it leaves alone. */
import test from 'ava';
import { analyzeWithoutWitnesses } from '../../analyzer/examine.js';
import { exampleOf, type Check } from '../../analyzer/checks/define-check.js';
import { missingEstablishedReturn } from '../../analyzer/checks/missing-established-return.js';
import { neighbourDiscoveryBlocked } from '../../analyzer/checks/neighbour-discovery-blocked.js';
import { fixSource, type FixResult } from '../../analyzer/fixes/fix-source.js';
import { prove } from '../../analyzer/fixes/prove.js';
import { load, type Loaded, type LoadOptions } from '../../analyzer/model/load.js';
import { solveBudget } from '../../analyzer/packet-space/pipeline/solve.js';

interface Options extends LoadOptions {
  readonly unsafe?: boolean;
}

function fix(text: string, { unsafe = false, ...options }: Options = {}): Promise<FixResult> {
  return fixSource({ path: 'rules', text }, { unsafe, load: options, findingsOf: source => Promise.resolve(analyzeWithoutWitnesses(source, { ...options, today: '2026-11-21' }).findings) });
}

const head = ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]'];
const always = ['-A INPUT -i lo -j ACCEPT', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'];

/** A server's filter table; of the lines, declarations come first. */
function filter(...lines: readonly string[]): string {
  const isDeclaration = (line: string): boolean => line.startsWith(':');
  return [...head, ...lines.filter(isDeclaration), ...always, ...lines.filter(line => !isDeclaration(line)), 'COMMIT', ''].join('\n');
}

const ssh = '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT';

/** Lines of a server, and what becomes of them; no second list: they stay. */
const cases: Readonly<Record<string, readonly [before: readonly string[], after?: readonly string[]]>> = {
  'shadowed-rule goes, whatever it would do': [[ssh, '-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP'], [ssh]],
  'a shadowed log goes, too': [[ssh, '-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j LOG'], [ssh]],
  'a shadowed rule that counts all it is asked about stays': [[ssh, '-A INPUT -p tcp -m recent --set --name x -m tcp --dport 22 -j DROP']],
  'a rule whose counter says that packets came stays': [[ssh, '[7:420] -A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP']],
  'an unused block goes with its end': [['# iptables-lint-disable redundant-rule -- a', ssh, '# iptables-lint-enable redundant-rule'], [ssh]],
  'of an end that names more, only the name goes': [
    ['# iptables-lint-disable redundant-rule -- a', '# iptables-lint-disable shadowed-rule -- b', ssh, '-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP', '# iptables-lint-enable redundant-rule, shadowed-rule'],
    ['# iptables-lint-disable shadowed-rule -- b', ssh, '-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP', '# iptables-lint-enable shadowed-rule'],
  ],
  'a block that is disabled twice keeps its end while it is of use': [
    ['# iptables-lint-disable shadowed-rule -- a', ssh, '# iptables-lint-disable shadowed-rule -- b', '-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP', '# iptables-lint-enable shadowed-rule'],
    ['# iptables-lint-disable shadowed-rule -- a', ssh, '-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP', '# iptables-lint-enable shadowed-rule'],
  ],
  'a block that is disabled twice and of no use goes with its end': [['# iptables-lint-disable shadowed-rule -- a', '# iptables-lint-disable shadowed-rule -- b', ssh, '# iptables-lint-enable shadowed-rule'], [ssh]],
  'an end of all stays': [['# iptables-lint-disable redundant-rule -- a', ssh, '# iptables-lint-enable'], [ssh, '# iptables-lint-enable']],
  'a note that is over goes with its comment, whatever quotes are in it': [
    [ssh.replace('-j', String.raw`-m comment --comment "lint:off=shadowed-rule,redundant-rule until=2026-01-01 the \"old\" one" -j`)], [ssh],
  ],
  'of a comment that says more, only the note goes': [
    [ssh.replace('-j', String.raw`-m comment --comment="the \"old\" one; lint:off=shadowed-rule kept" -j`)], [ssh.replace('-j', String.raw`-m comment --comment="the \"old\" one" -j`)],
  ],
  'duplicate-rule goes': [[ssh, ssh], [ssh]],
  'of a rule that is repeated all copies go, but not one to which packets came': [[ssh, ssh, '-A INPUT -p udp -j ACCEPT', ssh, `[7:420] ${ssh}`, ssh], [ssh, '-A INPUT -p udp -j ACCEPT', `[7:420] ${ssh}`]],
  'redundant-rule goes': [[`-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT`, ssh], [ssh]],
  'of two rules that are redundant because of each other, one stays': [
    ['-A INPUT -p tcp -m tcp --dport 20:25 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 23:30 -j ACCEPT', '-A INPUT -p tcp -m multiport --dports 20:22,26:31 -j ACCEPT'],
    ['-A INPUT -p tcp -m tcp --dport 23:30 -j ACCEPT', '-A INPUT -p tcp -m multiport --dports 20:22,26:31 -j ACCEPT'],
  ],
  'a redundant rule in front of a log stays, as more would be logged': [['-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j LOG', ssh]],
  'a redundant rule in front of a limit stays, as the limit would be used up sooner': [['-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p tcp -m limit --limit 5/min -j ACCEPT', ssh]],
  'a redundant rule in front of a list stays, as more would be put on it': [['-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -m recent --set --name x -j ACCEPT', '-A INPUT -p udp -j ACCEPT']],
  'a redundant rule beside a log of other packets goes': [['-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 23 -j LOG', ssh], ['-A INPUT -p tcp -m tcp --dport 23 -j LOG', ssh]],
  'unused-chain goes with its rules': [[':old - [0:0]', ssh, '-A old -s 192.0.2.1/32 -j DROP'], [ssh]],
  'chains that only unused ones lead to go as well': [[':old - [0:0]', ':older - [0:0]', ssh, '-A old -j older', '-A older -m limit --limit 5/min -j ACCEPT'], [ssh]],
  'an unused chain of a program stays': [[':f2b-sshd - [0:0]', ssh, '-A f2b-sshd -j RETURN']],
  'never-matches goes': [[ssh, '-A INPUT -s 192.0.2.0/24 -m iprange --src-range 198.51.100.1-198.51.100.20 -j ACCEPT'], [ssh]],
  'mergeable-rules become one': [
    [25, 465, 587].map(port => `[0:0] -A INPUT -p tcp -m tcp --dport ${String(port)} -j ACCEPT`),
    ['[0:0] -A INPUT -p tcp -m multiport --dports 25,465,587 -j ACCEPT'],
  ],
  'two halves become one network': [
    ['-A INPUT -s 192.0.2.128/25 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -s 192.0.2.0/25 -p tcp -m tcp --dport 22 -j ACCEPT'], ['-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT'],
  ],
  'addresses side by side become one range': [
    [7, 5, 6].map(host => `-A INPUT -s 192.0.2.${String(host)}/32 -p tcp -m tcp --dport 22 -j ACCEPT`), ['-A INPUT -p tcp -m iprange --src-range 192.0.2.5-192.0.2.7 -m tcp --dport 22 -j ACCEPT'],
  ],
  'deprecated-state-match has its new name, in front of a limit as well': [
    ['-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -m limit --limit 5/min -j ACCEPT'], ['-A INPUT -p tcp -m conntrack --ctstate NEW -m tcp --dport 22 -m limit --limit 5/min -j ACCEPT'],
  ],
  'host-bits-set is written as it is meant': [['-A INPUT -s 192.0.2.17/255.255.255.0 -p tcp -m tcp --dport 22 -j ACCEPT'], ['-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT']],
  'an unused suppression goes': [['# iptables-lint-disable-next-line host-bits-set -- old', ssh], [ssh]],
  'comments and odd blanks elsewhere stay': [['# a   comment', ssh, '', '#another', ssh], ['# a   comment', ssh, '', '#another']],
  'what a note says is meant stays': [[ssh, '# iptables-lint-disable-next-line shadowed-rule -- on purpose', '-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP']],
};

for (const [name, [before, after = before]] of Object.entries(cases)) {
  test(name, async t => {
    const { text } = await fix(filter(...before));
    t.is(text, filter(...after));
    t.is((await fix(text)).text, text, 'a second run changes nothing');
  });
}

const late = (known: string, others: readonly string[]): string => [...head, '-A INPUT -i lo -j ACCEPT', ...others, known, 'COMMIT', ''].join('\n');
const [, known = ''] = always;
const beginnings = Array.from({ length: 12 }, (_, i) => `-A INPUT -s 192.0.2.${String(2 * i + 1)}/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT`);

test('established-rule-late moves up behind lo where no packet of a known connection fares differently', async t => {
  t.is((await fix(late(known, beginnings))).text, [...head, '-A INPUT -i lo -j ACCEPT', known, ...beginnings, 'COMMIT', ''].join('\n'));
  const blocking = [...beginnings, '-A INPUT -s 203.0.113.0/24 -j DROP'];
  const { text, notMade: [one] } = await fix(late(known, blocking));
  t.is(text, late(known, blocking));
  t.is(one?.why, 'some packets would fare differently');
  const logging = [...beginnings, '-A INPUT -s 203.0.113.0/24 -j LOG'];
  t.is((await fix(late(known, logging))).notMade[0]?.why, 'other packets would come to rule INPUT:14, which is noticed');
});

test('CRLF stays CRLF, and a last line without an end stays without', async t => {
  const text = filter(ssh, ssh).replaceAll('\n', '\r\n').replace(/\r\n$/u, '');
  t.is((await fix(text)).text, filter(ssh).replaceAll('\n', '\r\n').replace(/\r\n$/u, ''));
});

test('of a file with errors only the words of rules change, and that is said', async t => {
  const text = filter(ssh, ssh, '-A INPUT -m state --state NEW -j nowhere');
  const { text: after, notMade } = await fix(text);
  t.deepEqual([after, notMade.map(({ why }) => why)], [text.replace('-m state --state', '-m conntrack --ctstate'), ['the file has errors, and would not load; repair them first']]);
});

test('a file whose lines end in CR alone is left alone, and that is said', async t => {
  const text = filter(ssh, ssh).replaceAll('\n', '\r');
  const { text: after, objection } = await fix(text);
  t.deepEqual([after, objection], [text, 'its lines end in CR alone']);
});

test('of a file of commands, and of a script, only the words of rules change', async t => {
  const edits = filter(ssh, ssh, '-D INPUT 1', '-A INPUT -m state --state NEW -p tcp --dport 80 -j ACCEPT');
  t.is((await fix(edits)).text, edits.replace('-m state --state NEW', '-m conntrack --ctstate NEW'));
  const script = '#!/bin/sh\nSTATES=NEW\niptables -A INPUT -m state --state $STATES -j DROP\niptables -A INPUT -m state --state NEW -j ACCEPT\niptables -A INPUT -m state --state NEW -j ACCEPT\n';
  t.is((await fix(script)).text, script.replaceAll('-m state --state NEW', '-m conntrack --ctstate NEW'));
});

test('what iptables -S prints is repaired as well', async t => {
  const list = ['-P INPUT DROP', '-P FORWARD DROP', '-P OUTPUT ACCEPT', '-N old', ...always, ssh, ssh, '-A old -j DROP', ''].join('\n');
  t.is((await fix(list)).text, ['-P INPUT DROP', '-P FORWARD DROP', '-P OUTPUT ACCEPT', ...always, ssh, ''].join('\n'));
});

test('a line for both families goes only where it may go in both', async t => {
  const both = (...lines: readonly string[]): string => filter(...lines).replaceAll('-A INPUT -p tcp', '-4 -A INPUT -p tcp');
  const text = both(ssh, '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT').replace('-4 -A INPUT -p tcp -m tcp --dport 22 -m conntrack', '-A INPUT -p tcp -m tcp --dport 22 -m conntrack');
  t.is((await fix(text)).text, text);
});

test('notes of no use go from comments and from rules, as much of them as is of no use', async t => {
  const notes: readonly (readonly [before: readonly string[], after: readonly string[]])[] = [
    [['# iptables-lint-disable-next-line host-bits-set, shadowed-rule -- meant', '-A INPUT -s 192.0.2.17/24 -p tcp -m tcp --dport 22 -j ACCEPT'], ['# iptables-lint-disable-next-line host-bits-set -- meant', '-A INPUT -s 192.0.2.17/24 -p tcp -m tcp --dport 22 -j ACCEPT']],
    [['# iptables-lint-disable-next-line shadowed-rule host-bits-set -- meant', '-A INPUT -s 192.0.2.17/24 -p tcp -m tcp --dport 22 -j ACCEPT'], ['# iptables-lint-disable-next-line host-bits-set -- meant', '-A INPUT -s 192.0.2.17/24 -p tcp -m tcp --dport 22 -j ACCEPT']],
    [['# iptables-lint-disable-next-line shadowed-rule, redundant-rule -- meant', ssh], [ssh]],
    [['-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "office; lint:off=host-bits-set is meant" -j ACCEPT'], ['-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "office" -j ACCEPT']],
    [['-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "lint:off=host-bits-set is meant" -j ACCEPT'], [ssh]],
    [['-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "lint:off=host-bits-set until=2026-01-31 is meant" -j ACCEPT'], [ssh]],
    [['-A INPUT -s 192.0.2.17/24 -p tcp -m comment --comment "lint:off=shadowed-rule,host-bits-set meant" -j ACCEPT'], ['-A INPUT -s 192.0.2.17/24 -p tcp -m comment --comment "lint:off=host-bits-set meant" -j ACCEPT']],
  ];
  for (const [before, after] of notes) t.is((await fix(filter(...before))).text, filter(...after));
});

const badExample = ({ bad }: Check): string => exampleOf(bad).rules;

/** Rule sets whose trouble only more rules can end, and what is put in. */
const unsafe: Readonly<Record<string, readonly [before: string, after: string]>> = {
  'missing-established-return': [badExample(missingEstablishedReturn), '-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'],
  'loopback-blocked': [filter(ssh).replace('-A INPUT -i lo -j ACCEPT\n', ''), '-A INPUT -i lo -j ACCEPT'],
  'related-missing': [filter(ssh).replace('RELATED,ESTABLISHED', 'ESTABLISHED'), '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'],
  'icmp-errors-dropped': [filter(ssh).replace('-A INPUT -m', '-A INPUT -p icmp -j DROP\n-A INPUT -m'), '-A INPUT -p icmp -m icmp --icmp-type fragmentation-needed -j ACCEPT'],
  'output-drop-breakage': [filter(ssh).replace('OUTPUT ACCEPT', 'OUTPUT DROP').replace('COMMIT', `${known.replace('INPUT', 'OUTPUT')}\nCOMMIT`), '-A OUTPUT -o lo -j ACCEPT'],
  'neighbour-discovery-blocked': [badExample(neighbourDiscoveryBlocked), '-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type neighbour-solicitation -j ACCEPT'],
  'jump-to-empty-chain': [filter(':empty - [0:0]', '-A INPUT -j empty', ssh), ssh],
};

for (const [check, [text, line]] of Object.entries(unsafe)) {
  test(`${check} is repaired where unsafe fixes are wanted, and what changes is told`, async t => {
    t.is((await fix(text)).text, text, 'it is no safe fix');
    const { text: after, made } = await fix(text, { unsafe: true });
    const lines = after.split('\n');
    t.true(lines.includes(line), after);
    const own = made.find(one => one.finding.check === check);
    t.deepEqual(own?.differences.map(({ kind }) => kind), [check === 'jump-to-empty-chain' ? 'equivalent' : 'different']);
    t.is((await fix(after, { unsafe: true })).text, after, 'a second run changes nothing');
    // Whatever was not touched stands as it stood.
    const kept = text.split('\n').filter(one => lines.includes(one));
    t.deepEqual(lines.filter(one => kept.includes(one)), kept);
  });
}

/** What of a text is repaired safely, and why the rest is not. */
async function repaired(text: string): Promise<{ readonly made: readonly string[]; readonly why: readonly string[] }> {
  const { made, notMade } = await fix(text);
  return { made: made.map(({ finding }) => finding.check), why: notMade.map(one => one.why) };
}

test('where packets come from elsewhere nothing goes, though none comes by the file', async t => {
  const elsewhere = (chain: string): string => `what leads packets to chain ${chain} is not in the file`;
  const twice = ['-A DOCKER-USER -s 203.0.113.0/24 -j DROP', '-A DOCKER-USER -j office', '-A office -s 198.51.100.7/32 -j DROP', '-A office -s 198.51.100.7/32 -j DROP'];
  t.deepEqual(await repaired(filter(':DOCKER-USER - [0:0]', ':office - [0:0]', ...twice)), { made: [], why: [elsewhere('office')] }, 'docker will lead there');
  t.deepEqual(await repaired(['*filter', ':DOCKER-USER - [0:0]', ':office - [0:0]', ...twice, 'COMMIT', ''].join('\n')), { made: [], why: [elsewhere('office')] }, 'a part');
  t.deepEqual((await repaired(filter(':DOCKER-USER - [0:0]', ':office - [0:0]', '-A FORWARD -j DOCKER-USER', ...twice))).made.slice(0, 1), ['duplicate-rule'], 'all is in the file');
  t.deepEqual((await repaired(filter(':DOCKER-USER - [0:0]', ':old - [0:0]', '-A old -s 198.51.100.7/32 -j DROP'))).made, ['unused-chain'], 'docker leads to its own chain');
});

test('a rule is not redundant by a policy that the file does not declare; nor is there a second of it needed', async t => {
  const rule = '-A INPUT -s 192.0.2.7/32 -p tcp -m tcp --dport 9100 -j ACCEPT';
  const undeclared = (...lines: readonly string[]): string => ['*filter', ...lines, 'COMMIT', ''].join('\n');
  t.deepEqual(await repaired(undeclared(rule)), { made: [], why: [] });
  const proof = (...policies: readonly string[]): unknown => {
    const [before, after] = [[rule], []].map(rules => load({ path: 'rules', text: undeclared(...policies, ...rules, '-A INPUT -i lo -j ACCEPT') }));
    return before === undefined || after === undefined ? undefined : prove(before, after, { onlyWords: false, budget: solveBudget() });
  };
  t.deepEqual(proof(), { kind: 'refuted', why: 'some packets would fare differently if the policy is DROP, and the file declares none' });
  t.deepEqual(proof(':INPUT ACCEPT [0:0]'), { kind: 'proven' });
  t.deepEqual((await repaired(undeclared(':INPUT ACCEPT [0:0]', rule))).made, ['redundant-rule']);
  t.deepEqual((await repaired(undeclared(rule, rule))).made, ['duplicate-rule']);
  t.deepEqual((await repaired(undeclared('-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 9100 -j DROP', '-A INPUT -s 192.0.0.0/16 -p tcp -m tcp --dport 9100 -j DROP'))).made, ['redundant-rule'], 'by a rule');
});

test('what is not decided is not proved', t => {
  const loaded = (...lines: readonly string[]): Loaded => load({ path: 'rules', text: filter(...lines) });
  const ports = (...list: readonly number[]): readonly string[] => list.map(port => `-A INPUT -p tcp -m tcp --dport ${String(port)} -j ACCEPT`);
  const [apart, merged] = [loaded(...ports(25, 465)), loaded('-A INPUT -p tcp -m multiport --dports 25,465 -j ACCEPT')];
  t.is(prove(apart, merged, { onlyWords: false, budget: solveBudget() }).kind, 'proven');
  t.is(prove(apart, merged, { onlyWords: false, budget: solveBudget(0, 0) }).kind, 'undecided');
  t.is(prove(apart, loaded(...ports(25)), { onlyWords: false, budget: solveBudget() }).kind, 'refuted');
});

test('where RELATED in its states would not help, because the rule is for some addresses, a rule of its own is put in', async t => {
  const text = filter(ssh).replace('-m conntrack --ctstate RELATED,ESTABLISHED', '! -s 192.0.2.0/24 -m conntrack --ctstate ESTABLISHED');
  const { text: after, made } = await fix(text, { unsafe: true });
  t.true(made.some(({ finding }) => finding.check === 'related-missing'), after);
  t.true(after.split('\n').includes('-A INPUT -m conntrack --ctstate RELATED -j ACCEPT'), after);
});
