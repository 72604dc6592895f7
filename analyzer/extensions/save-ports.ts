import { all, always, is, not, within, type Constraint } from '../packet/constraint.js';
import { printRange } from '../values/number-range.js';
import type { PortRange } from '../values/port.js';
import type { Given } from './define.js';

const lastPort = 65_535;

export function isEveryPort({ low, high }: PortRange): boolean {
  return low === 0 && high === lastPort;
}

/** Saves a port range under `name`. All ports at once are not saved, not even negated (`tcp_save`, libxt_tcp.c). */
export function savePorts(name: string): (given: Given<PortRange>) => string {
  return ({ negated, value }) => isEveryPort(value) ? '' : `${negated ? '! ' : ''}${name} ${printRange(value)}`;
}

/**
 * Saves a port range that iptables-nft has made an expression of its own: "not 0 to 99" is stored
 * as "above 99", and comes back as 100:65535 (`expr_gen_range_cmp16`, iptables/nft.c).
 */
export function saveNativePorts(name: string): (given: Given<PortRange>) => string {
  const save = savePorts(name);
  return given => {
    const { low, high } = given.value;
    const isAbove = given.negated && low === 0 && high > 0 && high < lastPort;
    return isAbove ? save({ negated: false, value: { low: high + 1, high: lastPort } }) : save(given);
  };
}

export interface PortsGiven {
  readonly sport?: Given<PortRange>;
  readonly dport?: Given<PortRange>;
}

function single(given: Given<PortRange> | undefined): number | undefined {
  return given !== undefined && given.value.low === given.value.high && given.value.low > 0 ? given.value.low : undefined;
}

/** The ports of `! --sport A ! --dport B`, which become one comparison of both; undefined where they do not. */
export function asOneComparison({ sport, dport }: PortsGiven): { readonly sport: number; readonly dport: number } | undefined {
  const from = single(sport);
  const to = single(dport);
  return from !== undefined && to !== undefined && sport?.negated === true && dport?.negated === true ? { sport: from, dport: to } : undefined;
}

/**
 * What ports ask where iptables-nft has made expressions of them. Two surprises: all ports negated
 * ask nothing, and `! --sport A ! --dport B` is one comparison of both, so that a packet must differ
 * in one of them and not in each (`add_nft_tcpudp`, iptables/nft.c).
 */
export function nativePortsMeaning(given: PortsGiven): Constraint {
  const pair = asOneComparison(given);
  if (pair !== undefined) return not(all([is('sport', pair.sport), is('dport', pair.dport)]));
  const part = (field: 'sport' | 'dport', one: Given<PortRange> | undefined): Constraint => {
    if (one === undefined || isEveryPort(one.value)) return always;
    const range = within(field, one.value.low, one.value.high);
    return one.negated ? not(range) : range;
  };
  return all([part('sport', given.sport), part('dport', given.dport)]);
}

/** Whether iptables-nft stores no expression for these ports at all. */
export function areNoPorts({ sport, dport }: PortsGiven): boolean {
  return (sport === undefined || isEveryPort(sport.value)) && (dport === undefined || isEveryPort(dport.value));
}
