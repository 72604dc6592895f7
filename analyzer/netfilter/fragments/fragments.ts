/**
 * Reassembly as connection tracking does it, before raw (priority −400): rules and trackers then see whole packets.
 * What is put together remembers its pieces; `refragment.ts` takes it apart again on output.
 */
import { ctstates } from '../../packet/constraint.js';
import { Packet } from '../../packet/packet.js';
import { setHeaderChecksum } from '../../packet/rewrite.js';
import type { Family } from '../../values/value.js';
import { FragmentQueue, packetMemory, type Piece } from './fragment-queue.js';
import { fragmentHeaderOf, lacksTransportHeader, withoutFragmentHeader, type FragmentHeader } from './ipv6-fragment-header.js';

export { exceedsMtu, refragment } from './refragment.js';

/** The host, as far as fragments go. */
export interface FragmentHost {
  readonly family: Family;
  /** Seconds. */
  readonly now: number;
  sysctl(name: string): number;
}

/** A whole packet to go on with; or the fragment is held until the others come; or it is gone, and perhaps the others with it. */
export type Gathered = Packet | 'held' | 'drop';

export type DefragHook = 'PREROUTING' | 'OUTPUT';

/** Sums of the ECN bits of all fragments: not-ECT beside anything else is refused, CE beside ECT wins (RFC 3168, 5.3; ip_frag_ecn_table). */
const notEct = 1, congestionExperienced = 8;

export class Defragmenter {
  readonly #host: FragmentHost;
  /** In the order in which they time out. */
  readonly #queues = new Map<string, FragmentQueue>();
  /** Fragments counted by source, while a queue of that source is there (`struct inet_peer`). */
  readonly #sources = new Map<number | bigint, { queues: number; count: number }>();
  #memory = 0;

  constructor(host: FragmentHost) {
    this.#host = host;
  }

