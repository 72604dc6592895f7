/** How rules are written: what could be one rule, what nobody uses, what is out of date. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { load } from '../../analyzer/model/load.js';
import { difference } from '../../analyzer/packet-space/pipeline/index.js';
import type { Finding } from '../../analyzer/finding.js';
import type { Family } from '../../analyzer/values/value.js';

function of(check: string, text: string, family: Family = 'ipv4'): readonly Finding[] {
  const { findings, internalErrors } = analyze({ path: 'x.rules', text }, { family });
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings.filter(one => one.check === check);
}

function filter(...lines: readonly string[]): string {
  return ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...lines, 'COMMIT', ''].join('\n');
}

function rules(check: string, ...lines: readonly string[]): readonly (string | null)[] {
  return of(check, filter(...lines)).map(one => one.rule);
}

const tcp = (port: string, rest = ''): string => `-A INPUT -p tcp -m tcp --dport ${port}${rest} -j ACCEPT`;

for (const lines of [
  [tcp('80'), tcp('443'), tcp('8000:8100')],
  [tcp('80', ' -m conntrack --ctstate NEW'), tcp('22', ' -m conntrack --ctstate NEW'), tcp('25', ' -m conntrack --ctstate NEW')],
  ['-A INPUT -s 10.0.0.0/8 -i eth0 -p udp -m conntrack --ctstate NEW -m udp --sport 53 -j DROP', '-A INPUT -s 10.0.0.0/8 -i eth0 -p udp -m conntrack --ctstate NEW -m udp --sport 123 -j DROP', '-A INPUT -s 10.0.0.0/8 -i eth0 -p udp -m conntrack --ctstate NEW -m udp --sport 5 -j DROP'],
]) {
  test(`the merged rule does the same: ${lines[0] ?? ''}`, t => {
    const before = ['-A INPUT -s 192.0.2.1/32 -j DROP'];
    const [finding] = of('mergeable-rules', filter(...before, ...lines));
    const line = /^write (-A .*) in place of the 3$/u.exec(finding?.help ?? '')?.[1] ?? '';
    const [a, b] = [filter(...before, ...lines), filter(...before, line)].map(text => load({ path: 'x.rules', text }).rulesets[0]);
    if (a === undefined || b === undefined) throw new Error('not loaded');
    t.regex(line, /multiport/u);
    t.is(difference(a, b)?.kind, 'equivalent');
  });
}

test('two neighbours, other comments, limits, overlapping or negated ports, another target: not to be merged', t => {
  t.deepEqual(rules('mergeable-rules', tcp('80'), tcp('443')), []);
  for (const rest of [' -m limit --limit 1/s', ' -m connlimit --connlimit-above 3']) t.deepEqual(rules('mergeable-rules', tcp('80', rest), tcp('443', rest), tcp('22', rest)), [], rest);
  t.deepEqual(rules('mergeable-rules', tcp('80', ' -m comment --comment a'), tcp('443', ' -m comment --comment b'), tcp('22', ' -m comment --comment c')), []);
  t.deepEqual(rules('mergeable-rules', tcp('80:90'), tcp('85'), tcp('22')), []);
  t.deepEqual(rules('mergeable-rules', tcp('80'), tcp('443'), '-A INPUT -p tcp -m tcp --dport 22 -j DROP', tcp('25')), []);
  t.deepEqual(rules('mergeable-rules', ...['80', '443', '22'].map(port => `-A INPUT -p tcp -m tcp ! --dport ${port} -j ACCEPT`)), []);
  t.deepEqual(rules('mergeable-rules', ...['80', '443', '22'].map(port => `-A INPUT -p tcp -m tcp --dport ${port} --sport 1 -j ACCEPT`)), []);
});

test('more ports than multiport takes make two lists', t => {
  t.deepEqual(rules('mergeable-rules', ...Array.from({ length: 20 }, (_, i) => tcp(String(100 + 2 * i)))), ['filter:INPUT:1', 'filter:INPUT:16']);
});

const ssh = (flag: string, ...addresses: readonly string[]): readonly string[] => addresses.map(one => `-A FORWARD ${flag} ${one} -i eth0 -p tcp -m conntrack --ctstate NEW -m tcp --dport 22 -j ACCEPT`);
const tail = '-m conntrack --ctstate NEW -m tcp --dport 22 -j ACCEPT';

for (const [lines, merged, family = 'ipv4'] of [
  [ssh('-s', '192.0.2.0/25', '192.0.2.128/25'), `-A FORWARD -s 192.0.2.0/24 -i eth0 -p tcp ${tail}`],
  [ssh('-d', '192.0.2.3', '192.0.2.0', '192.0.2.1', '192.0.2.2'), `-A FORWARD -d 192.0.2.0/30 -i eth0 -p tcp ${tail}`],
  [ssh('-d', '192.0.2.8', '192.0.2.40', '192.0.2.10/31', '192.0.2.9'), `-A FORWARD -d 192.0.2.8/30 -i eth0 -p tcp ${tail}`],
  [ssh('-d', '192.0.2.9', '192.0.2.11', '192.0.2.10'), `-A FORWARD -i eth0 -p tcp -m iprange --dst-range 192.0.2.9-192.0.2.11 ${tail}`],
  [ssh('-s', '10.0.1.0/24', '10.0.2.0/23', '10.0.4.0/24'), `-A FORWARD -i eth0 -p tcp -m iprange --src-range 10.0.1.0-10.0.4.255 ${tail}`],
  [ssh('-s', '0.0.0.0/1', '128.0.0.0/1'), `-A FORWARD -i eth0 -p tcp ${tail}`],
  [ssh('-s', '2001:db8:8000::/33', '2001:db8::/33'), `-A FORWARD -s 2001:db8::/32 -i eth0 -p tcp ${tail}`, 'ipv6'],
  [ssh('-s', '2001:db8::ffff', '2001:db8::1:0', '2001:db8::1:1'), `-A FORWARD -i eth0 -p tcp -m iprange --src-range 2001:db8::ffff-2001:db8::1:1 ${tail}`, 'ipv6'],
] as const satisfies readonly (readonly [readonly string[], string, Family?])[]) {
  test(`joined, the addresses are the same: ${lines[0] ?? ''}`, t => {
    const [finding] = of('mergeable-rules', filter(...lines), family);
    t.is(/^write (-A .*) in place of the \d$/u.exec(finding?.help ?? '')?.[1], merged);
    const gone = finding?.because.map(({ line }) => line - 5) ?? [];
    const left = lines.flatMap((line, i) => i === 0 ? [merged] : gone.includes(i) ? [] : [line]);
    const [a, b] = [lines, left].map(some => load({ path: 'x.rules', text: filter(...some) }, { family }).rulesets[0]);
    if (a === undefined || b === undefined) throw new Error('not loaded');
    t.is(difference(a, b)?.kind, 'equivalent');
  });
}

test('addresses with a gap, that overlap, two that are no network, two hosts, other comments, limits: not to be merged', t => {
  const found = (...lines: readonly string[]): readonly unknown[] => rules('mergeable-rules', ...lines);
  t.deepEqual(found(...ssh('-s', '192.0.2.1', '192.0.2.3', '192.0.2.5')), []);
  t.deepEqual(found(...ssh('-s', '192.0.2.0/25', '192.0.2.0/24', '192.0.2.128/26')), []);
  t.deepEqual(found(...ssh('-s', '10.0.1.0/24', '10.0.2.0/24')), []);
  t.deepEqual(found(...ssh('-s', '192.0.2.2', '192.0.2.3')), []);
  t.deepEqual(found(...ssh('! -s', '192.0.2.0/25', '192.0.2.128/25')), []);
  t.deepEqual(found(...ssh('-s', '10.0.0.0/255.255.0.255', '10.0.0.1/255.255.0.255', '10.0.0.2/255.255.0.255')), []);
  const halves = ['192.0.2.0/25', '192.0.2.128/25'];
  t.deepEqual(found(...halves.map(one => `-A INPUT -s ${one} -m limit --limit 1/s -j ACCEPT`)), []);
  t.deepEqual(found(...halves.map((one, i) => `-A INPUT -s ${one} -m comment --comment ${String(i)} -j ACCEPT`)), []);
  t.deepEqual(found(...halves.map((one, i) => `-A INPUT -s ${one} -j ${i === 0 ? 'ACCEPT' : 'DROP'}`)), []);
});

test('of a list whose other addresses stay, only most of it is told, and only as one network', t => {
  const found = (...addresses: readonly string[]): readonly unknown[] => rules('mergeable-rules', ...ssh('-s', ...addresses));
  t.deepEqual(found('10.0.0.0/24', '10.0.1.0/24', '10.0.7.0/24', '10.0.9.0/24'), [], 'two networks of somebody who has four');
  t.deepEqual(found('10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24', '10.0.9.0/24'), [], 'most of them, and no network');
  t.deepEqual(found('10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/23', '10.0.9.0/24', '10.0.11.0/24', '10.0.13.0/24'), ['filter:FORWARD:1']);
  t.deepEqual(found('10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/23', '10.0.9.0/24', '10.0.11.0/24', '10.0.13.0/24', '10.0.15.0/24'), [], 'less than half of them');
});

test('of a long list, single ranges are not told; it is a range as a whole, or one for an ipset', t => {
  t.deepEqual(rules('mergeable-rules', ...ssh('-s', ...many(24, i => `192.0.2.${String(i < 3 ? i : 3 * i)}`))), []);
  t.deepEqual(rules('mergeable-rules', ...ssh('-s', ...many(24, i => `192.0.2.${String(i)}`))), ['filter:FORWARD:1']);
});

const many = (count: number, line: (i: number) => string): readonly string[] => Array.from({ length: count }, (_, i) => line(i));

test('a list of addresses, of networks, of destinations, in both families', t => {
  t.deepEqual(rules('list-could-be-ipset', '-A INPUT -i lo -j ACCEPT', ...many(20, i => `-A INPUT -s 192.0.2.${String(i)}/32 -j DROP`), tcp('22')), ['filter:INPUT:2']);
  const [finding] = of('list-could-be-ipset', filter(...many(25, i => `-A FORWARD -d 10.${String(i)}.0.0/16 -i eth0 -p tcp -j RETURN`)));
  t.regex(finding?.help ?? '', /hash:net, add the 25 addresses, and write -A FORWARD -i eth0 -p tcp -m set --match-set NAME dst -j RETURN$/u);
  t.regex(of('list-could-be-ipset', filter(...many(20, i => `-A INPUT -s 2001:db8::${String(i)}/128 -j DROP`)), 'ipv6')[0]?.help ?? '', /hash:ip family inet6/u);
});

test('a short list, one that is broken, limits, or other verdicts are none', t => {
  t.deepEqual(rules('list-could-be-ipset', ...many(19, i => `-A INPUT -s 192.0.2.${String(i)}/32 -j DROP`)), []);
  t.deepEqual(rules('list-could-be-ipset', ...many(24, i => `-A INPUT -s 192.0.2.${String(i)}/32 -j ${i === 12 ? 'REJECT' : 'DROP'}`)), []);
  t.deepEqual(rules('list-could-be-ipset', ...many(24, i => `-A INPUT -s 192.0.2.${String(i)}/32 -m limit --limit 1/s -j DROP`)), []);
  t.deepEqual(rules('list-could-be-ipset', ...many(24, i => `-A INPUT -s 192.0.2.${String(i)}/32 -d 198.51.100.${String(i)}/32 -j DROP`)), [], 'they differ in both');
  t.deepEqual(rules('list-could-be-ipset', ...many(24, i => `-A INPUT -s 10.0.0.0/${String(8 + i)} -j LOG`)), [], 'one packet is logged by many of them');
});

test('a name is told once: by the check, where it is a host, and by loading else', t => {
  const text = filter('-A INPUT -s www.example.net -j ACCEPT', '-A INPUT -p tcp -m tcp --dport nosuchservice -j ACCEPT');
  const found = analyze({ path: 'x.rules', text }).findings.filter(one => ['hostname-in-rule', 'unresolved-name'].includes(one.check));
  t.deepEqual(found.map(one => `${one.check} ${one.rule ?? ''}`), ['hostname-in-rule filter:INPUT:1', 'unresolved-name ']);
  const off = analyze({ path: 'x.rules', text }, { severities: { 'hostname-in-rule': 'off' } }).findings.filter(one => one.check === 'unresolved-name');
  t.is(off.length, 2);
});

test('what no host can be named is no name to look up: the rule does not load', t => {
  const severity = (source: string): string | undefined => of('hostname-in-rule', filter(`-A INPUT -s ${source} -j ACCEPT`))[0]?.severity;
  t.deepEqual(['<private_ip>/32', 'admin.example.net/32', 'my_host'].map(severity), ['error', 'warning', 'warning']);
});

test('NOTRACK can be repaired in place; CT --notrack is what it became', t => {
  const [finding] = of('deprecated-target', '*raw\n-A PREROUTING -p udp -j NOTRACK\n-A PREROUTING -p tcp -j CT --notrack\nCOMMIT\n');
  t.deepEqual([finding?.severity, finding?.fix?.edits[0]?.text, finding?.rule], ['info', 'CT --notrack', 'raw:PREROUTING:1']);
});

test('QUEUE still has a queue: the first of NFQUEUE', t => {
  const found = of('deprecated-target', filter('-A INPUT -p udp -j QUEUE', '-A INPUT -p tcp -j NFQUEUE --queue-num 0'));
  t.deepEqual(found.map(({ severity, rule, help }) => [severity, rule, help.includes('NFQUEUE --queue-num 0')]), [['info', 'filter:INPUT:1', true]]);
});

const counted = (...lines: readonly string[]): string => `*filter\n:INPUT DROP [50000:1]\n:x - [0:0]\n${lines.join('\n')}\nCOMMIT\n`;

test('what opens something and was never used, where many packets came by', t => {
  const found = of('unused-by-counters', counted('[9:9] -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '[0:0] -A INPUT -p tcp -m tcp --dport 25 -j ACCEPT', '[0:0] -A INPUT -p udp -j x', '[0:0] -A INPUT -s 192.0.2.1/32 -j DROP', '[0:0] -A x -j ACCEPT'));
  t.deepEqual(found.map(one => [one.rule, one.because.map(other => other.rule)]), [['filter:INPUT:2', ['filter:INPUT:3']]]);
});

test('nothing is said without counters, of few packets, or of a rule that few packets come to', t => {
  t.deepEqual(of('unused-by-counters', counted('-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT')), []);
  t.deepEqual(of('unused-by-counters', counted('[0:0] -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT').replace('50000', '900')), []);
  t.deepEqual(of('unused-by-counters', counted('[70000:1] -A INPUT -p tcp -j ACCEPT', '[0:0] -A INPUT -p udp -m udp --dport 53 -j ACCEPT').replace('[50000:1]', '[0:0]')), []);
});

test('hits on a rule that is called dead make that possible, and are told', t => {
  const text = (hits: string): string => counted('[900:1] -A INPUT -p tcp -j ACCEPT', `${hits} -A INPUT -p tcp -m tcp --dport 22 -j DROP`);
  t.deepEqual(of('shadowed-rule', text('[0:0]')).map(one => one.certainty), ['certain']);
  const [finding] = of('shadowed-rule', text('[12:720]'));
  t.is(finding?.certainty, 'possible');
  t.regex(finding?.message ?? '', /the counter of the rule says 12 \(were rules changed since\?\)$/u);
});

test('a limit that limits nothing: by a later rule, by the policy, through a chain', t => {
  const check = 'rate-limit-without-effect';
  const limited = '-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT';
  t.deepEqual(rules(check, limited, '-A INPUT -p tcp -m tcp --dport 1:1023 -j ACCEPT'), ['filter:INPUT:1']);
  t.deepEqual(of(check, filter(limited).replace('INPUT DROP', 'INPUT ACCEPT')).map(one => one.because[0]?.rule), ['filter:INPUT:policy']);
  t.deepEqual(rules(check, ':x - [0:0]', limited, '-A INPUT -p tcp -j x', '-A x -s 0.0.0.0/1 -j ACCEPT', '-A x -s 128.0.0.0/1 -j ACCEPT'), ['filter:INPUT:1']);
  t.deepEqual(rules(check, '-A INPUT -p udp -m limit --limit 3/min -j DROP'), ['filter:INPUT:1'], 'what is beyond is dropped by the policy');
});

test('a limit whose packets fare otherwise beyond it, or are logged there', t => {
  const check = 'rate-limit-without-effect';
  const known = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
  const limited = '-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT';
  t.deepEqual(rules(check, known, limited), []);
  t.deepEqual(rules(check, known, limited, '-A INPUT -s 192.0.2.0/24 -p tcp -j ACCEPT'), [], 'for some it limits');
  t.deepEqual(rules(check, known, limited, '-A INPUT -p tcp -m tcp --dport 22 -j LOG', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'), [], 'what is beyond is logged');
  t.deepEqual(rules(check, '-A INPUT -m limit --limit 3/min -j LOG', '-A INPUT -j LOG'), []);
  t.deepEqual(rules(check, known, limited, '-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 9/min -j ACCEPT'), [], 'two limits are two limits');
});

test('a limit for packets of known connections as well', t => {
  const check = 'rate-limit-without-effect';
  const known = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
  const [ten, slow] = ['-m limit --limit 10/sec', known.replace('-j', '-m limit --limit 10/sec -j')];
  const ssh = `-A INPUT -p tcp -m tcp --dport 22 ${ten} -j ACCEPT`;
  t.deepEqual(rules(check, slow, tcp('22', ' -m conntrack --ctstate NEW')), ['filter:INPUT:1']);
  t.deepEqual(rules(check, ssh), ['filter:INPUT:1'], 'it asks for no state');
  t.deepEqual(rules(check, known, ssh), []);
  t.deepEqual(rules(check, slow.replace('-A INPUT', '-A INPUT -i eth0'), known), ['filter:INPUT:1'], 'the other finding: the limit has no effect');
  t.deepEqual(rules(check, ssh.replace('-m limit', '-m conntrack --ctstate NEW -m limit')), []);
  t.deepEqual(rules(check, ssh.replace('-m limit', '--tcp-flags FIN,SYN,RST,ACK SYN -m limit')), [], 'SYN packets alone');
  t.deepEqual(rules(check, slow.replace('INPUT', 'INPUT -p icmp')), [], 'no connection that goes on');
  t.deepEqual(rules(check, slow.replace('INPUT', 'INPUT -i lo')), []);
  t.deepEqual(rules(check, known.replace('-j', '-m hashlimit --hashlimit-upto 10/sec --hashlimit-mode srcip --hashlimit-name x -j')), [], 'somebody polices');
  t.deepEqual(rules(check, ':x - [0:0]', '-A FORWARD -j x', slow.replace('INPUT', 'x')), ['filter:x:1']);
  t.regex(of(check, filter(slow))[0]?.message ?? '', /known connections/u);
});

test('a count of connections to which packets of known ones come', t => {
  const told = (...lines: readonly string[]): readonly string[] => of('rate-limit-without-effect', filter(...lines)).filter(one => one.message.startsWith('packets of known')).map(one => `${one.severity} ${one.certainty} ${one.rule ?? ''}`);
  const [known, ssh] = ['-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', tcp('22')];
  const count = '-A INPUT -p tcp -m tcp --dport 22 -m connlimit --connlimit-above 3 --connlimit-mask 32 --connlimit-saddr -j REJECT';
  t.deepEqual(told(count, known, ssh), ['info possible filter:INPUT:1']);
  t.deepEqual(told(count.replace('--connlimit-above 3', '--connlimit-upto 3').replace('REJECT', 'ACCEPT')), ['info possible filter:INPUT:1'], 'one that accepts is asked as well');
  t.deepEqual(told(known, count, ssh), []);
  t.deepEqual(told(count.replace('--dport 22', '--dport 22 --tcp-flags FIN,SYN,RST,ACK SYN'), known, ssh), [], 'SYN packets alone');
  t.deepEqual(told(count.replace('-m connlimit', '-m conntrack --ctstate NEW -m connlimit'), known, ssh), []);
  t.deepEqual(told(count.replace('-A INPUT', '-A INPUT -i lo'), known, ssh), []);
  t.deepEqual(told(count.replaceAll('tcp', 'udp').replace('REJECT', 'DROP'), known, tcp('22').replaceAll('tcp', 'udp')), [], 'nothing ends a conversation by UDP');
});

test('a limit upside down', t => {
  const check = 'rate-limit-without-effect';
  t.deepEqual(rules(check, '-A INPUT -p icmp -m limit --limit 3/min -j DROP', '-A INPUT -p icmp -j ACCEPT'), ['filter:INPUT:1']);
  t.deepEqual(rules(check, '-A INPUT -p icmp -m hashlimit --hashlimit-above 3/min --hashlimit-name x -j DROP', '-A INPUT -p icmp -j ACCEPT'), []);
  t.deepEqual(rules(check, '-A INPUT -p icmp -m hashlimit --hashlimit-above 3/min --hashlimit-name x -j ACCEPT'), ['filter:INPUT:1']);
});

test('deprecated-state-match is told once for a chain, at the first rule, and its fix is for all of them', t => {
  const state = (port: string): string => `-A INPUT -p tcp -m tcp --dport ${port} -m state --state NEW -j ACCEPT`;
  const found = of('deprecated-state-match', filter(tcp('21'), state('22'), state('23'), '-A FORWARD -m state --state ESTABLISHED -j ACCEPT'));
  t.deepEqual(found.map(one => [one.rule, one.fix?.edits.length, /\d+ rules/u.exec(one.message)?.[0]]), [['filter:INPUT:2', 2, '2 rules'], ['filter:FORWARD:1', 1, undefined]]);
});

test('a rule that is repeated is told once, at the first copy, with all the others', t => {
  const web = tcp('443');
  const log = '-A INPUT -p udp -j LOG --log-prefix "udp "';
  const found = of('duplicate-rule', filter(tcp('22'), web, log, web, log, tcp('25'), web, tcp('22'), log));
  t.deepEqual(found.map(({ rule, message, because, help }) => [rule, message, because.map(one => one.rule), help]), [
    ['filter:INPUT:4', 'this rule and 1 behind it repeat rule 2 of the chain word for word, and never see a packet', ['filter:INPUT:2', 'filter:INPUT:7'], 'delete all but one of the 3'],
    ['filter:INPUT:5', 'this rule and 1 behind it repeat rule 3 of the chain word for word, so a packet that matches them goes through the same 3 times', ['filter:INPUT:3', 'filter:INPUT:9'], 'delete all but one of the 3'],
    ['filter:INPUT:8', 'this rule repeats rule 1 of the chain word for word, and never sees a packet', ['filter:INPUT:1'], 'delete one of the two'],
  ]);
});

test('what is led to a chain from which nothing comes back does not come by the same rule again', t => {
  const jump = '-A INPUT -p tcp -m tcp --tcp-flags SYN,FIN SYN,FIN -j log-drop';
  const text = (...lines: readonly string[]): string => filter(jump, tcp('22'), jump, ...lines).replace('-A', ':log-drop - [0:0]\n-A');
  const said = (...lines: readonly string[]): readonly (string | undefined)[] => of('duplicate-rule', text('-A log-drop -j LOG', ...lines)).map(({ message, fix }) => `${/(?:twice|never sees a packet)$/u.exec(message)?.[0] ?? message}${fix === undefined ? '' : ', fix'}`);
  t.deepEqual(said('-A log-drop -j DROP'), ['never sees a packet, fix']);
  t.deepEqual(said('-A log-drop -s 192.0.2.0/24 -j DROP'), ['twice']);
  t.deepEqual(said(), ['twice']);
});

test('what stands behind a rule that could not be read is no list with what is before it, and nothing is redundant by it', t => {
  const addresses = Array.from({ length: 24 }, (_, i) => `192.0.2.${String(7 * i + 1)}`);
  const guarded = (guard: string): readonly string[] => addresses.flatMap(one => [`-A INPUT -s ${one}/32 -m mac --mac-source ${guard} -j RETURN`, `-A INPUT -s ${one}/32 -j DROP`]);
  t.is(rules('list-could-be-ipset', ...addresses.map(one => `-A INPUT -s ${one}/32 -j DROP`)).length, 1);
  t.deepEqual(rules('list-could-be-ipset', ...guarded('XX:XX:XX:XX:XX:XX')), []);
  t.deepEqual(rules('mergeable-rules', tcp('80'), tcp('http-alt-x'), tcp('443'), tcp('8000')), []);
  const [first, last] = ['-A INPUT -s 192.0.2.1/32 -j ACCEPT', '-A INPUT -s 192.0.2.0/24 -j ACCEPT'];
  t.deepEqual(rules('redundant-rule', first, last), ['filter:INPUT:1']);
  t.deepEqual(rules('redundant-rule', first, '-A INPUT -s 192.0.2.300 -j DROP', last), []);
  t.deepEqual(rules('redundant-rule', '-A INPUT -s 192.0.2.300 -j DROP', first, last), ['filter:INPUT:2'], 'it is before both');
  t.deepEqual(rules('redundant-rule', '-A INPUT -s 192.0.2.1/32 -j DROP', '-A INPUT -s 192.0.2.300 -j ACCEPT'), [], 'the policy is behind it');

});

test('host-bits-set: a private address whose mask takes in the internet is not mended by writing that down', t => {
  const told = (address: string): readonly string[] => of('host-bits-set', filter(`-A INPUT -s ${address} -p tcp -m tcp --dport 3306 -j ACCEPT`)).map(({ message, fix }) => `${message}: ${fix?.safety ?? 'no fix'}`);
  t.deepEqual(told('192.168.0.0/8'), ['`192.168.0.0/8` is silently the whole of 192.0.0.0/8, where the internet is as well: no fix']);
  t.deepEqual(told('172.16.5.4/8'), ['`172.16.5.4/8` is silently the whole of 172.0.0.0/8, where the internet is as well: no fix']);
  t.deepEqual(told('192.168.7.1/16'), ['`192.168.7.1/16` is silently the whole of 192.168.0.0/16: safe']);
  t.deepEqual(told('203.0.113.7/24'), ['`203.0.113.7/24` is silently the whole of 203.0.113.0/24: safe']);
});

test('network-without-mask: who may have such an address', t => {
  const told = (rule: string, { family = 'ipv4', addresses = [] }: { readonly family?: Family; readonly addresses?: readonly string[] } = {}): readonly string[] => {
    const { findings } = analyze({ path: 'x.rules', text: filter(rule) }, { family, ...addresses.length === 0 ? {} : { host: () => ({ interfaces: [{ name: 'eth0', addresses: [...addresses] }] }) } });
    return findings.filter(one => one.check === 'network-without-mask').map(one => `${one.certainty} ${one.severity}`);
  };
  for (const address of ['192.168.1.0', '192.168.1.0/32', '10.0.0.0', '172.16.0.0', '10.5.0.0']) for (const side of ['-s', '-d', '! -s']) t.deepEqual(told(`-A INPUT ${side} ${address} -j ACCEPT`), ['possible warning'], `${side} ${address}`);
  t.deepEqual(told('-A INPUT -s 10.5.1.0 -j ACCEPT'), ['possible info'], 'networks of more than 256 addresses are no rarity here');
  for (const other of ['192.168.1.0/24', '192.168.1.1', '203.0.113.0', '0.0.0.0', '10.0.0.0/8', '0.0.0.0/0', '127.0.0.0']) t.deepEqual(told(`-A INPUT -s ${other} -j ACCEPT`), [], other);
  t.deepEqual(told('-A INPUT -s 10.5.1.0 -j ACCEPT', { addresses: ['10.5.1.7/24'] }), ['certain warning']);
  t.deepEqual(told('-A INPUT -s 10.5.1.0 -j ACCEPT', { addresses: ['10.5.0.7/16'] }), [], 'a host of the network');
  t.deepEqual(told('-A INPUT -s 10.5.1.0 -j ACCEPT', { addresses: ['10.9.0.7/16'] }), ['possible info'], 'somewhere else');
  t.deepEqual(told('-A INPUT -s 2001:db8:: -j ACCEPT', { family: 'ipv6' }), ['possible warning']);
  for (const other of ['2001:db8::1', '2001:db8::/64', '::', 'ff02::', '::/0']) t.deepEqual(told(`-A INPUT -s ${other} -j ACCEPT`, { family: 'ipv6' }), [], other);
});

test('network-without-mask: an address is told of once, with the mask that stands elsewhere', t => {
  const [one, ...more] = of('network-without-mask', filter('-A INPUT -s 10.5.1.0/26 -j ACCEPT', tcp('22', ' -s 10.5.1.0'), tcp('443', ' -s 10.5.1.0'), '-A FORWARD -d 10.5.1.0 -j DROP'));
  t.deepEqual(more, []);
  t.like(one, { rule: 'filter:INPUT:2', severity: 'warning' });
  t.deepEqual(one?.because.map(({ rule }) => rule), ['filter:INPUT:3', 'filter:FORWARD:1']);
  t.regex(one?.help ?? '', /-s 10\.5\.1\.0\/26$/u);
});
