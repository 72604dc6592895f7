/** Mistakes in a file of the user's, framed, on stderr. */
import type { SourceText, Span } from '../grammar/source-text.js';
import { frameProblem } from '../report/problem-frame.js';
import { wantsColor, widthOf } from './color.js';
import { say } from './trouble.js';
import { stderr } from './streams.js';

export function tellProblems(source: SourceText, problems: readonly { readonly message: string; readonly span: Span }[], color: boolean | undefined): void {
  const style = { color: wantsColor(color, stderr()), width: widthOf(stderr()) };
  for (const problem of problems) say(`${[...frameProblem(source, problem, style)].join('\n')}\n\n`);
}
