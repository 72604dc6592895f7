/** What IPv6 lets in from anywhere and IPv4 does not: by hand, and held against the engine, packet by packet. */
import test from 'ava';
import * as fc from 'fast-check';
import { load } from '../../../analyzer/model/load.js';
import type { Ruleset } from '../../../analyzer/model/ruleset.js';
import { runScenario } from '../../../analyzer/netfilter/engine.js';
import { familyDifference, type FamilyGap } from '../../../analyzer/packet-space/pipeline/index.js';
import type { Family } from '../../../analyzer/values/value.js';

const established = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';

function text(policies: string, lines: readonly string[]): string {
  return ['*filter', ...policies.split(' ').map(one => `:${one.replace('=', ' ')} [0:0]`), established, ...lines, 'COMMIT', ''].join('\n');
}

function rulesetOf(family: Family, source: string): Ruleset {
  const { rulesets: [ruleset], diagnostics } = load({ path: 'rules', text: source }, { family });
  if (ruleset === undefined) throw new Error(diagnostics.map(one => one.message).join('; '));
  return ruleset;
}

const closed = 'INPUT=DROP FORWARD=DROP OUTPUT=ACCEPT';

function gaps(v4: readonly string[], v6: readonly string[], policies6 = closed): readonly FamilyGap[] {
  const found = familyDifference(rulesetOf('ipv4', text(closed, v4)), rulesetOf('ipv6', text(policies6, v6)));
  if (found?.complete !== true) throw new Error('left open');
  return found.gaps;
}

function words({ path, service, in: from, out, ipv4, certain }: FamilyGap): string {
  const ports = 'low' in service ? ` ${String(service.low)}${service.high === service.low ? '' : `-${String(service.high)}`}` : 'protocol' in service ? ` ${String(service.protocol)}` : '';
  return `${path} ${service.kind}${ports}${from === undefined ? '' : ` in ${from}`}${out === undefined ? '' : ` out ${out}`}: ${ipv4}${certain ? '' : ', maybe'}`;
}

test('the same services, under the addresses of each family, differ in nothing', t => {
  const v4 = ['-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT', '-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT'];
  const v6 = ['-A INPUT -p ipv6-icmp -j ACCEPT', '-A INPUT -d fe80::/64 -p udp -m udp --dport 546 -j ACCEPT', '-A INPUT -d ff02::fb/128 -p udp -m udp --dport 5353 -j ACCEPT', '-A INPUT -s fd00::/8 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT'];
  t.deepEqual(gaps(v4, v6), []);
});

test('what IPv4 lets nobody in to, or only some', t => {
  const found = gaps(['-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 5432 -j ACCEPT'], ['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 5432 -j ACCEPT']);
  t.deepEqual(found.map(words), ['in tcp 22: nobody', 'in tcp 5432: some']);
  t.is(found[1]?.passes.packet.dport, 5432);
  t.is(found[1]?.lost.packet.src, '198.51.100.7');
});

test('whom a rule names is no stranger, and who may be let in is let in maybe', t => {
  t.deepEqual(gaps([], ['-A INPUT -s 2001:db8:77::/48 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT ! -s 2001:db8::/32 -p tcp -m tcp --dport 25 -j ACCEPT']).map(words), ['in tcp 25: nobody']);
  t.deepEqual(gaps([], ['-A INPUT -p udp -m udp --dport 53 -m limit --limit 5/sec -j ACCEPT']).map(words), ['in udp 53: nobody, maybe']);
  t.deepEqual(gaps(['-A INPUT -p udp -m udp --dport 53 -m limit --limit 5/sec -j ACCEPT'], ['-A INPUT -p udp -m udp --dport 53 -j ACCEPT']), [], 'IPv4 lets them in, if not all');
});

test('by some interfaces only, and forwarded', t => {
  t.deepEqual(gaps(['-A INPUT -i eth1 -p tcp -m tcp --dport 22 -j ACCEPT'], ['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT']).map(words), ['in tcp 22 in *: nobody']);
  t.deepEqual(gaps(['-A FORWARD -i eth1 -j ACCEPT'], ['-A FORWARD -i eth1 -j ACCEPT', '-A FORWARD -i eth0 -o eth1 -p tcp -m tcp --dport 22 -j ACCEPT']).map(words), ['through tcp 22 in eth0: nobody']);
  t.deepEqual(gaps(['-A FORWARD -i eth0 -o eth1 -p tcp -m tcp --dport 22 -j ACCEPT'], ['-A FORWARD -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT']).map(words), ['through tcp 22 in eth0 out *: nobody']);
});

test('where IPv6 has no rules at all, all that IPv4 does not have open is open', t => {
  const found = gaps(['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'], [], 'INPUT=ACCEPT FORWARD=DROP OUTPUT=ACCEPT');
  t.deepEqual(found.map(words), ['in tcp 1-21: nobody', 'in tcp 23-65535: nobody', 'in udp 1-545: nobody', 'in udp 548-65535: nobody', 'in ping: nobody', 'in other 253: nobody']);
});

