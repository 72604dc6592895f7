/** What a host remembers of others, so as not to tell them the same thing too often. */
import { addressKey, type Address } from '../../values/address.js';

/** Of `net.ipv4.route.redirect_load`, `…_number` and `…_silence`: the first pause in seconds, how many are sent in vain, and when that is forgotten. */
const redirectLoad = 0.02, mostRedirects = 9, redirectSilence = 20.48;
/** Of `net.ipv4.route.error_burst` and `…_cost`: so many errors at once, and one a second. */
const errorBurst = 5, errorCost = 1;
/** So many others are kept in mind (`inet_peer_threshold`). */
const mostPeers = 65_664;

/** `struct inet_peer`; errors and redirects share its stamp. */
interface Peer {
  tokens: number;
  /** On the host's clock, in seconds. */
  last: number;
  redirects: number;
}

export class InetPeers {
  /** Those that were asked for last come last. */
  readonly #peers = new Map<number | string, Peer>();

  /**
   * May this sender be told of a better way now? The first time at once, then after pauses that double, and after nine times only
   * when it has been quiet for a while.
   * @see ip_rt_send_redirect() in net/ipv4/route.c
   */
  allowsRedirect(address: Address, now: number): boolean {
    const peer = this.#peer(address, now);
    if (now > peer.last + redirectSilence) peer.tokens = peer.redirects = 0;
    const isWeary = peer.redirects >= mostRedirects;
    if (!isWeary && peer.redirects > 0 && now <= peer.last + redirectLoad * 2 ** peer.redirects) return false;
    peer.last = now;
    if (!isWeary) peer.redirects++;
    return !isWeary;
  }

  /** May this sender be told now that there is no way for its packets? @see ip_error() in net/ipv4/route.c */
  allowsRouteError(address: Address, now: number): boolean {
    const peer = this.#peer(address, now);
    const tokens = Math.min(errorBurst, peer.tokens + now - peer.last);
    const isAllowed = tokens >= errorCost;
    peer.tokens = isAllowed ? tokens - errorCost : tokens;
    peer.last = now;
    return isAllowed;
  }

  /** @see inet_getpeer() in net/ipv4/inetpeer.c: a new one is as if it had been quiet for a minute. */
  #peer(address: Address, now: number): Peer {
    const key = addressKey(address);
    const peer = this.#peers.get(key) ?? { tokens: 0, last: now - 60, redirects: 0 };
    this.#peers.delete(key);
    this.#peers.set(key, peer);
    const [oldest] = this.#peers.keys();
    if (this.#peers.size > mostPeers && oldest !== undefined) this.#peers.delete(oldest);
    return peer;
  }
}
