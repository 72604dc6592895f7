import { everyPacket, negated } from '../packet/predicates.js';
import type { Predicate } from '../packet/traversal.js';
import type { NumberRange } from '../values/number-range.js';
import type { Backend } from '../values/value.js';
import type { Given } from './define.js';

/** What an option asks of packets, its `!` included; nothing where it is not given. */
export function asks<T>(given: Given<T> | undefined, make: (value: T) => Predicate): Predicate {
  if (given === undefined) return everyPacket;
  const test = make(given.value);
  return given.negated ? negated(test) : test;
}

/** Whether a number that was read from a packet is (with `!`: is not) what the option says; yes where it is not given. */
export function isNumber(given: Given<number> | undefined, found: number): boolean {
  if (given === undefined) return true;
  return (found === given.value) !== given.negated;
}

/** The same of a range. One that is upside down holds no number. */
export function isInRange(given: Given<NumberRange> | undefined, found: number): boolean {
  if (given === undefined) return true;
  const { negated: outside, value: { low, high } } = given;
  return (found >= low && found <= high) !== outside;
}

/**
 * What sctp and dccp answer of a packet that they drop: negated, that it matches. x_tables then counts it and goes to the target
 * before it drops the packet; nftables drops it first.
 */
export function isCounted({ negated: isNegated }: Given<unknown>, backend: Backend): boolean {
  return isNegated && backend === 'legacy';
}
