/**
 * Rule sets of any size for measuring, each drawn from a seed: always the same text. By hand: `node build/bench/generators.js KIND RULES
 * [ipv6]` prints one.
 */
import { address, anyAddress, Chance, network, table } from './rule-text.js';

const services = [80, 443, 22, 25, 53, 123, 110, 143, 993, 995, 3306, 5432, 8080, 8443, 389, 636, 161, 514, 1521, 3389, 445, 139, 21];
const established = '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';

/** Single addresses, dropped. */
function blocklist(rules: number): string {
  const chance = new Chance(7);
  return table('filter', Array.from({ length: rules }, () => `-A INPUT -s ${address(anyAddress(chance))}/32 -j DROP`));
}

/** Every network with every port: no two rules meet. */
function matrix(rules: number): string {
  const side = Math.ceil(Math.sqrt(rules));
  return table('filter', Array.from({ length: rules }, (_, i) => {
    const [net, port] = [Math.floor(i / side), i % side];
    const protocol = port % 2 === 0 ? 'tcp' : 'udp';
    return `-A FORWARD -d ${network(0x0a00_0000 + net * 256, 24)} -p ${protocol} -m ${protocol} --dport ${String(1000 + 3 * port)} -j ACCEPT`;
  }), ['FORWARD']);
}

/** Prefixes as access lists have them (after ClassBench, Taylor and Turner 2007): many hosts and /24s, some large networks, about some sites. */
function aclNetwork(chance: Chance, sites: readonly number[]): string | undefined {
  const kind = chance.below(100);
  if (kind < 12) return undefined;
  const length = kind < 17 ? 8 + chance.below(8) : kind < 25 ? 16 : kind < 35 ? 17 + chance.below(7) : kind < 55 ? 24 : kind < 70 ? 25 + chance.below(7) : 32;
  const site = chance.of(sites);
  return network(length <= 16 ? site : (site & 0xffff_0000) | Math.floor(chance.below(256) * chance.below(256)), length);
}

function aclPort(chance: Chance): string {
  const kind = chance.below(100);
  if (kind < 70) return String(chance.of(services));
  if (kind < 85) return '1024:65535';
  const low = chance.below(60_000);
  return `${String(low)}:${String(low + 1 + chance.below(2000))}`;
}

function aclRule(chance: Chance, sites: readonly number[]): string {
  const [source, destination] = [aclNetwork(chance, sites), aclNetwork(chance, sites)];
  const isBroad = source === undefined && destination === undefined;
  const protocol = chance.of(['tcp', 'tcp', 'tcp', 'tcp', 'tcp', 'tcp', 'udp', 'udp', 'icmp', isBroad ? 'tcp' : '']);
  const hasPorts = protocol === 'tcp' || protocol === 'udp';
  const ports = [hasPorts && chance.percent(10) ? `--sport ${aclPort(chance)} ` : '', hasPorts && (isBroad || source === undefined || destination === undefined || chance.percent(45)) ? `--dport ${aclPort(chance)} ` : ''].join('');
  const where = isBroad ? `-d ${address(chance.of(sites) & 0xffff_0000 | chance.below(65_536))}/32 ` : '';
  return `${source === undefined ? '' : `-s ${source} `}${destination === undefined ? where : `-d ${destination} `}${protocol === '' ? '' : `-p ${protocol} `}${ports === '' ? '' : `-m ${protocol} ${ports}`}-j ${chance.percent(75) ? 'ACCEPT' : 'DROP'}`;
}

function aclLines(chance: Chance, rules: number): readonly string[] {
  const sites = Array.from({ length: Math.max(20, rules >> 6) }, () => anyAddress(chance));
  return Array.from({ length: rules }, () => `-A FORWARD ${aclRule(chance, sites)}`);
}

function acl(rules: number): string {
  return table('filter', aclLines(new Chance(11), rules), ['INPUT', 'FORWARD']);
}

