/** The values that fields of a packet can have, and sets of them. */
import type { Field, Range } from '../packet/constraint.js';
import type { Family } from '../values/value.js';

export type Scalar = number | bigint;

/** Interface names are no numbers: they have a dimension of their own kind. */
export type NumericField = Exclude<Field, 'in' | 'out'>;

const largest: Readonly<Record<Exclude<NumericField, 'src' | 'dst'>, number>> = {
  protocol: 255, fragment: 1, sport: 65_535, dport: 65_535, tcpFlags: 63, icmpType: 255, icmpCode: 255,
  ctstate: 4, ctdir: 1, mark: 0xffff_ffff, connmark: 0xffff_ffff, length: 65_575, ttl: 255, dscp: 63, ecn: 3,
  pkttype: 7, srcMac: 0xffff_ffff_ffff, spi: 0xffff_ffff, sctpChunk: 255,
};

/** The largest value of a field; the smallest is zero. */
export function largestOf(field: NumericField, family: Family): Scalar {
  if (field === 'src' || field === 'dst') return family === 'ipv4' ? 0xffff_ffff : (1n << 128n) - 1n;
  return largest[field];
}

export function isNumeric(field: Field): field is NumericField {
  return field !== 'in' && field !== 'out';
}

/** A value of the type that the field has in this family: bigints for IPv6 addresses, else numbers. */
export function scalarOf(field: NumericField, family: Family, value: Scalar): Scalar {
  return family === 'ipv6' && (field === 'src' || field === 'dst') ? BigInt(value) : Number(value);
}

export function next(value: Scalar): Scalar {
  return typeof value === 'bigint' ? value + 1n : value + 1;
}

export function previous(value: Scalar): Scalar {
  return typeof value === 'bigint' ? value - 1n : value - 1;
}

/** Ranges in the field's type, cut to what the field can hold, sorted and joined. */
export function normalRanges(field: NumericField, family: Family, ranges: readonly Range[]): Range[] {
  const max = largestOf(field, family);
  const out: { low: Scalar; high: Scalar }[] = [];
  const sorted = ranges.map(({ low, high }) => ({ low: scalarOf(field, family, low), high: scalarOf(field, family, high) }));
  if (sorted.length > 1) sorted.sort((a, b) => a.low < b.low ? -1 : a.low > b.low ? 1 : 0);
  for (const { low, high } of sorted) {
    if (low > max || low > high) continue;
    const end = high > max ? max : high;
    const last = out.at(-1);
    if (last !== undefined && low <= next(last.high)) {
      if (end > last.high) last.high = end;
    } else out.push({ low, high: end });
  }
  return out;
}

/** Everything that lies in none of the (normal) ranges. */
export function complement(field: NumericField, family: Family, ranges: readonly Range[]): Range[] {
  const max = largestOf(field, family);
  const out: Range[] = [];
  let from = scalarOf(field, family, 0);
  for (const { low, high } of ranges) {
    if (low > from) out.push({ low: from, high: previous(low) });
    from = next(high);
  }
  if (from <= max) out.push({ low: from, high: max });
  return out;
}

/** True where the mask's ones are all in front, so that (field & mask) == value is a range. */
function isPrefixMask(mask: bigint, max: bigint): boolean {
  const rest = max ^ mask;
  return (rest & (rest + 1n)) === 0n;
}

const smallest = 0x1_0000n;
const listed = new Map<string, readonly Range[]>();

/** The ranges of values with (value & mask) == wanted, or undefined where there would be too many of them. */
export function maskedRanges(field: NumericField, family: Family, wanted: Scalar, maskGiven: Scalar): readonly Range[] | undefined {
  const max = BigInt(largestOf(field, family));
  const mask = BigInt(maskGiven) & max;
  const value = BigInt(wanted);
  if ((value & ~mask) !== 0n) return [];
  if (isPrefixMask(mask, max)) return normalRanges(field, family, [{ low: value, high: value | (max ^ mask) }]);
  if (max >= smallest) return undefined;
  const key = `${String(max)} ${String(value)} ${String(mask)}`;
  let ranges = listed.get(key);
  if (ranges === undefined) {
    const hits: Range[] = [];
    for (let one = 0; one <= Number(max); one++) if ((one & Number(mask)) === Number(value)) hits.push({ low: one, high: one });
    listed.set(key, ranges = normalRanges(field, family, hits));
  }
  return ranges;
}

/** (field & mask) == value for a range that is such a block of values, else undefined. */
export function blockOf({ low, high }: Range, max: bigint): { readonly value: bigint; readonly mask: bigint } | undefined {
  const [from, to] = [BigInt(low), BigInt(high)];
  const span = to - from;
  return (span & (span + 1n)) === 0n && (from & span) === 0n ? { value: from, mask: max ^ span } : undefined;
}

/** The class of a value among those that begin at `starts`. */
export function classOf(starts: readonly Scalar[], value: Scalar): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
