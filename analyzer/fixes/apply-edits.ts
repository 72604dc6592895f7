/** Edits of a text, carried out. */
import type { Edit } from '../finding.js';

/** The text with all edits done; they do not overlap. Every other character stays. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  // Where something is put in before a line that goes, it comes first.
  const inOrder = [...edits].sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
  let [out, at] = ['', 0];
  for (const { span, text: own } of inOrder) {
    out += text.slice(at, span.start) + own;
    at = span.end;
  }
  return out + text.slice(at);
}

/** Whether two edits cannot both be done: they share characters, or put something in at the same place. */
export function areInConflict({ span: a }: Edit, { span: b }: Edit): boolean {
  if (a.start === a.end && b.start === b.end) return a.start === b.start;
  return a.start < b.end && b.start < a.end;
}
