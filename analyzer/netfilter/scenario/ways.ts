/** All ways that packets may go where something cannot be known offline. */
import type { DetailedAnswer } from '../engine.js';

/** One way that packets may go, and what must be assumed for it. */
export interface Way {
  /** Rules of which it was assumed that they match, or that they do not, in the order in which that mattered. */
  readonly assumptions: readonly { readonly rule: string; readonly why: string; readonly assumed: 'match' | 'skip' }[];
  readonly answer: DetailedAnswer;
}

/** All ways that packets may go. */
export interface Ways {
  readonly ways: readonly Way[];
  /** There are more: the limit was reached. */
  readonly isCut: boolean;
}

/** What tells two ways apart: where the packets went, and by which rules. */
function signature({ steps }: DetailedAnswer): string {
  return JSON.stringify(steps.map(({ trail, unknown, chance, ...answer }) => answer));
}

/**
 * Runs again and again, each time with other assumptions, until all are tried. `run` is given what to assume of the first unknowns;
 * of those behind them it assumes that they do not match.
 */
export function* runs<Answer extends DetailedAnswer>(run: (decisions: readonly boolean[]) => Answer): Generator<{ readonly answer: Answer; readonly assumptions: Way['assumptions']; readonly isLast: boolean }, void> {
  const open: (readonly boolean[])[] = [[]];
  for (let decisions = open.pop(); decisions !== undefined; decisions = open.pop()) {
    const answer = run(decisions);
    const assumptions = answer.steps.flatMap(step => step.unknown ?? []);
    // The last unknown is turned first, so that ways follow each other as a person would list them.
    for (let at = decisions.length; at < assumptions.length; at++) open.push([...assumptions.slice(0, at).map(({ assumed }) => assumed === 'match'), true]);
    yield { answer, assumptions, isLast: open.length === 0 };
  }
}

/** All ways, as far as `limit` runs find them; those that are the same are told once. */
export function allWays(run: (decisions: readonly boolean[]) => DetailedAnswer, limit = 64): Ways {
  const ways = new Map<string, Way>();
  let count = 0;
  for (const { answer, assumptions, isLast } of runs(run)) {
    const key = signature(answer);
    if (!ways.has(key)) ways.set(key, { assumptions, answer });
    if (++count === limit && !isLast) return { ways: [...ways.values()], isCut: true };
  }
  return { ways: [...ways.values()], isCut: false };
}
