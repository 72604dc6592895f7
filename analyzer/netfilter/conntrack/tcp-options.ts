/** The TCP options that matter to tracking: window scale, SACK permitted, SACK. */
import type { Packet } from '../../packet/packet.js';
import { isAfter, SideFlag, type Side } from './tcp-flow.js';

const windowScale = 3, sackPermitted = 4, sack = 5;
/** RFC 7323. */
const maxScale = 14;

/** The place behind the header, where options end; the kernel's reader stops at an option that does not fit. */
function optionsEnd(packet: Packet): number {
  return Math.min(packet.transport + (packet.u8(packet.transport + 12) >>> 4) * 4, packet.bytes.length);
}

/** The place of the first option at or behind `from`, whole; -1 where there is none. */
function nextOption(packet: Packet, from: number, end: number): number {
  let at = from;
  while (at < end && packet.u8(at) === 1) at++;
  if (at + 2 > end || packet.u8(at) === 0) return -1;
  const size = packet.u8(at + 1);
  return size < 2 || at + size > end ? -1 : at;
}

/** Reads what a SYN says into its sender; a SYN without options leaves him as he was. @see tcp_options() in net/netfilter/nf_conntrack_proto_tcp.c */
export function readSynOptions(packet: Packet, sender: Side): void {
  const end = optionsEnd(packet);
  if (end <= packet.transport + 20) return;
  sender.scale = 0;
  sender.flags &= SideFlag.BeLiberal;
  for (let at = nextOption(packet, packet.transport + 20, end); at >= 0; at = nextOption(packet, at + packet.u8(at + 1), end)) {
    const kind = packet.u8(at), size = packet.u8(at + 1);
    if (kind === sackPermitted && size === 2) sender.flags |= SideFlag.SackPermitted;
    else if (kind === windowScale && size === 3) {
      sender.scale = Math.min(packet.u8(at + 2), maxScale);
      sender.flags |= SideFlag.WindowScale;
    }
  }
}

/** The highest right edge of a SACK block, or `ack` where none is higher. @see tcp_sack() in net/netfilter/nf_conntrack_proto_tcp.c */
export function highestSack(packet: Packet, ack: number): number {
  const end = optionsEnd(packet);
  for (let at = nextOption(packet, packet.transport + 20, end); at >= 0; at = nextOption(packet, at + packet.u8(at + 1), end)) {
    const size = packet.u8(at + 1);
    if (packet.u8(at) !== sack || size < 10 || (size - 2) % 8 !== 0) continue;
    let highest = ack;
    for (let block = at + 2; block < at + size; block += 8) {
      const right = packet.u32(block + 4);
      if (isAfter(right, highest)) highest = right;
    }
    return highest;
  }
  return ack;
}
