import type { Hook, TableName } from '../../extensions/define.js';
import type { Backend, Family } from '../../values/value.js';

export interface ScenarioPlace {
  readonly family: Family;
  readonly backend: Backend;
}

/** Where a generated rule stands. */
export interface RulePlace extends ScenarioPlace {
  readonly table: TableName;
  /** The hook of a built-in chain; of a user's chain, one of those that lead to it. */
  readonly hook: Hook;
}
