/** Connections and their replies, as constraints on the packets of one table. */
import type { Hook } from '../../extensions/define.js';
import { all, ctstates, is, masked, not, oneOf, within, type Constraint } from '../../packet/constraint.js';
import { localPorts } from '../../packet/local-ports.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { Ruleset } from '../../model/ruleset.js';
import type { PacketSample } from '../../packet-space/answers.js';

/** The hook that the replies to packets of `hook` pass in table filter. */
export const replyHook: Partial<Record<Hook, Hook>> = { INPUT: 'OUTPUT', OUTPUT: 'INPUT', FORWARD: 'FORWARD' };

export { stepOf } from '../../witness/step.js';

const SYN = 2;
const ACK = 16;
const allFlags = 63;

/** Where no table asks NOTRACK of anything, packets are tracked: the first is NEW, replies are ESTABLISHED. */
export function hasNotrack(ruleset: Ruleset): boolean {
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
  readonly isTcp: boolean;
  /** It has no ports. */
  readonly isPing: boolean;
}

/** UDP services of which everybody expects an answer, those of names, time, directories, RPC, QUIC, RADIUS and calls among them; others may be one-way (syslog, traps, flow records). */
const answeredUdpPorts = [53, 88, 111, 123, 161, 389, 443, 500, 1194, 1812, 1813, 2049, 3478, 4500, 5060, 51_820];

/** What is asked of a rule, most telling first. */
export function exchanges(ruleset: Ruleset): readonly Exchange[] {
  const isV4 = ruleset.family === 'ipv4';
  const icmp = isV4 ? protocolNumber.icmp : protocolNumber.icmpv6;
  return [
    {
      name: 'TCP connections', anySource: false, isTcp: true, isPing: false,
      first: all([is('protocol', protocolNumber.tcp), masked('tcpFlags', SYN, allFlags), is('fragment', 0)]),
      reply: all([is('protocol', protocolNumber.tcp), masked('tcpFlags', SYN | ACK, allFlags), is('fragment', 0)]),
    },
    {
      name: 'UDP queries', anySource: true, isTcp: false, isPing: false,
      unless: all([is('protocol', protocolNumber.udp), not(oneOf('dport', answeredUdpPorts)), is('fragment', 0)]),
      first: all([is('protocol', protocolNumber.udp), oneOf('dport', answeredUdpPorts), is('fragment', 0)]),
      reply: all([is('protocol', protocolNumber.udp), oneOf('sport', answeredUdpPorts), is('fragment', 0)]),
    },
    {
      name: 'echo requests (ping)', anySource: true, isTcp: false, isPing: true,
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
export const everydayClient = { first: within('sport', localPorts.low, localPorts.high) };

/** Ports from which TCP connections are begun: what is privileged takes those from 512 on (rresvport(3)), and nobody else takes one of these. By UDP, services ask each other from their own. */
export const tcpClient = within('sport', 512, 65_535);

/** What marks the reply to a first packet of this protocol. */
export function replyMarks(sample: PacketSample): { readonly tcpFlags?: number; readonly icmpType?: number; readonly icmpCode?: number } {
  switch (sample.protocol) {
    case protocolNumber.tcp: return { tcpFlags: SYN | ACK };
    case protocolNumber.icmp: return { icmpType: 0, icmpCode: 0 };
    case protocolNumber.icmpv6: return { icmpType: 129, icmpCode: 0 };
    default: return {};
  }
}
