/** What docs/engine.md declares as unknown, or as done in another way than in the kernel: each row is shown. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import { createHost, type HostSetup } from '../../analyzer/netfilter/engine.js';
import { parsePacketWords } from '../../analyzer/netfilter/scenario/packet-words.js';
import type { StepAnswer } from '../../analyzer/netfilter/scenario.js';

const page = readFileSync(new URL('../../../docs/engine.md', import.meta.url), 'utf8');

/** The first cells of the table under this heading. */
function rows(heading: string): readonly string[] {
  const [, section = ''] = page.split(`## ${heading}\n`);
  return [...(section.split('\n## ')[0] ?? '').matchAll(/^\| (?<cell>[^|]+?) \|/gmu)].map(match => match.groups?.['cell'] ?? '').filter(cell => cell !== '');
}

const usual: HostSetup = {
  interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }, { name: 'eth1', addresses: ['10.0.0.1/24'] }],
  routes: ['default via 192.0.2.254 dev eth0'],
};

function table(rule: string, name = 'filter', chains: readonly string[] = ['INPUT', 'FORWARD', 'OUTPUT']): string {
  return [`*${name}`, ...chains.map(chain => `:${chain} ACCEPT [0:0]`), rule, 'COMMIT', ''].join('\n');
}

function fates(rules: string, packets: readonly string[], setup: HostSetup = usual): readonly StepAnswer[] {
  const family = packets[0]?.includes('::') === true ? 'ipv6' : 'ipv4';
  const [ruleset] = load({ path: 'rules', text: rules }, { family }).rulesets;
  if (ruleset === undefined) throw new Error('no rules');
  const host = createHost(ruleset, setup);
  return packets.map(line => {
    const { family, in: from = 'eth0', ...step } = parsePacketWords(line);
    return host.send({ ...step, in: from });
  });
}

