/** How open rules are, by their words: what they ask for of whoever begins a connection. */
import { ctstates, mentions, type Constraint } from '../../packet/constraint.js';
import type { Rule } from '../../model/ruleset.js';
import { conjuncts } from './conjuncts.js';

/** Whether all packets meet it that begin a connection; undefined where it asks for more than the state. */
function isForNew(constraint: Constraint): boolean | undefined {
  switch (constraint.kind) {
    case 'always': return true;
    case 'within': return constraint.field === 'ctstate' ? constraint.ranges.some(({ low, high }) => low <= ctstates.NEW && ctstates.NEW <= high) : undefined;
    case 'not': {
      const inner = isForNew(constraint.of);
      return inner === undefined ? undefined : !inner;
    }
    case 'all': return constraint.of.every(one => isForNew(one) === true) ? true : undefined;
    case 'any': return constraint.of.some(one => isForNew(one) === true) ? true : undefined;
    default: return undefined;
  }
}

/** Whether it asks for nothing. */
export function isForAll(constraint: Constraint): boolean {
  return conjuncts(constraint).every(one => one.kind === 'always' || isForOthers(one));
}

/** It is for all but some: those of an address, of a list, or lo. */
export function isForOthers(constraint: Constraint): boolean {
  return isUnlisted(constraint) || (constraint.kind === 'not' && (mentions(constraint, ['src']) || (constraint.of.kind === 'interface' && constraint.of.field === 'in' && constraint.of.name === 'lo' && !constraint.of.prefix)));
}

/** Whether whoever begins a connection meets it, if he is none of those that it leaves out. */
export function isOpen(constraint: Constraint): boolean {
  return conjuncts(constraint).every(one => isForOthers(one) || isForNew(one) === true);
}

/** It names no address, but such as it leaves out. */
export function isForAnyAddress({ source, destination, fragment }: Rule): boolean {
  return source?.negated !== false && destination === undefined && fragment === undefined;
}

/** They name no address, but such as they leave out. */
export function mayBeFromAnybody(rule: Rule): boolean {
  return rule.target.kind === 'extension' && isForAnyAddress(rule);
}

/** Rules that might be meant: they name no interface either, but lo to leave it out. */
export function mayBeOpen(rule: Rule): boolean {
  const { inInterface: given } = rule;
  return (given === undefined || (given.negated && given.value.name === 'lo' && !given.value.prefix)) && rule.outInterface === undefined && mayBeFromAnybody(rule);
}

/** An address of this host, in the words of routes. */
export function isLocal(constraint: Constraint): boolean {
  return constraint.kind === 'atom' && constraint.name === 'addrtype dst LOCAL';
}

/** Whether all packets of a protocol meet it that begin a connection: of ports it asks for any, or for a client's own. */
export function isForProtocol(constraint: Constraint, protocol: number): boolean {
  const isForThisHost = conjuncts(constraint).some(isLocal);
  return conjuncts(constraint).every(one => {
    // `--dst-type LOCAL` is no group either.
    if (isForThisHost && (isLocal(one) || (one.kind === 'not' && mentions(one, ['dst'])))) return true;
    if (mentions(one, ['protocol'])) return one.kind === 'within' && one.ranges.some(({ low, high }) => low === protocol && high === protocol);
    if (mentions(one, ['dport', 'sport'])) return one.kind === 'within' && one.ranges.some(({ low, high }) => Number(low) <= (one.field === 'dport' ? 1 : 32_768) && Number(high) === 65_535);
    return mentions(one, ['tcpFlags', 'fragment']) || isOpen(one);
  });
}

/** Whoever is on no list: anybody. */
export function isUnlisted(constraint: Constraint): boolean {
  return constraint.kind === 'not' && constraint.of.kind === 'atom' && constraint.of.name.startsWith('set ');
}
