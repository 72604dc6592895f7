/** Whether packets can have a fate. */
import type { Constraint } from '../../packet/constraint.js';
import { fateGoal } from './goals.js';
import type { Pipeline } from './passes.js';
import { partsOf } from './parts.js';
import { solve, solveBudget, type Solved, type SolveBudget } from './solve.js';
import type { Path } from './stages.js';

/** Whether some packet of `packets` that comes along the path gets through it, or is dropped on it. */
export function fate(pipeline: Pipeline, path: Path, packets: Constraint, wanted: 'accept' | 'drop', budget: SolveBudget = solveBudget()): Solved {
  return solve(pipeline, fateGoal(path, wanted), partsOf(pipeline, path, packets), budget);
}
