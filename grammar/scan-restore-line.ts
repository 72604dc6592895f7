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
    image += text.charAt(at);
  }
  const quote = at;
  for (at++; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      tokens.push(wordToken(image, start, at + 1));
      return at + 1;
    }
    if (code === BACKSLASH) at++;
    if (at < end) image += text.charAt(at);
  }
  // The loader takes the line end into the word, and does not complain.
  problems.push({ ...problem(quote, end, 'this quote is never closed, so the word goes on to the end of the line', 'close it with "'), severity: 'warning' });
  tokens.push(wordToken(text.charCodeAt(end) === 10 ? `${image}\n` : image, start, end));
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
    tokens.length = limits.words;
  }
}

function checkWordLength(word: Token | undefined, problems: SyntaxProblem[]): void {
  if (word === undefined || Buffer.byteLength(word.image) <= limits.word) return;
  problems.push(problem(word.start, word.end, `a word may have at most ${String(limits.word)} bytes`));
}

/** Words of a table or chain line: quotes mean nothing there. */
function scanPlainWords(text: string, start: number, end: number, tokens: Token[]): void {
  for (const match of text.slice(start, end).matchAll(/[^ \t]+/gu)) {
    tokens.push(wordToken(match[0], start + match.index, start + match.index + match[0].length));
  }
}

/** The loader reads 10,239 bytes at a time, and takes what is left of a longer line for a line of its own. */
export function checkLineLength(text: string, start: number, end: number, problems: SyntaxProblem[]): void {
  if (end - start <= limits.line / 3 || Buffer.byteLength(text.slice(start, end)) < limits.line) return;
  problems.push(problem(Math.min(start + limits.line, end), end, `a line may have at most ${String(limits.line - 1)} bytes: the loader would cut it here`));
}

/**
 * Cuts one line of an `iptables-save` file, `text[start, end)` without its line end.
 * What the first character says counts only in the first column, as in the loader.
 */
export function scanRestoreLine(text: string, start: number, end: number, tokens: Token[], problems: SyntaxProblem[]): void {
  const first = text.charCodeAt(start);
  let at = start;
  if (first === 42 /* * */ || first === 58 /* : */) {
    tokens.push(first === 42 ? new Token(Star, '*', start, ++at) : new Token(Colon, ':', start, ++at));
    scanPlainWords(text, at, end, tokens);
    return;
  }
  if (first === 91 /* [ */) {
    const close = text.indexOf(']', start);
    const colon = text.indexOf(':', start);
    const isClosed = close !== -1 && close < end && colon !== -1 && colon < close;
    if (!isClosed) problems.push(problem(start, Math.min(end, close === -1 ? end : close + 1), 'these are no counters', 'write them as [packets:bytes]'));
    at = isClosed ? close + 1 : end;
    tokens.push(new Token(Counters, text.slice(start, at), start, at));
  } else if (first === 67 /* C */ && text.startsWith('COMMIT', start) && text.slice(start, end).trimEnd() === 'COMMIT') {
    tokens.push(new Token(Commit, 'COMMIT', start, start + 6));
    if (end > start + 6) problems.push(problem(start + 6, end, 'nothing may follow COMMIT on its line, not even a blank', 'delete the blanks'));
    return;
  }
  checkLineLength(text, start, end, problems);
  scanWords(text, at, end, tokens, problems);
}
