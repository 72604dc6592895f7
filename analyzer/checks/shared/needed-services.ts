/** What a host must be able to send, and the rule that lets it out. */
import type { Severity } from '../../model/diagnostic.js';
import type { Ruleset } from '../../model/ruleset.js';
import type { PacketSample } from '../../packet-space/answers.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, any, ctstates, is, masked, never, not, oneOf, within, type Constraint, type Range } from '../../packet/constraint.js';
import { localPorts } from '../../packet/local-ports.js';
import { protocolNumber } from '../../packet/protocols.js';
import { meet, rangesOf } from './asked.js';
import { conjuncts } from './conjuncts.js';
import { everydayClient, statesOf } from './replies.js';
import type { neededServices, Settings } from '../settings.js';

/** Something that a host must be able to send. */
export interface Service {
  /** What the setting `neededServices` calls it. */
  readonly key: ServiceKey;
  readonly name: string;
  readonly severity: Severity;
  readonly packets: Constraint;
  /** A host is asked, and not all who listen. */
  readonly isForOne: boolean;
  /** What the witness shows where the question itself gives no packet. */
  readonly example: PacketSample;
  /** What lets it pass, behind `-A OUTPUT`. */
  readonly rule: string;
}

/** `loopback` and `replies` are asked about apart. */
export type ServiceKey = (typeof neededServices)[number];

const lo: Constraint = { kind: 'interface', field: 'out', name: 'lo', prefix: false };
const outside = not(lo);
const toLoopback: Readonly<Record<Ruleset['family'], Constraint>> = { ipv4: within('dst', 0x7f00_0000, 0x7fff_ffff), ipv6: is('dst', 1n) };

interface Port {
  readonly key: ServiceKey;
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  readonly dport: number;
  /** Ports that will do as well. */
  readonly others?: readonly number[];
  /** It is asked for from this port, and from no other. */
  readonly sport?: number;
  /** Some programs ask for it from this port, and others as everyday clients do: always, or as far as a rule names both ports. */
  readonly own?: { readonly sport: number; readonly isNamed?: boolean };
  /** It is asked for of all who listen. */
  readonly isForAll?: boolean;
  readonly severity: Severity;
}

const ports: readonly Port[] = [
  { key: 'dns-udp', name: 'DNS over UDP', protocol: 'udp', dport: 53, own: { sport: 53, isNamed: true }, severity: 'warning' },
  { key: 'dns-tcp', name: 'DNS over TCP', protocol: 'tcp', dport: 53, severity: 'info' },
  // What systems are updated by: package archives are reached by either.
  { key: 'http', name: 'HTTP', protocol: 'tcp', dport: 80, severity: 'info' },
  { key: 'https', name: 'HTTPS', protocol: 'tcp', dport: 443, severity: 'info' },
  { key: 'ntp', name: 'NTP', protocol: 'udp', dport: 123, own: { sport: 123 }, severity: 'info' },
];

const renewal: Readonly<Record<Ruleset['family'], Port>> = {
  ipv4: { key: 'dhcp', name: 'DHCP', protocol: 'udp', sport: 68, dport: 67, isForAll: true, severity: 'info' },
  ipv6: { key: 'dhcpv6', name: 'DHCPv6', protocol: 'udp', sport: 546, dport: 547, isForAll: true, severity: 'info' },
};

/** No service of a host takes more ports than these: mosh has 1001 of them. */
const mostPorts = 1024;

interface SourcePorts {
  /** Of services of this host: what comes from these few may go anywhere. */
  readonly services: readonly Range[];
  /** Rules that name both ports, of who asks and of whom. */
  readonly pairs: readonly { readonly from: readonly Range[]; readonly to: readonly Range[] }[];
}

const known = new WeakMap<Ruleset, SourcePorts>();

/** What rules of table filter say of source ports. */
function sourcePorts(ruleset: Ruleset): SourcePorts {
  let found = known.get(ruleset);
  if (found === undefined) known.set(ruleset, found = sourcePortsNamed(ruleset));
  return found;
}

function sourcePortsNamed(ruleset: Ruleset): SourcePorts {
  const services: Range[] = [];
  const pairs: SourcePorts['pairs'][number][] = [];
  const constraints = constraintsOf(ruleset, 'filter');
  for (const chain of ruleset.tables.get('filter')?.chains.values() ?? []) for (const rule of chain.rules) {
    if (rule.protocol === undefined || rule.matches.length === 0) continue;
    const constraint = constraints.of(rule);
    // `--ports` asks for either.
    const from = conjuncts(constraint).flatMap(one => one.kind === 'any' ? one.of : [one]).flatMap(one => rangesOf(one, 'sport') ?? []).filter(({ low, high }) => Number(high) - Number(low) < mostPorts);
    const to = rangesOf(constraint, 'dport');
    if (from.length > 0 && to !== undefined) pairs.push({ from, to });
    else services.push(...from);
  }
  return { services, pairs };
}

