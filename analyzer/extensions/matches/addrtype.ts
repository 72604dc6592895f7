import { compileConstraint } from '../../packet/compile-constraint.js';
import { all, always, any, atom, is, not, oneOf, within, type Constraint } from '../../packet/constraint.js';
import type { Packet } from '../../packet/packet.js';
import { allOf, everyPacket } from '../../packet/predicates.js';
import type { Predicate } from '../../packet/traversal.js';
import { addressTypes, type AddressType } from '../../values/address-types.js';
import { flag } from '../../values/flag.js';
import type { Family } from '../../values/value.js';
import { asks } from '../asks.js';
import { defineMatch, option, type Hook } from '../define.js';

type Side = 'src' | 'dst';

/** IPv4: every address has one type. Some are given by the address alone, the others by the local routes. */
function typeOfIPv4(side: Side, type: AddressType, route: (type: AddressType) => Constraint): Constraint {
  const multicast = within(side, 0xe000_0000, 0xefff_ffff);
  const broadcast = oneOf(side, [0, 0xffff_ffff]);
  if (type === 'MULTICAST') return multicast;
  const byRoute = all([not(any([multicast, broadcast])), route(type)]);
  return type === 'BROADCAST' ? any([broadcast, byRoute]) : byRoute;
}

/** IPv6: an address may have several types, and MULTICAST, UNICAST and UNSPEC must hold all together. */
function typesOfIPv6(side: Side, types: readonly AddressType[], route: (type: AddressType) => Constraint): Constraint {
  const unspecified = is(side, 0n);
  const multicast = within(side, 0xffn << 120n, (1n << 128n) - 1n);
  const mapped = within(side, 0xffffn << 32n, (0xffffn << 32n) + 0xffff_ffffn);
  const parts: Constraint[] = [];
  if (types.includes('MULTICAST')) parts.push(multicast);
  if (types.includes('UNICAST')) parts.push(not(any([unspecified, multicast, mapped])));
  if (types.includes('UNSPEC')) parts.push(unspecified);
  const routed = types.filter(type => type === 'LOCAL' || type === 'ANYCAST' || type === 'UNREACHABLE');
  if (routed.length > 0) parts.push(any(routed.map(route)));
  return all(parts);
}

function meaning(family: Family, side: Side, types: readonly AddressType[], limit: string): Constraint {
  const route = (type: AddressType): Constraint => atom(`addrtype ${side} ${type}${limit}`);
  return family === 'ipv4' ? any(types.map(type => typeOfIPv4(side, type, route))) : typesOfIPv6(side, types, route);
}

/** The interface that alone is looked at, if any. */
type Limit = (packet: Packet) => string | undefined;

const routedTypes: ReadonlySet<AddressType> = new Set<AddressType>(['LOCAL', 'ANYCAST', 'UNREACHABLE']);

function isRouted(side: Side, types: readonly AddressType[], limit: Limit): Predicate {
  return t => {
    const found = t.world.addressTypes(t.packet[side], limit(t.packet));
    return types.some(type => found.has(type));
  };
}

function hasType(side: Side, types: readonly AddressType[], limit: Limit, family: Family): Predicate {
  if (family === 'ipv4') return isRouted(side, types, limit);
  const own = typesOfIPv6(side, types.filter(type => !routedTypes.has(type)), () => always);
  const routed = types.filter(type => routedTypes.has(type));
  return allOf([compileConstraint(own, family), routed.length === 0 ? everyPacket : isRouted(side, routed, limit)]);
}

const withoutIn: readonly Hook[] = ['PREROUTING', 'INPUT', 'FORWARD'];
const withoutOut: readonly Hook[] = ['FORWARD', 'OUTPUT', 'POSTROUTING'];

/**
 * @see addrtype_mt_v1() and addrtype_mt_checkentry_v1() in net/netfilter/xt_addrtype.c.
 * In IPv6 a list is no union: `UNICAST,LOCAL` asks for both.
 */
export const addrtype = defineMatch('addrtype', () => ({
  doc: 'Matches packets by the type that the routing table gives their addresses, as LOCAL or BROADCAST.',
  options: {
    src: option({ names: ['--src-type'], doc: 'types of the source address', value: addressTypes, negatable: true }),
    dst: option({ names: ['--dst-type'], doc: 'types of the destination address', value: addressTypes, negatable: true }),
    limitIn: option({ names: ['--limit-iface-in'], doc: 'looks only at the incoming interface', value: flag, excludes: ['limitOut'], means: () => always }),
    limitOut: option({ names: ['--limit-iface-out'], doc: 'looks only at the outgoing interface', value: flag, excludes: ['limitIn'], means: () => always }),
  },
  hooks: given => given.limitIn === undefined ? given.limitOut === undefined ? undefined : withoutOut : withoutIn,
  check: given => given.src === undefined && given.dst === undefined ? '--src-type or --dst-type must be given' : undefined,
  means: (given, { family }) => {
    const limit = given.limitIn === undefined ? given.limitOut === undefined ? '' : ' out' : ' in';
    return all((['src', 'dst'] as const).map(side => {
      const one = given[side];
      if (one === undefined) return always;
      const types = meaning(family, side, one.value, limit);
      return one.negated ? not(types) : types;
    }));
  },
  matches: (given, { family }) => {
    const limit: Limit = packet => given.limitIn !== undefined ? packet.in : given.limitOut !== undefined ? packet.out : undefined;
    return allOf([asks(given.src, types => hasType('src', types, limit, family)), asks(given.dst, types => hasType('dst', types, limit, family))]);
  },
  examples: [
    ['-m addrtype --dst-type LOCAL', '='],
    ['-m addrtype ! --src-type loc,UNI', '-m addrtype ! --src-type UNICAST,LOCAL'],
    ['-m addrtype --dst-type LOCAL --limit-iface-in', '='],
    ['-m addrtype --dst-type LOCAL --limit-iface-out', undefined],
    ['-m addrtype --dst-type LOCAL,', undefined],
    ['-m addrtype --dst-type BROADCAST', undefined, { family: 'ipv6' }],
  ],
}));
