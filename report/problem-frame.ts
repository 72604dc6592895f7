/** A mistake in a text of the user's, with the place where it is. */
import pc from 'picocolors';
import { lineText, positionAt, type SourceText, type Span } from '../grammar/source-text.js';
import { frames } from './frame.js';
import type { Style } from './report.js';
import { visible } from './visible.js';

/** The message, where it was found, and the line with the place marked. */
export function* frameProblem(source: SourceText, { message, span }: { readonly message: string; readonly span: Span }, style: Style): Generator<string, void> {
  const colors = pc.createColors(style.color);
  const { line, column } = positionAt(source, span.start);
  const start = column - 1;
  const end = Math.max(start + 1, Math.min(start + span.end - span.start, lineText(source, line).length));
  const gutter = String(line).length + 1;
  const [blue, red] = [(text: string) => colors.blue(text), (text: string) => colors.red(text)];
  yield `${red(colors.bold('error'))}${colors.bold(`: ${visible(message)}`)}`;
  yield `${blue(`${' '.repeat(gutter - 1)} -->`)} ${visible(source.path)}:${String(line)}:${String(column)}`;
  yield blue(`${' '.repeat(gutter)} |`);
  yield* frames(source, [{ line, start, end, mark: '^', label: '' }], gutter, Math.min(style.width, 200), { gutter: blue, mark: red });
}
