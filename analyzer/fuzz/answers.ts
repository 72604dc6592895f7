/** What properties ask of the answer to a packet. */
import type { DetailedStep } from '../netfilter/engine.js';

/** It arrived, or went on. */
export function isThrough({ verdict }: DetailedStep): boolean {
  return verdict === 'delivered' || verdict.startsWith('forwarded ') || verdict.startsWith('sent ');
}

/** Rules or policies took it, and not the kernel for reasons of its own. */
export function isLostByRules(answer: DetailedStep): boolean {
  return !isThrough(answer) && answer.by !== null && !answer.by.startsWith('kernel: ');
}

/** It does not hang on anything that cannot be known. */
export function isSure({ unknown = [] }: DetailedStep): boolean {
  return unknown.length === 0;
}

/** `dropped by the policy of filter INPUT` */
export function lossOf({ verdict, by }: DetailedStep): string {
  const who = (by ?? '').replace(/^(\w+):(\w+):policy$/u, 'the policy of $1 $2');
  return `${verdict === 'drop' ? 'dropped' : 'rejected'} by ${who}`;
}

/** The rule or policy that let it pass: the last of table filter, or of all where there is none. */
export function letInBy({ path }: DetailedStep): string {
  const by = path.findLast(one => one.startsWith('filter:')) ?? path.at(-1);
  return by === undefined ? 'no rule takes it' : `${by.replace(/^(\w+):(\w+):policy$/u, 'the policy of $1 $2')} lets it pass`;
}
