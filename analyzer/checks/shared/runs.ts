/** Rules that stand one behind the other and differ in one thing only. */
import type { Use } from '../../extensions/use.js';
import { isOpaque, isUnresolved, type MatchUse, type Rule, type RuleTarget } from '../../model/ruleset.js';
import type { AddressMask } from '../../values/address-mask.js';

export type Differing = 'source' | 'destination';

/** Neighbours that differ in one of their addresses. */
export interface AddressRun {
  readonly field: Differing;
  /** The position of the first, from 1. */
  readonly position: number;
  readonly rules: readonly Rule[];
  readonly addresses: readonly AddressMask[];
}

function isSameTarget(a: RuleTarget, b: RuleTarget): boolean {
  if (a.kind === 'chain') return b.kind === 'chain' && a.name === b.name && a.goto === b.goto;
  return a.kind === b.kind && (!('use' in a) || !('use' in b) || a.use === b.use);
}

function isSameGiven(a: Rule['inInterface'], b: Rule['inInterface']): boolean {
  return a === b || (a?.negated === b?.negated && a?.value.name === b?.value.name && a?.value.prefix === b?.value.prefix);
}

function isSameAddress(a: Rule['source'], b: Rule['source']): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (isUnresolved(a.value) || isUnresolved(b.value)) return false;
  return a.negated === b.negated && a.value.address === b.value.address && a.value.mask === b.value.mask;
}

/** Everything but addresses and matches. Uses that say the same are one and the same object. */
export function isSameElse(a: Rule, b: Rule): boolean {
  return isSameTarget(a.target, b.target) && a.protocol?.value === b.protocol?.value && a.protocol?.negated === b.protocol?.negated
    && isSameGiven(a.inInterface, b.inInterface) && isSameGiven(a.outInterface, b.outInterface) && a.fragment?.negated === b.fragment?.negated
    && a.matches.length === b.matches.length;
}

export function areSameAddresses(a: Rule, b: Rule): boolean {
  return isSameAddress(a.source, b.source) && isSameAddress(a.destination, b.destination);
}

function isSameUses(a: readonly MatchUse[], b: readonly MatchUse[]): boolean {
  return a.every((use, i) => use === b[i] && !isOpaque(use));
}

function plainAddress(given: Rule['source']): AddressMask | undefined {
  return given === undefined || given.negated || isUnresolved(given.value) ? undefined : given.value;
}

/** In which address alone two rules differ. */
function differenceOf(a: Rule, b: Rule): Differing | undefined {
  // What could not be read may do anything between the two.
  if (!isSameElse(a, b) || !isSameUses(a.matches, b.matches)) return undefined;
  const [source, destination] = [isSameAddress(a.source, b.source), isSameAddress(a.destination, b.destination)];
  if (source === destination) return undefined;
  const field = source ? 'destination' : 'source';
  return plainAddress(a[field]) === undefined || plainAddress(b[field]) === undefined ? undefined : field;
}

/** All such runs of two or more, in the order of the chain. */
export function* addressRuns(rules: readonly Rule[]): Generator<AddressRun, void> {
  let from = 0;
  while (from + 1 < rules.length) {
    const [first, second] = [rules[from], rules[from + 1]];
    const field = first === undefined || second === undefined ? undefined : differenceOf(first, second);
    let to = from + 1;
    for (let next = rules[to]; field !== undefined && first !== undefined && next !== undefined && differenceOf(first, next) === field; next = rules[to]) to++;
    const some = rules.slice(from, to);
    if (field !== undefined) yield { field, position: from + 1, rules: some, addresses: some.flatMap(rule => plainAddress(rule[field]) ?? []) };
    from = to;
  }
}

/** The only match in which two rules of the same addresses differ, where it stands at the same place in both. */
export function differingUse(a: Rule, b: Rule): number | undefined {
  if (!isSameElse(a, b) || !areSameAddresses(a, b)) return undefined;
  const places = a.matches.flatMap((use, i) => use === b.matches[i] ? [] : [i]);
  return places.length === 1 ? places[0] : undefined;
}

export function useAt({ matches }: Rule, place: number): Use | undefined {
  const use = matches[place];
  return use === undefined || isOpaque(use) ? undefined : use;
}
