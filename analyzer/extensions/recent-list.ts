/** A list of `-m recent`: addresses and when they were seen. */

/** `ip_list_tot`: addresses of a list at most; the one seen longest ago makes room. */
const maxAddresses = 100;

interface Entry {
  ttl: number;
  /** In jiffies, a ring. */
  readonly stamps: number[];
  /** Where the next stamp goes, unless it is beyond the ring's end. */
  index: number;
}

export type RecentEntry = Entry;

/** @see struct recent_table in net/netfilter/xt_recent.c */
export class RecentList {
  /** In the order in which they were last seen: a Map keeps it. */
  readonly #entries = new Map<number | bigint, Entry>();
  /** Stamps that are kept of each address: a power of two. */
  #maxStamps = 32;

  /** A rule that counts to `hitCount` needs so many stamps (recent_mt_check). */
  makeRoom(hitCount: number): void {
    while (this.#maxStamps < hitCount) this.#maxStamps *= 2;
  }

  /** `ttl` 0: whatever it is. */
  find(address: number | bigint, ttl: number): Entry | undefined {
    const entry = this.#entries.get(address);
    return entry !== undefined && (ttl === 0 || entry.ttl === 0 || entry.ttl === ttl) ? entry : undefined;
  }

  add(address: number | bigint, ttl: number, now: number): void {
    if (this.#entries.size >= maxAddresses) this.#removeOldest();
    this.#entries.set(address, { ttl, stamps: [now], index: 1 });
  }

  /** It was seen again. */
  update(address: number | bigint, entry: Entry, ttl: number, now: number): void {
    entry.index %= this.#maxStamps;
    entry.stamps[entry.index++] = now;
    entry.ttl = ttl;
    this.#entries.delete(address);
    this.#entries.set(address, entry);
  }

  remove(address: number | bigint): void {
    this.#entries.delete(address);
  }

  /** Drops the address that was seen longest ago if that was before `time`, unless it is `kept` (recent_entry_reap). */
  reap(time: number, kept: Entry | undefined): void {
    for (const [address, entry] of this.#entries) {
      const last = entry.stamps[entry.index - 1] ?? 0;
      if (entry !== kept && last < time) this.#entries.delete(address);
      return;
    }
  }

  #removeOldest(): void {
    for (const address of this.#entries.keys()) {
      this.#entries.delete(address);
      return;
    }
  }
}