/** One service of a cluster: its chain, and two endpoints. Nine rules. */
function service(chance: Chance, i: number): readonly string[] {
  const id = i.toString(36).toUpperCase().padStart(8, 'X');
  const [vip, port] = [address(0x0a60_0000 + i), String(chance.of(services))];
  const endpoint = (letter: string): readonly string[] => {
    const pod = address(0x0af4_0000 + chance.below(65_536));
    return [`-A KUBE-SEP-${id}${letter} -s ${pod}/32 -j KUBE-MARK-MASQ`, `-A KUBE-SEP-${id}${letter} -p tcp -m tcp -j DNAT --to-destination ${pod}:${port}`];
  };
  return [
    `-A KUBE-SERVICES -d ${vip}/32 -p tcp -m comment --comment "ns/service-${String(i)}:http cluster IP" -m tcp --dport ${port} -j KUBE-SVC-${id}`,
    `-A KUBE-SVC-${id} ! -s 10.244.0.0/16 -d ${vip}/32 -p tcp -m tcp --dport ${port} -j KUBE-MARK-MASQ`,
    `-A KUBE-SVC-${id} -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-${id}A`, `-A KUBE-SVC-${id} -j KUBE-SEP-${id}B`,
    ...endpoint('A'), ...endpoint('B'), `-A KUBE-SERVICES -d ${vip}/32 -p udp -m udp --dport ${port} -j KUBE-SVC-${id}`,
  ];
}

/** What kube-proxy makes of services: nat by chains, and a filter by marks. */
function kubeProxy(rules: number): string {
  const chance = new Chance(13);
  const nat = [
    '-A PREROUTING -j KUBE-SERVICES', '-A OUTPUT -j KUBE-SERVICES', '-A POSTROUTING -j KUBE-POSTROUTING', '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
    '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN', '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0', '-A KUBE-POSTROUTING -j MASQUERADE',
    ...Array.from({ length: Math.floor(rules / 9) }, (_, i) => service(chance, i)).flat(),
  ];
  const filter = ['-A FORWARD -j KUBE-FORWARD', '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP', '-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT', `-A KUBE-FORWARD ${established}`];
  return table('nat', nat) + table('filter', filter, ['FORWARD']);
}

const common = [
  '-A bogus -s 0.0.0.0/32 -j RETURN', '-A bogus -s 224.0.0.0/4 -j DROP', '-A dynamic -s 203.0.113.7/32 -j RETURN', '-A dynamic -s 203.0.113.0/24 -j DROP',
  '-A common -p icmp -m icmp --icmp-type 8 -j ACCEPT', '-A common -p udp -m udp --dport 137:139 -j DROP', '-A common -p tcp -m tcp --dport 445 -j DROP',
  '-A flags -j LOG --log-prefix "flags "', '-A flags -j DROP',
];

function zonePair(chance: Chance, from: number, to: number): readonly string[] {
  const chain = `z${String(from)}2z${String(to)}`;
  const rule = (): string => {
    const source = chance.percent(50) ? `-s 10.${String(from)}.${String(chance.below(8))}.0/24 ` : '';
    const destination = chance.percent(60) ? `-d 10.${String(to)}.${String(chance.below(8))}.${String(chance.below(256))}/32 ` : '';
    return `-A ${chain} ${source}${destination}-p tcp -m tcp --dport ${String(chance.percent(60) ? chance.of(services) : 1000 + chance.below(9000))} -j ${chance.percent(90) ? 'ACCEPT' : 'RETURN'}`;
  };
  return [`-A z${String(from)} -o eth${String(to)} -j ${chain}`, `-A ${chain} ${established}`, `-A ${chain} -j common`, ...Array.from({ length: 16 }, rule), `-A ${chain} -j ${chance.percent(50) ? 'DROP' : 'REJECT'}`];
}

function zoneLines(chance: Chance, rules: number): readonly string[] {
  const zones = Math.max(3, Math.round(Math.sqrt(rules / 20)));
  const guard = (from: string): readonly string[] => ['dynamic', 'bogus'].map(chain => `-A ${from} -m conntrack --ctstate INVALID,NEW,UNTRACKED -j ${chain}`);
  const numbers = Array.from({ length: zones }, (_, zone) => zone);
  return [...common, ...numbers.flatMap(from => [
    `-A FORWARD -i eth${String(from)} -j z${String(from)}`, ...guard(`z${String(from)}`), `-A z${String(from)} -p tcp -m tcp --tcp-flags SYN,RST SYN,RST -g flags`,
    ...numbers.filter(to => to !== from).flatMap(to => zonePair(chance, from, to)),
  ])];
}

