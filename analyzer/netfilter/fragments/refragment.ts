/** Taking apart on output what is too large, or what was put together on input. */
import { Packet } from '../../packet/packet.js';
import { put16 } from '../../packet/put.js';
import { setHeaderChecksum } from '../../packet/rewrite.js';
import { fragmentablePart } from './ipv6-fragment-header.js';

const smallestIpv6Mtu = 1280;

/**
 * Must a router refuse the packet (ICMP fragmentation needed, packet too big) before FORWARD? `mtu` is the outgoing interface's, in bytes.
 * @see ip_exceeds_mtu() in net/ipv4/ip_forward.c, ip6_pkt_too_big() in net/ipv6/ip6_output.c
 */
export function exceedsMtu(packet: Packet, mtu: number): boolean {
  const limit = packet.family === 'ipv6' ? Math.max(mtu, smallestIpv6Mtu) : mtu;
  if (packet.length <= limit) return false;
  if (packet.family === 'ipv4' && !packet.dontFragment) return false;
  return packet.largestFragment === 0 || packet.largestFragment > limit;
}

/**
 * What leaves the interface behind POSTROUTING. A reassembled packet leaves in the pieces in which it came, where they still fit.
 * `identification` is for IPv6, where the kernel draws a new one. `too big`: nothing leaves, and the sender is told.
 * @see ip_finish_output(), ip_do_fragment() in net/ipv4/ip_output.c, ip6_fragment() in net/ipv6/ip6_output.c
 */
export function refragment(packet: Packet, mtu: number, identification = 0): readonly Packet[] | 'too big' {
  return packet.family === 'ipv4' ? refragment4(packet, mtu) : refragment6(packet, mtu, identification);
}

function refragment4(packet: Packet, mtu: number): readonly Packet[] | 'too big' {
  const { largestFragment, length, transport } = packet;
  if (length <= mtu && largestFragment === 0) return [packet];
  if (packet.dontFragment && (largestFragment === 0 || largestFragment > mtu)) return 'too big';
  const space = Math.min(mtu, largestFragment === 0 ? mtu : largestFragment) - transport;
  const kept = keptSizes(packet, transport, space);
  const sizes = kept ?? cut(length - transport, space);
  if (sizes === undefined) return 'too big';
  // In the pieces in which it came DF is lost; cut anew it is kept.
  const df = kept === undefined && packet.dontFragment ? 0x4000 : 0;
  const start = packet.fragmentOffset;
  return pieces(packet, transport, sizes, (bytes, offset, isLast) => {
    const total = bytes.length;
    put16(bytes, 2, total);
    put16(bytes, 6, ((start + offset) >> 3) | df | (isLast && !packet.moreFragments ? 0 : 0x2000));
    if (start + offset > 0) blankUncopiedOptions(bytes, transport);
    return bytes;
  });
}

function refragment6(packet: Packet, mtu: number, identification: number): readonly Packet[] | 'too big' {
  const { largestFragment, length } = packet;
  if (length <= mtu && (largestFragment === 0 || length <= largestFragment)) return [packet];
  const part = fragmentablePart(packet);
  if (part === undefined || (largestFragment === 0 && length > mtu) || largestFragment > mtu) return 'too big';
  const space = Math.max(largestFragment, smallestIpv6Mtu) - part.at - 8;
  const sizes = keptSizes(packet, part.at, space) ?? cut(length - part.at, space);
  if (sizes === undefined) return 'too big';
  const next = packet.u8(part.namedAt);
  return pieces(packet, part.at, sizes, (bytes, offset, isLast) => {
    const whole = new Uint8Array(bytes.length + 8);
    whole.set(bytes.subarray(0, part.at));
    whole.set(bytes.subarray(part.at), part.at + 8);
    whole[part.namedAt] = 44;
    whole[part.at] = next;
    put16(whole, part.at + 2, offset | (isLast ? 0 : 1));
    put16(whole, part.at + 4, identification >>> 16);
    put16(whole, part.at + 6, identification & 0xffff);
    put16(whole, 4, whole.length - 40);
    return whole;
  });
}

/** Payload sizes of the pieces in which it came; undefined where they do not fit any more. */
function keptSizes(packet: Packet, header: number, space: number): readonly number[] | undefined {
  const [first, ...later] = packet.fragmentSizes;
  if (first === undefined || later.length === 0) return undefined;
  const sizes = [first - header, ...later];
  const total = sizes.reduce((sum, size) => sum + size, header);
  const fit = sizes.every((size, index) => size > 0 && size <= space && (size % 8 === 0 || index === sizes.length - 1));
  return fit && total === packet.length ? sizes : undefined;
}

/** Sizes for `length` bytes of payload where `space` go into each; all but the last are multiples of 8. */
function cut(length: number, space: number): readonly number[] | undefined {
  if (length <= space) return [length];
  const size = space & ~7;
  if (size <= 0) return undefined;
  const sizes: number[] = [];
  let left = length;
  for (; left > space; left -= size) sizes.push(size);
  sizes.push(left);
  return sizes;
}

function pieces(
  packet: Packet, header: number, sizes: readonly number[],
  finish: (bytes: Uint8Array, offset: number, isLast: boolean) => Uint8Array,
): readonly Packet[] {
  let offset = 0;
  return sizes.map((size, index) => {
    const bytes = new Uint8Array(header + size);
    bytes.set(packet.bytes.subarray(0, header));
    bytes.set(packet.bytes.subarray(header + offset, header + offset + size), header);
    const piece = Object.assign(new Packet(packet.family, finish(bytes, offset, index === sizes.length - 1)), packet, { largestFragment: 0, fragmentSizes: [] });
    setHeaderChecksum(piece);
    offset += size;
    return piece;
  });
}

/** Options without the copied flag are in the first fragment only; later ones have no-operations there. @see ip_options_fragment() in net/ipv4/ip_options.c */
function blankUncopiedOptions(bytes: Uint8Array, header: number): void {
  let at = 20;
  while (at < header) {
    const kind = bytes[at] ?? 0;
    if (kind === 0) return;
    const length = kind === 1 ? 1 : bytes[at + 1] ?? 0;
    if (kind !== 1 && (length < 2 || at + length > header)) return;
    if (kind < 0x80) bytes.fill(1, at, at + length);
    at += length;
  }
}
