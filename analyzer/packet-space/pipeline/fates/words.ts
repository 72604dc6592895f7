/** Boxes of packets in words: classes back to the values that they stand for. */
import { ctstates, type Field } from '../../../packet/constraint.js';
import { printAddress } from '../../../values/address.js';
import { protocolWord } from '../../../values/protocol.js';
import type { Dimension, Dimensions } from '../../dimensions.js';
import { largestOf, next, type Scalar } from '../../fields.js';
import type { Intervals } from '../../intervals.js';
import { valuesOf } from '../../packets.js';

/** For each input that is not free: the classes that it can have. */
export type Sides = ReadonlyMap<number, Intervals>;

const stateNames: ReadonlyMap<number, string> = new Map(Object.entries(ctstates).map(([name, value]) => [value, name]));
const flagNames = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];
const hexadecimal: readonly Field[] = ['mark', 'connmark', 'spi', 'dscp'];

/**
 * A box in netfilter's words, field by field, in the order of the space: `src 10.0.0.0/8`, `dport 22,80:90`, `in eth0`, `ctstate NEW`,
 * `mark 0x1/0x1`. A field that can be anything is left out; so are inputs that are no fields.
 */
export function words(dimensions: Dimensions, sides: Sides): string[] {
  return dimensions.list.flatMap((one, d) => {
    const set = sides.get(d);
    return set === undefined || one.kind === 'atom' ? [] : [`${one.field} ${valueWords(dimensions, d, set)}`];
  });
}

/** Some classes of a field in words: `10.0.0.0/8`, `22,80:90`, `! eth0`. */
export function valueWords(dimensions: Dimensions, d: number, set: Intervals): string {
  const one = dimensions.list[d];
  switch (one?.kind) {
    case 'range': return rangeWords(dimensions, one, set, dimensions.last[d] ?? 0);
    case 'bits': return bitWords(one, set);
    case 'name': return nameWords(one, set);
    case 'atom': return set[0] === 1 ? 'yes' : 'no';
    case undefined: return '';
  }
}

type Ranged = Extract<Dimension, { kind: 'range' }>;

/** What lies between the intervals, if that is less to say. */
function shorter(set: Intervals, last: number): { readonly not: boolean; readonly set: Intervals } {
  const gaps: number[] = [];
  let from = 0;
  for (let i = 0; i < set.length; i += 2) {
    if ((set[i] ?? 0) > from) gaps.push(from, (set[i] ?? 0) - 1);
    from = (set[i + 1] ?? 0) + 1;
  }
  if (from <= last) gaps.push(from, last);
  return gaps.length > 0 && gaps.length < set.length ? { not: true, set: gaps } : { not: false, set };
}

function rangeWords({ family }: Dimensions, one: Ranged, given: Intervals, last: number): string {
  const { not, set } = shorter(given, last);
  const parts: string[] = [];
  for (let i = 0; i < set.length; i += 2) {
    const { low, high } = valuesOf(one, set[i] ?? 0, set[i + 1] ?? 0);
    parts.push(spanWords(one.field, low, high, largestOf(one.field, family)));
  }
  return `${not ? '! ' : ''}${parts.join(',')}`;
}

function spanWords(field: Field, low: Scalar, high: Scalar, max: Scalar): string {
  switch (field) {
    case 'src': case 'dst': return addressWords(low, high, max);
    case 'ctstate': return listed(low, high, value => stateNames.get(value) ?? String(value));
    case 'protocol': return Number(high) - Number(low) < 8 ? listed(low, high, protocolWord) : `${String(low)}:${String(high)}`;
    case 'tcpFlags': return listed(low, high, flagWords);
    default: {
      const word = (value: Scalar): string => hexadecimal.includes(field) ? `0x${value.toString(16)}` : String(value);
      return low === high ? word(low) : `${word(low)}:${word(high)}`;
    }
  }
}

function listed(low: Scalar, high: Scalar, word: (value: number) => string): string {
  return Array.from({ length: Number(high) - Number(low) + 1 }, (_, i) => word(Number(low) + i)).join(',');
}

function flagWords(value: number): string {
  const names = flagNames.filter((_, bit) => (value & (1 << bit)) !== 0);
  return names.length === 0 ? 'NONE' : names.join('+');
}

/** As a network where it is one, else from … to. */
function addressWords(low: Scalar, high: Scalar, max: Scalar): string {
  if (low === high) return printAddress(low);
  const [from, span, all] = [BigInt(low), BigInt(high) - BigInt(low), BigInt(max)];
  const isNetwork = (span & (span + 1n)) === 0n && (from & span) === 0n;
  return isNetwork ? `${printAddress(low)}/${String((all ^ span).toString(2).replaceAll('0', '').length)}` : `${printAddress(low)}-${printAddress(high)}`;
}

function bitWords({ mask, values }: Extract<Dimension, { kind: 'bits' }>, set: Intervals): string {
  const named = (from: number, to: number): bigint[] => values.slice(from, to + 1);
  const word = (value: bigint): string => `0x${value.toString(16)}/0x${mask.toString(16)}`;
  const end = set.at(-1) ?? 0;
  const own: bigint[] = [];
  for (let i = 0; i < set.length; i += 2) own.push(...named(set[i] ?? 0, set[i + 1] ?? 0));
  if (end < values.length) return own.map(word).join(',');
  // The last class is every value that no rule mentions.
  return `! ${values.filter(value => !own.includes(value)).map(word).join(',')}`;
}

function nameWords({ names: { classes } }: Extract<Dimension, { kind: 'name' }>, set: Intervals): string {
  const has = classes.map(() => false);
  for (let i = 0; i < set.length; i += 2) has.fill(true, set[i] ?? 0, (set[i + 1] ?? 0) + 1);
  const word = (at: number): string => at === 0 ? 'none' : `${classes[at]?.text ?? ''}${classes[at]?.other === true ? '+' : ''}`;
  const rest = classes.findIndex(one => one.other && one.text === '');
  const [with_, without] = [has.flatMap((is, at) => is ? [at] : []), has.flatMap((is, at) => is || at === 0 ? [] : [at])];
  // What begins as others do that are named by how they begin need not be said.
  const said = (some: readonly number[]): string => {
    const kinds = some.flatMap(at => classes[at]?.other === true ? [classes[at].text] : []);
    return some.filter(at => !kinds.some(kind => kind !== '' && kind !== classes[at]?.text && classes[at]?.text.startsWith(kind) === true)).map(word).join(',');
  };
  return has[rest] === true ? `! ${said(without)}` : said(with_);
}

/** How many values some classes of a field stand for, as a power of two; of interface names nobody knows how many there are. */
export function measure(dimensions: Dimensions, d: number, low: number, high: number): number {
  const one = dimensions.list[d];
  switch (one?.kind) {
    case 'range': {
      const { low: from, high: to } = valuesOf(one, low, high);
      return Math.log2(Number(next(to)) - Number(from));
    }
    case 'bits': return Math.log2(high < one.values.length ? high - low + 1 : 2 ** one.mask.toString(2).replaceAll('0', '').length - one.values.length + high - low);
    case 'name': {
      let count = 0;
      for (let at = low; at <= high; at++) count += one.names.classes[at]?.other === true ? 64 : 1;
      return Math.log2(count);
    }
    default: return 0;
  }
}
