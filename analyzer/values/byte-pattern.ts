import { Problem, refuse, type Value } from './value.js';

/** Bytes, each as the character of that number. */
export type BytePattern = string;

const maxBytes = 128;

/** As `--string` or `--hex-string` takes it, whichever fits: in hexadecimal where a byte is not printable or the last one is a backslash. */
export function printPattern(bytes: BytePattern): string {
  if (/^[ -~]*$/u.test(bytes) && !bytes.endsWith('\\')) return `--string "${bytes.replace(/["\\]/gu, '\\$&')}"`;
  return `--hex-string "|${Buffer.from(bytes, 'latin1').toString('hex')}|"`;
}

function ofLength(bytes: BytePattern): BytePattern | Problem {
  if (bytes === '') return refuse('the pattern is empty');
  return bytes.length <= maxBytes ? bytes : refuse(`the pattern has more than ${String(maxBytes)} bytes`);
}

/** The bytes of a word as they are. */
export const plainPattern: Value<BytePattern> = {
  syntax: 'text',
  words: 1,
  parse: ([word = '']) => ofLength(Buffer.from(word).toString('latin1')),
  print: printPattern,
  arbitrary: fc => fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(...'abcXYZ 019_-:/.,"\\\'#!|é\t') }).map(text => [text.replace(/^[-! ]/u, 'x')]),
};

/**
 * Text with blocks of hexadecimal digits between bars; a blank may follow each pair of digits, and
 * outside of blocks `\` takes the next byte as it is. What follows the bar that ends a block is one
 * byte, even if that is a bar.
 */
function parseHexPattern(text: string): BytePattern | Problem {
  let bytes = '';
  /** An odd number of them: in a hexadecimal block. */
  let bars = 0;
  let at = 0;
  while (at < text.length) {
    if (bytes.length >= maxBytes) return refuse(`the pattern has more than ${String(maxBytes)} bytes`);
    const escaped = text[at] === '\\' && bars % 2 === 0;
    if (text[at] === '|') {
      bars++;
      at++;
      while (bars % 2 === 1 && text[at] === ' ') at++;
      if (at >= text.length) break;
    }
    if (escaped) {
      if (at + 1 >= text.length) return refuse('nothing follows the `\\` at the end');
      bytes += text.charAt(at + 1);
      at += 2;
    } else if (bars % 2 === 1) {
      const digits = text.slice(at, at + 2);
      if (!/^[\da-f]{2}$/iu.test(digits)) return refuse(`\`${digits}\` in the hexadecimal block is not a pair of digits`);
      if (at + 2 >= text.length) return refuse('the hexadecimal block does not end', 'write | behind it');
      bytes += String.fromCharCode(parseInt(digits, 16));
      at += text[at + 2] === ' ' ? 3 : 2;
    } else {
      bytes += text.charAt(at);
      at++;
    }
  }
  return ofLength(bytes);
}

export const hexPattern: Value<BytePattern> = {
  syntax: 'text|hexadecimal digits|text…',
  words: 1,
  parse: ([word = '']) => parseHexPattern(Buffer.from(word).toString('latin1')),
  print: printPattern,
  arbitrary: fc => {
    const hex = fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.constantFrom('', ' '), fc.boolean()), { minLength: 1, maxLength: 4 })
      .map(list => `|${list.map(([byte, blank, upper]) => (upper ? byte.toString(16).toUpperCase() : byte.toString(16)).padStart(2, '0') + blank).join('')}|`);
    const plain = fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom('a', 'B', '0', ' ', '"', '\'', '\\\\', '\\|', '\\x', 'é') });
    return fc.array(fc.oneof(hex, plain), { minLength: 1, maxLength: 4 }).map(parts => [parts.join('x').replace(/^[-! ]/u, 'x')]);
  },
};
