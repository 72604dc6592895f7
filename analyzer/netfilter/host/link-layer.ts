/** The link layer: for whom a frame is. */
import type { LinkType, Packet } from '../../packet/packet.js';
import type { Interface } from './interfaces.js';

/** What the frame says of itself; what is absent is as a neighbour would send it. */
export interface Frame {
  readonly source?: Uint8Array | undefined;
  readonly destination?: Uint8Array | undefined;
  readonly isBroadcast?: boolean;
}

const everybody = new Uint8Array(6).fill(0xff);
/** Of the neighbour, and of an interface about whose address nothing is said: locally administered. */
const neighbour = Uint8Array.of(2, 0, 0, 0, 0, 0xfe), unsaid = Uint8Array.of(2, 0, 0, 0, 0, 1);

function linkType(destination: Uint8Array, own: Uint8Array): LinkType {
  if (((destination[0] ?? 0) & 1) !== 0) return destination.every(byte => byte === 0xff) ? 'broadcast' : 'multicast';
  return own.every((byte, index) => byte === destination[index]) ? 'unicast' : 'otherhost';
}

/** Where frames to a multicast address go (RFC 1112, RFC 2464). */
function groupAddress(packet: Packet): Uint8Array | undefined {
  const { bytes } = packet;
  if (packet.family === 'ipv4') return packet.u8(16) >> 4 === 0xe ? Uint8Array.of(1, 0, 0x5e, packet.u8(17) & 0x7f, packet.u8(18), packet.u8(19)) : undefined;
  return packet.u8(24) === 0xff ? Uint8Array.of(0x33, 0x33, ...bytes.subarray(36, 40)) : undefined;
}

/** Gives the packet the MAC addresses and the kind that it has where it arrives. @see eth_type_trans() in net/ethernet/eth.c */
export function arriveOn(packet: Packet, device: Interface | undefined, { source, destination, isBroadcast = false }: Frame): void {
  packet.linkType = 'unicast';
  if (device?.isEthernet === false) return;
  const own = device?.mac ?? unsaid;
  packet.sourceMac = source ?? neighbour;
  packet.destinationMac = destination ?? (isBroadcast ? everybody : groupAddress(packet) ?? own);
  packet.linkType = linkType(packet.destinationMac, own);
}
