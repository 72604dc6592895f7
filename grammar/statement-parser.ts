/** The grammar: one line of a rule file, from its tokens to a statement. */
import { EmbeddedActionsParser, type IToken } from 'chevrotain';
import { optionsOf, type LineShape } from './line-shapes.js';
import type { OptionScope, ResolvedOption } from './option-shape.js';
import type { Span } from './source-text.js';
import type { ChainStatement, CommandStatement, OptionNode, Statement, SyntaxProblem, TableStatement, WordNode } from './syntax.js';
import { Bang, Colon, Commit, Counters, OptionWord, PlainWord, Star, Token, vocabulary, Word, wordToken } from './tokens.js';

const noScope: OptionScope = { resolve: () => undefined, after: () => noScope };

/** Words that an option nobody knows may take: whatever does not look like an option. */
const unknownShape = { required: 0, optional: Infinity };

/**
 * statement : Star Word Word*                    a table
 *           | Colon Word Word*                   a chain
 *           | Commit
 *           | Counters? item*                    a command
 * item      : Bang* OptionWord Word{arity} | PlainWord
 *
 * The arity is not in the grammar: it is asked of the scope, word by word.
 * (A rule of a Chevrotain parser must not be named `option`, `many`, `or`, `consume` or `subrule`.)
 */
export class StatementParser extends EmbeddedActionsParser {
  problems: SyntaxProblem[] = [];
  #scope: OptionScope = noScope;
  #required = 0;
  #optional = 0;
  /** Flags of a cluster that are not yet among the options. */
  #flags: OptionNode[] = [];
  /** True while every option is a known one, with its values in words of their own. */
  #plain = true;

  /** `validate`: let Chevrotain look for mistakes in the grammar itself, as a test does once. */
  constructor(validate = false) {
    super(vocabulary, { maxLookahead: 1, recoveryEnabled: false, skipValidations: !validate });
    this.performSelfAnalysis();
  }

  /** Ready the parser for the words of one line. */
  start(tokens: Token[], scope: OptionScope, problems: SyntaxProblem[]): void {
    this.input = tokens;
    this.#scope = scope;
    this.problems = problems;
    this.#flags = [];
    this.#plain = true;
  }

  /** Whether the line that was just read has a shape that others may share. */
  hasShape(): boolean {
    return this.#plain && this.problems.length === 0 && this.errors.length === 0;
  }

  tableLine = this.RULE('tableLine', () => {
    this.CONSUME(Star);
    const name = this.CONSUME(Word);
    this.MANY(() => this.CONSUME2(Word));
    return name as Token;
  });

  chainLine = this.RULE('chainLine', () => {
    const words: IToken[] = [];
    this.CONSUME(Colon);
    words.push(this.CONSUME(Word));
    this.MANY(() => words.push(this.CONSUME2(Word)));
    return words as Token[];
  });

  commitLine = this.RULE('commitLine', () => this.CONSUME(Commit) as Token);

