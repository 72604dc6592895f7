/** Rule sets in which nothing but the packet decides, hosts for them, and packets near their bounds. */
import * as fc from 'fast-check';
import type { Hook, TableName } from '../../../analyzer/extensions/define.js';
import { load } from '../../../analyzer/model/load.js';
import { builtInChains } from '../../../analyzer/model/ruleset.js';
import type { Scenario, ScenarioPacket, ScenarioStep } from '../../../analyzer/netfilter/scenario.js';
import { always, any, oneOf, within, type Constraint } from '../../../analyzer/packet/constraint.js';
import type { Routing } from '../../../analyzer/packet-space/pipeline/index.js';
import type { Backend, Family } from '../../../analyzer/values/value.js';

interface Names {
  readonly own: readonly string[];
  readonly peers: readonly string[];
  readonly nets: readonly string[];
  readonly icmp: string;
  readonly types: string;
  readonly hop: readonly [match: string, target: string];
}

const names: Readonly<Record<Family, Names>> = {
  ipv4: {
    own: ['192.0.2.1', '10.0.0.1', '127.0.0.1'], peers: ['198.51.100.7', '192.0.2.9', '10.0.0.5', '10.0.0.6'],
    nets: ['192.0.2.0/24', '10.0.0.0/24', '10.0.0.5', '198.51.100.7', '192.0.2.1', '10.0.0.4/30', '127.0.0.0/8'], icmp: 'icmp', types: '--icmp-type', hop: ['ttl --ttl', 'TTL --ttl'],
  },
  ipv6: {
    own: ['2001:db8:1::1', '2001:db8:2::1', '::1'], peers: ['2001:db8:9::7', '2001:db8:1::9', '2001:db8:2::5', '2001:db8:2::6'],
    nets: ['2001:db8:1::/64', '2001:db8:2::/64', '2001:db8:2::5', '2001:db8:9::7', '2001:db8:1::1', '2001:db8:2::4/126', '::1'], icmp: 'icmpv6', types: '--icmpv6-type', hop: ['hl --hl', 'HL --hl'],
  },
};

const hasIn: ReadonlySet<string> = new Set(['PREROUTING', 'INPUT', 'FORWARD']);
const hasOut: ReadonlySet<string> = new Set(['OUTPUT', 'FORWARD', 'POSTROUTING']);

/** Words, or now and then none. */
const maybe = (words: fc.Arbitrary<string>, none = 3): fc.Arbitrary<string> => fc.oneof({ weight: none, arbitrary: fc.constant('') }, { weight: 1, arbitrary: words });
const negated = (words: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.tuple(fc.constantFrom('', '', '! '), words).map(([not, text]) => ` ${not}${text}`);

function protocolWords({ icmp, types }: Names): fc.Arbitrary<string> {
  const port = fc.constantFrom('22', '80', '443', '1000:2000', ':79', '40000');
  const tcp = fc.oneof(
    fc.constantFrom(' -p tcp', ' -p tcp --syn', ' -p tcp ! --syn', ' -p tcp --tcp-flags SYN,ACK ACK', ' ! -p tcp', ' -p tcp -m multiport --dports 22,80,1000:2000', ' -p tcp -m multiport ! --sports 22,40000', ' -p udp -m multiport --ports 80,443'),
    fc.tuple(fc.constantFrom('tcp', 'udp'), fc.constantFrom('', '! '), fc.constantFrom('--dport', '--sport'), port).map(([proto, not, side, value]) => ` -p ${proto} ${not}${side} ${value}`),
  );
  return fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 4, arbitrary: tcp }, { weight: 1, arbitrary: fc.constantFrom(` -p ${icmp}`, ` -p ${icmp} ${types} echo-request`, ` ! -p ${icmp}`) });
}

function conditions(family: Family, hook: Hook): fc.Arbitrary<string> {
  const own = names[family];
  const device = negated(fc.constantFrom('eth0', 'eth1', 'lo', 'eth+'));
  const other = fc.constantFrom(
    ' -m mark --mark 0x1/0x1', ' -m mark ! --mark 0x1/0x3', ' -m mark --mark 0x2', ' -m connmark --mark 0x1/0x1', ' -m conntrack --ctstate NEW', ' -m conntrack --ctstate INVALID,UNTRACKED', ' -m conntrack ! --ctstate NEW',
    ' -m conntrack --ctstate RELATED,ESTABLISHED', ' -m length --length 0:60', ' -m length ! --length 100:', ' -m dscp --dscp 0x2e', ' -m tos --tos 0x10/0x3f', ` -m ${own.hop[0]}-eq 63`, ` -m ${own.hop[0]}-lt 64`, ' -m pkttype --pkt-type unicast', ' -m connmark ! --mark 0x2/0x2',
  );
  return fc.tuple(
    maybe(negated(fc.constantFrom(...own.nets).map(net => `-s ${net}`))), maybe(negated(fc.constantFrom(...own.nets).map(net => `-d ${net}`))),
    hasIn.has(hook) ? maybe(device.map(name => name.replace(/(eth|lo)/u, '-i $1'))) : fc.constant(''), hasOut.has(hook) ? maybe(device.map(name => name.replace(/(eth|lo)/u, '-o $1'))) : fc.constant(''),
    protocolWords(own), maybe(other),
  ).map(parts => parts.join(''));
}

