/** What being in a set asks of a packet, as a constraint: for those who reason about all packets. */
import { prefixLength, prefixMask } from '../../values/address.js';
import type { SetReference } from '../../values/set-reference.js';
import type { Family } from '../../values/value.js';
import { all, any, atom, is, masked, never, oneOf, type Constraint, type Range } from '../constraint.js';
import type { SetContents } from '../ip-sets.js';
import { protocolNumber } from '../protocols.js';
import type { Element } from './element.js';
import type { IpSetTable, NamedSet } from './ip-set-table.js';
import { ListSet } from './list-set.js';
import { coveredBy, joinedRanges } from './set-ranges.js';
import { addressBits, type SetHeader } from './set-header.js';

/** More elements than this with a part besides one address, and they are not written out. */
const elementLimit = 2000;

/**
 * What look-ups in these sets ask of packets of a family. Undefined where that is no matter of what packets are: MAC addresses, interfaces; and of empty
 * sets, which wait to be filled. `isChanged`: some rule puts elements into the set, or takes them out.
 */
export function setContents(table: IpSetTable, family: Family, isChanged: (name: string) => boolean): SetContents {
  const known = new Map<string, Constraint | undefined>();
  return (reference, returnNomatch) => {
    const key = `${reference.name} ${reference.directions.join()} ${String(returnNomatch)}`;
    if (!known.has(key)) known.set(key, new Reader(table, family, isChanged, returnNomatch).read(reference));
    return known.get(key);
  };
}

class Reader {
  readonly #table: IpSetTable;
  readonly #family: Family;
  readonly #isChanged: (name: string) => boolean;
  readonly #returnNomatch: boolean;

  constructor(table: IpSetTable, family: Family, isChanged: (name: string) => boolean, returnNomatch: boolean) {
    this.#table = table;
    this.#family = family;
    this.#isChanged = isChanged;
    this.#returnNomatch = returnNomatch;
  }

  read({ name, directions }: SetReference): Constraint | undefined {
    const set = this.#table.get(name);
    return set === undefined || this.#isChanged(name) ? undefined : this.#ofSet(set, directions);
  }

