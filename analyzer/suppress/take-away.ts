/** Edits that take a suppression out of its file. */
import type { Fix } from '../finding.js';

const fix = (description: string, start: number, end: number): Fix => ({ description, safety: 'safe', edits: [{ span: { start, end }, text: '' }] });

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

/** The note at the end of a rule's comment; the comment, too, where there is nothing else in it. */
export function withoutNote(text: string, rule: { readonly start: number }, start: number, end: number): { readonly fix?: Fix } {
  const before = text.slice(rule.start, start);
  const option = /-m\s+comment\s+--comment\s+(["']?)$/u.exec(before);
  if (option !== null) {
    const behind = text.slice(end).search(/[^\s]/u);
    const quote = option[1] ?? '';
    const close = quote === '' ? end : text.indexOf(quote, end) + 1;
    return behind === -1 ? {} : { fix: fix('delete the comment', rule.start + option.index, close + (/^[ \t]*/u.exec(text.slice(close))?.[0].length ?? 0)) };
  }
  // The first in a comment whose `-m comment` stands elsewhere.
  if (/--comment\s+["']?$/u.test(before)) return {};
  return { fix: fix('delete the note', start - (/[\s,;]*$/u.exec(before)?.[0].length ?? 0), end) };
}
