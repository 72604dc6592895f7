/** Mistakes in a file of the user's, framed, on stderr. */
import type { SourceText, Span } from '../grammar/source-text.js';
import { frameProblem } from '../report/problem-frame.js';
import { wantsColor, widthOf } from './color.js';
import { say } from './trouble.js';
import { stderr } from './streams.js';

export interface Problem {
  readonly message: string;
  readonly span: Span;
}

export function problemFrames(source: SourceText, problems: readonly Problem[], color: boolean | undefined): string {
  const style = { color: wantsColor(color, stderr()), width: widthOf(stderr()) };
  return problems.map(problem => `${[...frameProblem(source, problem, style)].join('\n')}\n\n`).join('');
}

export function tellProblems(source: SourceText, problems: readonly Problem[], color: boolean | undefined): void {
  if (problems.length > 0) say(problemFrames(source, problems, color));
}
