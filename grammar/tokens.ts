/**
 * The vocabulary. It is small on purpose: one token type per option name made
 * Chevrotain five times slower, and would make the grammar know extensions.
 *
 * Tokens are cut by a hand-written scanner and not by Chevrotain's Lexer, because the
 * words are those of `iptables-restore` (`add_param_to_argv` in iptables/xshared.c)
 * or of a shell, and neither is a regular set of disjoint patterns: a quote may open
 * in the middle of a word, and the closing quote ends it. It is also twice as fast.
 */
import { createToken, Lexer, type IToken, type TokenType } from 'chevrotain';

/** Any word at all: what an option may take as its argument. */
export const Word = createToken({ name: 'Word', pattern: Lexer.NA });
/** A word that does not look like an option. */
export const PlainWord = createToken({ name: 'PlainWord', pattern: /[^-]\S*/u, categories: [Word] });
/** A word that begins with `-` and has more behind it. */
export const OptionWord = createToken({ name: 'OptionWord', pattern: /-\S+/u, categories: [Word] });
/** A lone `!`. */
export const Bang = createToken({ name: 'Bang', pattern: /!/u, categories: [Word] });
/** `*` at the start of a line: a table begins. */
export const Star = createToken({ name: 'Star', pattern: /\*/u });
/** `:` at the start of a line: a chain is declared. */
export const Colon = createToken({ name: 'Colon', pattern: /:/u });
/** `COMMIT`, alone on its line. */
export const Commit = createToken({ name: 'Commit', pattern: /COMMIT/u });
/** `[packets:bytes]` at the start of a line. */
export const Counters = createToken({ name: 'Counters', pattern: /\[\d+:\d+\]/u });

export const vocabulary: TokenType[] = [Word, PlainWord, OptionWord, Bang, Star, Colon, Commit, Counters];

/** A token of a rule file. `image` is the word after quotes and escapes are undone. */
export class Token implements IToken {
  image: string;
  startOffset: number;
  /** Inclusive, as Chevrotain has it. */
  endOffset: number;
  tokenType: TokenType;
  tokenTypeIdx: number;
  constructor(type: TokenType, image: string, start: number, end: number) {
    this.image = image;
    this.startOffset = start;
    this.endOffset = end - 1;
    this.tokenType = type;
    // Chevrotain numbers each type when it is created.
    this.tokenTypeIdx = type.tokenTypeIdx ?? 0;
  }
  get text(): string {
    return this.image;
  }
  get start(): number {
    return this.startOffset;
  }
  get end(): number {
    return this.endOffset + 1;
  }
}

/** A word token of the type that its text asks for. Quotes make no difference to getopt. */
export function wordToken(image: string, start: number, end: number): Token {
  const first = image.charCodeAt(0);
  let type = PlainWord;
  if (first === 45 /* - */ && image.length > 1) type = OptionWord;
  else if (first === 33 /* ! */ && image.length === 1) type = Bang;
  return new Token(type, image, start, end);
}
