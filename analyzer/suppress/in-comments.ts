/** Suppressions in `#` comments: of the next line, of a block, of the file. `iptables-save` drops them: they are for files that people write. */
import type { SourceText, Span } from '../../grammar/source-text.js';
import type { Fix } from '../finding.js';
import { didYouMean } from '../model/suggest.js';
import { readWords } from './read-words.js';
import { withoutName } from './take-away.js';
import type { ReadSuppressions, Suppression, WrongSuppression } from './suppression.js';

const kinds = ['disable-next-line', 'disable', 'enable', 'disable-file'] as const;
type Kind = (typeof kinds)[number];

interface Note {
  readonly kind: Kind;
  readonly checks: readonly string[];
  readonly until: string | undefined;
  readonly reason: string;
  /** Of the comment; `line` has its line end too. */
  readonly span: Span;
  readonly line: Span;
}

/** The next line that says something; the end of the text where there is none. */
function nextLine(text: string, from: number): Span {
  const found = /^[ \t]*(?![#\r\n]|[ \t])[^\n]*/gmu;
  found.lastIndex = from;
  const match = found.exec(text);
  return match === null ? { start: text.length, end: text.length } : { start: match.index, end: match.index + match[0].length };
}

function isKind(word: string): word is Kind {
  return kinds.some(kind => kind === word);
}

function notesOf(text: string): { readonly notes: readonly Note[]; readonly wrong: readonly WrongSuppression[] } {
  const notes: Note[] = [];
  const wrong: WrongSuppression[] = [];
  for (const match of text.matchAll(/^[ \t]*(#[ \t]*iptables-lint-([a-z-]+)([^\r\n]*))\r?\n?/gmu)) {
    const [line, comment = '', kind = '', words = ''] = match;
    const start = match.index + line.indexOf('#');
    const span = { start, end: start + comment.trimEnd().length };
    const [before = '', ...reason] = words.split(/(?:^|\s)--(?:\s|$)/u);
    if (!isKind(kind)) wrong.push({ message: `there is no iptables-lint-${kind}: ${didYouMean(kind, kinds) ?? `there are ${kinds.join(', ')}`}`, span, help: 'write # iptables-lint-disable-next-line CHECK -- reason' });
    else {
      const { checks, until, rest } = readWords(before, false);
      if (rest === '') notes.push({ kind, checks, until, reason: reason.join(' -- ').trim(), span, line: { start: match.index, end: match.index + line.length } });
      else wrong.push({ message: `\`${rest}\` is no name of a check`, span, help: `write the reason behind two dashes: # iptables-lint-${kind} CHECK -- reason` });
    }
  }
  return { notes, wrong };
}

/** What is disabled of one check, from one comment to another. */
interface Block {
  readonly check: string;
  /** The first, and whatever disables it once more before the end. */
  readonly starts: Note[];
  /** Absent: it goes on to the end of the file. */
  end?: Note;
}

/** The blocks; and an `enable` that ends none: what was meant to end would go on, as where a name is misspelt. */
function blocksOf(notes: readonly Note[]): { readonly blocks: readonly Block[]; readonly idle: readonly WrongSuppression[] } {
  const blocks: Block[] = [];
  const idle: WrongSuppression[] = [];
  const open = new Map<string, Block>();
  const begin = (check: string): Block => {
    const block = { check, starts: [] };
    blocks.push(block);
    open.set(check, block);
    return block;
  };
  for (const note of notes) {
    if (note.kind === 'disable') for (const check of note.checks) (open.get(check) ?? begin(check)).starts.push(note);
    else if (note.kind === 'enable') for (const check of note.checks.length === 0 ? [...open.keys()] : note.checks) {
      const block = open.get(check);
      if (block === undefined) idle.push({ message: `${check} is not disabled before this`, span: note.span, help: 'name what an iptables-lint-disable above names' });
      else block.end = note;
      open.delete(check);
    }
  }
  return { blocks, idle };
}

/** Takes a check out of a note; all of it, where it names no other. */
function without(text: string, { kind, checks, span, line }: Note, check: string): { readonly fix?: Fix } {
  if (checks.length > 1) return withoutName(text, span.start + text.slice(span.start, span.end).indexOf(kind) + kind.length, checks, check);
  return { fix: { description: 'delete the comment', safety: 'safe', edits: [{ span: line, text: '' }] } };
}

/** The end goes with the last of its starts, or it would end nothing. */
function withoutBlock(text: string, { check, starts, end }: Block, start: Note): { readonly fix?: Fix } {
  const own = without(text, start, check);
  if (own.fix === undefined || end?.checks.includes(check) !== true) return own;
  if (starts.length > 1) return start === starts[0] ? {} : own;
  const { fix } = without(text, end, check);
  return fix === undefined ? {} : { fix: { ...own.fix, edits: [...own.fix.edits, ...fix.edits] } };
}

export function suppressionsInComments({ text }: SourceText): ReadSuppressions {
  if (!text.includes('iptables-lint-')) return { suppressions: [], wrong: [] };
  const { notes, wrong } = notesOf(text);
  const { blocks, idle } = blocksOf(notes);
  const nameless = notes.filter(({ kind, checks }) => kind !== 'enable' && checks.length === 0);
  const of = ({ reason, until, span }: Note, check: string, covers: Span, away: { readonly fix?: Fix }): Suppression => ({ checks: [check], reason, until, span, covers, ...away });
  const suppressions = [
    ...blocks.flatMap(block => block.starts.map(note => of(note, block.check, { start: note.line.end, end: block.end?.span.start ?? text.length }, withoutBlock(text, block, note)))),
    ...notes.filter(({ kind }) => kind === 'disable-file' || kind === 'disable-next-line').flatMap(note => {
      const covers = note.kind === 'disable-file' ? { start: 0, end: text.length } : nextLine(text, note.line.end);
      return note.checks.map(check => of(note, check, covers, without(text, note, check)));
    }),
  ].toSorted((a, b) => a.span.start - b.span.start);
  return { suppressions, wrong: [...wrong, ...idle, ...nameless.map(({ kind, span }) => ({ message: 'it names no check', span, help: `name what is meant: # iptables-lint-${kind} CHECK -- reason` }))] };
}
