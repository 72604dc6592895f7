/** How matches get at the transport header. */
import type { Packet } from './packet.js';
import type { Predicate, Traversal } from './traversal.js';

/** The packet cannot be what it should be: it matches nothing, and is dropped here. */
export function hotdrop(t: Traversal): false {
  t.hotdrop = true;
  return false;
}

/**
 * Where the kernel looks for the transport header (`par->thoff`). In a later fragment it does so all the same where a match does
 * not ask first: in IPv4 at the payload, in IPv6 at the IPv6 header itself, as ipv6_find_hdr() leaves the offset at 0.
 */
export function headerOffset(packet: Packet): number {
  return packet.family === 'ipv6' && packet.fragmentOffset > 0 ? 0 : packet.transport;
}

/**
 * Packets whose transport header is there, `length` bytes of it, and of which `then` holds. Later fragments do not match,
 * and a packet whose header is cut short is dropped (`par->hotdrop` where skb_header_pointer() finds nothing).
 */
export function withHeader(length: number, then: Predicate): Predicate {
  return t => {
    const { packet } = t;
    if (packet.fragmentOffset > 0) return false;
    return packet.transportLength >= length ? then(t) : hotdrop(t);
  };
}
