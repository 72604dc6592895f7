/** Rules that stand one behind the other and differ in a port only. */
import type { Rule } from '../../model/ruleset.js';
import { isFullRange, type NumberRange } from '../../values/number-range.js';
import { differingUse, useAt } from './runs.js';

/** As many ports as the multiport match takes; a range counts two (XT_MULTI_PORTS in linux/netfilter/xt_multiport.h). */
const mostPorts = 15;
const portMatches = new Set(['tcp', 'udp', 'udplite', 'sctp', 'dccp']);

interface OnePort {
  readonly key: 'sport' | 'dport';
  readonly range: NumberRange;
}

/** The one port, or range of ports, that is all that a match asks for. */
function portOf(rule: Rule, place: number): OnePort | undefined {
  const use = useAt(rule, place);
  if (use === undefined || !portMatches.has(use.definition.name) || Object.keys(use.unresolved).length > 0) return undefined;
  const asked = Object.entries(use.given).filter(([, given]) => given !== undefined);
  const [[key, given] = ['', undefined]] = asked;
  if (asked.length !== 1 || given === undefined || given.negated || (key !== 'sport' && key !== 'dport')) return undefined;
  const range = rangeOf(given.value);
  return range === undefined || isFullRange(range, 0xffff) ? undefined : { key, range };
}

function rangeOf(value: unknown): NumberRange | undefined {
  return typeof value === 'object' && value !== null && 'low' in value && 'high' in value && typeof value.low === 'number' && typeof value.high === 'number' ? { low: value.low, high: value.high } : undefined;
}

/** Neighbours that differ in one port. */
export interface PortRun {
  /** Of the match that asks for the port, in each of them. */
  readonly place: number;
  readonly key: OnePort['key'];
  /** The position of the first, from 1. */
  readonly position: number;
  readonly rules: readonly Rule[];
  readonly ports: readonly NumberRange[];
}

function isDisjoint(ports: readonly NumberRange[], { low, high }: NumberRange): boolean {
  return ports.every(one => one.high < low || high < one.low);
}

function slots(ports: readonly NumberRange[]): number {
  return ports.reduce((sum, { low, high }) => sum + (low === high ? 1 : 2), 0);
}

/** All such runs of two or more, each as long as one multiport match takes. No packet matches two of its rules, so that one rule for all does the same. */
export function* portRuns(rules: readonly Rule[]): Generator<PortRun, void> {
  for (let from = 0, to = 1; from + 1 < rules.length; from = to, to++) {
    const first = rules[from];
    const second = rules[from + 1];
    const place = first === undefined || second === undefined ? undefined : differingUse(first, second);
    const port = first === undefined || place === undefined ? undefined : portOf(first, place);
    if (first === undefined || place === undefined || port === undefined) continue;
    const ports = [port.range];
    for (let next = rules[to]; next !== undefined && differingUse(first, next) === place; next = rules[++to]) {
      const one = portOf(next, place);
      if (one?.key !== port.key || !isDisjoint(ports, one.range) || slots([...ports, one.range]) > mostPorts) break;
      ports.push(one.range);
    }
    yield { place, key: port.key, position: from + 1, rules: rules.slice(from, to), ports };
  }
}
