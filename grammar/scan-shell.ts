/**
 * A shell script as far as it is literal: simple commands of plain words, quotes and escapes
 * (POSIX.1-2024, Shell Command Language, 2.2 Quoting and 2.3 Token Recognition).
 * Whatever would have to be executed to be known is marked, and its command is not used.
 */
import type { Span } from './source-text.js';
import { wordToken, type Token } from './tokens.js';

/** A simple command and why it cannot be taken at its word, if it cannot. */
export interface ShellCommand {
  readonly words: Token[];
  readonly start: number;
  readonly end: number;
  /** Line of its first word, from 1. */
  readonly line: number;
  /** `$x`, `*`, `>`, `if …`: what stands in the way. */
  readonly notLiteral: string | undefined;
  /** How many blocks (if, for, function, …) are open around it. */
  readonly depth: number;
  /** `&&`, `||` or `|` between the command before and this one; '' where they are apart. */
  readonly joined: string;
  /** The same between this command and the next. */
  readonly joins: string;
}

/** What is known of variables. */
export interface Variables {
  /** Undefined where it is not known. */
  readonly valueOf: (name: string) => string | undefined;
  /** Takes note of a command that comes before those that are yet to be read. */
  readonly note: (command: ShellCommand) => void;
}

const openers = new Set(['if', 'for', 'while', 'until', 'case', 'select']);
const closers = new Set(['fi', 'done', 'esac']);
const keywords = new Set([...openers, ...closers, 'then', 'else', 'elif', 'do', 'in', '{', '}', 'function', '!']);

/** True for a word that is a keyword where a command may begin. */
export function isKeyword(word: string): boolean {
  return keywords.has(word);
}

/** One word even where no quotes are around the variable: not empty, nothing that cuts it, and no pattern of names of files. */
function isPlain(value: string): boolean {
  return /^[^\s*?[\]\\]+$/u.test(value);
}

/** Reads commands one after the other from a text. */
export class ShellScanner {
  readonly #text: string;
  #at: number;
  #line = 1;
  #depth = 0;
  #joined = '';
  #hereDocuments: string[] = [];
  readonly #variables: Variables | undefined;

  constructor(text: string, at = 0, variables?: Variables) {
    this.#text = text;
    this.#at = at;
    this.#variables = variables;
  }

  * commands(): Generator<ShellCommand, void> {
    while (this.#at < this.#text.length) {
      const command = this.#command();
      if (command === undefined) continue;
      this.#variables?.note(command);
      yield command;
    }
  }

