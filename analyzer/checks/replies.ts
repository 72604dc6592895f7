/** Connections and their replies, as constraints on the packets of one table. */
import type { Hook } from '../extensions/define.js';
import { meaningOf } from '../extensions/use.js';
import { all, always, any, ctstates, is, masked, never, not, oneOf, within, type Constraint, type Field } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { isOpaque, isUnresolved, type Rule, type Ruleset } from '../model/ruleset.js';
import type { PacketSample } from '../packet-space/answers.js';
import { prefixLength, prefixMask } from '../values/address.js';
import type { AddressMask } from '../values/address-mask.js';
import type { RuleContext } from '../extensions/define.js';

/** The hook that the replies to packets of `hook` pass in table filter. */
export const replyHook: Partial<Record<Hook, Hook>> = { INPUT: 'OUTPUT', OUTPUT: 'INPUT', FORWARD: 'FORWARD' };

export { stepOf } from '../witness/step.js';

const SYN = 2;
const ACK = 16;
const allFlags = 63;

/** Where no table asks NOTRACK of anything, packets are tracked: the first is NEW, replies are ESTABLISHED. */
function hasNotrack(ruleset: Ruleset): boolean {
  for (const chain of ruleset.tables.get('raw')?.chains.values() ?? []) {
    for (const { target } of chain.rules) if (target.kind === 'opaque' || (target.kind === 'extension' && target.use.definition.changes?.includes('state') === true)) return true;
  }
  return false;
}

/** The states that a first packet, and a reply, can be in. */
export function statesOf(ruleset: Ruleset): { readonly first: Constraint; readonly reply: Constraint } {
  if (!hasNotrack(ruleset)) return { first: is('ctstate', ctstates.NEW), reply: is('ctstate', ctstates.ESTABLISHED) };
  return { first: oneOf('ctstate', [ctstates.NEW, ctstates.UNTRACKED]), reply: oneOf('ctstate', [ctstates.ESTABLISHED, ctstates.UNTRACKED, ctstates.INVALID, ctstates.NEW]) };
}

/** A kind of exchange: how its first packet and the reply to it look, apart from addresses. */
export interface Exchange {
  readonly name: string;
  readonly first: Constraint;
  readonly reply: Constraint;
  /** The reply may come from another address than was asked: a broadcast or multicast is answered by a host. */
  readonly anySource: boolean;
  /** A rule that lets these in as well is not about such exchanges: who knows whether it expects an answer. */
  readonly unless?: Constraint;
}

/** UDP services of which everybody expects an answer; others may be one-way (syslog, traps, flow records). */
const answeredUdpPorts = [53, 123, 161, 500, 1194, 3478, 4500, 51_820];

/** What is asked of a rule, most telling first. */
export function exchanges(ruleset: Ruleset): readonly Exchange[] {
  const isV4 = ruleset.family === 'ipv4';
  const icmp = isV4 ? protocolNumber.icmp : protocolNumber.icmpv6;
  return [
    {
      name: 'TCP connections', anySource: false,
      first: all([is('protocol', protocolNumber.tcp), masked('tcpFlags', SYN, allFlags), is('fragment', 0)]),
      reply: all([is('protocol', protocolNumber.tcp), masked('tcpFlags', SYN | ACK, allFlags), is('fragment', 0)]),
    },
    {
      name: 'UDP queries', anySource: true,
      unless: all([is('protocol', protocolNumber.udp), not(oneOf('dport', answeredUdpPorts)), is('fragment', 0)]),
      first: all([is('protocol', protocolNumber.udp), oneOf('dport', answeredUdpPorts), is('fragment', 0)]),
      reply: all([is('protocol', protocolNumber.udp), oneOf('sport', answeredUdpPorts), is('fragment', 0)]),
    },
    {
      name: 'echo requests (ping)', anySource: true,
      first: all([is('protocol', icmp), is('icmpType', isV4 ? 8 : 128), is('icmpCode', 0), is('fragment', 0)]),
      reply: all([is('protocol', icmp), is('icmpType', isV4 ? 0 : 129), is('icmpCode', 0), is('fragment', 0)]),
    },
  ];
}

