/** The host's clock in the units in which the kernel counts. Only `advance` moves it, so that every packet between two steps sees the same tick. */

/** What keeps the time: seconds since the scenario began. */
export interface Clock {
  readonly now: number;
}

/** CONFIG_HZ: how many jiffies a second has. */
export const ticksPerSecond = 250;

/** `ktime_get_ns()`, but from the beginning of the scenario. Sums of seconds as 0.1 + 0.2 are rounded to what was meant. */
export function nanoseconds({ now }: Clock): number {
  return Math.round(now * 1e9);
}

/** `jiffies`, but from the beginning of the scenario. */
export function jiffies(clock: Clock): number {
  return Math.floor(nanoseconds(clock) / (1e9 / ticksPerSecond));
}

/** `msecs_to_jiffies()`: begun jiffies count. */
export function jiffiesOfMilliseconds(milliseconds: number): number {
  return Math.ceil(milliseconds * ticksPerSecond / 1000);
}
