import { everyPacket, negated } from '../packet/predicates.js';
import { hotdrop } from '../packet/transport-header.js';
import type { Predicate, Traversal } from '../packet/traversal.js';
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
 * Drops the packet, and answers as sctp and dccp do: negated, that it matches. x_tables then counts it and goes to the target before
 * it drops the packet; nftables drops it first.
 */
export function hotdropped(t: Traversal, { negated: isNegated }: Given<unknown>, backend: Backend): boolean {
  hotdrop(t);
  return isNegated && backend === 'legacy';
}
