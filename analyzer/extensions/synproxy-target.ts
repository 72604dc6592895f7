/** What `-j SYNPROXY` does to a packet. */
import { sumOf } from '../packet/checksum.js';
import type { Packet } from '../packet/packet.js';
import { pseudoHeaderSum } from '../packet/rewrite.js';
import { Verdict, type Traversal } from '../packet/traversal.js';
import { tcpHeaderLength } from './tcp-options.js';

const fin = 1, syn = 2, rst = 4, ack = 16, tcp = 6;

/** @see nf_ip_checksum() */
function hasGoodChecksum(packet: Packet): boolean {
  if (packet.isChecksumTrusted) return true;
  return sumOf(packet.bytes, packet.transport, packet.bytes.length, pseudoHeaderSum(packet, tcp, packet.transportLength)) === 0xffff;
}

/** An acknowledgement counts if it names the number that SYNPROXY chose, which nobody else can know. */
function takeAcknowledgement(t: Traversal): Verdict {
  if (!t.unknown('whether it acknowledges the SYN cookie that SYNPROXY sent')) return Verdict.Drop;
  t.note('SYNPROXY sends a SYN of its own to the server');
  return Verdict.Stolen;
}

/**
 * A SYN is answered with a SYN/ACK and goes no further; an ACK is taken as the answer to that. All else passes.
 * @see synproxy_tg4() in net/ipv4/netfilter/ipt_SYNPROXY.c
 */
export function synproxyTarget(t: Traversal): Verdict {
  const { packet } = t;
  if (packet.fragmentOffset > 0 || tcpHeaderLength(packet) === undefined || !hasGoodChecksum(packet)) return Verdict.Drop;
  const flags = packet.tcpFlags & (fin | syn | rst | ack);
  if (flags === syn) {
    t.note('SYNPROXY answers with a SYN/ACK of its own');
    return Verdict.Stolen;
  }
  return flags === ack ? takeAcknowledgement(t) : Verdict.Continue;
}
