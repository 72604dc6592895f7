/** Neighbouring rules whose addresses have no gap between them. */
import type { Rule } from '../../model/ruleset.js';
import { fullMask, prefixLength, prefixMask, type Address } from '../../values/address.js';
import type { AddressMask } from '../../values/address-mask.js';
import type { IpRange } from '../../values/ip-range.js';
import type { Family } from '../../values/value.js';
import type { AddressRun } from './runs.js';

interface Part {
  readonly rule: Rule;
  readonly position: number;
  readonly low: bigint;
  readonly high: bigint;
}

/** Rules of a run whose networks, side by side, are all addresses of a range. */
export interface Adjacent {
  /** In the order of the chain; not always one right behind the other. */
  readonly rules: readonly { readonly rule: Rule; readonly position: number }[];
  readonly range: IpRange;
  /** The range, where it is one network. */
  readonly network: AddressMask | undefined;
  /** Single addresses, every one of them. */
  readonly isHosts: boolean;
}

/** First and last address; undefined for a mask that is no prefix. */
function partOf(family: Family, { position, rules, addresses }: AddressRun, index: number): Part | undefined {
  const [rule, given] = [rules[index], addresses[index]];
  if (rule === undefined || given === undefined || prefixLength(given.mask) === undefined) return undefined;
  const low = BigInt(given.address);
  return { rule, position: position + index, low, high: low + BigInt(fullMask(family)) - BigInt(given.mask) };
}

function joined(family: Family, parts: readonly Part[], low: bigint, high: bigint): Adjacent {
  const own = (value: bigint): Address => family === 'ipv4' ? Number(value) : value;
  const size = high - low + 1n;
  const isNetwork = (size & (size - 1n)) === 0n && low % size === 0n;
  const mask = prefixMask((family === 'ipv4' ? 32 : 128) - (size.toString(2).length - 1), family);
  return {
    rules: [...parts].sort((a, b) => a.position - b.position),
    range: { low: own(low), high: own(high) },
    network: isNetwork ? { address: own(low), mask, hostBits: false } : undefined,
    isHosts: parts.every(one => one.low === one.high),
  };
}

/** The longest such groups of a run, of two rules or more, by their addresses. Those that overlap are none: of them, one is shadowed or a packet meets two. */
export function* adjacentIn(family: Family, run: AddressRun): Generator<Adjacent, void> {
  const sorted = run.rules.flatMap((_, i) => partOf(family, run, i) ?? []).sort((a, b) => a.low < b.low ? -1 : a.low > b.low ? 1 : a.position - b.position);
  let group: Part[] = [];
  for (const [i, part] of sorted.entries()) {
    group.push(part);
    const next = sorted[i + 1];
    if (next?.low === part.high + 1n) continue;
    const [first] = group;
    if (first !== undefined && group.length > 1) yield joined(family, group, first.low, part.high);
    group = [];
  }
}
