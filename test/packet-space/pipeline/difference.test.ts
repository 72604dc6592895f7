import test from 'ava';
import * as fc from 'fast-check';
import { load } from '../../../analyzer/model/load.js';
import type { Ruleset } from '../../../analyzer/model/ruleset.js';
import { align } from '../../../analyzer/packet-space/pipeline/difference/align.js';
import { difference } from '../../../analyzer/packet-space/pipeline/difference/difference.js';
import { mutants } from './mutants.js';
import { compareWorlds } from './compare-worlds.js';

const runs = Number(process.env['PIPELINE_RUNS'] ?? 250);
const seed = Number(process.env['PIPELINE_SEED'] ?? 6);

function rulesetOf(text: string): Ruleset {
  const { rulesets: [ruleset], diagnostics } = load({ path: 'rules', text });
  if (ruleset === undefined || diagnostics.some(one => one.check === 'syntax-error')) throw new Error(`does not load: ${diagnostics.map(one => one.message).join('; ')}\n${text}`);
  return ruleset;
}

test('every packet of tiny worlds and of worlds with one thing changed: equivalent exactly when all fare the same, and all of a case fare as it says', t => {
  let [equal, different, looked] = [0, 0, 0];
  const result = fc.check(fc.property(mutants, ({ a, b, path }) => {
    const outcome = compareWorlds(rulesetOf(a), rulesetOf(b), path);
    if (outcome.problem !== undefined) throw new Error(`${outcome.problem}, path ${path}\n${a}\n--- and\n${b}`);
    if (outcome.isAll) looked++;
    if (outcome.kind === 'equivalent') equal++;
    else different++;
  }), { numRuns: runs, seed, endOnFailure: true });
  t.false(result.failed, result.failed ? `${String(result.errorInstance)}\nseed ${String(result.seed)} path ${String(result.counterexamplePath)}` : '');
  t.log(`${String(equal)} equivalent, ${String(different)} different; ${String(looked)} packet by packet`);
});

