/** Extension headers of IPv6. */
import type { Packet } from './packet.js';
import { hotdrop } from './transport-header.js';
import type { Traversal } from './traversal.js';

export const ipv6Header = { hopByHop: 0, routing: 43, fragment: 44, esp: 50, authentication: 51, none: 59, destination: 60 } as const;
const { hopByHop, routing, fragment, authentication, none, destination } = ipv6Header;

/** Those that can be gone past. ESP is none of them: what it holds is encrypted. */
const passable: ReadonlySet<number> = new Set([hopByHop, routing, fragment, authentication, destination]);

/** @see ipv6_ext_hdr() in net/ipv6/exthdrs_core.c: those, and the one after which nothing comes. */
export function isExtensionHeader(kind: number): boolean {
  return passable.has(kind) || kind === none;
}

/** Length in bytes of a header of this kind whose second byte is `size`. */
function headerLength(kind: number, size: number): number {
  if (kind === fragment) return 8;
  return kind === authentication ? (size + 2) * 4 : (size + 1) * 8;
}

/** Length in bytes of the header of this kind at byte `at`, as it says itself. */
export function ipv6HeaderLength(packet: Packet, kind: number, at: number): number {
  return headerLength(kind, packet.u8(at + 1));
}

/**
 * What stands behind the extension headers of the IPv6 packet, whole or quoted, that begins at byte `at`; undefined where
 * it has no layer 4: a later fragment, headers cut off, nothing behind them.
 * @see ipv6_skip_exthdr() in net/ipv6/exthdrs_core.c
 */
export function skipExtensionHeaders(bytes: Uint8Array, at: number): { readonly protocol: number; readonly transport: number } | undefined {
  if (at + 40 > bytes.length) return undefined;
  let protocol = bytes[at + 6] ?? none;
  let transport = at + 40;
  while (isExtensionHeader(protocol)) {
    if (protocol === none || transport + 2 > bytes.length) return undefined;
    if (protocol === fragment && ((bytes[transport + 2] ?? 0) !== 0 || (bytes[transport + 3] ?? 0) >= 8)) return undefined;
    const length = headerLength(protocol, bytes[transport + 1] ?? 0);
    protocol = bytes[transport] ?? none;
    transport += length;
  }
  return { protocol, transport };
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
