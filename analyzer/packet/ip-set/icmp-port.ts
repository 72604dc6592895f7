/** ICMP types as ipset has them in the place of a port: `type << 8 | code`. */
import { icmpType, icmpv6Type } from '../../values/icmp-type.js';
import { Problem, type Family, type ValueContext } from '../../values/value.js';

/** The names that `ipset save` prints. */
const names: Readonly<Record<Family, readonly string[]>> = {
  ipv4: [
    'echo-reply', 'network-unreachable', 'host-unreachable', 'protocol-unreachable', 'port-unreachable', 'fragmentation-needed', 'source-route-failed',
    'network-unknown', 'host-unknown', 'network-prohibited', 'host-prohibited', 'TOS-network-unreachable', 'TOS-host-unreachable',
    'communication-prohibited', 'host-precedence-violation', 'precedence-cutoff', 'source-quench', 'network-redirect', 'host-redirect',
    'TOS-network-redirect', 'TOS-host-redirect', 'echo-request', 'router-advertisement', 'router-solicitation', 'ttl-zero-during-transit',
    'ttl-zero-during-reassembly', 'ip-header-bad', 'required-option-missing', 'timestamp-request', 'timestamp-reply', 'address-mask-request', 'address-mask-reply',
  ],
  ipv6: [
    'no-route', 'communication-prohibited', 'address-unreachable', 'port-unreachable', 'packet-too-big', 'ttl-zero-during-transit', 'ttl-zero-during-reassembly',
    'bad-header', 'unknown-header-type', 'unknown-option', 'echo-request', 'echo-reply', 'router-solicitation', 'router-advertisement',
    'neighbour-solicitation', 'neighbour-advertisement', 'redirect',
  ],
};

/** `echo-request`, or `8/0`. */
export function parseIcmpPort(word: string, family: Family): number | Problem {
  const cx: ValueContext = { family, protocol: undefined, backend: 'legacy' };
  const parsed = (family === 'ipv4' ? icmpType : icmpv6Type).parse([word], cx);
  return parsed instanceof Problem ? parsed : (parsed.type << 8) | parsed.lowCode;
}

const printed: Partial<Record<Family, ReadonlyMap<number, string>>> = {};

export function printIcmpPort(port: number, family: Family): string {
  const byPort = printed[family] ??= new Map(names[family].map(name => [Number(parseIcmpPort(name, family)), name]));
  return byPort.get(port) ?? `${String(port >>> 8)}/${String(port & 255)}`;
}
