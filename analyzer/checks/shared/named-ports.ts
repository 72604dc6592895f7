/** Which ports a rule opens by naming them. */
import type { Constraint, Range } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import { isOpaque, type Rule, type Ruleset } from '../../model/ruleset.js';
import { meaningOf } from '../../extensions/use.js';

/** Destination ports of TCP or UDP. */
export interface NamedPorts {
  readonly protocol: 'tcp' | 'udp';
  readonly ranges: readonly Range[];
}

const last = 65_535;

/** Outside of the ranges, which do not overlap. */
function otherThan(ranges: readonly Range[]): readonly Range[] {
  const sorted = ranges.map(({ low, high }) => ({ low: Number(low), high: Number(high) })).sort((a, b) => a.low - b.low);
  const out: Range[] = [];
  let from = 0;
  for (const { low, high } of sorted) {
    if (low > from) out.push({ low: from, high: low - 1 });
    from = Math.max(from, high + 1);
  }
  return from > last ? out : [...out, { low: from, high: last }];
}

function isSourcePort(constraint: Constraint): boolean {
  return constraint.kind === 'within' && constraint.field === 'sport';
}

/** What a match says of the destination port, by itself; undefined where it says nothing, or nothing so simple. */
function portsOf(constraint: Constraint): readonly Range[] | undefined {
  switch (constraint.kind) {
    case 'within': return constraint.field === 'dport' ? constraint.ranges : undefined;
    case 'not': {
      const ranges = portsOf(constraint.of);
      return ranges === undefined ? undefined : otherThan(ranges);
    }
    case 'all': return constraint.of.map(portsOf).find(one => one !== undefined);
    case 'any': {
      const parts = constraint.of.flatMap(one => portsOf(one) ?? []);
      // `--ports`: the source port is the sender's to choose, so that the other half is what counts.
      return parts.length > 0 && constraint.of.every(one => portsOf(one) !== undefined || isSourcePort(one)) ? parts : undefined;
    }
    default: return undefined;
  }
}

const names: ReadonlyMap<number, NamedPorts['protocol']> = new Map([[protocolNumber.tcp, 'tcp'], [protocolNumber.udp, 'udp']]);

/** The ports of a rule that names some of them, and not all; else undefined. */
export function namedPorts({ family, backend }: Ruleset, table: string, { protocol, matches }: Rule): NamedPorts | undefined {
  if (protocol === undefined || protocol.negated || typeof protocol.value !== 'number') return undefined;
  const name = names.get(protocol.value);
  if (name === undefined) return undefined;
  const number = { number: protocol.value, negated: false };
  for (const use of matches) {
    const ranges = isOpaque(use) ? undefined : portsOf(meaningOf(use, { family, backend, table, protocol: number, ordered: use.ordered }));
    if (ranges !== undefined) return ranges.some(({ low, high }) => Number(low) <= 1 && Number(high) === last) ? undefined : { protocol: name, ranges };
  }
  return undefined;
}

/** The few ports that a rule for nearly all others leaves out: `! --dports 22,3306`. */
export function sparedPorts(ruleset: Ruleset, table: string, rule: Rule): NamedPorts | undefined {
  const named = namedPorts(ruleset, table, rule);
  if (named === undefined || countOf(named) <= last / 2) return undefined;
  return { protocol: named.protocol, ranges: otherThan(named.ranges).filter(({ high }) => Number(high) > 0) };
}

/** Whether any of the ports from … to is among them. */
export function namesAny({ ranges }: NamedPorts, from: number, to: number): boolean {
  for (const { low, high } of ranges) if (from <= Number(high) && to >= Number(low)) return true;
  return false;
}

/** Those of the ports from … to that are among them. */
export function portsWithin({ ranges }: NamedPorts, from: number, to: number): readonly number[] {
  return ranges.flatMap(({ low, high }) => {
    const [first, end] = [Math.max(from, Number(low)), Math.min(to, Number(high))];
    return Array.from({ length: Math.max(0, end - first + 1) }, (_, i) => first + i);
  });
}

/** How many they are. */
export function countOf({ ranges }: NamedPorts): number {
  return ranges.reduce((sum, { low, high }) => sum + Number(high) - Number(low) + 1, 0);
}