  /** Approximate bytes held, bounded by the high threshold. */
  get memory(): number { return this.#memory; }
  /** Datagrams begun. */
  get count(): number { return this.#queues.size; }

  /**
   * A packet at the hook's defragmentation; whole ones come back as they are. Zones are kept apart.
   * @see ipv4_conntrack_defrag() in net/ipv4/netfilter/nf_defrag_ipv4.c, ipv6_defrag() in net/ipv6/netfilter/nf_defrag_ipv6_hooks.c
   */
  add(packet: Packet, where: DefragHook, zone = 0): Gathered {
    if (!packet.isSound || packet.connection !== undefined || packet.ctstate === ctstates.UNTRACKED) return packet;
    return packet.family === 'ipv4' ? this.#add4(packet, where, zone) : this.#add6(packet, where, zone);
  }

  /**
   * Forgets what timed out. The first fragments among it are answered with ICMP time exceeded, code 1:
   * in IPv6 always, in IPv4 only where the packet is for the host itself.
   * @see ip_expire(), ip6frag_expire_frag_queue()
   */
  expire(): Packet[] {
    const heads: Packet[] = [];
    for (const queue of this.#queues.values()) {
      if (queue.expires > this.#host.now) break;
      this.#forget(queue);
      if (queue.head !== undefined) heads.push(queue.head);
    }
    return heads;
  }

  /** @see ip_defrag(), ip_frag_queue() in net/ipv4/ip_fragment.c */
  #add4(packet: Packet, where: DefragHook, zone: number): Gathered {
    if (!packet.isFragment) return packet;
    const queue = this.#find(`${where} ${String(zone)} ${String(packet.u16(4))} ${String(packet.src)} ${String(packet.dst)} ${String(packet.u8(9))}`, packet);
    if (queue === undefined) return 'drop';
    this.#checkDistance(queue);
    const offset = packet.fragmentOffset;
    const header = packet.transport;
    const size = packet.length - header;
    const end = packet.moreFragments ? (offset + size) & ~7 : offset + size;
    if (!bounded(queue, end, !packet.moreFragments) || end <= offset) return this.#spoil(queue);
    const inserted = this.#insert(queue, packet, { offset, end, data: packet.bytes.slice(header, header + end - offset) });
    if (inserted === 'duplicate') return 'drop';
    if (inserted === 'overlap') return this.#spoil(queue);
    queue.largest = Math.max(queue.largest, header + end - offset);
    if (packet.dontFragment) queue.largestUnfragmentable = Math.max(queue.largestUnfragmentable, header + end - offset);
    return queue.isComplete ? this.#finish(queue, packet, reassembled4) : 'held';
  }

  /** @see nf_ct_frag6_gather(), nf_ct_frag6_queue() in net/ipv6/netfilter/nf_conntrack_reasm.c */
  #add6(packet: Packet, where: DefragHook, zone: number): Gathered {
    const header = packet.u16(4) === 0 ? undefined : fragmentHeaderOf(packet);
    if (header === undefined || lacksTransportHeader(packet)) return packet;
    if (header.at + 8 > packet.length) return 'drop';
    const isScoped = packet.u8(24) === 0xff || (packet.u16(24) & 0xffc0) === 0xfe80;
    const queue = this.#find(`${where} ${String(zone)} ${String(header.identification)} ${String(packet.src)} ${String(packet.dst)} ${isScoped ? packet.in : ''}`, packet);
    if (queue === undefined) return 'drop';
    const { offset } = header;
    const end = offset + packet.length - header.at - 8;
    if (end > 0xffff) return 'drop';
    if (header.moreFragments && end % 8 !== 0) {
      // It goes on as it is, and what was gathered is lost.
      this.#forget(queue);
      return packet;
    }
    if (!bounded(queue, end, !header.moreFragments) || end === offset) return 'drop';
    const inserted = this.#insert(queue, packet, { offset, end, data: packet.bytes.slice(header.at + 8, packet.length) });
    if (inserted === 'duplicate') return 'held';
    if (inserted === 'overlap') return this.#spoil(queue);
    queue.largest = Math.max(queue.largest, packet.length);
    return queue.isComplete ? this.#finish(queue, packet, reassembled6) : 'held';
  }

  /** @see inet_frag_find() */
  #find(key: string, packet: Packet): FragmentQueue | undefined {
    this.expire();
    if (this.#memory > this.#host.sysctl(packet.family === 'ipv4' ? 'net.ipv4.ipfrag_high_thresh' : 'net.netfilter.nf_conntrack_frag6_high_thresh')) return undefined;
    const known = this.#queues.get(key);
    if (known !== undefined) return known;
    const queue = new FragmentQueue(key, packet.src, this.#host.now + this.#timeout());
    this.#queues.set(key, queue);
    this.#memory += queue.memory;
    const source = this.#sources.get(queue.source);
    if (source === undefined) this.#sources.set(queue.source, { queues: 1, count: 0 });
    else source.queues++;
    return queue;
  }

  #timeout(): number {
    return this.#host.sysctl(this.#host.family === 'ipv4' ? 'net.ipv4.ipfrag_time' : 'net.netfilter.nf_conntrack_frag6_timeout');
  }

  /** A queue whose source sent too much else meanwhile begins anew (ip_frag_too_far): its identifications may have come round. */
  #checkDistance(queue: FragmentQueue): void {
    const limit = this.#host.sysctl('net.ipv4.ipfrag_max_dist');
    const source = this.#sources.get(queue.source);
    if (limit === 0 || source === undefined) return;
    const before = queue.sourceCount;
    queue.sourceCount = ++source.count;
    if (queue.isEmpty || queue.sourceCount - before <= limit) return;
    this.#memory -= queue.memory;
    queue.restart(this.#host.now + this.#timeout());
    this.#memory += queue.memory;
    this.#queues.delete(queue.key);
    this.#queues.set(queue.key, queue);
  }

  #insert(queue: FragmentQueue, packet: Packet, piece: Piece): 'taken' | 'duplicate' | 'overlap' {
    const inserted = queue.insert(piece);
    if (inserted !== 'taken') return inserted;
    const memory = packetMemory(packet.bytes.length);
    queue.memory += memory;
    this.#memory += memory;
    queue.ecn |= 1 << (packet.tos & 3);
    if (piece.offset === 0) {
      queue.hasFirst = true;
      queue.head = packet;
    }
    return 'taken';
  }

