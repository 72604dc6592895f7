import { printRange, type NumberRange } from './number-range.js';
import { parseInteger } from './number.js';
import { refuse, type Value } from './value.js';

/** Long and short names by number (RFC 6275, 6.1). */
const names = [
  ['binding-refresh-request', 'brr'], ['home-test-init', 'hoti'], ['careof-test-init', 'coti'], ['home-test', 'hot'],
  ['careof-test', 'cot'], ['binding-update', 'bu'], ['binding-acknowledgement', 'ba'], ['binding-error', 'be'],
] as const;
const ordered = names.flatMap((both, type) => both.map(name => ({ name, type })));

/** A whole name, or else the first that begins so, or a number. */
function parseType(word: string): number | undefined {
  const lower = word.toLowerCase();
  const named = ordered.find(one => one.name === lower) ?? ordered.find(one => one.name.startsWith(lower));
  return named?.type ?? parseInteger(word, 0, 255);
}

/** `type[:type]` by name or number; an empty side is the end of the range (`parse_mh_types`, libip6t_mh.c). */
export const mhTypes: Value<NumberRange> = {
  syntax: 'type[:type]',
  words: 1,
  parse: ([word = '']) => {
    const colon = word.indexOf(':');
    const from = colon === -1 ? word : word.slice(0, colon);
    const to = colon === -1 ? word : word.slice(colon + 1);
    const low = colon !== -1 && from === '' ? 0 : parseType(from);
    const high = colon !== -1 && to === '' ? 255 : parseType(to);
    if (low === undefined || high === undefined) return refuse(`\`${low === undefined ? from : to}\` is neither the name of a mobility header nor a number of 0 to 255`, `the names are ${names.map(([long]) => long).join(' ')}`);
    return low <= high ? { low, high } : refuse(`the range ${word} is upside down`, `write ${String(high)}:${String(low)}`);
  },
  print: printRange,
  arbitrary: fc => {
    const type = fc.oneof(
      fc.tuple(fc.constantFrom(...ordered), fc.nat(30), fc.boolean()).map(([{ name }, cut, upper]) => {
        const short = name.slice(0, Math.max(1, cut));
        const written = upper ? short.toUpperCase() : short;
        return { written, type: parseType(written) ?? 0 };
      }),
      fc.tuple(fc.integer({ min: 0, max: 255 }), fc.boolean()).map(([n, inHex]) => ({ written: inHex ? `0x${n.toString(16)}` : String(n), type: n })),
    );
    return fc.tuple(type, type, fc.constantFrom('one', 'range', 'from', 'to', 'all', 'empty')).map(([a, b, form]) => {
      const [low, high] = a.type <= b.type ? [a, b] : [b, a];
      const forms: Record<typeof form, string> = { one: a.written, range: `${low.written}:${high.written}`, from: `${a.written}:`, to: `:${a.written}`, all: ':', empty: '' };
      return [forms[form]];
    });
  },
};
