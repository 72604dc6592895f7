/** Answers of a whole network to a broadcast of a local process. @see net/netfilter/nf_conntrack_broadcast.c */
import { Verdict } from '../../packet/traversal.js';
import type { HelperCall, HelperDefinition } from './helper.js';

function broadcast(name: string, port: number, timeout: number): HelperDefinition {
  return {
    name,
    protocols: [17],
    families: ['ipv4'],
    classes: [{ name, limit: 1, timeout }],
    help: call => help(call, port, timeout),
  };
}

export const netbiosNs = broadcast('netbios-ns', 137, 3);
export const snmp = broadcast('snmp', 161, 30);

function help(call: HelperCall, port: number, timeout: number): Verdict {
  const { packet, host, connection } = call;
  if (packet.owner === undefined || call.direction !== 0) return Verdict.Accept;
  const mask = host.broadcastMask?.(packet.out, packet.dst);
  if (mask === undefined || mask === 0) return Verdict.Accept;
  const { src, dst, dport, protocol } = connection.reply;
  call.expect({ src, sourceMask: mask, sport: port, dst, dport, protocol, isPermanent: true });
  call.refresh(timeout);
  return Verdict.Accept;
}
