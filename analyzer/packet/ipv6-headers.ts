/** Extension headers of IPv6. */
import type { Packet } from './packet.js';
import { hotdrop } from './transport-header.js';
import type { Traversal } from './traversal.js';

export const ipv6Header = { hopByHop: 0, routing: 43, fragment: 44, esp: 50, authentication: 51, none: 59, destination: 60 } as const;
const { hopByHop, routing, fragment, authentication, destination } = ipv6Header;

/** Those that can be gone past. ESP is none of them: what it holds is encrypted. */
const passable: ReadonlySet<number> = new Set([hopByHop, routing, fragment, authentication, destination]);

/** Length in bytes of the header of this kind at byte `at`, as it says itself. */
export function ipv6HeaderLength(packet: Packet, kind: number, at: number): number {
  if (kind === fragment) return 8;
  const length = packet.u8(at + 1);
  return kind === authentication ? (length + 2) * 4 : (length + 1) * 8;
}

export const absent = -1;
export const truncated = -2;

/**
 * Offset of the first header of this kind; `absent` where there is none, `truncated` where the packet ends before that is known.
 * Nothing is looked for behind the header of a later fragment.
 * @see ipv6_find_hdr() in net/ipv6/exthdrs_core.c
 */
export function findIpv6Header(packet: Packet, wanted: number): number {
  const end = packet.bytes.length;
  let kind = packet.u8(6);
  let at = 40;
  while (passable.has(kind)) {
    const needed = kind === routing || kind === fragment ? 4 : 2;
    if (at + needed > end) return truncated;
    if (kind === wanted) return at;
    if (kind === fragment && (packet.u16(at + 2) & 0xfff8) !== 0) return absent;
    const next = packet.u8(at);
    at += ipv6HeaderLength(packet, kind, at);
    kind = next;
  }
  return kind === wanted ? at : absent;
}

/** As `findIpv6Header`, undefined where it is absent. A packet that ends before the header does, or before its first `least` bytes, is dropped. */
export function ipv6HeaderOrDrop(t: Traversal, wanted: number, least: number): number | undefined {
  const { packet } = t;
  const at = findIpv6Header(packet, wanted);
  if (at === absent) return undefined;
  const end = packet.bytes.length;
  if (at !== truncated && at + least <= end && at + ipv6HeaderLength(packet, wanted, at) <= end) return at;
  hotdrop(t);
  return undefined;
}
