import { refuse, type Value } from './value.js';

/**
 * One byte as `strtoul` with base 16 reads it from at most two characters: an empty one is
 * zero, and a sign or a blank may lead. Undefined where it is no byte.
 */
function parseByte(part: string): number | undefined {
  if (!/^(|[0-9a-f]{1,2}|[-+\s][0-9a-f])$/iu.test(part)) return undefined;
  const value = part === '' ? 0 : parseInt(part.trim().replace(/^\+/u, ''), 16);
  return value & 255;
}

/** An Ethernet address as a number of 48 bits (`xtopt_parse_ethermac`, libxtables/xtoptions.c). */
export const macAddress: Value<number> = {
  syntax: 'XX:XX:XX:XX:XX:XX',
  words: 1,
  parse: ([word = '']) => {
    const parts = word.split(':');
    if (parts.length !== 6) return refuse(`\`${word}\` is not an Ethernet address: it has ${String(parts.length)} parts and not 6`);
    let address = 0;
    for (const part of parts) {
      const byte = parseByte(part);
      if (byte === undefined) return refuse(`\`${part}\` in \`${word}\` is not a byte of one or two hexadecimal digits`);
      address = address * 256 + byte;
    }
    return address;
  },
  print: address => address.toString(16).padStart(12, '0').replace(/..(?!$)/gu, '$&:'),
  arbitrary: fc => {
    const byte = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.constantFrom('02x', '02x', '02X', 'x')).map(([value, form]) => {
      const digits = value.toString(16);
      return form === '02X' ? digits.toUpperCase().padStart(2, '0') : form === 'x' ? digits : digits.padStart(2, '0');
    });
    const part = fc.oneof({ weight: 12, arbitrary: byte }, { weight: 1, arbitrary: fc.constantFrom('', '+a', '-1') });
    return fc.tuple(part, part, part, part, part, part).map(parts => [parts.join(':').replace(/^-/u, '')]);
  },
};