  #finish(queue: FragmentQueue, last: Packet, reassembled: (queue: FragmentQueue, head: Packet) => Uint8Array | undefined): Gathered {
    this.#forget(queue);
    const { head } = queue;
    if (head === undefined || ((queue.ecn & notEct) !== 0 && queue.ecn !== notEct)) return 'drop';
    const bytes = reassembled(queue, head);
    if (bytes === undefined) return 'drop';
    const sizes = queue.pieces().map(piece => piece.end - piece.offset);
    sizes[0] = bytes.length - queue.length + (sizes[0] ?? 0);
    // The head lends its metadata; interface and socket are the last one's (skb_morph).
    return Object.assign(new Packet(head.family, bytes), head, {
      in: last.in, owner: last.owner, fragmentSizes: sizes,
      largestFragment: Math.max(queue.largest, queue.largestUnfragmentable),
    });
  }

  #spoil(queue: FragmentQueue): 'drop' {
    this.#forget(queue);
    return 'drop';
  }

  #forget(queue: FragmentQueue): void {
    if (!this.#queues.delete(queue.key)) return;
    this.#memory -= queue.memory;
    const source = this.#sources.get(queue.source);
    if (source !== undefined && --source.queues === 0) this.#sources.delete(queue.source);
  }
}

/** Notes how long the datagram is; false where that contradicts what is known. */
function bounded(queue: FragmentQueue, end: number, isLast: boolean): boolean {
  if (isLast) {
    if (end < queue.length || (queue.hasLast && end !== queue.length)) return false;
    queue.hasLast = true;
  } else if (end > queue.length && queue.hasLast) return false;
  queue.length = Math.max(queue.length, end);
  return true;
}

/** @see ip_frag_reasm(): the first fragment's header and all data; DF where the largest fragment had it. */
function reassembled4(queue: FragmentQueue, head: Packet): Uint8Array | undefined {
  const header = head.transport;
  const length = header + queue.length;
  if (length > 0xffff) return undefined;
  const bytes = joined(head.bytes.subarray(0, header), queue);
  if ((queue.ecn & congestionExperienced) !== 0) bytes[1] = (bytes[1] ?? 0) | 3;
  bytes[2] = length >>> 8;
  bytes[3] = length & 0xff;
  bytes[6] = queue.largestUnfragmentable === queue.largest ? 0x40 : 0;
  bytes[7] = 0;
  const packet = new Packet('ipv4', bytes);
  setHeaderChecksum(packet);
  return packet.bytes;
}

/** @see nf_ct_frag6_reasm(): the fragment header is taken out. */
function reassembled6(queue: FragmentQueue, head: Packet): Uint8Array | undefined {
  const header: FragmentHeader | undefined = fragmentHeaderOf(head);
  if (header === undefined) return undefined;
  const payload = header.at - 40 + queue.length;
  if (payload > 0xffff) return undefined;
  const bytes = joined(withoutFragmentHeader(head, header), queue);
  bytes[4] = payload >>> 8;
  bytes[5] = payload & 0xff;
  if ((queue.ecn & congestionExperienced) !== 0) bytes[1] = (bytes[1] ?? 0) | 0x30;
  return bytes;
}

function joined(header: Uint8Array, queue: FragmentQueue): Uint8Array {
  const bytes = new Uint8Array(header.length + queue.length);
  bytes.set(header);
  for (const { offset, data } of queue.pieces()) bytes.set(data, header.length + offset);
  return bytes;
}
