/** Routing rules: which table is asked, for which packet. */
import { maskAddress, prefixMask, type Address } from '../../values/address.js';
import type { Family } from '../../values/value.js';
import { failures, type Flow, type Lookup } from './flow.js';
import type { Interfaces } from './interfaces.js';
import type { Prefix, RoutingRule, Span } from './route.js';

type Test = (flow: Flow) => boolean;

interface CompiledRule {
  readonly rule: RoutingRule;
  readonly holds: Test;
}

function prefixTest(prefix: Prefix, family: Family, of: (flow: Flow) => Address): Test {
  const mask = prefixMask(prefix.length, family);
  const network = maskAddress(prefix.address, mask);
  return flow => maskAddress(of(flow), mask) === network;
}

const lies = ({ low, high }: Span, value: number): boolean => value >= low && value <= high;

/** In IPv4 the ECN bits and the old precedence bits do not count (INET_DSCP_LEGACY_TOS_MASK); in IPv6 all but ECN do. */
export const tosMask: Readonly<Record<Family, number>> = { ipv4: 0x1c, ipv6: 0xfc };

/** @see fib_rule_match() in net/core/fib_rules.c, fib4_rule_match(), fib6_rule_match() */
function compile(rule: RoutingRule, family: Family): CompiledRule {
  const { from, to, mark, tos, protocol, sport, dport, uids, inverted } = rule;
  const tests: Test[] = [];
  if (rule.in !== undefined) tests.push(flow => flow.in === rule.in);
  if (rule.out !== undefined) tests.push(flow => flow.out === rule.out);
  if (mark !== undefined) tests.push(flow => ((flow.mark ^ mark.value) & mark.mask) === 0);
  if (uids !== undefined) tests.push(flow => lies(uids, flow.uid));
  if (from !== undefined) tests.push(prefixTest(from, family, flow => flow.source));
  if (to !== undefined) tests.push(prefixTest(to, family, flow => flow.destination));
  if (tos !== 0) tests.push(flow => tos === (flow.tos & tosMask[family]));
  if (protocol !== undefined && protocol !== 0) tests.push(flow => flow.protocol === protocol);
  if (sport !== undefined) tests.push(flow => lies(sport, flow.sport));
  if (dport !== undefined) tests.push(flow => lies(dport, flow.dport));
  return { rule, holds: tests.length === 0 ? () => !inverted : flow => tests.every(test => test(flow)) !== inverted };
}

export class RoutingPolicy {
  /** Some rule asks for a protocol or ports (`fib_rules_require_fldissect`). */
  readonly asksPorts: boolean;
  /** Somebody has changed the rules (`fib_has_custom_rules`). */
  readonly isCustom: boolean;
  readonly #rules: readonly CompiledRule[];
  readonly #interfaces: Interfaces;

  constructor(rules: readonly RoutingRule[], family: Family, interfaces: Interfaces) {
    this.#rules = rules.map(rule => compile(rule, family));
    this.#interfaces = interfaces;
    this.asksPorts = rules.some(rule => rule.protocol !== undefined || rule.sport !== undefined || rule.dport !== undefined);
    const names = rules.map(rule => rule.action.kind === 'lookup' ? rule.action.table : rule.action.kind).join();
    this.isCustom = names !== 'local,main,default' && names !== 'local,main';
  }

  /** @see fib_rules_lookup() in net/core/fib_rules.c. `find` asks a table; undefined sends on to the next rule. */
  lookup(flow: Flow, find: (table: string, flow: Flow) => Lookup): Exclude<Lookup, undefined> {
    for (let at = 0; at < this.#rules.length; at++) {
      const { rule, holds } = this.#rules[at] as CompiledRule;
      if (!holds(flow)) continue;
      const { action } = rule;
      switch (action.kind) {
        case 'goto': {
          const target = this.#rules.findIndex(other => other.rule.priority === action.priority);
          // Rules go forward only; one without its target is passed over.
          if (target > at) at = target - 1;
          break;
        }
        case 'nop': break;
        case 'blackhole': return failures.blackhole;
        case 'unreachable': return failures.unreachableByRule;
        case 'prohibit': return failures.prohibit;
        case 'lookup': {
          const answer = find(action.table, flow);
          if (answer !== undefined && !this.#isSuppressed(rule, answer)) return answer;
        }
      }
    }
    return failures.noRoute;
  }

  /** @see fib4_rule_suppress() */
  #isSuppressed({ suppressLength, suppressGroup }: RoutingRule, answer: Exclude<Lookup, undefined>): boolean {
    if ('kind' in answer) return false;
    if (suppressLength !== undefined && answer.route.length <= suppressLength) return true;
    return suppressGroup !== undefined && this.#interfaces.get(answer.hop.device)?.group === suppressGroup;
  }
}