function targets(family: Family, table: TableName, hook: Hook): readonly string[] {
  const { peers, own, hop, nets } = names[family];
  const [, , inside = '', other = ''] = peers;
  const marks = ['MARK --set-mark 1', 'MARK --set-xmark 0x2/0x3', 'MARK --or-mark 2', 'CONNMARK --set-xmark 0x1/0x3', 'CONNMARK --save-mark', 'CONNMARK --restore-mark', 'CONNMARK --restore-mark --nfmask 0x1 --ctmask 0x1'];
  const isDestination = hook === 'PREROUTING' || hook === 'OUTPUT';
  switch (table) {
    case 'raw': return ['ACCEPT', 'DROP', 'NOTRACK', 'CT --notrack', 'CT --zone 1', 'RETURN', 'MARK --set-mark 1'];
    case 'mangle': return ['ACCEPT', 'DROP', 'RETURN', ...marks, ...marks, 'TOS --set-tos 0x10', 'DSCP --set-dscp 0x2e', `${hop[1]}-set 64`, `${hop[1]}-dec 1`];
    case 'nat': return isDestination ? ['ACCEPT', 'RETURN', `DNAT --to-destination ${inside}`, `DNAT --to-destination ${inside}-${other}`, `DNAT --to-destination ${own[0] ?? ''}`, 'REDIRECT', `NETMAP --to ${nets[5] ?? ''}`, 'MARK --set-mark 2']
      : ['ACCEPT', 'RETURN', `SNAT --to-source ${own[0] ?? ''}`, `NETMAP --to ${nets[5] ?? ''}`, ...hook === 'INPUT' ? [] : ['MASQUERADE']];
    case 'filter': case 'security': return ['ACCEPT', 'ACCEPT', 'DROP', 'DROP', 'RETURN', ...table === 'filter' ? ['REJECT'] : [], 'LOG'];
  }
}

interface Place {
  readonly family: Family;
  readonly backend: Backend;
}

const userChains = ['one', 'two'];

function isLegal(text: string, place: Place): boolean {
  const { rulesets, diagnostics } = load({ path: 'drawn', text }, place);
  return rulesets.length === 1 && diagnostics.every(one => one.severity !== 'error');
}

/** Two chains of one's own are called from one of the hooks, the second by the first as well. */
function tableText(table: TableName, place: Place): fc.Arbitrary<string> {
  const built = builtInChains[table];
  return fc.tuple(fc.constantFrom(...built), fc.array(fc.constantFrom('ACCEPT', 'ACCEPT', table === 'nat' ? 'ACCEPT' : 'DROP'), { minLength: built.length, maxLength: built.length })).chain(([calling, policies]) => {
    const rules = (chain: string, hook: Hook, calls: readonly string[], most: number): fc.Arbitrary<readonly string[]> => {
      const act = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...targets(place.family, table, hook)).map(one => ` -j ${one}`) }, { weight: calls.length, arbitrary: calls.length === 0 ? fc.constant('') : fc.tuple(fc.constantFrom('-j', '-j', '-g'), fc.constantFrom(...calls)).map(([how, name]) => ` ${how} ${name}`) });
      const rule = fc.tuple(conditions(place.family, hook), act).map(([ask, does]) => `-A ${chain}${ask}${does}`);
      return fc.array(rule, { maxLength: most }).map(lines => lines.filter(line => isLegal(`*${table}\n:one - [0:0]\n:two - [0:0]\n${line}\nCOMMIT\n`, place)));
    };
    const blocks = [...built.map(hook => rules(hook, hook, hook === calling ? userChains : [], table === 'filter' ? 4 : 2)), rules('one', calling, ['two'], 3), rules('two', calling, [], 3)];
    return fc.tuple(...blocks).map(lines => [`*${table}`, ...built.map((hook, i) => `:${hook} ${policies[i] ?? 'ACCEPT'} [0:0]`), ...userChains.map(name => `:${name} - [0:0]`), ...lines.flat(), 'COMMIT', ''].join('\n'));
  });
}

