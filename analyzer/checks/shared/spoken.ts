/** Services that speak one protocol alone, or one of two first, and the ports and groups that are theirs. */
import type { Range } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import { parseAddress } from '../../values/address.js';
import type { Family } from '../../values/value.js';

export interface Service {
  /** As people call it. */
  readonly name: string;
  /** The number of the protocol. */
  readonly speaks: number;
  /** Undefined where it has none. */
  readonly ports: Range | undefined;
  /** It speaks both, and this one first. */
  readonly isForBoth?: true;
  /** It is meant only where a rule names this port as well. */
  readonly beside?: number;
}

const { tcp, udp } = protocolNumber;

/** Ports of which hardly anybody makes another use. What may speak the one or the other, as OpenVPN, syslog and SNMP, is not among them. */
const byPort: readonly (readonly [speaks: number, name: string, low: number, high?: number])[] = [
  [udp, 'DHCP', 67], [udp, 'TFTP', 69], [udp, 'NTP', 123], [udp, 'IKE (IPsec)', 500], [udp, 'L2TP', 1701], [udp, 'SSDP', 1900], [udp, 'VXLAN', 4789], [udp, 'mDNS', 5353],
  [udp, 'Geneve', 6081], [udp, 'VXLAN', 8472], [udp, 'Bedrock of Minecraft', 19_132], [udp, 'Tailscale', 41_641], [udp, 'WireGuard', 51_820],
  [tcp, 'FTP', 21], [tcp, 'SSH', 22], [tcp, 'SMTP', 25], [tcp, 'POP3', 110], [tcp, 'IMAP', 143], [tcp, 'BGP', 179], [tcp, 'SMTP', 465], [tcp, 'SMTP', 587], [tcp, 'rsync', 873],
  [tcp, 'IMAP', 993], [tcp, 'POP3', 995], [tcp, 'PPTP', 1723], [tcp, 'MySQL', 3306], [tcp, 'PostgreSQL', 5432], [tcp, 'Redis', 6379], [tcp, 'MongoDB', 27_017],
];

/** The service that a port is, or a range of them, where it does not speak the protocol. */
export function serviceOfPorts({ low, high }: Range, protocol: number): Service | undefined {
  // By the same ports FTP may send its data.
  if (protocol === tcp && low === 10_000 && high === 20_000) return { name: 'RTP (calls)', speaks: udp, ports: { low, high }, beside: 5060 };
  if (protocol === tcp && low === 53 && high === 53) return { name: 'DNS', speaks: udp, ports: { low, high }, isForBoth: true };
  const found = byPort.find(([speaks, , first, last = first]) => speaks !== protocol && first === low && last === high);
  return found === undefined ? undefined : { name: found[1], speaks: found[0], ports: { low, high } };
}

/** Routers find each other by these groups (IANA, multicast addresses). */
const byGroup: readonly (readonly [name: string, speaks: number, ...groups: string[]])[] = [
  ['VRRP', 112, '224.0.0.18', 'ff02::12'], ['OSPF', 89, '224.0.0.5', '224.0.0.6', 'ff02::5', 'ff02::6'], ['EIGRP', 88, '224.0.0.10', 'ff02::a'], ['PIM', 103, '224.0.0.13', 'ff02::d'],
];

/** Who sends to a group, where that is what is asked for. */
export function serviceOfGroup(asked: readonly Range[] | undefined, family: Family): Service | undefined {
  const [only, ...others] = asked ?? [];
  if (only === undefined || others.length > 0 || only.low !== only.high) return undefined;
  const found = byGroup.find(([, , ...groups]) => groups.some(group => group.includes(':') === (family === 'ipv6') && parseAddress(group, family) === only.low));
  return found === undefined ? undefined : { name: found[0], speaks: found[1], ports: undefined };
}
