/** A `Constraint`, asked of packets: compiled once into closures that neither allocate nor, in IPv4, use a bigint. */
import type { Family } from '../values/value.js';
import { addressWords, compareAddress, isMaskedAddress } from './address-words.js';
import { asksTheUnknown, type Constraint, type Field, type Range } from './constraint.js';
import { address4, fieldReaders, type FieldReader } from './field-readers.js';
import { allOf, anyOf, everyPacket, negated, noPacket } from './predicates.js';
import type { Predicate } from './traversal.js';

/** Where the address fields are in an IPv6 header. */
const address6 = { src: 8, dst: 24 } as const;

function isAddress(field: Field): field is 'src' | 'dst' {
  return field === 'src' || field === 'dst';
}

function readerOf(field: Exclude<Field, 'in' | 'out'>): FieldReader {
  return isAddress(field) ? address4[field] : fieldReaders[field];
}

function inRange(read: FieldReader, low: number, high: number): Predicate {
  if (low === high) return t => read(t.packet) === low;
  return t => {
    const value = read(t.packet);
    return value >= low && value <= high;
  };
}

function inRanges(read: FieldReader, ranges: readonly Range[]): Predicate {
  if (ranges.length < 2) return anyOf(ranges.map(({ low, high }) => inRange(read, Number(low), Number(high))));
  const ends = ranges.flatMap(({ low, high }) => [Number(low), Number(high)]);
  return t => {
    const value = read(t.packet);
    for (let at = 0; at < ends.length; at += 2) if (value >= (ends[at] ?? 0) && value <= (ends[at + 1] ?? 0)) return true;
    return false;
  };
}

function inAddressRange(at: number, range: Range): Predicate {
  const low = addressWords(range.low);
  const high = addressWords(range.high);
  if (range.low === range.high) return t => compareAddress(t.packet, at, low) === 0;
  return t => compareAddress(t.packet, at, low) >= 0 && compareAddress(t.packet, at, high) <= 0;
}

function within(field: Field, ranges: readonly Range[], family: Family): Predicate {
  if (field === 'in' || field === 'out') return noPacket;
  if (family === 'ipv6' && isAddress(field)) return anyOf(ranges.map(range => inAddressRange(address6[field], range)));
  return inRanges(readerOf(field), ranges);
}

function masked(field: Field, value: number | bigint, mask: number | bigint, family: Family): Predicate {
  if (field === 'in' || field === 'out') return noPacket;
  if (family === 'ipv6' && isAddress(field)) {
    const [words, bits] = [addressWords(value), addressWords(mask)];
    return t => isMaskedAddress(t.packet, address6[field], words, bits);
  }
  const read = readerOf(field);
  const wanted = Number(value) | 0;
  const bits = Number(mask) | 0;
  return t => (read(t.packet) & bits) === wanted;
}

function interfaceIs(side: 'in' | 'out', name: string, prefix: boolean): Predicate {
  if (prefix) return t => t.packet[side].startsWith(name);
  return t => t.packet[side] === name;
}

/** What is known comes first, so that the unknown is asked only where it matters. */
function partsOf(parts: readonly Constraint[], family: Family): readonly Predicate[] {
  const known = parts.filter(part => !asksTheUnknown(part));
  return [...known, ...parts.filter(asksTheUnknown)].map(part => compileConstraint(part, family));
}

/** What the constraint says of packets of this family. Atoms have no meaning here, and so are as unknown as the unknown. */
export function compileConstraint(constraint: Constraint, family: Family): Predicate {
  switch (constraint.kind) {
    case 'always': return everyPacket;
    case 'never': return noPacket;
    case 'within': return within(constraint.field, constraint.ranges, family);
    case 'masked': return masked(constraint.field, constraint.value, constraint.mask, family);
    case 'interface': return interfaceIs(constraint.field, constraint.name, constraint.prefix);
    case 'atom': { const { name } = constraint; return t => t.unknown(name); }
    case 'unknown': { const { why } = constraint; return t => t.unknown(why); }
    case 'not': return negated(compileConstraint(constraint.of, family));
    case 'all': return allOf(partsOf(constraint.of, family));
    case 'any': return anyOf(partsOf(constraint.of, family));
  }
}
