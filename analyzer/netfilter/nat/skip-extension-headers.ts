const fragment = 44, authentication = 51, noNextHeader = 59;
const extensionHeaders: ReadonlySet<number> = new Set([0, 43, fragment, authentication, noNextHeader, 60]);

/**
 * Where layer 4 begins in the IPv6 packet, whole or quoted, whose header stands at byte `at`; undefined where it has none:
 * a later fragment, extension headers cut off, nothing behind them.
 * @see ipv6_skip_exthdr() in net/ipv6/exthdrs_core.c
 */
export function skipExtensionHeaders(bytes: Uint8Array, at: number): number | undefined {
  let protocol = bytes[at + 6] ?? noNextHeader;
  let next = at + 40;
  while (extensionHeaders.has(protocol)) {
    if (protocol === noNextHeader || next + 2 > bytes.length) return undefined;
    if (protocol === fragment && ((bytes[next + 2] ?? 0) !== 0 || (bytes[next + 3] ?? 0) >= 8)) return undefined;
    const size = bytes[next + 1] ?? 0;
    const length = protocol === fragment ? 8 : protocol === authentication ? (size + 2) * 4 : (size + 1) * 8;
    protocol = bytes[next] ?? noNextHeader;
    next += length;
  }
  return next;
}