/** A firewall of zones: a chain for each pair of them, and common chains that each of those calls. */
function zones(rules: number): string {
  return table('filter', zoneLines(new Chance(17), rules), ['INPUT', 'FORWARD']);
}

function span(chance: Chance, width: number): string {
  const low = chance.below(65_000);
  return `${String(low)}:${String(Math.min(65_535, low + 1 + chance.below(width)))}`;
}

/** Large boxes in four fields, each in the way of most others. */
function boxes(rules: number): string {
  const chance = new Chance(19);
  const large = (): string => network(anyAddress(chance), 1 + chance.below(16));
  return table('filter', Array.from({ length: rules }, () => `-A FORWARD -s ${large()} -d ${large()} -p tcp -m tcp --sport ${span(chance, 60_000)} --dport ${span(chance, 60_000)} -j ${chance.of(['ACCEPT', 'DROP'])}`), ['FORWARD']);
}

/** Rules that ask for one or two fields only, or for all but a part of one. */
function slabs(rules: number): string {
  const chance = new Chance(23);
  const not = (): string => chance.percent(15) ? '! ' : '';
  const fields = [
    () => `${not()}-s ${network(anyAddress(chance), 4 + chance.below(12))}`, () => `${not()}-d ${network(anyAddress(chance), 4 + chance.below(12))}`,
    () => `-p tcp -m tcp ${not()}--sport ${span(chance, 3000)}`, () => `-p tcp -m tcp ${not()}--dport ${span(chance, 3000)}`,
  ];
  const rule = (): string => {
    const [one, other] = [chance.below(fields.length), chance.below(fields.length)];
    const words = [...new Set([one, other])].map(field => fields[field]?.() ?? '');
    // Both ports: one `-m tcp` for both.
    return words.join(' ').replace(/(-p tcp -m tcp .*)-p tcp -m tcp /u, '$1');
  };
  return table('filter', Array.from({ length: rules }, () => `-A FORWARD ${rule()} -j ${chance.of(['ACCEPT', 'DROP'])}`), ['FORWARD']);
}

/** Chains below each other, as deep as nftables lets them be. */
const treeDepth = 15;

/** Every chain calls the next one with a third of its rules: of 900 rules, 20 to the power of 14 ways lead to the last. */
function jumpTree(rules: number): string {
  const chance = new Chance(29);
  const rule = (own: string, next: string | undefined): string => {
    const [from, to] = [network(anyAddress(chance), 2 + chance.below(20)), network(anyAddress(chance), 2 + chance.below(20))];
    const call = next ?? 'RETURN';
    return `-A ${own} ${chance.of([`-s ${from} -j ${call}`, `-p tcp -m tcp --dport ${span(chance, 9000)} -j ${call}`, `-d ${to} -p udp -j RETURN`, `-p tcp -m tcp --sport ${span(chance, 900)} -j DROP`, `-s ${from} -d ${to} -j ACCEPT`, `! -d ${to} -p udp -j ${call}`])}`;
  };
  const level = (i: number): readonly string[] => Array.from({ length: Math.ceil(rules / treeDepth) }, () => rule(`L${String(i)}`, i + 1 < treeDepth ? `L${String(i + 1)}` : undefined));
  return table('filter', ['-A FORWARD -g L0', ...Array.from({ length: treeDepth }, (_, i) => level(i)).flat()], ['FORWARD']);
}

/** Rules that write marks, and rules that ask for the marks written before them. */
function markLines(chance: Chance, rules: number): readonly string[] {
  return Array.from({ length: rules }, (_, i) => {
    const bit = (1 << chance.below(12)).toString(16);
    const source = `-s ${network(anyAddress(chance), 4 + chance.below(20))}`;
    return i % 2 === 0
      ? `-A ${i % 3 === 0 ? 'PREROUTING' : 'classify'} ${source} -j MARK --set-xmark 0x${bit}/0x${bit}`
      : `-A ${i % 3 === 0 ? 'PREROUTING' : 'classify'} -m mark ${chance.percent(20) ? '! ' : ''}--mark 0x${bit}/0x${bit} -p tcp -m tcp --dport ${String(chance.of(services))} -j ${chance.of(['ACCEPT', 'RETURN', 'DROP'])}`;
  });
}

