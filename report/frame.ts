/** Lines of a source with a gutter, and marks under the words that a message is about. */
import { lineText, type SourceText } from '../grammar/source-text.js';
import { displayWidth, graphemes } from './display-width.js';
import { visible } from './visible.js';

/** What to show of one line: columns count from 0, `end` is exclusive. */
export interface MarkedLine {
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly mark: '^' | '-';
  /** Said beside the marks. */
  readonly label: string;
}

/** One thing a terminal shows in one place: a letter with its accents, or an escape. */
interface Cell {
  readonly text: string;
  readonly width: number;
  readonly marked: boolean;
}

/** Longer lines are cut before they are split up: nobody reads 100,000 columns. */
const farthest = 2000;

/** The cells of a line, with those before and far behind the marks already cut away. */
function cellsOf(text: string, marked: MarkedLine): { cells: readonly Cell[]; cutBefore: boolean; cutAfter: boolean } {
  const from = Math.max(0, marked.start - farthest);
  const to = Math.min(text.length, marked.start + farthest);
  const cells: Cell[] = [];
  for (const { segment, index } of graphemes(text.slice(from, to))) {
    const shown = segment === '\t' ? ' ' : visible(segment);
    const at = from + index;
    cells.push({ text: shown, width: displayWidth(shown), marked: at + segment.length > marked.start && at < Math.max(marked.end, marked.start + 1) });
  }
  return { cells, cutBefore: from > 0, cutAfter: to < text.length };
}

const widthOf = (cells: readonly Cell[]): number => cells.reduce((sum, cell) => sum + cell.width, 0);

/** The cells that fit in `width`, with a bit of what stands before the marks. */
function cut(cells: readonly Cell[], width: number): readonly [number, number] {
  const firstMarked = Math.max(0, cells.findIndex(cell => cell.marked));
  const afterMarks = cells.findLastIndex(cell => cell.marked) + 1;
  const room = Math.max(10, width - 2);
  let [start, used] = [firstMarked, 0];
  const before = Math.max(Math.floor(room / 4), room - widthOf(cells.slice(firstMarked, afterMarks)) - Math.floor(room / 4));
  while (start > 0 && used + (cells[start - 1]?.width ?? 0) <= before) used += cells[--start]?.width ?? 0;
  let end = start;
  for (let all = 0; end < cells.length && all + (cells[end]?.width ?? 0) <= room; end++) all += cells[end]?.width ?? 0;
  return [start, end];
}

export interface FramePaint {
  readonly gutter: (text: string) => string;
  readonly mark: (text: string, mark: '^' | '-') => string;
}

/** The source line, cut to `width`, and the line of marks under it. */
export function markedSource(source: SourceText, marked: MarkedLine, width: number): { text: string; indent: number; marks: number } {
  const { cells, cutBefore, cutAfter } = cellsOf(lineText(source, marked.line), marked);
  const fits = !cutBefore && !cutAfter && widthOf(cells) <= width;
  const [start, end] = fits ? [0, cells.length] : cut(cells, width);
  const shown = cells.slice(start, end);
  const dotsBefore = start > 0 || cutBefore ? '…' : '';
  const dotsAfter = end < cells.length || cutAfter ? '…' : '';
  const first = shown.findIndex(cell => cell.marked);
  const indent = dotsBefore.length + widthOf(first === -1 ? shown : shown.slice(0, first));
  const marks = Math.max(1, widthOf(shown.filter(cell => cell.marked)));
  return { text: `${dotsBefore}${shown.map(cell => cell.text).join('')}${dotsAfter}`.trimEnd(), indent, marks };
}

function* frameOf(source: SourceText, marked: MarkedLine, gutter: number, width: number, paint: FramePaint): Generator<string, void> {
  const bar = paint.gutter(`${' '.repeat(gutter)} |`);
  const { text, indent, marks } = markedSource(source, marked, width - gutter - 3);
  yield `${paint.gutter(`${String(marked.line).padStart(gutter)} |`)}${text === '' ? '' : ` ${text}`}`;
  const under = `${bar} ${' '.repeat(indent)}${paint.mark(marked.mark.repeat(marks), marked.mark)}`;
  const label = visible(marked.label);
  const together = label === '' || gutter + 3 + indent + marks + 1 + displayWidth(label) <= width;
  yield label !== '' && together ? `${under} ${paint.mark(label, marked.mark)}` : under;
  if (!together) yield `${bar} ${' '.repeat(indent)}${paint.mark(label, marked.mark)}`;
}

/** All the lines in their order, with dots where lines between them are left out. */
export function* frames(source: SourceText, lines: readonly MarkedLine[], gutter: number, width: number, paint: FramePaint): Generator<string, void> {
  let last: number | undefined;
  for (const marked of [...lines].sort((a, b) => a.line - b.line)) {
    if (last !== undefined && marked.line > last + 1) yield paint.gutter('...');
    yield* frameOf(source, marked, gutter, width, paint);
    last = marked.line;
  }
}
