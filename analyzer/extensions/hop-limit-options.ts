import { never, within } from '../packet/constraint.js';
import { integer } from '../values/number.js';
import { option, type OptionDefinition } from './define.js';

export interface HopLimitOptions extends Record<string, OptionDefinition<number>> {
  readonly eq: OptionDefinition<number>;
  readonly lt: OptionDefinition<number>;
  readonly gt: OptionDefinition<number>;
}

/** The options of `ttl` and `hl`: the same match under two names, for the two families. */
export function hopLimitOptions(name: 'ttl' | 'hl', what: string): HopLimitOptions {
  return {
    eq: option({
      names: [`--${name}-eq`, `--${name}`], doc: `${what} is this`, value: integer(0, 255), negatable: true, excludes: ['lt', 'gt'],
      means: value => within('ttl', value, value),
    }),
    lt: option({
      names: [`--${name}-lt`], doc: `${what} is below this`, value: integer(0, 255), excludes: ['eq', 'gt'],
      means: value => value === 0 ? never : within('ttl', 0, value - 1),
    }),
    gt: option({
      names: [`--${name}-gt`], doc: `${what} is above this`, value: integer(0, 255), excludes: ['eq', 'lt'],
      means: value => within('ttl', value + 1, 255),
    }),
  };
}
