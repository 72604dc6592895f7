/** What a person would choose: addresses of documentation networks, known services, new connections. */
import { ctstates } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { parseAddress } from '../values/address.js';
import { Problem, type Family } from '../values/value.js';
import type { NumericField, Scalar } from './fields.js';

const addresses = (family: Family, texts: readonly string[]): readonly Scalar[] => texts.flatMap(text => {
  const address = parseAddress(text, family);
  return address instanceof Problem ? [] : [address];
});

const clients = { ipv4: addresses('ipv4', ['198.51.100.7', '203.0.113.7', '192.168.1.7', '10.0.0.7', '172.16.0.7', '127.0.0.1']), ipv6: addresses('ipv6', ['2001:db8:1::7', '2001:db8:2::7', 'fd00::7', 'fe80::7', '::1']) };
const hosts = { ipv4: addresses('ipv4', ['192.0.2.1', '192.168.1.1', '10.0.0.1', '172.16.0.1', '1.0.0.10', '127.0.0.1', '255.255.255.255', '224.0.0.1']), ipv6: addresses('ipv6', ['2001:db8::1', 'fd00::1', 'fe80::1', '::1', 'ff02::1']) };

/** With one where a rule is for what lies below all of these: nobody sends to 0.0.0.0/8. */
const sources = { ipv4: [...clients.ipv4.slice(0, -1), ...addresses('ipv4', ['1.0.0.10']), ...clients.ipv4.slice(-1)], ipv6: clients.ipv6 };

/** Where those may be who talk to a host: in the networks of documentation, in private ones, on the host itself. */
export function clientsOf(family: Family): readonly Scalar[] {
  return clients[family];
}

const services = [22, 443, 80, 53, 25, 123, 8080, 3306, 5432, 8443, 6379, 161, 67, 111, 137, 445];
const clientPorts = [40_000, 50_000, 32_768, 60_999, 1024];

/** TCP flags: first those that packets of any state may have, so that what a class holds fits its state. */
const segments = [2, 16, 24, 17, 25, 4, 20, 10, 12, 28, 34, 42, 48, 49, 56, 57, 18, 26];

/** Values in the order of liking. Whatever holds no such value gives the first that it has. */
export function preferred(field: NumericField, family: Family): readonly Scalar[] {
  switch (field) {
    case 'src': return sources[family];
    case 'dst': return hosts[family];
    case 'protocol': return [protocolNumber.tcp, protocolNumber.udp, family === 'ipv4' ? protocolNumber.icmp : protocolNumber.icmpv6];
    case 'sport': return [...clientPorts, ...services];
    case 'dport': return [...services, ...clientPorts];
    case 'tcpFlags': return segments;
    case 'icmpType': return family === 'ipv4' ? [8, 0, 3, 11] : [128, 129, 1, 3];
    case 'ctstate': return [ctstates.NEW, ctstates.ESTABLISHED, ctstates.RELATED, ctstates.UNTRACKED, ctstates.INVALID];
    case 'length': return [60, 100, 1500];
    case 'ttl': return [64, 63, 128, 255];
    default: return [0];
  }
}

/** Interfaces: what rules name comes first, loopback last. */
export function nameRank(name: string, isOther: boolean): number {
  return (isOther ? 2 : 0) + (name === 'lo' ? 3 : 0);
}

/** Choose what the rest hangs on before the rest. */
export const fieldOrder: readonly string[] = ['protocol', 'fragment', 'ctstate', 'tcpFlags', 'icmpType', 'icmpCode', 'in', 'out', 'src', 'dst', 'dport', 'sport'];

