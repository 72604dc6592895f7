/** The rule sets of many hosts: a few roles, as configuration management writes them, and on each host addresses and rules of its own. */
import { address, Chance, network, table } from './rule-text.js';

const established = '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';

/** What stands first on every host. */
const base = ['-A INPUT -i lo -j ACCEPT', `-A INPUT ${established}`, '-A INPUT -m conntrack --ctstate INVALID -j DROP', '-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 5/sec -j ACCEPT', '-A INPUT -p icmp -m icmp --icmp-type 3 -j ACCEPT'];

/** Networks of administrators, the same for all hosts. */
const admins = ['192.0.2.64/27', '198.51.100.16/28', '10.0.8.0/24'];

interface Host {
  readonly chance: Chance;
  /** Its own address, and the network of its rack. */
  readonly own: string;
  readonly rack: string;
}

function inside(chance: Chance): string {
  return address(0x0a00_0000 + chance.below(0x100_0000));
}

function ssh(): readonly string[] {
  return admins.map(net => `-A INPUT -s ${net} -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT`);
}

function blocked({ chance }: Host, count: number): readonly string[] {
  return Array.from({ length: count }, () => `-A BLOCKED -s ${network((0x2d00_0000 + chance.below(0x5000_0000)) | 0, 24 + chance.below(9))} -j DROP`);
}

function peers({ chance }: Host, port: number, count: number, comment: string): readonly string[] {
  return Array.from({ length: count }, () => `-A INPUT -s ${inside(chance)}/32 -p tcp -m tcp --dport ${String(port)} -m conntrack --ctstate NEW -m comment --comment ${comment} -j ACCEPT`);
}

const logged = ['-A INPUT -m limit --limit 6/min -j LOG --log-prefix "input-drop: "'];

function web(host: Host): readonly string[] {
  const sites = Array.from({ length: 20 }, (_, i) => `-A INPUT -d ${host.own}/32 -p tcp -m tcp --dport ${String(8000 + i)} -m conntrack --ctstate NEW -j ACCEPT`);
  return [...base, '-A INPUT -j BLOCKED', '-A INPUT -p tcp -m multiport --dports 80,443 -m conntrack --ctstate NEW -j ACCEPT', ...sites, ...ssh(), ...peers(host, 9100, 20, 'metrics'), ...logged, ...blocked(host, 249)];
}

function database(host: Host): readonly string[] {
  const out = [`-A OUTPUT -o lo -j ACCEPT`, `-A OUTPUT ${established}`, ...Array.from({ length: 40 }, () => `-A OUTPUT -d ${inside(host.chance)}/32 -p tcp -m tcp --dport ${String(host.chance.of([443, 5432, 514, 6514]))} -j ACCEPT`), `-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT`, `-A OUTPUT -p udp -m udp --dport 123 -j ACCEPT`];
  return [...base, ...ssh(), ...peers(host, 5432, 180, 'application'), ...peers(host, 9187, 20, 'metrics'), `-A INPUT -s ${host.rack} -p tcp -m tcp --dport 5432 -j ACCEPT`, ...peers(host, 6432, 40, 'pool'), ...logged, ...out];
}

function mail(host: Host): readonly string[] {
  const ports = [25, 110, 143, 465, 587, 993, 995];
  return [...base, '-A INPUT -j BLOCKED', ...ports.map(port => `-A INPUT -p tcp -m tcp --dport ${String(port)} -m conntrack --ctstate NEW -j ACCEPT`), ...ssh(), ...peers(host, 9100, 10, 'metrics'), ...logged, ...blocked(host, 272)];
}

/** Forwards between networks by lists, translates addresses, publishes services. */
function gateway(host: Host): string {
  const { chance, own, rack } = host;
  const lan = `10.${String(chance.below(200))}`;
  const services = [22, 53, 80, 123, 389, 443, 445, 636, 993, 1433, 3306, 3389, 5432, 8080, 8443];
  const lists = Array.from({ length: 220 }, () => `-A FORWARD -s ${lan}.${String(chance.below(8))}.0/24 -d 10.${String(200 + chance.below(50))}.${String(chance.below(256))}.${String(chance.below(256))}/32 -p tcp -m tcp --dport ${String(chance.of(services))} -m conntrack --ctstate NEW -j ACCEPT`);
  const published = Array.from({ length: 20 }, (_, i) => ({ port: String(2000 + 7 * i), to: `${lan}.9.${String(1 + i)}` }));
  const filter = [
    ...base, ...ssh(), `-A INPUT -s ${rack} -p tcp -m tcp --dport 179 -j ACCEPT`, `-A FORWARD ${established}`, '-A FORWARD -m conntrack --ctstate INVALID -j DROP', ...lists,
    ...published.map(({ port, to }) => `-A FORWARD -d ${to}/32 -i eth0 -p tcp -m tcp --dport ${port} -m conntrack --ctstate NEW -j ACCEPT`),
    `-A FORWARD -s ${lan}.0.0/16 -o eth0 -j ACCEPT`,
  ];
  const nat = [...published.map(({ port, to }) => `-A PREROUTING -d ${own}/32 -i eth0 -p tcp -m tcp --dport ${port} -j DNAT --to-destination ${to}`), `-A POSTROUTING -s ${lan}.0.0/16 -o eth0 -j SNAT --to-source ${own}`];
  const fill = Array.from({ length: 300 - filter.length - nat.length }, () => `-A FORWARD -s ${inside(chance)}/32 -j DROP`);
  return table('nat', nat) + table('filter', [...fill, ...filter], ['INPUT', 'FORWARD']);
}

