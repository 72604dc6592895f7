import { arbitraryAddress } from './address-mask.js';
import { parseAddress, printAddress, type Address } from './address.js';
import { parseInteger } from './number.js';
import { Problem, refuse, type Family, type Value } from './value.js';

/** From `low` to `high`, both included; empty where `low` is above `high`. */
export interface IpRange {
  readonly low: Address;
  readonly high: Address;
}

/** Up to four bytes in any base; missing ones are zero, so that 10.1 is 10.1.0.0 and not 10.0.0.1. What is behind the 19th character is not looked at. */
function parseBytes(word: string): number | undefined {
  const parts = word.slice(0, 19).split('.');
  if (parts.length > 4) return undefined;
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = i < parts.length ? parseInteger(parts[i] ?? '', 0, 255) : 0;
    if (byte === undefined) return undefined;
    value = value * 256 + byte;
  }
  return value;
}

function parseNumeric(word: string, family: Family): Address | Problem {
  if (family === 'ipv4') return parseBytes(word) ?? refuse(`\`${word}\` is not an IPv4 address`, 'names are not looked up here');
  return word.includes(':') ? parseAddress(word, family) : refuse(`\`${word}\` is not an IPv6 address`, 'names are not looked up here');
}

/** `address[-address]`, numbers only (`iprange_parse_spec`, libxt_iprange.c). Always saved with both ends. */
export const ipRange: Value<IpRange> = {
  syntax: 'address[-address]',
  words: 1,
  parse: ([word = ''], { family }) => {
    const dash = word.indexOf('-');
    const low = parseNumeric(dash === -1 ? word : word.slice(0, dash), family);
    if (low instanceof Problem || dash === -1) return low instanceof Problem ? low : { low, high: low };
    const high = parseNumeric(word.slice(dash + 1), family);
    return high instanceof Problem ? high : { low, high };
  },
  print: ({ low, high }) => `${printAddress(low)}-${printAddress(high)}`,
  arbitrary: (fc, { family }) => {
    const odd = family === 'ipv4' ? ['10.1', '0xa.020.3', '192.168', '7'] : ['::FFFF:1.2.3.4', '2001:DB8:0:0::1', '::1.2.3.4'];
    const one = fc.oneof({ weight: 4, arbitrary: arbitraryAddress(fc, family) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });
    return fc.tuple(one, fc.option(one)).map(([low, high]) => [high === null ? low : `${low}-${high}`]);
  },
};
