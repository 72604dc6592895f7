/** Links with one other end, on which nobody looks for neighbours. */
import { any, type Constraint } from '../../packet/constraint.js';

/** As the kernel names them, and as people and OpenWrt name tunnels of IPv6 in IPv4 (sit, which is NOARP). */
const prefixes = ['wg', 'tun', 'ppp', 'sit', 'gre', 'ipsec', 'vti', 'xfrm', 'ip6tnl', 'he-ipv6', 'he6', '6in4', '6rd', '6to4', 'teredo', 'sixxs'];

/** Whether an interface is such a link, by its name. */
export function hasNoNeighbours(name: string): boolean {
  return prefixes.some(prefix => name.startsWith(prefix));
}

/** Whether a packet goes out by such a link. */
export const toPointToPoint: Constraint = any(prefixes.map(name => ({ kind: 'interface', field: 'out', name, prefix: true })));