  commandLine = this.RULE('commandLine', () => {
    const options: OptionNode[] = [];
    const counters = this.OPTION(() => this.CONSUME(Counters));
    this.MANY(() => this.OR([
      { ALT: () => {
        const item = this.SUBRULE(this.plainItem);
        this.ACTION(() => { options.push(...this.#flags.splice(0), item); });
      } },
      { ALT: () => {
        const item = this.SUBRULE(this.negatedItem);
        this.ACTION(() => { options.push(...this.#flags.splice(0), item); });
      } },
      { ALT: () => {
        const stray = this.CONSUME(PlainWord);
        this.ACTION(() => { this.#strayWord(stray as Token, options.at(-1)); });
      } },
    ]));
    return { counters: counters as Token | undefined, options };
  });

  plainItem = this.RULE('plainItem', () => {
    const name = this.CONSUME(OptionWord) as Token;
    return this.SUBRULE(this.itemArguments, { ARGS: [name, undefined] });
  });

  negatedItem = this.RULE('negatedItem', () => {
    const bang = this.CONSUME(Bang) as Token;
    this.MANY(() => {
      const again = this.CONSUME2(Bang) as Token;
      this.ACTION(() => this.#report(again, 'a second `!` in a row is not allowed', 'keep one `!`'));
    });
    const name = this.CONSUME(OptionWord) as Token;
    return this.SUBRULE(this.itemArguments, { ARGS: [name, bang] });
  });

  itemArguments = this.RULE('itemArguments', (name: Token, bang: Token | undefined): OptionNode => {
    const args: Token[] = [];
    let resolved = this.ACTION(() => this.#open(name, args));
    let word = name;
    this.ACTION(() => {
      // `-4A INPUT`: flags of one letter in one word.
      while (resolved?.rest !== undefined) {
        this.#plain = false;
        const end = word.end - resolved.rest.length + 1;
        this.#flags.push(this.#close(wordToken(word.image.slice(0, 2), word.start, end), bang, resolved, []));
        word = wordToken(resolved.rest, end, word.end);
        resolved = this.#open(word, args);
      }
    });
    this.MANY({
      GATE: () => this.#wants(),
      DEF: () => args.push(this.CONSUME(Word) as Token),
    });
    return this.ACTION(() => this.#close(word, bang, resolved, args));
  });

  /** Looks the option up and says how many words it wants. A value inside the word itself goes to `args`. */
  #open(name: Token, args: Token[]): ResolvedOption | undefined {
    const resolved = this.#scope.resolve(name.image);
    this.#plain &&= resolved?.valueAt === 0;
    const shape = resolved?.shape ?? unknownShape;
    this.#required = shape.required;
    this.#optional = shape.optional;
    if (resolved !== undefined && resolved.valueAt > 0) {
      const start = name.end - (name.image.length - resolved.valueAt);
      args.push(wordToken(name.image.slice(resolved.valueAt), start, name.end));
      if (this.#required > 0) this.#required--;
      else this.#optional = 0;
    }
    return resolved;
  }

  #wants(): boolean {
    if (this.#required > 0) {
      this.#required--;
      return true;
    }
    if (this.#optional <= 0) return false;
    const next = this.LA(1);
    const code = next.image.charCodeAt(0);
    if (code === 45 || code === 33) return false;
    this.#optional--;
    return true;
  }

  #close(name: Token, bang: Token | undefined, resolved: ResolvedOption | undefined, args: Token[]): OptionNode {
    let negation = bang;
    if (resolved !== undefined && args.length < resolved.shape.required) {
      this.#report(name, `option "${name.image}" requires ${resolved.shape.required === 1 ? 'an argument' : `${String(resolved.shape.required)} arguments`}`);
    }
    const last = args.at(-1);
    if (resolved !== undefined && args.length === 1 && args[0]?.tokenType === Bang && this.LA(1).tokenType === PlainWord) {
      // `-s ! 10.0.0.0/8`, as iptables before 1.4 wrote it.
      negation = args[0];
      args[0] = this.LA(1) as Token;
      this.consume(0, Word);
      this.#report(negation, `\`${name.image} ! ${args[0].image}\` is the old way to negate, which iptables-restore no longer reads`, `write \`! ${name.image} ${args[0].image}\``, true);
    }
    if (resolved !== undefined) this.#scope = resolved.loads ? resolved.scope.after(resolved, args[0]?.image ?? '') : resolved.scope;
    return {
      start: (bang ?? name).start,
      end: (last ?? name).end,
      bang: negation === undefined ? undefined : { start: negation.start, end: negation.end },
      name,
      shape: resolved?.shape,
      scope: resolved?.scope ?? this.#scope,
      args,
    };
  }

  #strayWord(word: Token, before: OptionNode | undefined): void {
    this.#report(word, `\`${word.image}\` belongs to no option here`, strayHelp(word.image, before));
  }

  #report(at: Token, message: string, help?: string, recovered = false): void {
    this.problems.push({
      span: { start: at.start, end: at.end }, message, severity: 'error', check: 'syntax-error', ...(help === undefined ? {} : { help }), ...(recovered ? { recovered } : {}),
    });
  }
}

function strayHelp(word: string, before: OptionNode | undefined): string {
  const typeset = /^[\u2010-\u2015\u2212]+(.*)$/u.exec(word)?.[1];
  if (typeset !== undefined) return `it begins with a dash that word processors make: write \`${typeset.length > 1 ? '--' : '-'}${typeset}\``;
  if (before === undefined && /^(?:\S*\/)?ip6?tables\b/u.test(word)) return `take \`${word}\` out: in a file for iptables-restore a rule begins with -A`;
  const taken = before?.args.at(-1)?.text ?? '';
  if (before !== undefined && /^--?[a-z]/iu.test(taken)) return `\`${before.name.text}\` takes \`${taken}\` for its value: write its own before that`;
  return before !== undefined && before.args.length > 0
    ? `is a \`-\` missing before it, or are quotes missing around \`${before.args.map(a => a.text).join(' ')} ${word}\`?`
    : 'every value needs its option before it';
}

/** A command; its option nodes are made only when they are asked for. */
export class Command implements CommandStatement {
  readonly kind = 'command';
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly problems: readonly SyntaxProblem[];
  readonly program: WordNode | undefined;
  readonly words: readonly Token[];
  readonly shape: LineShape | undefined;
  readonly isInDoubt: true | undefined;
  readonly isTried: true | undefined;
  #options: readonly OptionNode[] | undefined;

  constructor(place: LinePlace, problems: readonly SyntaxProblem[], words: readonly Token[], shape: LineShape | undefined, options?: readonly OptionNode[]) {
    this.line = place.line;
    this.start = place.start;
    this.end = place.end;
    this.problems = problems;
    this.program = place.program;
    this.isInDoubt = place.isInDoubt;
    this.isTried = place.isTried;
    this.words = words;
    this.shape = shape;
    this.#options = options;
  }

  get counters(): WordNode | undefined {
    const [first] = this.words;
    return first?.tokenType === Counters ? first : undefined;
  }

  get options(): readonly OptionNode[] {
    return this.#options ??= this.shape === undefined ? [] : optionsOf(this.shape, this.words);
  }
}

/** The options by the indices of their words. */
function shapeOf(options: readonly OptionNode[], tokens: readonly Token[]): LineShape {
  const index = new Map(tokens.map((token, i) => [token.start, i]));
  const at = (word: Span | undefined): number => index.get(word?.start ?? -1) ?? -1;
  return {
    counters: tokens[0]?.tokenType === Counters,
    options: options.flatMap(({ bang, name, args, shape, scope }) => shape === undefined ? [] : [{
      bang: bang === undefined ? undefined : at(bang), name: at(name), firstArgument: at(name) + 1, arguments: args.length, shape, scope,
    }]),
  };
}

let instance: StatementParser | undefined;

/** Where a line stands in its file. */
export interface LinePlace {
  readonly line: number;
  readonly start: number;
  readonly end: number;
  /** In a script: the word that names the program. */
  readonly program?: WordNode | undefined;
  /** As of a command. */
  readonly isInDoubt?: true;
  readonly isTried?: true;
}

const expected = {
  tableLine: 'a table name behind `*`, such as *filter',
  chainLine: 'a chain name and its policy behind `:`, such as :INPUT DROP [0:0]',
  commitLine: 'COMMIT alone on its line',
  commandLine: 'a command such as -A INPUT -p tcp --dport 22 -j ACCEPT',
};

/**
 * Parses the tokens of one line. What the scanner found wrong is passed in `problems` and kept.
 * `newline` says whether the line has a line end. Never throws on bad input.
 */
export function parseStatement(tokens: Token[], place: LinePlace, scope: OptionScope, problems: SyntaxProblem[], newline: boolean): Statement {
  const parser = instance ??= new StatementParser();
  parser.start(tokens, scope, problems);
  const base = { line: place.line, start: place.start, end: place.end, problems };
  const first = tokens[0]?.tokenType;
  const rule = first === Star ? 'tableLine' : first === Colon ? 'chainLine' : first === Commit ? 'commitLine' : 'commandLine';
  let statement: Statement;
  switch (rule) {
    case 'tableLine': {
      const name = parser.tableLine() as WordNode | undefined;
      statement = { ...base, kind: 'table', name } as TableStatement;
      break;
    }
    case 'chainLine': {
      const words = parser.chainLine() as WordNode[] | undefined;
      statement = { ...base, kind: 'chain', name: words?.[0], policy: words?.[1], counters: words?.[2] } as ChainStatement;
      break;
    }
    case 'commitLine':
      parser.commitLine();
      statement = { ...base, kind: 'commit', newline };
      break;
    case 'commandLine': {
      const parts = parser.commandLine() as { counters: Token | undefined; options: OptionNode[] } | undefined;
      const options = parts?.options ?? [];
      const shape = parser.hasShape() ? shapeOf(options, tokens) : undefined;
      statement = new Command(place, problems, tokens, shape, options);
      break;
    }
  }
  if (parser.errors.length === 0) return statement;
  const at = parser.errors[0]?.token as Token | undefined;
  const isEnd = at === undefined || Number.isNaN(at.startOffset);
  const span = isEnd ? { start: place.start, end: place.end } : { start: at.startOffset, end: at.endOffset + 1 };
  const message = isEnd ? `the line ends too early: expected ${expected[rule]}` : `unexpected \`${at.image}\`: expected ${expected[rule]}`;
  problems.push({ span, message, severity: 'error', check: 'syntax-error' });
  return { ...base, kind: 'bad' };
}
