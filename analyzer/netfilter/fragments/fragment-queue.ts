/** The fragments of one datagram, as they come in. */
import type { Packet } from '../../packet/packet.js';

/** A fragment without its headers; `offset` and `end` are bytes of the datagram's payload. */
export interface Piece {
  readonly offset: number;
  readonly end: number;
  readonly data: Uint8Array;
}

/** Pieces that came one behind the other at the end of the queue. */
interface Run {
  readonly start: number;
  end: number;
  readonly pieces: Piece[];
}

export class FragmentQueue {
  readonly key: string;
  /** Source address: `ipfrag_max_dist` is counted for each. */
  readonly source: number | bigint;
  /** On the host's clock, in seconds. */
  expires: number;
  /** What the source had sent when the last fragment came (`qp->rid`). */
  sourceCount = 0;
  /** Length of the payload as far as it is known. */
  length = 0;
  hasFirst = false;
  hasLast = false;
  /** Largest fragment, and largest with DF, as the family counts them. */
  largest = 0;
  largestUnfragmentable = 0;
  /** A bit for each of the four ECN values seen. */
  ecn = 0;
  /** Approximate memory held, in bytes. */
  memory = queueMemory;
  /** The first fragment, once it is there: its headers become the datagram's. */
  head: Packet | undefined;
  #runs: Run[] = [];
  #received = 0;

  constructor(key: string, source: number | bigint, expires: number) {
    this.key = key;
    this.source = source;
    this.expires = expires;
  }

  get isEmpty(): boolean { return this.#runs.length === 0; }
  get isComplete(): boolean { return this.hasFirst && this.hasLast && this.#received === this.length; }

  /**
   * Takes a piece in. What lies wholly within one run is a duplicate; what overlaps otherwise spoils the datagram (RFC 5722).
   * @see inet_frag_queue_insert() in net/ipv4/inet_fragment.c
   */
  insert(piece: Piece): 'taken' | 'duplicate' | 'overlap' {
    const last = this.#runs.at(-1);
    if (last === undefined || last.end < piece.end) {
      if (last !== undefined && piece.offset < last.end) return 'overlap';
      if (last?.end === piece.offset) {
        last.pieces.push(piece);
        last.end = piece.end;
      } else this.#runs.push({ start: piece.offset, end: piece.end, pieces: [piece] });
    } else {
      let at = this.#runs.length;
      while ((this.#runs[at - 1]?.start ?? -1) >= piece.end) at--;
      const before = this.#runs[at - 1];
      if (before !== undefined && before.end > piece.offset) {
        return piece.offset >= before.start && piece.end <= before.end ? 'duplicate' : 'overlap';
      }
      this.#runs.splice(at, 0, { start: piece.offset, end: piece.end, pieces: [piece] });
    }
    this.#received += piece.end - piece.offset;
    return 'taken';
  }

  /** All pieces in order. */
  pieces(): Piece[] {
    return this.#runs.flatMap(run => run.pieces);
  }

  /** @see ip_frag_reinit() in net/ipv4/ip_fragment.c: what came so far is thrown away. */
  restart(expires: number): void {
    this.expires = expires;
    this.length = 0;
    this.hasFirst = false;
    this.hasLast = false;
    this.ecn = 0;
    this.memory = queueMemory;
    this.head = undefined;
    this.#runs = [];
    this.#received = 0;
  }
}

/** Roughly `sizeof(struct ipq)` with its bookkeeping. */
export const queueMemory = 256;

/** Roughly `skb->truesize` of a packet of so many bytes. */
export function packetMemory(bytes: number): number {
  return 768 + Math.ceil(bytes / 256) * 256;
}
