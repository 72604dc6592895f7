/**
 * How many columns a terminal gives to a text. string-width does the same and more, but its
 * regular expressions alone take longer to start than the rest of the program; the build puts
 * this in its place for eslint-formatter-pretty too.
 */
import { stripVTControlCharacters } from 'node:util';
import { eastAsianWidth } from 'get-east-asian-width';

let segmenter: Intl.Segmenter | undefined;

/** What a terminal shows in one place: letters with their accents, emoji with their modifiers. */
export function* graphemes(text: string): Generator<{ readonly segment: string; readonly index: number }, void> {
  if (/^[\t -~]*$/u.test(text)) {
    for (let index = 0; index < text.length; index++) yield { segment: text.charAt(index), index };
    return;
  }
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  yield* segmenter.segment(text);
}

function graphemeWidth(segment: string): number {
  const code = segment.codePointAt(0) ?? 0;
  if (code < 32 || (code >= 0x7f && code < 0xa0)) return 0;
  if (code < 0x300) return segment.includes('\uFE0F') ? 2 : 1;
  if (/^[\p{Default_Ignorable_Code_Point}\p{Nonspacing_Mark}\p{Enclosing_Mark}]/u.test(segment)) return 0;
  return segment.includes('\uFE0F') || /^\p{Regional_Indicator}{2}/u.test(segment) ? 2 : eastAsianWidth(code);
}

export function displayWidth(text: string): number {
  if (/^[ -~]*$/u.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes(stripVTControlCharacters(text))) width += graphemeWidth(segment);
  return width;
}

