/** Predicates made of predicates. */
import type { Predicate } from './traversal.js';

export const everyPacket: Predicate = () => true;
export const noPacket: Predicate = () => false;

export function negated(one: Predicate): Predicate {
  if (one === everyPacket) return noPacket;
  return one === noPacket ? everyPacket : t => !one(t);
}

/** All of them, asked in this order until one says no. */
export function allOf(parts: readonly Predicate[]): Predicate {
  const asked = parts.filter(part => part !== everyPacket);
  const [a, b, c] = asked;
  if (a === undefined) return everyPacket;
  if (b === undefined) return a;
  if (c === undefined) return t => a(t) && b(t);
  if (asked.length === 3) return t => a(t) && b(t) && c(t);
  return t => {
    for (const part of asked) if (!part(t)) return false;
    return true;
  };
}

/** Any of them, asked in this order until one says yes. */
export function anyOf(parts: readonly Predicate[]): Predicate {
  const asked = parts.filter(part => part !== noPacket);
  const [a, b, c] = asked;
  if (a === undefined) return noPacket;
  if (b === undefined) return a;
  if (c === undefined) return t => a(t) || b(t);
  return t => {
    for (const part of asked) if (part(t)) return true;
    return false;
  };
}
