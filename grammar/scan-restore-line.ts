/** Words of a line as `iptables-restore` cuts them (`add_param_to_argv`, iptables/xshared.c). */
import { Bang, Colon, Commit, Counters, OptionWord, PlainWord, Star, Token, wordToken } from './tokens.js';
import type { SyntaxProblem } from './syntax.js';

const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const BACKSLASH = 92;

/** A word may have 1,023 bytes, a line 10,239 (its line end included), a command 251 words. */
export const limits = { word: 1023, line: 10_239, words: 251 } as const;

function problem(start: number, end: number, message: string, help?: string): SyntaxProblem {
  return { span: { start, end }, message, severity: 'error', check: 'syntax-error', ...(help === undefined ? {} : { help }) };
}

/**
 * Reads a word that has a quote in it, from `start`. The closing quote ends the word.
 * Returns where it ended; pushes the token and, for an open quote, a problem.
 */
function scanQuotedWord(text: string, start: number, end: number, tokens: Token[], problems: SyntaxProblem[]): number {
  let image = '';
  let at = start;
  for (; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) break;
    image += text[at];
  }
  const quote = at;
  for (at++; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      tokens.push(wordToken(image, start, at + 1));
      return at + 1;
    }
    if (code === BACKSLASH) at++;
    if (at < end) image += text[at];
  }
  problems.push(problem(quote, end, 'this quote is never closed', 'close it with " before the end of the line'));
  tokens.push(wordToken(image, start, end));
  return end;
}

/** Cuts `text[start, end)` into words, in order, into `tokens`. */
export function scanWords(text: string, start: number, end: number, tokens: Token[], problems: SyntaxProblem[]): void {
  let at = start;
  while (at < end) {
    const first = text.charCodeAt(at);
    if (first === SPACE || first === TAB) {
      at++;
      continue;
    }
    const from = at;
    let code = first;
    while (at < end && code !== SPACE && code !== TAB && code !== QUOTE) code = text.charCodeAt(++at);
    if (at < end && code === QUOTE) at = scanQuotedWord(text, from, end, tokens, problems);
    else if (first === 45 && at - from > 1) tokens.push(new Token(OptionWord, text.slice(from, at), from, at));
    else if (first === 33 && at - from === 1) tokens.push(new Token(Bang, '!', from, at));
    else tokens.push(new Token(PlainWord, text.slice(from, at), from, at));
    if (at - from > limits.word / 3) checkWordLength(tokens.at(-1), problems);
  }
  if (tokens.length > limits.words) {
    const extra = tokens[limits.words];
    if (extra) problems.push(problem(extra.start, end, `a line may have at most ${String(limits.words)} words`));
  }
}

function checkWordLength(word: Token | undefined, problems: SyntaxProblem[]): void {
  if (word === undefined || Buffer.byteLength(word.image) <= limits.word) return;
  problems.push(problem(word.start, word.end, `a word may have at most ${String(limits.word)} bytes`));
}

/**
 * Cuts one line of an `iptables-save` file, `text[start, end)` without its line end.
 * What the first character says counts only in the first column, as in the loader.
 */
export function scanRestoreLine(text: string, start: number, end: number, tokens: Token[], problems: SyntaxProblem[]): void {
  const first = text.charCodeAt(start);
  let at = start;
  if (first === 42 /* * */) tokens.push(new Token(Star, '*', start, ++at));
  else if (first === 58 /* : */) tokens.push(new Token(Colon, ':', start, ++at));
  else if (first === 91 /* [ */) {
    const close = text.indexOf(']', start);
    if (close === -1 || close >= end) problems.push(problem(start, end, 'the counters are never closed', 'write them as [packets:bytes]'));
    at = close === -1 || close >= end ? end : close + 1;
    tokens.push(new Token(Counters, text.slice(start, at), start, at));
  } else if (first === 67 /* C */ && text.startsWith('COMMIT', start) && text.slice(start, end).trimEnd() === 'COMMIT') {
    tokens.push(new Token(Commit, 'COMMIT', start, start + 6));
    if (end > start + 6) problems.push(problem(start + 6, end, 'nothing may follow COMMIT on its line, not even a blank', 'delete the blanks'));
    return;
  }
  if (end - start > limits.line / 3 && Buffer.byteLength(text.slice(start, end)) >= limits.line) {
    problems.push(problem(start + limits.line, end, `a line may have at most ${String(limits.line - 1)} bytes: the loader would cut it here`));
  }
  scanWords(text, at, end, tokens, problems);
}
