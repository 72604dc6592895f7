/** Addresses of which no rule speaks: what is open to them is open to everybody. */
import { any, not, within, type Constraint, type Range } from '../../../../packet/constraint.js';
import type { Family } from '../../../../values/value.js';

type Span = readonly [bigint, bigint];

function block(family: Family, prefix: bigint, length: number): Span {
  const bits = family === 'ipv4' ? 32n : 128n;
  const low = prefix << (bits - BigInt(length));
  return [low, low | ((1n << (bits - BigInt(length))) - 1n)];
}

function fieldWithin(family: Family, field: 'src' | 'dst', [low, high]: Span): Constraint {
  return family === 'ipv4' ? within(field, Number(low), Number(high)) : within(field, low, high);
}

/** Where people's addresses are (RFC 6890, RFC 4291): what is of a link, of a host, private or of many is left out. */
const global: Readonly<Record<Family, readonly Span[]>> = {
  ipv4: [[1, 9], [11, 99], [101, 126], [128, 168], [173, 191], [193, 223]].map(([from = 0, to = 0]): Span => [block('ipv4', BigInt(from), 8)[0], block('ipv4', BigInt(to), 8)[1]]),
  ipv6: [block('ipv6', 1n, 3)],
};

/** A network of more than this part of all addresses is anywhere, and nobody's in particular. */
const wide: Readonly<Record<Family, bigint>> = { ipv4: 1n << 24n, ipv6: 1n << 120n };

/** The stranger of examples (RFC 5737, RFC 3849), where no rule names him. */
const usual: Readonly<Record<Family, bigint>> = { ipv4: 0xc633_6407n, ipv6: 0x2001_0db8_0001_0000_0000_0000_0000_0007n };

function size([low, high]: Span): bigint {
  return high - low;
}

/** A run of global addresses that no rule names as a source, the longest unless it is that of the usual stranger; undefined where the rules name them all. */
export function strangers(family: Family, named: readonly Range[]): Constraint | undefined {
  const ranges = named.map(({ low, high }): Span => [BigInt(low), BigInt(high)]).filter(([low, high]) => high - low < wide[family]).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  const free = global[family].flatMap(([first, last]) => [...gaps(first, last, ranges)]);
  const known = free.find(([low, high]) => low <= usual[family] && usual[family] <= high);
  const [first] = free.sort((a, b) => size(a) > size(b) ? -1 : size(a) < size(b) ? 1 : 0);
  const best = known ?? first;
  return best === undefined ? undefined : fieldWithin(family, 'src', best);
}

function* gaps(first: bigint, last: bigint, sorted: readonly Span[]): Generator<Span, void> {
  let from = first;
  for (const [low, high] of sorted) {
    if (low > last) break;
    if (high < from) continue;
    if (low > from) yield [from, low - 1n];
    from = high + 1n;
  }
  if (from <= last) yield [from, last];
}

/** Destinations to which packets are routed from afar: not those of a link or of many. */
export function routedTo(family: Family): Constraint {
  const near = family === 'ipv4' ? [block(family, 7n, 3), block(family, 0xa9fen, 16), block(family, 127n, 8)] : [block(family, 0xffn, 8), block(family, 0x3fan, 10), block(family, 0n, 127)];
  return not(any(near.map(span => fieldWithin(family, 'dst', span))));
}
