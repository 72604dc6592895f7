/**
 * The syntax tree: what a rule file says, before anything is known of extensions.
 * Every node has a span; words carry their text after quotes and escapes are undone.
 */
import type { LineShape } from './line-shapes.js';
import type { OptionScope, OptionShape } from './option-shape.js';
import type { Span } from './source-text.js';

/** A word: one `argv` entry. Its span covers the quotes too. */
export interface WordNode extends Span {
  readonly text: string;
}

/** Something at this place that cannot be read. */
export interface SyntaxProblem {
  readonly span: Span;
  readonly message: string;
  /** What to write instead, if that is known. */
  readonly help?: string;
  /** `warning` where the loader accepts the line and yet something is odd. */
  readonly severity: 'error' | 'warning';
  readonly check: 'syntax-error' | 'line-endings' | 'skipped-line';
  /** What was meant is plain all the same, and the statement says it. */
  readonly recovered?: true;
}

interface StatementBase extends Span {
  /** Line number, from 1. */
  readonly line: number;
  readonly problems: readonly SyntaxProblem[];
}

/** `*filter` */
export interface TableStatement extends StatementBase {
  readonly kind: 'table';
  readonly name: WordNode;
}

/** `:INPUT DROP [0:0]` */
export interface ChainStatement extends StatementBase {
  readonly kind: 'chain';
  readonly name: WordNode;
  readonly policy: WordNode | undefined;
  readonly counters: WordNode | undefined;
}

/** `COMMIT` */
export interface CommitStatement extends StatementBase {
  readonly kind: 'commit';
  /** False where the file ends right behind it. */
  readonly newline: boolean;
}

/** `# …` */
export interface CommentStatement extends StatementBase {
  readonly kind: 'comment';
  readonly text: string;
}

/** A line of which nothing could be made. */
export interface BadStatement extends StatementBase {
  readonly kind: 'bad';
}

/** `[!] --option word…` as getopt would group it. */
export interface OptionNode extends Span {
  /** The `!` before the option (or, in the old form, behind it). */
  readonly bang: Span | undefined;
  readonly name: WordNode;
  /** Undefined: no loaded extension knows this option. */
  readonly shape: OptionShape | undefined;
  /** The scope in which it was found, so that a reader can follow. */
  readonly scope: OptionScope;
  readonly args: readonly WordNode[];
}

/** `[1:60] -A INPUT -p tcp …`, in a script behind the program's name. */
export interface CommandStatement extends StatementBase {
  readonly kind: 'command';
  /** `iptables`, `ip6tables`, … in a script; undefined elsewhere. */
  readonly program: WordNode | undefined;
  readonly counters: WordNode | undefined;
  readonly options: readonly OptionNode[];
  /** Every word of it, in order. */
  readonly words: readonly WordNode[];
  /** What it has in common with other lines; undefined where it has a problem or an odd spelling. */
  readonly shape: LineShape | undefined;
  /** In a script: nobody knows whether, when or with which words it is run. Its problems say why. */
  readonly isInDoubt?: true | undefined;
  /** In doubt only because it may fail, and the script goes on then. */
  readonly isTried?: true | undefined;
}

export type Statement =
  TableStatement | ChainStatement | CommitStatement | CommentStatement | BadStatement | CommandStatement;
