import { refuse, type Value } from './value.js';

/** A word as `xtables_save_string` writes it: quoted unless it is made of letters, digits, `_` and `-`. */
export function quote(text: string): string {
  return /^[\w-]+$/u.test(text) ? text : `"${text.replace(/["'\\]/gu, '\\$&')}"`;
}

/** How a word must be typed so that it is read back as `text`; quotes only where they are needed. */
export function quoteForInput(text: string): string {
  return text === '' || /[\s"\\']/u.test(text) ? `"${text.replace(/["\\]/gu, '\\$&')}"` : text;
}

export interface TextLimits {
  /** In bytes. */
  readonly min?: number;
  readonly max: number;
  readonly name?: string;
  /** Saved as it is, never quoted. */
  readonly bare?: boolean;
  /** What is longer is cut and not refused. */
  readonly cut?: boolean;
}

/** Free text of at most `max` bytes. */
export function text(limits: TextLimits): Value<string> {
  const { min = 0, max } = limits;
  return {
    syntax: limits.name ?? 'text',
    words: 1,
    parse: ([word = '']) => {
      const bytes = Buffer.byteLength(word);
      if (bytes < min) return refuse(`the text must have at least ${String(min)} bytes`);
      if (bytes <= max) return word;
      if (limits.cut === true) return Buffer.from(word).subarray(0, max).toString();
      return refuse(`the text has ${String(bytes)} bytes, and at most ${String(max)} are allowed`);
    },
    ...limits.cut === true ? { keeps: () => max } : {},
    print: value => limits.bare === true ? value : quote(value),
    arbitrary: fc => {
      const letters = limits.bare === true ? 'abcXYZ019_-' : 'abc XYZ_-019:/.,"\\\'#!';
      return fc.string({ minLength: Math.max(1, min), maxLength: Math.min(max, 20), unit: fc.constantFrom(...letters) })
        // A word that begins with `-` or `!` would be fine for getopt, but not for every reader.
        .map(value => [value.replace(/^[-! ]/u, 'x')]);
    },
  };
}
