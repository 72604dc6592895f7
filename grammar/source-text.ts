/** A half-open range of UTF-16 offsets into a source text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A rule file as read: what positions and frames are computed from. */
export interface SourceText {
  /** As the user named it; `<stdin>` for standard input. */
  readonly path: string;
  readonly text: string;
  /** The lines ended in CR alone; in `text` each is an LF. */
  readonly bareCarriageReturns?: boolean;
}

/** Line and column, both from 1; columns count UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

const lineStartsOf = new WeakMap<SourceText, Int32Array>();

function computeLineStarts(text: string): Int32Array {
  let starts = new Int32Array(Math.max(16, text.length >> 5));
  let count = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    if (count === starts.length) {
      const grown = new Int32Array(starts.length * 2);
      grown.set(starts);
      starts = grown;
    }
    starts[count++] = at + 1;
  }
  return starts.slice(0, count);
}

/** Offsets at which the lines of `source` begin; computed once per source. */
export function lineStarts(source: SourceText): Int32Array {
  let starts = lineStartsOf.get(source);
  if (starts === undefined) {
    starts = computeLineStarts(source.text);
    lineStartsOf.set(source, starts);
  }
  return starts;
}

/** The position of `offset` (0 … text length) in `source`. */
export function positionAt(source: SourceText, offset: number): Position {
  const starts = lineStarts(source);
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}

/** The text of line `line` (from 1) without its line end; '' beyond the end. */
export function lineText(source: SourceText, line: number): string {
  const starts = lineStarts(source);
  const start = starts[line - 1];
  if (start === undefined) return '';
  const end = starts[line] ?? source.text.length + 1;
  return source.text.slice(start, end - 1).replace(/\r$/u, '');
}

/**
 * Bytes to text: UTF-8 where the bytes are valid UTF-8, else Latin-1 (every byte
 * then is one character, as `iptables-restore` itself would see it).
 */
export function decodeBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  }
}