/** The ports of who asks: of everyday clients, that no service of this host has, and what programs have of their own. */
function clients(ruleset: Ruleset, { own, dport }: Port): Constraint {
  const { services, pairs } = sourcePorts(ruleset);
  const everyday = services.length === 0 ? everydayClient.first : all([everydayClient.first, not({ kind: 'within', field: 'sport', ranges: services })]);
  if (own === undefined) return everyday;
  const isMeant = own.isNamed !== true || pairs.some(({ from, to }) => meet(from, [{ low: own.sport, high: own.sport }]) && meet(to, [{ low: dport, high: dport }]));
  return any([everyday, isMeant ? is('sport', own.sport) : never]);
}

/** A port of everyday clients that no service has. */
function clientPort(ruleset: Ruleset): number {
  const { services } = sourcePorts(ruleset);
  let port = 40_000;
  while (port < localPorts.high && meet(services, [{ low: port, high: port }])) port++;
  return port;
}

function portService(ruleset: Ruleset, port: Port): Service {
  const { key, name, protocol, dport, others = [], sport, isForAll = false, severity } = port;
  const isTcp = protocol === 'tcp';
  const number = protocolNumber[protocol];
  const peer = ruleset.family === 'ipv4' ? { src: '192.0.2.1', dst: '198.51.100.53' } : { src: '2001:db8::1', dst: '2001:db8:1::53' };
  return {
    key, name, severity, isForOne: !isForAll,
    packets: all([
      is('protocol', number), oneOf('dport', [dport, ...others]), is('fragment', 0), statesOf(ruleset).first, outside,
      ...isTcp ? [masked('tcpFlags', 2, 63)] : [], sport === undefined ? clients(ruleset, port) : is('sport', sport), ...isForAll ? [not(toLoopback[ruleset.family])] : [],
    ]),
    example: { ...peer, protocol: number, sport: sport ?? clientPort(ruleset), dport, ...isTcp ? { tcpFlags: 2 } : {} },
    rule: `-p ${protocol} -m ${protocol}${sport === undefined ? '' : ` --sport ${String(sport)}`} --dport ${String(dport)} -j ACCEPT`,
  };
}

function neighbourDiscovery(type: number, name: string, severity: Severity): Service {
  return {
    key: 'neighbour-discovery', name, severity, isForOne: false,
    // The kernel does not track neighbour discovery (nf_conntrack_icmpv6_error).
    packets: all([is('protocol', protocolNumber.icmpv6), is('icmpType', type), is('icmpCode', 0), is('ctstate', ctstates.UNTRACKED), is('ttl', 255), outside]),
    example: { src: 'fe80::1', dst: 'ff02::1:ff00:2', protocol: protocolNumber.icmpv6, icmpType: type, icmpCode: 0, ttl: 255 },
    rule: `-p ipv6-icmp -m icmp6 --icmpv6-type ${String(type)} -j ACCEPT`,
  };
}

function ping(ruleset: Ruleset): Service {
  const isV4 = ruleset.family === 'ipv4';
  const [protocol, icmpType] = isV4 ? [protocolNumber.icmp, 8] : [protocolNumber.icmpv6, 128];
  return {
    key: 'ping', name: 'ping', severity: 'info', isForOne: true,
    packets: all([is('protocol', protocol), is('icmpType', icmpType), is('icmpCode', 0), statesOf(ruleset).first, outside]),
    example: { protocol, icmpType, icmpCode: 0, ...isV4 ? { src: '192.0.2.1', dst: '198.51.100.7' } : { src: '2001:db8::1', dst: '2001:db8:1::7' } },
    rule: isV4 ? '-p icmp -m icmp --icmp-type 8 -j ACCEPT' : '-p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT',
  };
}

/** What a host that takes mail from everybody needs to send, if not to all servers, then to the one that sends it on: at least that mail cannot be delivered (RFC 5321, 6.1). */
export function mailService(ruleset: Ruleset): Service {
  return portService(ruleset, { key: 'smtp', name: 'SMTP (mail for this host is let in)', protocol: 'tcp', dport: 25, others: [465, 587], severity: 'info' });
}

/** Whether the settings count a service among those that the host needs: without a word, all are. */
export function isNeeded({ neededServices }: Settings, key: ServiceKey): boolean {
  return neededServices?.includes(key) ?? true;
}

/** What this host needs to send: what every host needs, and what most need, or of these what the settings name. */
export function servicesNeeded(ruleset: Ruleset, settings: Settings): readonly Service[] {
  const discovery = ruleset.family === 'ipv4' ? [] : [
    neighbourDiscovery(135, 'neighbour solicitation', 'error'), neighbourDiscovery(136, 'neighbour advertisement', 'error'), neighbourDiscovery(133, 'router solicitation', 'info'),
  ];
  const known = [...discovery, ...[...ports, renewal[ruleset.family]].map(one => portService(ruleset, one)), ping(ruleset)];
  return known.filter(({ key }) => isNeeded(settings, key));
}