function fate(rule: string, packet: string, setup?: HostSetup): StepAnswer {
  const [answer] = fates(rule === '' || rule.startsWith('-') ? table(rule) : rule, [packet], setup);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

const syn = 'tcp 198.51.100.7:40000 > 192.0.2.1:22';

const unknowns: Readonly<Record<string, readonly [rule: string, packet: string]>> = {
  '`-m cpu`': ['-A INPUT -m cpu --cpu 0 -j DROP', syn],
  '`-m cgroup`': ['-A OUTPUT -m cgroup --path web -j DROP', 'tcp 192.0.2.1:40000 > 198.51.100.7:22 from local'],
  '`-m osf`': ['-A INPUT -p tcp -m osf --genre Linux -j DROP', syn],
  '`-m bpf --object-pinned`': ['-A INPUT -m bpf --object-pinned /sys/fs/bpf/x -j DROP', syn],
  '`-m ipvs`': ['-A INPUT -m ipvs --ipvs -j DROP', syn],
  '`-m rateest`': ['-A INPUT -m rateest --rateest1 x --rateest-lt --rateest-bps1 1 -j DROP', syn],
  '`-m socket`': ['-A INPUT -m socket -j DROP', syn],
  '`-m set`': ['-A INPUT -m set --match-set friends src -j DROP', syn],
  '`-m frobnicate`': ['-A INPUT -m frobnicate --foo -j DROP', syn],
  '`-j TPROXY`': ['-A PREROUTING -p tcp -j TPROXY --on-port 3128', syn],
  '`-j SYNPROXY`': ['-A INPUT -p tcp -j SYNPROXY', `${syn} flags A`],
};

for (const [row, [rule, packet]] of Object.entries(unknowns)) {
  test(`${row} is answered with unknown`, t => {
    const isEarly = rule.includes('PREROUTING');
    const { unknown = [] } = fate(isEarly ? table(rule, 'mangle', ['PREROUTING']) : rule, packet);
    t.regex(unknown[0]?.rule ?? '', isEarly ? /^mangle:PREROUTING:1$/u : /^filter:(?:INPUT|OUTPUT):1$/u);
    t.is(unknown[0]?.assumed, 'skip');
    t.not(unknown[0]?.why, '');
  });
}

/** What is tried, and what comes of it. */
const instead: Readonly<Record<string, readonly [shown: () => unknown, expected: unknown]>> = {
  'SYNPROXY\'s own packets': [() => {
    const { verdict, by, generated } = fate('-A INPUT -p tcp -j SYNPROXY', syn);
    return [verdict, by, generated.length];
  }, ['drop', 'filter:INPUT:1', 0]],
  'H.323 helpers': [() => {
    const rules = `${table('-A PREROUTING -p tcp -m tcp --dport 1720 -j CT --helper Q.931', 'raw', ['PREROUTING', 'OUTPUT'])}${table('-A INPUT -m conntrack --ctstate RELATED -j DROP')}`;
    const [, second] = fates(rules, ['tcp 198.51.100.7:40000 > 192.0.2.1:1720', 'tcp 198.51.100.7:40001 > 192.0.2.1:30000']);
    return [second?.conntrack[0]?.helper, second?.ct?.state];
  }, [undefined, 'NEW']],
  'ICMPv6 redirects': [() => ['udp 192.0.2.7:5 > 203.0.113.9:7', 'udp [2001:db8::7]:5 > [2001:db8:9::9]:7'].map(packet => fate('', packet, {
    interfaces: [{ name: 'eth0', addresses: packet.includes('::') ? ['2001:db8::1/64', 'fe80::1/64'] : ['192.0.2.1/24'] }],
    routes: [packet.includes('::') ? 'default via fe80::fe dev eth0' : 'default via 192.0.2.254 dev eth0'],
  }).generated.length), [1, 0]],
  'limits of ICMP errors': [() => fates(table(''), Array.from({ length: 2000 }, () => 'udp 198.51.100.7:5 > 203.0.113.9:7 ttl 1')).every(one => one.generated.length === 1), true],
  IPsec: [() => ['ipsec', 'none'].map(policy => fate(`-A INPUT -m policy --dir in --pol ${policy} -j DROP`, syn).verdict), ['delivered', 'drop']],
  NFQUEUE: [() => ['', ' --queue-bypass'].map(bypass => fate(`-A INPUT -j NFQUEUE --queue-num 0${bypass}`, syn).verdict), ['drop', 'delivered']],
  'bridges\' own hooks': [() => fate('-A INPUT -m physdev --physdev-in eth0 -j DROP', syn).verdict, 'delivered'],
  VRF: [() => fate('', 'tcp 198.51.100.7:40000 > 203.0.113.9:22', {
    interfaces: [{ name: 'vrf0', kind: 'vrf' }, { name: 'eth0', master: 'vrf0', addresses: ['192.0.2.1/24'] }, { name: 'eth1', addresses: ['10.0.0.1/24'] }],
    routes: ['default via 10.0.0.2 dev eth1', 'default via 192.0.2.254 dev eth0 table 10'],
  }).verdict, 'forwarded eth1'],
  'multicast routing': [() => fate('', 'udp 198.51.100.7:5 > 239.1.2.3:7').verdict, 'drop'],
  'answers of local sockets': [() => fates(table(''), [syn, 'icmp 198.51.100.7 > 192.0.2.1']).map(({ verdict, generated }) => [verdict, generated.length]), [['delivered', 0], ['delivered', 0]]],
  'flows read from `conntrack -L`': [() => {
    const flow = { proto: 'udp', src: '10.0.0.5', dst: '198.51.100.7', sport: 1023, dport: 53 };
    const [ruleset] = load({ path: 'rules', text: table('-A FORWARD -m conntrack --ctstate RELATED', 'filter') + table('-A POSTROUTING -p tcp -j MASQUERADE', 'nat', ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING']) }).rulesets;
    if (ruleset === undefined) return 'no rules';
    const host = createHost(ruleset, { ...usual, conntrack: 'udp 17 100 src=10.0.0.5 dst=198.51.100.7 sport=1023 dport=53 src=198.51.100.7 dst=10.0.0.5 sport=53 dport=1023 [ASSURED] mark=0 use=1' });
    return host.send({ in: 'eth0', packet: { proto: 'icmp', src: '198.51.100.7', dst: '10.0.0.5', type: 5, code: 1, quote: flow } }).verdict;
  }, 'forwarded eth1'],
  realms: [() => [0, 1].map(realm => fate(`-A INPUT -m realm --realm ${String(realm)} -j DROP`, syn).verdict), ['drop', 'delivered']],
  neighbours: [() => fate('', 'tcp 198.51.100.7:40000 > 10.0.0.99:22').verdict, 'forwarded eth1'],
  chance: [() => [1, 2].map(() => fate('-A INPUT -m statistic --mode random --probability 0.5 -j DROP', syn).chance), [['statistic --mode random'], ['statistic --mode random']]],
  'the date': [() => ['--datestart 2026-01-01T00:00:00 --datestop 2026-01-01T00:00:01', '--datestart 2026-01-01T00:00:02'].map(time => fate(`-A INPUT -m time ${time} -j DROP`, syn).verdict), ['drop', 'delivered']],
};

for (const [row, [shown, expected]] of Object.entries(instead)) {
  test(`${row}: it does as its page says`, t => { t.deepEqual(shown(), expected); });
}

test('all that is declared is shown, and all that is shown is declared', t => {
  t.deepEqual(rows('What it answers with `unknown`'), Object.keys(unknowns));
  t.deepEqual(rows('What it does in place of the kernel'), Object.keys(instead));
});
