/** What a DNAT rule publishes. */
import { protocolNumber } from '../../packet/protocols.js';
import type { Rule, Ruleset } from '../../model/ruleset.js';
import type { Rewriting } from '../../packet/rewriting.js';
import { namedPorts, type NamedPorts } from './named-ports.js';

export interface Published {
  /** Ports of the server inside. */
  readonly ports: NamedPorts;
  /** From outside they are reached by others. */
  readonly isMoved: boolean;
}

function rewritingsOf({ family, backend }: Ruleset, { target, protocol }: Rule): readonly Rewriting[] {
  if (target.kind !== 'extension' || protocol === undefined || protocol.negated || typeof protocol.value !== 'number') return [];
  const { definition, given, ordered, unresolved } = target.use;
  if (Object.keys(unresolved).length > 0) return [];
  return definition.rewrites?.(given, { family, backend, table: 'nat', protocol: { number: protocol.value, negated: false }, ordered, hook: 'PREROUTING' }) ?? [];
}

/** The ports to which a rule of table nat sends connections of TCP or UDP elsewhere; undefined where it does not, or sends all ports there. */
export function publishedBy(ruleset: Ruleset, rule: Rule): Published | undefined {
  const rewritings = rewritingsOf(ruleset, rule);
  if (!rewritings.some(one => one.kind === 'within' && one.field === 'dst')) return undefined;
  const moved = rewritings.find(one => one.kind === 'within' && one.field === 'dport');
  if (moved?.kind === 'within') return { isMoved: true, ports: { protocol: rule.protocol?.value === protocolNumber.udp ? 'udp' : 'tcp', ranges: moved.ranges } };
  const ports = namedPorts(ruleset, 'nat', rule);
  return ports === undefined ? undefined : { isMoved: false, ports };
}