function packets(family: Family): fc.Arbitrary<ScenarioStep> {
  const { own, peers, icmp } = names[family];
  const port = fc.constantFrom(22, 80, 443, 1500, 40_000, 40_001);
  const way = fc.oneof(
    fc.record({ in: fc.constant('eth0'), src: fc.constantFrom(peers[0] ?? '', peers[1] ?? ''), dst: fc.constantFrom(own[0] ?? '', own[0] ?? '', peers[2] ?? '', peers[3] ?? '') }),
    fc.record({ in: fc.constant('eth1'), src: fc.constantFrom(peers[2] ?? '', peers[3] ?? ''), dst: fc.constantFrom(own[1] ?? '', own[0] ?? '', peers[0] ?? '', peers[1] ?? '') }),
    fc.record({ in: fc.constant('local'), src: fc.constant(own[0] ?? ''), dst: fc.constantFrom(peers[0] ?? '', peers[1] ?? '', peers[2] ?? '', own[0] ?? '', own[1] ?? '') }),
    fc.record({ in: fc.constant('local'), src: fc.constant(own[2] ?? ''), dst: fc.constant(own[2] ?? '') }),
  );
  const body = fc.oneof(
    fc.record({ proto: fc.constant('tcp'), flags: fc.constantFrom('S', 'S', 'S', 'A', 'SA', 'R', 'SF'), sport: port, dport: port }), fc.record({ proto: fc.constant('udp'), sport: port, dport: port }),
    fc.record({ proto: fc.constant(icmp), type: fc.constantFrom(...family === 'ipv4' ? [8, 8, 0, 3] : [128, 128, 129, 135]), code: fc.constant(0), id: fc.constant(7) }),
  );
  const rest = fc.record({ ttl: fc.constantFrom(64, 64, 64, 65, 63, 2, 255), tos: fc.constantFrom(0, 0, 0x10, 0xb8), payload_len: fc.constantFrom(0, 0, 40, 400) });
  return fc.tuple(way, body, rest, fc.constantFrom(0, 0, 0, 1, 3)).map(([{ in: arrives, ...ends }, layer4, more, mark]): ScenarioStep => {
    const packet: ScenarioPacket = { ...ends, ...layer4, ...more, ...arrives === 'local' && mark > 0 ? { mark } : {} };
    return { in: arrives, packet };
  });
}

const interfaces = {
  ipv4: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }, { name: 'eth1', addresses: ['10.0.0.1/24'] }],
  ipv6: [{ name: 'eth0', addresses: ['2001:db8:1::1/64'] }, { name: 'eth1', addresses: ['2001:db8:2::1/64'] }],
} as const;

/** With marks that choose routes, now and then. */
function routing(family: Family): fc.Arbitrary<Pick<Scenario, 'routes' | 'ipRules'>> {
  const [first, second] = family === 'ipv4' ? ['192.0.2.254', '10.0.0.254'] : ['2001:db8:1::fe', '2001:db8:2::fe'];
  const plain = { routes: [`default via ${first} dev eth0`] };
  return fc.constantFrom(plain, plain, { routes: [...plain.routes, `default via ${second} dev eth1 table 100`], ipRules: ['fwmark 0x1/0x1 lookup 100'] });
}

/** A rule set, a host and packets that are not answered: some come twice. */
export interface PlainScenario extends Scenario {
  /** What the pipeline is told of its routes; absent where marks choose them. */
  readonly routing?: Routing;
}

const ip4 = (text: string): number => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const doc = 0x2001_0db8n << 96n;

function net(family: Family, address: number | bigint, length: number): Constraint {
  if (family === 'ipv4') return within('dst', Number(address), Number(address) + 2 ** (32 - length) - 1);
  return within('dst', BigInt(address), BigInt(address) | ((1n << BigInt(128 - length)) - 1n));
}

/** As `interfaces` and the plain default route say. */
const known: Readonly<Record<Family, Routing>> = {
  ipv4: {
    local: any([oneOf('dst', ['192.0.2.1', '10.0.0.1', '192.0.2.255', '10.0.0.255', '255.255.255.255'].map(ip4)), net('ipv4', ip4('127.0.0.0'), 8)]),
    routes: [{ to: net('ipv4', ip4('10.0.0.0'), 24), out: 'eth1' }, { to: always, out: 'eth0' }],
  },
  ipv6: {
    local: any([oneOf('dst', [doc | (1n << 80n) | 1n, doc | (2n << 80n) | 1n, doc | (1n << 80n), doc | (2n << 80n), 1n]), net('ipv6', 0xff00n << 112n, 8), net('ipv6', 0xfe80n << 112n, 10)]),
    routes: [{ to: net('ipv6', doc | (2n << 80n), 64), out: 'eth1' }, { to: always, out: 'eth0' }],
  },
};

export function plainScenarios(place: Place, maxSteps = 8): fc.Arbitrary<PlainScenario> {
  const { family, backend } = place;
  const some = fc.constantFrom<readonly TableName[]>(['filter'], ['nat', 'filter'], ['mangle', 'filter'], ['mangle', 'nat', 'filter'], ['raw', 'filter'], ['raw', 'mangle', 'nat', 'filter', 'security']);
  return some.chain(tables => fc.tuple(fc.tuple(...tables.map(table => tableText(table, place))), routing(family), fc.array(packets(family), { minLength: 1, maxLength: maxSteps }), fc.array(fc.nat(20), { maxLength: 2 })))
    .map(([texts, routes, steps, again]) => ({ family, backend, rules: texts.join(''), interfaces: interfaces[family], ...routes, ...'ipRules' in routes ? {} : { routing: known[family] }, steps: [...steps, ...again.flatMap(i => steps[i % steps.length] ?? [])] }));
}
