/** What else a host may have: other routes, policy routing, switches of the kernel, flows from before. */
import type { Scenario } from '../../netfilter/scenario.js';
import type { Arbitrary, Family, Fc } from '../../values/value.js';
import type { Flow } from './flows.js';
import { ipSets } from './ip-sets.js';
import { places } from './places.js';

type Sysctls = Readonly<Record<string, number>>;

/** Redirects are sent at a rate that hangs on the real clock. */
const quiet: Sysctls = Object.fromEntries(['all', 'eth0', 'eth1', 'tun0'].map(name => [`net.ipv4.conf.${name}.send_redirects`, 0]));

const tracking: readonly Sysctls[] = [
  { 'net.netfilter.nf_conntrack_tcp_loose': 0 }, { 'net.netfilter.nf_conntrack_tcp_be_liberal': 1 }, { 'net.netfilter.nf_conntrack_acct': 1 }, { 'net.netfilter.nf_conntrack_checksum': 0 },
  { 'net.netfilter.nf_conntrack_udp_timeout': 2 }, { 'net.netfilter.nf_conntrack_icmp_timeout': 2 }, { 'net.netfilter.nf_conntrack_tcp_ignore_invalid_rst': 1 },
];

/** Switches that change what tracking and routing do. */
const switches: Readonly<Record<Family, readonly Sysctls[]>> = {
  ipv4: [
    ...tracking, { 'net.ipv4.ip_forward': 0 }, { 'net.ipv4.conf.all.rp_filter': 1 }, { 'net.ipv4.conf.all.rp_filter': 2 }, { 'net.ipv4.conf.eth0.rp_filter': 1 }, { 'net.ipv4.conf.all.rp_filter': 1, 'net.ipv4.conf.all.src_valid_mark': 1 },
    { 'net.ipv4.conf.all.accept_local': 1 }, { 'net.ipv4.conf.all.route_localnet': 1 }, { 'net.ipv4.conf.eth1.route_localnet': 1 }, { 'net.ipv4.conf.all.bc_forwarding': 1, 'net.ipv4.conf.eth1.bc_forwarding': 1, 'net.ipv4.conf.eth0.bc_forwarding': 1 },
    { 'net.ipv4.conf.all.drop_unicast_in_l2_multicast': 1 }, { 'net.ipv4.fwmark_reflect': 1 },
  ],
  ipv6: [...tracking, { 'net.ipv6.conf.all.forwarding': 0 }, { 'net.ipv6.fwmark_reflect': 1 }],
};

/** Switches that are set between packets. */
export function switchesOf(fc: Fc, family: Family): Arbitrary<Sysctls> {
  return fc.constantFrom(...switches[family]);
}

export type HostPart = Pick<Scenario, 'routes' | 'ipRules' | 'sysctls'>;

/** A router with a way out, and sometimes more than that, or less. */
export function hostParts(fc: Fc, family: Family): Arbitrary<HostPart> {
  const { defaultRoute, markedRoute, oddRoutes } = places[family];
  const rarely = <T>(usual: T, other: Arbitrary<T>): Arbitrary<T> => fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });
  return fc.record({
    way: fc.oneof({ weight: 9, arbitrary: fc.constant([defaultRoute]) }, { weight: 1, arbitrary: fc.constant<string[]>([]) }),
    odd: rarely<readonly string[]>([], fc.constantFrom(...oddRoutes).map(route => [route])),
    marked: rarely(false, fc.constant(true)),
    settings: rarely({}, switchesOf(fc, family)),
  }).map(({ way, odd, marked, settings }) => ({
    routes: [...way, ...odd, ...marked ? [`${markedRoute} table 100`] : []], ...marked ? { ipRules: ['fwmark 0x1 table 100'] } : {},
    sysctls: { ...family === 'ipv4' ? quiet : {}, ...settings },
  }));
}

/** Sets are there where rules ask for them. */
export function setsFor(rules: string, family: Family): Pick<Scenario, 'ipsets'> {
  return /-m set |-j SET /u.test(rules) ? { ipsets: ipSets(family) } : {};
}

function listed({ protocol, client, server, clientPort, serverPort }: Flow): string {
  const ends = (src: string, dst: string, sport: number, dport: number): string => `src=${src} dst=${dst} sport=${String(sport)} dport=${String(dport)} packets=0 bytes=0`;
  const both = `${ends(client, server, clientPort, serverPort)} ${ends(server, client, serverPort, clientPort)} [ASSURED] mark=2 use=1`;
  return protocol === 'tcp' ? `tcp      6 300 ESTABLISHED ${both}` : `udp      17 100 ${both}`;
}

/**
 * As `conntrack -L` prints the flows that were there before. Those that a program puts into the kernel's table have not been
 * through nat, which a reset can show: no such flows where there are resets.
 */
export function flowsBefore(flows: readonly Flow[], rules: string): Pick<Scenario, 'conntrack'> {
  if (rules.includes('tcp-reset')) return {};
  const known = flows.filter(flow => flow.isKnown && (flow.protocol === 'tcp' || flow.protocol === 'udp')).map(listed);
  return known.length === 0 ? {} : { conntrack: `${[...new Set(known)].join('\n')}\n` };
}
