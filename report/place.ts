/** Where a span is, as programs want it. */
import { positionAt, type SourceText, type Span } from '../grammar/source-text.js';

export interface Place {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** Lines and columns count from 1; columns count UTF-16 units; the end is exclusive. */
export function placeOf(source: SourceText, span: Span): Place {
  const start = positionAt(source, span.start);
  const end = positionAt(source, span.end);
  return { line: start.line, column: start.column, endLine: end.line, endColumn: end.column };
}