function marks(rules: number): string {
  return table('mangle', [...markLines(new Chance(31), rules - 1), '-A PREROUTING -j classify']);
}

function natLines(chance: Chance, rules: number): readonly string[] {
  const inner = (): string => `10.${String(chance.below(4))}.${String(chance.below(256))}`;
  const publish = (): string => `-A PREROUTING -d 198.51.100.${String(chance.below(256))}/32 -i eth0 -p tcp -m tcp --dport ${String(chance.percent(50) ? chance.of(services) : 1000 + chance.below(9000))} -j DNAT --to-destination ${inner()}.${String(1 + chance.below(254))}${chance.percent(40) ? ':8080' : ''}`;
  const hide = (): string => `-A POSTROUTING -s ${inner()}.0/24 -o eth0 -j SNAT --to-source 198.51.100.${String(chance.below(256))}`;
  return [...Array.from({ length: rules }, (_, i) => i % 8 === 0 ? hide() : publish()), '-A POSTROUTING -o eth0 -j MASQUERADE'];
}

/** A router between networks: what must not come in goes in raw, marks by source in mangle, published services in nat; the filter is an access list, or zones. */
function gatewayOf(filter: (chance: Chance, rules: number) => readonly string[], rules: number): string {
  const chance = new Chance(37);
  const few = Math.max(8, Math.floor(rules / 40));
  const raw = ['-A PREROUTING -s 10.200.0.0/16 -p udp -m udp --dport 53 -j CT --notrack', '-A PREROUTING -s 10.0.0.0/8 -i eth0 -j DROP'];
  const mangle = [
    '-A PREROUTING -j CONNMARK --restore-mark', '-A PREROUTING -m mark ! --mark 0x0 -j ACCEPT',
    ...Array.from({ length: few }, () => `-A PREROUTING -s 10.${String(chance.below(4))}.${String(chance.below(256))}.0/24 -m mark --mark 0x0 -j MARK --set-xmark 0x${String(1 + chance.below(3))}/0xffffffff`),
    '-A PREROUTING -j CONNMARK --save-mark',
  ];
  const nat = natLines(chance, 2 * few);
  const rest = Math.max(20, rules - raw.length - mangle.length - nat.length - 1);
  return table('raw', raw) + table('mangle', mangle) + table('nat', nat) + table('filter', [`-A FORWARD ${established}`, ...filter(chance, rest)], ['INPUT', 'FORWARD']);
}

/** The same rules for IPv6: an address of IPv4 becomes the middle of one of its own. */
export function inIPv6(rules: string): string {
  const hex = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16);
  return rules.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)(\/\d+|:\d+)?/gu, (_, a: string, b: string, c: string, d: string, rest: string | undefined) => {
    const middle = `2001:db8:${hex(a, b)}:${hex(c, d)}::`;
    if (rest?.startsWith('/') !== true) return rest === undefined ? `${middle}1` : `[${middle}1]${rest}`;
    const length = 32 + Number(rest.slice(1));
    return length === 64 ? `${middle}1/128` : `${middle}/${String(length)}`;
  }).replaceAll('-m icmp --icmp-type 8', '-m icmp6 --icmpv6-type 128').replaceAll('-p icmp', '-p ipv6-icmp');
}

/** By name: a rule set of about so many rules, as text. */
export const generators = {
  blocklist, matrix, acl, 'kube-proxy': kubeProxy, zones, boxes, slabs, 'jump-tree': jumpTree, marks,
  gateway: (rules: number) => gatewayOf(aclLines, rules), 'zone-gateway': (rules: number) => gatewayOf(zoneLines, rules),
} satisfies Readonly<Record<string, (rules: number) => string>>;

export type Kind = keyof typeof generators;

function main([kind = '', rules = '1000', family = 'ipv4']: readonly string[]): void {
  if (!(kind in generators)) throw new Error(`kinds: ${Object.keys(generators).join(', ')}`);
  const text = generators[kind as Kind](Number(rules));
  process.stdout.write(family === 'ipv6' ? inIPv6(text) : text);
}

if (process.argv[1]?.endsWith('generators.js') === true) main(process.argv.slice(2));
