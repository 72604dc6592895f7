/** TFTP: the server answers a request from a port of its own. @see net/netfilter/nf_conntrack_tftp.c, nf_nat_tftp.c */
import { Verdict } from '../../packet/traversal.js';
import type { HelperCall, HelperDefinition } from './helper.js';

const Opcode = { Read: 1, Write: 2 } as const;

export const tftp: HelperDefinition = {
  name: 'tftp',
  protocols: [17],
  families: ['ipv4', 'ipv6'],
  classes: [{ name: 'tftp', limit: 1, timeout: 300 }],
  help,
};

function help(call: HelperCall): Verdict {
  const { packet, connection } = call;
  const at = packet.transport + 8;
  const opcode = at + 4 <= packet.length ? packet.u16(at) : 0;
  if (opcode !== Opcode.Read && opcode !== Opcode.Write) return Verdict.Accept;
  const { src, dst, dport } = connection.reply;
  const nat = call.isTranslated ? { direction: 1, savedPort: connection.original.sport } as const : undefined;
  return call.expect({ src, dst, dport, protocol: 17, nat }) === 'added' ? Verdict.Accept : Verdict.Drop;
}