test('an address that DNAT has for a service is open to whom it is forwarded', t => {
  const v4 = `*nat\n-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080\nCOMMIT\n${text(closed, ['-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 8080 -j ACCEPT'])}`;
  const v6 = text(closed, ['-A FORWARD -d 2001:db8::5/128 -p tcp -m multiport --dports 80,81 -j ACCEPT']);
  const found = familyDifference(rulesetOf('ipv4', v4), rulesetOf('ipv6', v6));
  t.deepEqual(found?.gaps.map(words), ['through tcp 81: nobody']);
});

const port = fc.constantFrom(22, 80, 443, 8080);
const ruleLine = fc.record({
  source: fc.constantFrom(undefined, undefined, 'one', 'net'), link: fc.constantFrom(undefined, undefined, 'eth0', 'eth1', '! eth0'), protocol: fc.constantFrom('tcp', 'udp'), low: port, high: port, verdict: fc.constantFrom('ACCEPT', 'ACCEPT', 'DROP'),
});
type Line = typeof ruleLine extends fc.Arbitrary<infer T> ? T : never;
const named: Readonly<Record<Family, Readonly<Record<'one' | 'net', string>>>> = { ipv4: { one: '203.0.113.9', net: '10.0.0.0/8' }, ipv6: { one: '2001:db8:77::9', net: 'fd00::/8' } };

function lineOf(family: Family, { source, link, protocol, low, high, verdict }: Line): string {
  const from = source === undefined ? '' : ` -s ${named[family][source]}`;
  const by = link === undefined ? '' : link.startsWith('!') ? ' ! -i eth0' : ` -i ${link}`;
  return `-A INPUT${from}${by} -p ${protocol} -m ${protocol} --dport ${String(Math.min(low, high))}:${String(Math.max(low, high))} -j ${verdict}`;
}

const hosts = { ipv4: { stranger: '198.51.100.7', own: '192.0.2.1' }, ipv6: { stranger: '2001:db8:1::7', own: '2001:db8::1' } } as const;

/** Of each packet that a stranger may begin with: whether it gets in. */
function letIn(family: Family, rules: string, links: readonly string[], ports: readonly number[]): ReadonlySet<string> {
  const { stranger, own } = hosts[family];
  const bits = family === 'ipv4' ? 24 : 64;
  const sent = links.flatMap(link => (['tcp', 'udp'] as const).flatMap(proto => ports.map(dport => ({ link, proto, dport }))));
  const { steps } = runScenario([rulesetOf(family, rules)], {
    family, rules, backend: 'nft', interfaces: links.map((name, i) => ({ name, addresses: [i === 0 ? `${own}/${String(bits)}` : family === 'ipv4' ? `10.77.${String(i)}.1/24` : `fd77:${String(i)}::1/64`] })),
    routes: [`default dev ${links[0] ?? 'eth0'}`], sysctls: { 'net.ipv4.conf.all.rp_filter': 0 },
    steps: sent.map(({ link, proto, dport }, i) => ({ in: link, packet: { proto, src: stranger, dst: own, sport: 40_000 + i, dport } })),
  });
  return new Set(sent.flatMap(({ link, proto, dport }, i) => steps[i]?.verdict === 'delivered' ? [`${link} ${proto} ${String(dport)}`] : []));
}

function saidOf(found: readonly FamilyGap[], links: readonly string[], ports: readonly number[]): ReadonlySet<string> {
  return new Set(found.flatMap(({ path, service, in: by }) => path === 'in' && 'low' in service
    ? links.filter(link => by === undefined || by === link || (by === '*' && link === 'wan0')).flatMap(link => ports.filter(one => one >= service.low && one <= service.high).map(one => `${link} ${service.kind} ${String(one)}`)) : []));
}

test('what is said to differ is what the engine lets in under the one and not under the other', t => {
  const links = ['eth0', 'eth1', 'wan0'];
  const ports = [21, 22, 23, 80, 100, 443, 8080, 9000];
  // So that eth0 and eth1 are told apart whatever is drawn.
  const both = ['-A FORWARD -i eth0 -j DROP', '-A FORWARD -i eth1 -j DROP'];
  let gapsSeen = 0;
  const property = fc.property(fc.array(ruleLine, { maxLength: 5 }), fc.array(ruleLine, { maxLength: 5 }), fc.constantFrom('ACCEPT', 'DROP', 'DROP'), (a, b, policy) => {
    const [v4, v6] = [text(closed, [...a.map(line => lineOf('ipv4', line)), ...both]), text(closed.replace('INPUT=DROP', `INPUT=${policy}`), [...b.map(line => lineOf('ipv6', line)), ...both])];
    const found = familyDifference(rulesetOf('ipv4', v4), rulesetOf('ipv6', v6));
    const [in4, in6] = [letIn('ipv4', v4, links, ports), letIn('ipv6', v6, links, ports)];
    const expected = [...in6].filter(one => !in4.has(one)).sort();
    gapsSeen += expected.length;
    t.true(found?.complete);
    t.deepEqual([...saidOf(found?.gaps ?? [], links, ports)].sort(), expected, `${v4}\n${v6}`);
  });
  fc.assert(property, { numRuns: 30, seed: 5 });
  t.true(gapsSeen > 200, String(gapsSeen));
});
