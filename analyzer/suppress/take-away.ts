/** Edits that take a suppression out of its file. */
import type { Span } from '../../grammar/source-text.js';
import type { OptionNode } from '../../grammar/syntax.js';
import type { Fix } from '../finding.js';

const fix = (description: string, start: number, end: number): Fix => ({ description, safety: 'safe', edits: [{ span: { start, end }, text: '' }] });

/** Where the letters of `which` begin that stand before `end`. */
function behind(text: string, end: number, which: string): number {
  let start = end;
  while (start > 0 && which.includes(text.charAt(start - 1))) start--;
  return start;
}

/** One name of several, and what parts it from the others. `start`: where the first of `names` may stand. */
export function withoutName(text: string, start: number, names: readonly string[], name: string): { readonly fix?: Fix } {
  let at = start;
  for (const one of names) {
    at = text.indexOf(one, at);
    if (at === -1) return {};
    if (one === name) break;
    at += one.length;
  }
  const end = at + name.length;
  const before = /[\s,]*$/u.exec(text.slice(start, at))?.[0].length ?? 0;
  const behind = /^[\s,]*/u.exec(text.slice(end))?.[0].length ?? 0;
  return { fix: names[0] === name ? fix(`take ${name} out of the note`, at, end + behind) : fix(`take ${name} out of the note`, at - before, end) };
}

/** `-m comment --comment TEXT`, where the two options stand side by side. */
export function withoutComment(text: string, options: readonly OptionNode[], comment: OptionNode): { readonly fix?: Fix } {
  const match = options[options.indexOf(comment) - 1];
  if (match?.args[0]?.text !== 'comment') return {};
  return { fix: fix('delete the comment', behind(text, match.start, ' \t'), comment.end) };
}

/** One note of a comment that says more. */
export function withoutNote(text: string, { start, end }: Span): { readonly fix?: Fix } {
  return { fix: fix('delete the note', behind(text, start, ' \t,;'), end) };
}