  /** @see ip_set_test() in net/netfilter/ipset/ip_set_core.c */
  #ofSet(set: NamedSet, directions: SetReference['directions']): Constraint | undefined {
    const { header } = set;
    if (directions.length < header.type.parts.length || (header.family !== undefined && header.family !== this.#family)) return never;
    if (set instanceof ListSet) return this.#ofList(set, directions);
    const elements = [...set.elements()];
    const isSpecial = elements.some(one => one.extensions.nomatch) || (this.#returnNomatch && header.type.nets.length > 0);
    if (elements.length === 0) return undefined;
    if (isSpecial) return this.#withExceptions(header, elements, directions);
    const lasting = elements.filter(one => one.extensions.expires === undefined);
    const constraint = elementsConstraint(header, lasting, directions, this.#family);
    // Of a set whose elements come and go, only those that stay are known.
    return constraint === undefined || header.timeout === undefined ? constraint : any([constraint, atom(`set ${header.name} ${directions.join(',')} for a time`)]);
  }

  #ofList(list: ListSet, directions: SetReference['directions']): Constraint | undefined {
    const members = list.elements().map(({ values: [name] }) => this.read({ name: String(name), directions }));
    const whole = members.flatMap(one => one ?? []);
    return list.header.timeout !== undefined || whole.length === 0 || whole.length < members.length ? undefined : any(whole);
  }

  /** The most specific network decides. */
  #withExceptions(header: SetHeader, elements: readonly Element[], [direction]: SetReference['directions']): Constraint | undefined {
    if (header.type.name !== 'hash:net' || header.timeout !== undefined) return undefined;
    const ranges = coveredBy(elements.map(one => ({ ...addressRange(header, one, 0, this.#family), wanted: one.extensions.nomatch === this.#returnNomatch })));
    return ranges.length === 0 ? never : { kind: 'within', field: direction ?? 'src', ranges };
  }
}

/** Those of which one is asked for: undefined where a part is no field of packets. */
function elementsConstraint(header: SetHeader, elements: readonly Element[], directions: SetReference['directions'], family: Family): Constraint | undefined {
  const { parts } = header.type;
  if (header.bitmask !== undefined && prefixLength(header.bitmask) === undefined) return undefined;
  if (parts.length > 1 && elements.length > elementLimit) return undefined;
  const address = parts.findIndex(part => part === 'ip' || part === 'net');
  const groups = new Map<string, { readonly rest: readonly Constraint[]; readonly ranges: Range[] }>();
  for (const element of elements) {
    const rest: Constraint[] = [];
    for (const [part, kind] of parts.entries()) {
      const one = part === address ? [] : partConstraint({ header, element, part, kind, side: directions[part] ?? 'src', family });
      if (one === undefined) return undefined;
      rest.push(...one);
    }
    const key = parts.map((_, part) => part === address ? '' : `${String(element.values[part])}/${String(lengthOf(header, element, part))}`).join();
    const group = groups.get(key) ?? { rest, ranges: [] };
    groups.set(key, group);
    if (address >= 0) group.ranges.push(addressRange(header, element, address, family));
  }
  return any([...groups.values()].map(({ rest, ranges }) => all([...rest, ...address < 0 ? [] : [{ kind: 'within', field: directions[address] ?? 'src', ranges: joinedRanges(ranges) } as const]])));
}

interface PartOf {
  readonly header: SetHeader;
  readonly element: Element;
  readonly part: number;
  readonly kind: SetHeader['type']['parts'][number];
  readonly side: 'src' | 'dst';
  readonly family: Family;
}

function partConstraint({ header, element, part, kind, side, family }: PartOf): readonly Constraint[] | undefined {
  const value = Number(element.values[part] ?? 0);
  switch (kind) {
    case 'ip': case 'net': return [{ kind: 'within', field: side, ranges: [addressRange(header, element, part, family)] }];
    case 'port': return portConstraint(value, side, family);
    case 'plainPort': return [oneOf('protocol', [protocolNumber.tcp, protocolNumber.udp]), is(side === 'src' ? 'sport' : 'dport', value), is('fragment', 0)];
    case 'mark': return [masked('mark', value, header.markmask)];
    case 'mac': case 'iface': case 'set': return undefined;
  }
}

const { tcp, udp, udplite, sctp, icmp, icmpv6 } = protocolNumber;
const withPorts: ReadonlySet<number> = new Set([tcp, udp, udplite, sctp]);
/** No protocol by which packets are looked up. */
const none: ReadonlySet<number> = new Set([0, 59]);

/** @see ip_set_get_ip4_port() and ip_set_get_ip6_port() in net/netfilter/ipset/ip_set_getport.c */
function portConstraint(value: number, side: 'src' | 'dst', family: Family): readonly Constraint[] | undefined {
  const [protocol, port] = [value >>> 16, value & 0xffff];
  if (none.has(protocol)) return undefined;
  const whole = is('fragment', 0);
  if (withPorts.has(protocol)) return [is('protocol', protocol), is(side === 'src' ? 'sport' : 'dport', port), whole];
  if (protocol === icmp || protocol === icmpv6) return [is('protocol', protocol), is('icmpType', port >>> 8), is('icmpCode', port & 0xff), whole];
  if (port !== 0) return [never];
  return family === 'ipv6' ? [is('protocol', protocol), whole] : [is('protocol', protocol)];
}

/** How long the prefix is by which packets are looked up. */
function lengthOf(header: SetHeader, { lengths }: Element, part: number): number {
  const grouped = header.netmask ?? (header.bitmask === undefined ? undefined : prefixLength(header.bitmask));
  const net = header.type.nets.indexOf(part);
  return net >= 0 ? lengths[net] ?? addressBits(header) : grouped ?? addressBits(header);
}

function addressRange(header: SetHeader, element: Element, part: number, family: Family): Range {
  const [value, mask] = [element.values[part] ?? 0, prefixMask(lengthOf(header, element, part), family)];
  return family === 'ipv4' ? { low: Number(value), high: Number(value) + (0xffff_ffff - Number(mask)) } : { low: BigInt(value), high: BigInt(value) | ((1n << 128n) - 1n ^ BigInt(mask)) };
}

