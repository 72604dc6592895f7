/** A table of `-m hashlimit`: how much credit is left to each address or port. */
import { jiffies, jiffiesOfMilliseconds, ticksPerSecond } from './kernel-clock.js';
import type { Clock } from './kernel-clock.js';
import { TokenBucket } from './token-bucket.js';

/** What the first rule of a table says, for all of them. */
export interface HashlimitSettings {
  readonly kind: 'packets' | 'bytes';
  /** Millionths of a second for a packet, or a share of 2^32 for 16 bytes. */
  readonly period: bigint;
  /** Packets, or how often the credit of bytes may be filled up at once. */
  readonly burst: bigint;
  /** Seconds over which the rate is measured and not limited; absent: it is limited. */
  readonly interval?: number;
  /** Entries at most. */
  readonly max: number;
  /** Both in milliseconds. */
  readonly expire: number;
  readonly gcInterval: number;
}

/** One address or port: does the packet keep within the rate? Time is in jiffies. */
interface Meter {
  passes(now: number, bytes: number): boolean;
}

/** CREDITS_PER_JIFFY: the greatest power of two with which a day's credit fits into 64 bits. */
const creditPerTick = 2 ** 39;
/** What a millionth of a second costs (user2credits). */
const creditPerMicrosecond = 137_438_953;
/** CREDITS_PER_JIFFY_BYTES, and how much of it there may be. */
const byteCreditPerTick = 2 ** 24;
const byteCredit = byteCreditPerTick * ticksPerSecond;

class PacketMeter implements Meter {
  readonly #bucket: TokenBucket;
  #last: number;

  constructor({ period, burst }: HashlimitSettings, now: number) {
    this.#bucket = new TokenBucket(Number(period) * creditPerMicrosecond, Number(burst));
    this.#last = now;
  }

  passes(now: number): boolean {
    this.#bucket.fill((now - this.#last) * creditPerTick);
    this.#last = now;
    return this.#bucket.take();
  }
}

/** @see hashlimit_byte_cost(): credit for one second at most, which may be filled up at once as often as the burst says. */
class ByteMeter implements Meter {
  readonly #cost: number;
  #refills: number;
  #credit = byteCredit;
  #last: number;

  constructor({ period, burst }: HashlimitSettings, now: number) {
    this.#cost = Number((period * BigInt(byteCredit)) >> 32n);
    this.#refills = Number(burst);
    this.#last = now;
  }

  passes(now: number, bytes: number): boolean {
    this.#credit = Math.min(byteCredit, this.#credit + (now - this.#last) * byteCreditPerTick);
    this.#last = now;
    const cost = Math.min(byteCredit, ((bytes >>> 4) + 1) * this.#cost);
    if (this.#credit < cost && this.#refills > 0) {
      this.#refills--;
      this.#credit = byteCredit;
    }
    if (this.#credit < cost) return false;
    this.#credit -= cost;
    return true;
  }
}

/** `--hashlimit-rate-match`: whether the rate of the last interval, and the count in this one, keep within it. */
class RateMeter implements Meter {
  readonly #isBytes: boolean;
  readonly #rate: number;
  readonly #burst: number;
  readonly #interval: number;
  #wasOver = false;
  #count = 0;
  #last: number;

  constructor({ kind, period, burst, interval = 1 }: HashlimitSettings, now: number) {
    this.#isBytes = kind === 'bytes';
    this.#rate = Number(this.#isBytes ? ((0xffff_ffffn / period) - 1n) << 4n : 1_000_000n / period);
    this.#burst = this.#isBytes ? this.#rate * Math.max(1, Number(burst)) : this.#rate + Number(burst);
    this.#interval = interval * ticksPerSecond;
    this.#last = now;
  }

  passes(now: number, bytes: number): boolean {
    const passed = now - this.#last;
    if (passed > 0 && passed >= this.#interval) {
      this.#last = now;
      this.#wasOver = this.#count * this.#interval > passed * this.#rate;
      this.#count = 0;
    }
    this.#count += this.#isBytes ? bytes : 1;
    return !this.#wasOver && this.#count <= this.#burst;
  }
}

function newMeter(settings: HashlimitSettings, now: number): Meter {
  if (settings.interval !== undefined) return new RateMeter(settings, now);
  return settings.kind === 'bytes' ? new ByteMeter(settings, now) : new PacketMeter(settings, now);
}

interface Entry {
  readonly meter: Meter;
  expires: number;
}

/** @see hashlimit_mt_common() in net/netfilter/xt_hashlimit.c */
export class HashlimitTable {
  readonly #settings: HashlimitSettings;
  readonly #clock: Clock;
  readonly #start: number;
  readonly #gcInterval: number;
  readonly #expire: number;
  readonly #entries = new Map<number | string, Entry>();

  constructor(settings: HashlimitSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#start = jiffies(clock);
    this.#gcInterval = Math.max(1, jiffiesOfMilliseconds(settings.gcInterval));
    this.#expire = jiffiesOfMilliseconds(settings.expire);
  }

  /** Whether a packet of so many bytes keeps within the rate; undefined where the table is full and has no entry for it. */
  passes(key: number | string, bytes: number): boolean | undefined {
    const now = jiffies(this.#clock);
    const entry = this.#find(key, now) ?? this.#add(key, now);
    if (entry === undefined) return undefined;
    entry.expires = now + this.#expire;
    return entry.meter.passes(now, bytes);
  }

  /** Idle entries go when the clean-up runs, not when they expire; so until then they keep what they have used up. */
  #lastGc(now: number): number {
    return now - (now - this.#start) % this.#gcInterval;
  }

  #find(key: number | string, now: number): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#isGone(entry, now) ? undefined : entry;
  }

  #isGone(entry: Entry, now: number): boolean {
    return entry.expires <= this.#lastGc(now);
  }

  #add(key: number | string, now: number): Entry | undefined {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#settings.max) this.#clean(now);
    if (this.#entries.size >= this.#settings.max) return undefined;
    const entry = { meter: newMeter(this.#settings, now), expires: now + this.#expire };
    this.#entries.set(key, entry);
    return entry;
  }

  #clean(now: number): void {
    for (const [key, entry] of this.#entries) if (this.#isGone(entry, now)) this.#entries.delete(key);
  }
}