/** A host of containers: what it publishes, bridge by bridge. */
function containers({ chance, own }: Host): string {
  const bridges = Array.from({ length: 12 }, (_, i) => ({ name: `br-${(chance.below(0x1000_0000) + 0x1000_0000).toString(16)}`, net: `172.${String(18 + i)}.0` }));
  const published = Array.from({ length: 60 }, (_, i) => ({ bridge: bridges[i % bridges.length] ?? { name: '', net: '' }, last: String(2 + Math.floor(i / bridges.length)), port: String(20_000 + 11 * i + chance.below(10)) }));
  const filter = [
    ...base, ...admins.map(net => `-A INPUT -s ${net} -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT`), '-A FORWARD -j DOCKER-USER',
    ...bridges.flatMap(({ name }) => [`-A FORWARD -o ${name} ${established}`, `-A FORWARD -o ${name} -j DOCKER`, `-A FORWARD -i ${name} ! -o ${name} -j ACCEPT`, `-A FORWARD -i ${name} -o ${name} -j ACCEPT`]),
    ...published.map(({ bridge, last, port }) => `-A DOCKER -d ${bridge.net}.${last}/32 ! -i ${bridge.name} -o ${bridge.name} -p tcp -m tcp --dport ${port} -j ACCEPT`),
    ...Array.from({ length: 40 }, () => `-A DOCKER-USER -s ${inside(chance)}/32 -j DROP`), '-A DOCKER-USER -j RETURN',
  ];
  const nat = [
    '-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER', '-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER',
    ...bridges.map(({ name, net }) => `-A POSTROUTING -s ${net}.0/24 ! -o ${name} -j MASQUERADE`),
    ...published.map(({ bridge, last, port }) => `-A POSTROUTING -s ${bridge.net}.${last}/32 -d ${bridge.net}.${last}/32 -p tcp -m tcp --dport ${port} -j MASQUERADE`),
    ...published.map(({ bridge, last, port }) => `-A DOCKER -d ${own}/32 ! -i ${bridge.name} -p tcp -m tcp --dport ${port} -j DNAT --to-destination ${bridge.net}.${last}:${port}`),
  ];
  return table('nat', nat) + table('filter', filter, ['INPUT', 'FORWARD']);
}

const plain = (lines: (host: Host) => readonly string[], drop: readonly string[]) => (host: Host): string => table('filter', lines(host), drop);

/** What hosts are for. Of ten: four serve web pages, two hold databases, two run containers, one is a mail server, one a gateway. */
const roles = { web: plain(web, ['INPUT', 'FORWARD']), database: plain(database, ['INPUT', 'FORWARD', 'OUTPUT']), containers, mail: plain(mail, ['INPUT', 'FORWARD']), gateway } satisfies Readonly<Record<string, (host: Host) => string>>;
const mix: readonly (keyof typeof roles)[] = ['web', 'database', 'web', 'containers', 'mail', 'web', 'database', 'gateway', 'web', 'containers'];

/** One of many hosts: its name, and its 300 rules or so as `iptables-save` prints them. The same number is the same host. */
export function hostOf(number: number): { readonly name: string; readonly role: keyof typeof roles; readonly rules: string } {
  const role = mix[number % mix.length] ?? 'web';
  const chance = new Chance(1000 + 7919 * number);
  for (let warm = 0; warm < 3; warm++) chance.below(2);
  const rack = 0x0a00_0000 + (chance.below(256) << 16) + (chance.below(256) << 8);
  const rules = roles[role]({ chance, own: address(rack + 1 + chance.below(250)), rack: network(rack, 24) });
  return { name: `${role}-${String(number).padStart(4, '0')}`, role, rules: `# Generated by iptables-save v1.8.9 (nf_tables)\n${rules}` };
}
