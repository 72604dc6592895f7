/** A whole rule file, statement by statement. Statements are not kept: 100,000 rules need not be in memory twice. */
import { LineShapes } from './line-shapes.js';
import type { OptionScope } from './option-shape.js';
import { checkLineLength, scanRestoreLine } from './scan-restore-line.js';
import { scriptStatements } from './script-statements.js';
import type { SourceText } from './source-text.js';
import { Command, parseStatement } from './statement-parser.js';
import type { CommentStatement, Statement, SyntaxProblem } from './syntax.js';
import type { Token } from './tokens.js';

/**
 * What a file is:
 * - `save`: the output of `iptables-save`
 * - `restore`: input for `iptables-restore`, which may also insert, delete, flush …
 * - `list-rules`: the output of `iptables -S`
 * - `script`: a shell script of `iptables …` commands
 */
export type InputFormat = 'save' | 'restore' | 'list-rules' | 'script';

const editingCommand = /^(?:\[\d+:\d+\] *)?(?:-[46] )?-[INXFRDEPZ]\b/mu;
const programLine = /^[ \t]*(?:sudo[ \t]+)?(?:[\w./-]*\/)?ip6?tables(?:-legacy|-nft)?[ \t]+-/mu;

/** What the text looks like. Anything with a `*table` line is for iptables-restore. */
export function detectFormat(file: string): InputFormat {
  const text = file.replace(/^\uFEFF/u, '');
  // What stands behind the name of a table is not read.
  if (/^[ \t]*\*[ \t]*(?:[a-z]+[ \t]*\r?$|(?:filter|nat|mangle|raw|security)[ \t])/mu.test(text)) return editingCommand.test(text) ? 'restore' : 'save';
  if (text.startsWith('#!') || programLine.test(text)) return 'script';
  // It prints no chain behind a colon, and no COMMIT: a file with these is one that lacks its `*table`.
  if (/^[ \t]*-[PNA] \S/mu.test(text) && !/^(?::\S+ |COMMIT\s*$)/mu.test(text)) return 'list-rules';
  return 'save';
}

export interface ReadOptions {
  readonly format: InputFormat;
  /** The options that are known at the start of a line; `program` is given in scripts. */
  readonly scope: (program: string | undefined) => OptionScope;
}

function comment(text: string, line: number, start: number, end: number): CommentStatement {
  const problems: SyntaxProblem[] = [];
  checkLineLength(text, start, end, problems);
  return { kind: 'comment', line, start, end, text: text.slice(start, Math.min(end, start + 1000)), problems };
}

const byteOrderMark: SyntaxProblem = {
  span: { start: 0, end: 1 }, severity: 'error', check: 'line-endings',
  message: 'the file begins with a byte order mark, which iptables-restore takes for a part of the first line',
  help: 'save the file as UTF-8 without a byte order mark',
};

function carriageReturn(at: number): SyntaxProblem {
  return {
    span: { start: at, end: at + 1 }, severity: 'error', check: 'line-endings',
    message: 'the lines end in CR LF; iptables-restore takes the CR for a part of the last word',
    help: 'convert the file with `sed -i "s/\\r$//"` or dos2unix',
  };
}

function indentation(start: number, end: number): SyntaxProblem {
  return {
    span: { start, end }, severity: 'error', check: 'syntax-error',
    message: 'this line must begin in the first column', help: 'delete the blanks before it', recovered: true,
  };
}

/** The statements of a file for iptables-restore, or of `iptables -S`. Blank lines yield nothing. */
function* lineStatements(source: SourceText, options: ReadOptions): Generator<Statement, void> {
  const { text } = source;
  const scope = options.scope(undefined);
  const shapes = new LineShapes();
  let crlfSeen = false;
  let line = 0;
  let start = text.startsWith('\uFEFF') ? 1 : 0;
  let bom = start === 1;
  while (start < text.length) {
    line++;
    let end = text.indexOf('\n', start);
    const newline = end !== -1;
    if (!newline) end = text.length;
    const next = end + 1;
    const cr = end > start && text.charCodeAt(end - 1) === 13;
    if (cr) end--;
    let problems: SyntaxProblem[] = [];
    let from = start;
    let first = text.charCodeAt(from);
    if (bom || (cr && !crlfSeen && first !== 35)) {
      problems = [bom ? byteOrderMark : carriageReturn(end)];
      crlfSeen ||= cr;
      bom = false;
    }
    if (first === 32 || first === 9) {
      while (from < end && (first === 32 || first === 9)) first = text.charCodeAt(++from);
      if (from < end && (first === 42 || first === 58 || first === 35 || first === 91 || text.startsWith('COMMIT', from))) problems.push(indentation(start, from));
      else if (from < end) from = start;
    }
    if (from >= end) {
      if (problems.length > 0) yield { kind: 'bad', line, start, end, problems };
      else if (end > start) yield { kind: 'bad', line, start, end, problems: [indentation(start, end)] };
    } else if (first === 35) {
      const statement = comment(text, line, from, end);
      yield problems.length === 0 ? statement : { ...statement, problems: [...problems, ...statement.problems] };
    } else {
      const tokens: Token[] = [];
      scanRestoreLine(text, from, end, tokens, problems);
      const place = { line, start: from, end };
      const shape = problems.length === 0 ? shapes.find(tokens) : undefined;
      if (shape !== undefined) yield new Command(place, problems, tokens, shape);
      else {
        const statement = parseStatement(tokens, place, scope, problems, newline);
        if (statement.kind === 'command' && statement.shape !== undefined) shapes.keep(tokens, statement.shape);
        yield statement;
      }
    }
    start = next;
  }
}

/**
 * Reads `source` statement by statement. A statement that could not be read carries its problems;
 * the reader goes on with the next line.
 */
export function statements(source: SourceText, options: ReadOptions): Generator<Statement, void> {
  return options.format === 'script' ? scriptStatements(source, options.scope) : lineStatements(source, options);
}
