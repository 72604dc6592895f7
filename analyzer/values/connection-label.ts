import { scanNumber } from './number.js';
import { Problem, refuse, type Value } from './value.js';

/** A bit of the 128 labels of a connection, by number or by a name of the machine's /etc/xtables/connlabel.conf. */
export const connectionLabel: Value<number> = {
  syntax: 'label (0 to 127)',
  words: 1,
  parse: ([word = '']) => {
    const scanned = scanNumber(word);
    // The number is cut to 32 bits before it is looked at.
    const bit = scanned?.rest === '' && scanned.value < 1n << 64n ? Number(BigInt.asIntN(32, scanned.value)) : undefined;
    if (bit !== undefined && bit >= 0) return bit < 128 ? bit : refuse(`label ${String(bit)} is beyond the last one, which is 127`);
    if (/^[^\s\d-]/u.test(word)) return new Problem('unresolved', `the label \`${word}\` is looked up in /etc/xtables/connlabel.conf of the machine itself`);
    return refuse(`\`${word}\` is not a label: neither a number of 0 to 127 nor a name`);
  },
  print: bit => `"${String(bit)}"`,
  arbitrary: fc => fc.tuple(fc.integer({ min: 0, max: 127 }), fc.constantFrom('decimal', 'hex', 'octal', 'wrapped')).map(([bit, form]) => {
    if (form === 'wrapped') return [String(2 ** 32 + bit)];
    return [form === 'hex' ? `0x${bit.toString(16)}` : form === 'octal' ? `0${bit.toString(8)}` : String(bit)];
  }),
};