  #peek(ahead = 0): string {
    return this.#text.charAt(this.#at + ahead);
  }

  #skipLineEnd(): void {
    this.#at++;
    this.#line++;
    for (let delimiter = this.#hereDocuments.shift(); delimiter !== undefined; delimiter = this.#hereDocuments.shift()) this.#skipHereDocument(delimiter);
  }

  #skipHereDocument(delimiter: string): void {
    while (this.#at < this.#text.length) {
      const end = this.#text.indexOf('\n', this.#at);
      const stop = end === -1 ? this.#text.length : end;
      const row = this.#text.slice(this.#at, stop);
      this.#at = Math.min(stop + 1, this.#text.length);
      if (end !== -1) this.#line++;
      if (row.replace(/^\t+|\r$/gu, '') === delimiter) return;
    }
  }

  /** One command up to a line end, `;`, `&` or `|`. */
  #command(): ShellCommand | undefined {
    const words: Token[] = [];
    let notLiteral: string | undefined;
    let line = this.#line;
    const joined = this.#joined;
    let joins = '';
    for (;;) {
      const char = this.#peek();
      if (char === '') break;
      if (char === ' ' || char === '\t' || char === '\r') this.#at++;
      else if (char === '\\' && (this.#peek(1) === '\n' || (this.#peek(1) === '\r' && this.#peek(2) === '\n'))) {
        this.#at += this.#peek(1) === '\n' ? 2 : 3;
        this.#line++;
      } else if (char === '\n') {
        this.#skipLineEnd();
        // A line may end behind `&&`.
        if (words.length === 0) joins = joined;
        break;
      } else if (char === '#') {
        const end = this.#text.indexOf('\n', this.#at);
        this.#at = end === -1 ? this.#text.length : end;
      } else if (char === ';' || char === '&' || char === '|') {
        const operator = this.#peek(1) === char ? char.repeat(2) : char;
        // In the background, and nobody knows when.
        if (operator === '&') notLiteral ??= char;
        else if (char !== ';') joins = operator;
        this.#at += operator.length;
        break;
      } else if (char === '(' || char === ')') {
        notLiteral ??= char;
        if (char === '(' && words.length === 1 && this.#peek(1) === ')') words.pop(); // name() {
        this.#at++;
      } else if (char === '<' || char === '>' || (/\d/u.test(char) && /^\d+[<>]/u.test(this.#text.slice(this.#at, this.#at + 8)))) {
        if (this.#redirection() !== 'harmless') notLiteral ??= char;
      } else {
        if (words.length === 0) line = this.#line;
        const odd = this.#word(words);
        notLiteral ??= odd;
        if (words.length === 1 && this.#keyword(words)) notLiteral = undefined;
      }
    }
    this.#joined = joins;
    const first = words[0];
    const last = words.at(-1);
    if (first === undefined || last === undefined) return undefined;
    return { words, start: first.start, end: last.end, line, notLiteral, depth: this.#depth, joined, joins };
  }

  /** Follows the blocks; drops the keyword so that the command behind `then` or `do` is seen. */
  #keyword(words: Token[]): boolean {
    const word = words[0]?.image ?? '';
    if (!isKeyword(word) || this.#text.slice(words[0]?.start, words[0]?.end) !== word) return false;
    if (openers.has(word) || word === '{') this.#depth++;
    if (closers.has(word) || word === '}') this.#depth = Math.max(0, this.#depth - 1);
    if (word === 'for' || word === 'case' || word === 'select' || word === 'function') return false;
    words.pop();
    return true;
  }

  /** Output thrown away, or stderr sent along, changes nothing about the command. */
  #redirection(): 'harmless' | 'other' {
    const rest = this.#text.slice(this.#at, this.#at + 200);
    const hereDocument = /^\d*<<-?[ \t]*(["']?)([\w.-]+)\1/u.exec(rest);
    if (hereDocument !== null && !rest.startsWith('<<<')) {
      this.#hereDocuments.push(hereDocument[2] ?? '');
      this.#at += hereDocument[0].length;
      return 'other';
    }
    const simple = /^\d*(?:>>?|<)(?:&\d|[ \t]*[^\s;&|<>()]+)?/u.exec(rest);
    this.#at += Math.max(1, simple?.[0].length ?? 1);
    return /^\d*>>?/u.test(rest) ? 'harmless' : 'other';
  }

  /** Reads one word; says what in it is not literal. */
  #word(words: Token[]): string | undefined {
    const start = this.#at;
    let image = '';
    let odd: string | undefined;
    for (;;) {
      const char = this.#peek();
      if (char === '' || /[\s;&|<>()]/u.test(char)) break;
      if (char === "'") image += this.#singleQuoted();
      else if (char === '"') {
        const quoted = this.#doubleQuoted();
        image += quoted.text;
        odd ??= quoted.odd;
      } else if (char === '\\') {
        if (this.#peek(1) === '\n') {
          this.#at += 2;
          this.#line++;
          continue;
        }
        image += this.#peek(1);
        this.#at += 2;
      } else {
        const value = this.#value(isPlain);
        if (value !== undefined) {
          image += value;
          continue;
        }
        if (char === '$' || char === '`') odd ??= this.#expansion();
        else if (char === '*' || char === '?' || (char === '[' && !this.#isBracketedAddress()) || (char === '~' && image === '')) odd ??= char;
        else if (char === '{' && /^\{[^\s}]*[,.][^\s}]*\}/u.test(this.#text.slice(this.#at, this.#at + 200))) odd ??= '{…}';
        image += this.#peek();
        this.#at++;
      }
    }
    words.push(wordToken(image, start, this.#at));
    return odd;
  }

  /** `[2001:db8::5]:80`: a pattern to the shell, which leaves it as it is where no file is called so. */
  #isBracketedAddress(): boolean {
    return /^\[[\da-f.]*:[\da-f.:]*\]/iu.test(this.#text.slice(this.#at, this.#at + 50));
  }

  /** The value of the variable that stands here, where it is known and `isFit`; it is read then. */
  #value(isFit: (value: string) => boolean): string | undefined {
    if (this.#variables === undefined || this.#peek() !== '$') return undefined;
    const [whole = '', name, braced] = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/u.exec(this.#text.slice(this.#at, this.#at + 80)) ?? [];
    const value = this.#variables.valueOf(name ?? braced ?? '');
    if (value === undefined || !isFit(value)) return undefined;
    this.#at += whole.length;
    return value;
  }

  #expansion(): string {
    return /^\$(?:\{[^}\n]*\}|\([^\n)]*\)|\w+|.)?|^`[^`\n]*`?/u.exec(this.#text.slice(this.#at, this.#at + 80))?.[0] ?? '$';
  }

  #singleQuoted(): string {
    const close = this.#text.indexOf("'", this.#at + 1);
    const end = close === -1 ? this.#text.length : close;
    const inner = this.#text.slice(this.#at + 1, end);
    this.#line += inner.split('\n').length - 1;
    this.#at = Math.min(end + 1, this.#text.length);
    return inner;
  }

  #doubleQuoted(): { readonly text: string; readonly odd: string | undefined } {
    let text = '';
    let odd: string | undefined;
    this.#at++;
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#peek();
      if (char === '"') {
        this.#at++;
        break;
      }
      if (char === '\n') this.#line++;
      if (char === '\\' && /["$`\\\n]/u.test(this.#peek(1))) {
        this.#at++;
        if (this.#peek() === '\n') this.#line++;
        else text += this.#peek();
        continue;
      }
      const value = this.#value(() => true);
      if (value !== undefined) {
        text += value;
        this.#at--;
        continue;
      }
      // Before anything else a `$` is one, as at the end of what is quoted.
      if (char === '`' || (char === '$' && /[\w{(@*#?$!-]/u.test(this.#peek(1)))) odd ??= this.#expansion();
      text += char;
    }
    return { text, odd };
  }
}

/** The words of the command that stands there. */
export function commandWords(text: string, { start, end }: Span, variables: Variables): Token[] {
  for (const { words } of new ShellScanner(text.slice(0, end), start, variables).commands()) return words;
  return [];
}
