/** Links with one other end, on which nobody looks for neighbours. */
import { any, type Constraint } from '../../packet/constraint.js';

const prefixes = ['wg', 'tun', 'ppp', 'sit', 'gre', 'ipsec', 'vti', 'xfrm', 'ip6tnl'];

/** Whether an interface is such a link, by its name. */
export function hasNoNeighbours(name: string): boolean {
  return prefixes.some(prefix => name.startsWith(prefix));
}

/** Whether a packet goes out by such a link. */
export const toPointToPoint: Constraint = any(prefixes.map(name => ({ kind: 'interface', field: 'out', name, prefix: true })));