/** What comes in or goes out on lo never leaves the host, so its replies are no matter of the other side. */
export const notLoopback: Constraint = all([
  not({ kind: 'interface', field: 'in', name: 'lo', prefix: false }), not({ kind: 'interface', field: 'out', name: 'lo', prefix: false }),
]);

/** Client ports that operating systems choose by themselves. */
export const everydayClient = { first: within('sport', 32_768, 60_999), reply: within('dport', 32_768, 60_999) };

const mirrored: Partial<Record<Field, Field>> = { src: 'dst', dst: 'src', sport: 'dport', dport: 'sport', in: 'out', out: 'in', protocol: 'protocol' };

/**
 * What is known of the replies to packets that meet `constraint`: addresses, ports and interfaces
 * exchanged. What a reply need not share (flags, length, marks …) is left open, so the answer
 * covers every reply, and maybe more. `positive` is false under a negation, where it must cover less.
 */
export function mirror(constraint: Constraint, anySource = false, positive = true): Constraint {
  const open = positive ? always : never;
  switch (constraint.kind) {
    case 'always': case 'never': return constraint;
    case 'within': case 'masked': {
      const field = mirrored[constraint.field];
      return field === undefined || (anySource && field === 'src') ? open : { ...constraint, field };
    }
    case 'interface': return { ...constraint, field: constraint.field === 'in' ? 'out' : 'in' };
    case 'not': return not(mirror(constraint.of, anySource, !positive));
    case 'all': return all(constraint.of.map(one => mirror(one, anySource, positive)));
    case 'any': return any(constraint.of.map(one => mirror(one, anySource, positive)));
    case 'atom': case 'unknown': return open;
  }
}

function addresses(field: 'src' | 'dst', { address, mask }: AddressMask): Constraint {
  if (typeof address === 'number' && typeof mask === 'number') {
    const length = prefixLength(mask);
    if (length === undefined) return { kind: 'masked', field, value: address, mask };
    return within(field, address, address + (0xffff_ffff - Number(prefixMask(length, 'ipv4'))));
  }
  const [low, bits] = [BigInt(address), BigInt(mask)];
  if (prefixLength(bits) === undefined) return { kind: 'masked', field, value: low, mask: bits };
  return within(field, low, low | (((1n << 128n) - 1n) ^ bits));
}

function negate(negated: boolean, constraint: Constraint): Constraint {
  return negated ? not(constraint) : constraint;
}

/** Everything that a rule asks of a packet. */
export function ruleConstraint(ruleset: Ruleset, rule: Rule, table: string): Constraint {
  const { source, destination, inInterface, outInterface, protocol, fragment } = rule;
  const known = protocol === undefined || typeof protocol.value !== 'number' ? undefined : { number: protocol.value, negated: protocol.negated };
  const cx: RuleContext = { family: ruleset.family, backend: ruleset.backend, protocol: known, table, ordered: [] };
  return all([
    ...source === undefined || isUnresolved(source.value) ? [] : [negate(source.negated, addresses('src', source.value))],
    ...destination === undefined || isUnresolved(destination.value) ? [] : [negate(destination.negated, addresses('dst', destination.value))],
    ...inInterface === undefined ? [] : [negate(inInterface.negated, { kind: 'interface', field: 'in', ...inInterface.value } as const)],
    ...outInterface === undefined ? [] : [negate(outInterface.negated, { kind: 'interface', field: 'out', ...outInterface.value } as const)],
    ...known === undefined ? [] : [negate(known.negated, is('protocol', known.number))],
    ...fragment === undefined ? [] : [is('fragment', fragment.negated ? 0 : 1)],
    ...rule.matches.flatMap(use => isOpaque(use) ? [] : [meaningOf(use, cx)]),
  ]);
}

/** What marks the reply to a first packet of this protocol. */
export function replyMarks(sample: PacketSample): { readonly tcpFlags?: number; readonly icmpType?: number; readonly icmpCode?: number } {
  switch (sample.protocol) {
    case protocolNumber.tcp: return { tcpFlags: SYN | ACK };
    case protocolNumber.icmp: return { icmpType: 0, icmpCode: 0 };
    case protocolNumber.icmpv6: return { icmpType: 129, icmpCode: 0 };
    default: return {};
  }
}
