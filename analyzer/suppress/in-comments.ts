/** Suppressions in `#` comments: of the next line, of a block, of the file. `iptables-save` drops them: they are for files that people write. */
import type { SourceText, Span } from '../../grammar/source-text.js';
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

/** Where a block that begins with `note` ends for one check: at the next `enable` of it, or of all, or with the file. */
function blockEnd(notes: readonly Note[], note: Note, check: string, text: string): number {
  return notes.find(({ kind, checks, span }) => kind === 'enable' && span.start > note.span.start && (checks.length === 0 || checks.includes(check)))?.span.start ?? text.length;
}

function coverOf(notes: readonly Note[], note: Note, check: string, text: string): Span {
  if (note.kind === 'disable-file') return { start: 0, end: text.length };
  if (note.kind === 'disable') return { start: note.line.end, end: blockEnd(notes, note, check, text) };
  return nextLine(text, note.line.end);
}

/** An `enable` that ends nothing: what was meant to end would go on, as where a name is misspelt. */
function* idleEnds(notes: readonly Note[]): Generator<WrongSuppression, void> {
  const disabled = new Set<string>();
  for (const { kind, checks, span } of notes) {
    if (kind === 'disable') for (const check of checks) disabled.add(check);
    else if (kind === 'enable') for (const check of checks) if (!disabled.has(check)) yield { message: `${check} is not disabled before this`, span, help: 'name what an iptables-lint-disable above names' };
  }
}

export function suppressionsInComments({ text }: SourceText): ReadSuppressions {
  if (!text.includes('iptables-lint-')) return { suppressions: [], wrong: [] };
  const { notes, wrong } = notesOf(text);
  const nameless = notes.filter(({ kind, checks }) => kind !== 'enable' && checks.length === 0);
  const suppressions = notes.filter(({ kind }) => kind !== 'enable').flatMap(note => note.checks.map((check): Suppression => ({
    checks: [check], reason: note.reason, until: note.until, span: note.span, covers: coverOf(notes, note, check, text),
    ...note.checks.length > 1 ? withoutName(text, note.span.start + text.slice(note.span.start, note.span.end).indexOf(note.kind) + note.kind.length, note.checks, check) : { fix: { description: 'delete the comment', safety: 'safe', edits: [{ span: note.line, text: '' }] } },
  })));
  return { suppressions, wrong: [...wrong, ...idleEnds(notes), ...nameless.map(({ kind, span }) => ({ message: 'it names no check', span, help: `name what is meant: # iptables-lint-${kind} CHECK -- reason` }))] };
}
