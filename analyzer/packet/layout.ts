/** Where the headers of a packet are. */
import type { Family } from '../values/value.js';
import { ipv6Header, isExtensionHeader } from './ipv6-headers.js';

export interface Layout {
  readonly isSound: boolean;
  readonly protocol: number;
  readonly transport: number;
  readonly fragmentOffset: number;
  readonly moreFragments: boolean;
  /** IPv6: there is a fragment header, be it that of a whole packet. */
  readonly hasFragmentHeader: boolean;
  /** IPv6: an authentication header was passed over. */
  readonly isAuthenticated: boolean;
  /** IPv6: the headers end before they name a transport protocol. */
  readonly isCutShort: boolean;
}

const plain = { hasFragmentHeader: false, isAuthenticated: false, isCutShort: false };
const broken: Layout = { isSound: false, protocol: 0, transport: 0, fragmentOffset: 0, moreFragments: false, ...plain };

/** @see ip_rcv_core() in net/ipv4/ip_input.c: version 4, a header of 20 to 60 bytes that is there whole, a total length that holds it and that the bytes reach. */
function layout4(bytes: Uint8Array): Layout {
  const first = bytes[0] ?? 0;
  const headerLength = (first & 15) * 4;
  const total = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  if (bytes.length < 20 || first >> 4 !== 4 || headerLength < 20 || bytes.length < headerLength || total < headerLength || total > bytes.length) return broken;
  const fragment = ((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0);
  return {
    isSound: true, protocol: bytes[9] ?? 0, transport: headerLength,
    fragmentOffset: (fragment & 0x1fff) * 8, moreFragments: (fragment & 0x2000) !== 0,
    hasFragmentHeader: false, isAuthenticated: false, isCutShort: false,
  };
}

const { routing, fragment, authentication, none } = ipv6Header;

/** @see ipv6_find_hdr() in net/ipv6/exthdrs_core.c, asked for the last header (target -1). */
function layout6(bytes: Uint8Array): Layout {
  if (bytes.length < 40 || (bytes[0] ?? 0) >> 4 !== 6) return broken;
  const payload = ((bytes[4] ?? 0) << 8) | (bytes[5] ?? 0);
  if (payload + 40 > bytes.length) return broken;
  let protocol = bytes[6] ?? 0;
  let at = 40;
  let moreFragments = false;
  let hasFragmentHeader = false;
  let isAuthenticated = false;
  while (isExtensionHeader(protocol) && protocol !== none) {
    const needed = protocol === routing || protocol === fragment ? 4 : 2;
    if (at + needed > bytes.length) return { isSound: true, protocol, transport: bytes.length, fragmentOffset: 0, moreFragments, hasFragmentHeader, isAuthenticated, isCutShort: true };
    const next = bytes[at] ?? 0;
    if (protocol === fragment) {
      const field = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
      moreFragments = (field & 1) !== 0;
      hasFragmentHeader = true;
      if ((field & 0xfff8) !== 0) {
        const isCutShort = isExtensionHeader(next) && next !== none;
        return { isSound: true, protocol: next, transport: at + 8, fragmentOffset: field & 0xfff8, moreFragments, hasFragmentHeader, isAuthenticated, isCutShort };
      }
      at += 8;
    } else if (protocol === authentication) {
      isAuthenticated = true;
      at += ((bytes[at + 1] ?? 0) + 2) * 4;
    } else at += ((bytes[at + 1] ?? 0) + 1) * 8;
    protocol = next;
  }
  return { isSound: true, protocol, transport: at, fragmentOffset: 0, moreFragments, hasFragmentHeader, isAuthenticated, isCutShort: false };
}

export function layoutOf(family: Family, bytes: Uint8Array): Layout {
  return family === 'ipv4' ? layout4(bytes) : layout6(bytes);
}