const filter = (rules: readonly string[], policy = 'DROP'): Ruleset => rulesetOf(['*filter', `:INPUT ${policy} [0:0]`, ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n'));

test('the order of rules that do the same, or that share no packet, does not matter', t => {
  const [ssh, web, nobody] = ['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -s 10.0.0.0/8 -j ACCEPT', '-A INPUT -p udp -s 10.0.0.0/9 -j DROP'];
  t.deepEqual(difference(filter([ssh, web]), filter([web, ssh])), { kind: 'equivalent', certain: true });
  t.deepEqual(difference(filter([ssh, nobody]), filter([nobody, ssh])), { kind: 'equivalent', certain: true });
  t.is(difference(filter([web, nobody]), filter([nobody, web]))?.kind, 'different');
});

test('what moves behind rules that take all of its packets is neutral', t => {
  const [whole, half, other] = ['-A INPUT -s 10.0.0.0/8 -j ACCEPT', '-A INPUT -s 10.0.0.0/9 -p tcp -j DROP', '-A INPUT -s 10.1.0.0/16 -j ACCEPT'];
  t.deepEqual(difference(filter([whole, half, other]), filter([whole, other, half])), { kind: 'equivalent', certain: true });
});

test('a case says field by field which packets, what becomes of them in either set, and who decides', t => {
  const result = difference(filter(['-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -s 10.0.0.0/8 -j DROP']), filter(['-A INPUT -s 10.0.0.0/8 -j REJECT', '-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT']), { limit: 2 });
  if (result?.kind !== 'different') { t.fail(); return; }
  const [first, second] = result.cases.filter(one => one.path === 'in');
  t.deepEqual(first?.part, { fields: ['src 10.0.0.0/8'], except: [['in eth0', 'protocol tcp', 'fragment 0', 'dport 22']], given: [] });
  t.is(first?.a.verdict, 'drop');
  t.is(first?.b.with, 'REJECT --reject-with icmp-port-unreachable');
  t.true((second?.size ?? 0) <= (first?.size ?? 0));
  t.false(result.complete);
  t.is(result.cases.length, 2);
});

test('addresses, ports and marks in the end are part of the fate', t => {
  const nat = (target: string): Ruleset => rulesetOf(['*nat', ':PREROUTING ACCEPT [0:0]', `-A PREROUTING -d 192.0.2.1 -p tcp -m tcp --dport 80 -j DNAT --to-destination ${target}`, 'COMMIT', ''].join('\n'));
  t.is(difference(nat('10.0.0.1:80'), nat('10.0.0.1'))?.kind, 'equivalent');
  const result = difference(nat('10.0.0.1'), nat('10.0.0.2:8080'));
  if (result?.kind !== 'different') { t.fail(); return; }
  t.deepEqual(result.cases[0]?.a.written, ['dst 10.0.0.1', 'dport as it came']);
  t.deepEqual(result.cases[0]?.b.written, ['dst 10.0.0.2', 'dport 8080']);
  const mark = (value: string): Ruleset => rulesetOf(['*mangle', ':PREROUTING ACCEPT [0:0]', `-A PREROUTING -j MARK --set-xmark ${value}`, 'COMMIT', ''].join('\n'));
  t.is(difference(mark('0x1/0xff'), mark('0x1/0xff'))?.kind, 'equivalent');
  t.is(difference(mark('0x1/0xff'), mark('0x1/0xffffffff'))?.kind, 'different');
});

test('what targets leave open is the same where they say the same, whichever rule does', t => {
  const nat = (...rules: readonly string[]): Ruleset => rulesetOf(['*nat', ':POSTROUTING ACCEPT [0:0]', ...rules.map(rule => `-A POSTROUTING ${rule}`), 'COMMIT', ''].join('\n'));
  const kinds = (a: Ruleset, b: Ruleset): readonly (string | undefined)[] => [difference(a, b)?.kind, difference(b, a)?.kind];
  const all = nat('-o wan0 -j MASQUERADE');
  t.deepEqual(kinds(all, nat('-s 10.0.0.0/8 -o wan0 -j MASQUERADE', '-o wan0 -j MASQUERADE')), ['equivalent', 'equivalent']);
  t.deepEqual(kinds(all, nat('-o wan0 -p tcp -j MASQUERADE', '-o wan0 ! -p tcp -j MASQUERADE')), ['equivalent', 'equivalent']);
  t.deepEqual(kinds(all, nat('-o wan0 -p tcp -j SNAT --to-source 192.0.2.1-192.0.2.9', '-o wan0 ! -p tcp -j MASQUERADE')), ['different', 'different']);
  const some = difference(nat('-s 10.0.0.0/8 -o wan0 -j MASQUERADE'), all, { path: 'through' });
  t.deepEqual(some?.kind === 'different' ? some.cases.map(({ part, a }) => [part.fields.at(-1), a.written.join()]) : [], [['src 0.0.0.1-9.255.255.255,11.0.0.0-255.255.255.255', 'src as it came']]);
});

test('states that are left out make a case of the others', t => {
  const known = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
  const result = difference(filter([known]), filter([known, '-A INPUT -m conntrack ! --ctstate INVALID -s 10.0.0.0/8 -j ACCEPT']), { path: 'in' });
  t.deepEqual(result?.kind === 'different' ? result.cases.map(({ part }) => [part.fields, part.except]) : [], [[['ctstate NEW,UNTRACKED', 'src 10.0.0.0/8'], []]]);
});

test('packets that nat may treat in more than one way are listed once', t => {
  const gateway = (...rules: readonly string[]): string => `*nat\n-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n*filter\n:OUTPUT DROP [0:0]\n${rules.join('\n')}\nCOMMIT\n`;
  const [a, b] = [gateway(), gateway('-A OUTPUT -p udp -j ACCEPT')].map(text => load({ path: 'x', text }).rulesets[0]);
  const result = a === undefined || b === undefined ? undefined : difference(a, b, { path: 'out' });
  t.deepEqual(result?.kind === 'different' ? result.cases.map(({ part, certain }) => [part.fields, certain]) : [], [[['protocol udp'], true]]);
});

test('what is unknown answers alike in both where the words are the same, and is no reason for certainty', t => {
  const limited = '-A INPUT -p tcp -m limit --limit 5/min -j ACCEPT';
  t.deepEqual(difference(filter([limited, '-A INPUT -s 10.0.0.1/32 -j ACCEPT']), filter(['-A INPUT -s 10.0.0.1/32 -j ACCEPT', limited])), { kind: 'equivalent', certain: false });
  const result = difference(filter([limited]), filter(['-A INPUT -p tcp -m limit --limit 6/min -j ACCEPT']));
  t.true(result?.kind === 'different' && result.cases.every(one => !one.certain));
});

test('what a chain that rules go to gives back to the policy is not stopped by a REJECT that stands in it', t => {
  const through = (target: string): Ruleset => filter([':own - [0:0]', '-A INPUT -p tcp -g own', '-A own -s 10.0.0.0/8 -j RETURN', `-A own -d 192.0.2.1/32 -j ${target}`]);
  const result = difference(through('DROP'), through('REJECT'), { path: 'in' });
  t.deepEqual(result?.kind === 'different' ? result.cases.map(({ part }) => [part.fields, part.except]) : [], [[['dst 192.0.2.1', 'protocol tcp'], [['src 10.0.0.0/8']]]]);
});

test('where only one of both translates, connections that are under way are looked at in both', t => {
  const set = (nat: readonly string[], rules: readonly string[]): Ruleset => rulesetOf([...nat, '*filter', ':FORWARD DROP [0:0]', ':own - [0:0]', ...rules, '-A own -j RETURN', 'COMMIT', ''].join('\n'));
  const nat = (...rules: readonly string[]): readonly string[] => ['*nat', ':PREROUTING ACCEPT [0:0]', ...rules, 'COMMIT'];
  const sends = set(nat('-A PREROUTING -j DNAT --to-destination 10.0.0.2'), ['-A FORWARD -s 10.0.0.1/32 -d 10.0.0.1/32 -g own']);
  for (const without of [set([], []), set(nat(), [])]) t.deepEqual([difference(sends, without, { path: 'through' }), difference(without, sends, { path: 'through' })].map(one => one?.kind), ['equivalent', 'equivalent']);
});

test('a budget that runs out is no answer', t => {
  const [whole, half, other] = ['-A INPUT -s 10.0.0.0/8 -j ACCEPT', '-A INPUT -s 10.0.0.0/9 -p tcp -j DROP', '-A INPUT -s 10.1.0.0/16 -j ACCEPT'];
  const result = difference(filter([whole, half, other]), filter([whole, other, half]), { budget: { packets: 0, work: 0 } });
  t.true(result?.kind === 'undecided' && result.open > 0);
});

test('alignment keeps a longest list in order, and pairs what moved', t => {
  const { partner, kept } = align(['a', 'b', 'c', 'd', 'x'], ['b', 'c', 'a', 'd', 'y']);
  t.deepEqual([...partner], [2, 0, 1, 3, -1]);
  t.deepEqual([...kept], [0, 1, 1, 1, 0]);
  t.deepEqual([...align(['a', 'a', 'b'], ['a', 'b', 'a']).kept], [1, 0, 1]);
});
