/** What a host keeps besides its packets: clock, sysctls, chance, and state that rules share by name. */

import type { Sysctls } from './host/sysctls.js';

/** 2026-01-01 00:00:00 UTC: when a scenario begins, unless somebody says otherwise. */
export const defaultStart = 1_767_225_600;

export class HostState {
  /** Seconds since the scenario began. */
  now = 0;
  readonly sysctls: Sysctls;
  /** Seconds that local time is ahead of UTC. */
  readonly timeZoneOffset: number;
  /** Reasons why chance was asked, since `takeChances`. */
  #chances = new Set<string>();
  #seed: number;
  readonly #start: number;
  readonly #shared = new Map<string, object>();

  /** `seed` is a 32-bit number, `start` in seconds since 1970 (UTC). */
  constructor(seed: number, start: number, sysctls: Sysctls, timeZoneOffset = 0) {
    this.#seed = seed >>> 0;
    this.#start = start;
    this.sysctls = sysctls;
    this.timeZoneOffset = timeZoneOffset;
  }

  get wallClock(): number { return this.#start + this.now; }

  /** A number of 0 ≤ x < 1 (Mulberry32: 32 bits of state are enough to be repeatable, and nothing here is secret). */
  random(why: string): number {
    this.#chances.add(why);
    this.#seed = (this.#seed + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), this.#seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** Why chance was asked since the last time. */
  takeChances(): readonly string[] {
    const taken = [...this.#chances];
    this.#chances.clear();
    return taken;
  }

  shared<T extends object>(kind: string, name: string, make: () => T): T {
    const key = `${kind} ${name}`;
    const known = this.#shared.get(key) as T | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#shared.set(key, made);
    return made;
  }
}
