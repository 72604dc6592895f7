import { Problem, refuse, type Arbitrary, type Fc } from './value.js';

const units = [['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]] as const;
const savedNames = { day: 'day', hour: 'hour', minute: 'min', second: 'sec' } as const;

/** The number at the start of `text` as `atoi` (32 bits) or `atoll` (64 bits) has it, without a sign: −1 is the greatest. */
export function leadingNumber(text: string, bits: 32 | 64): bigint {
  const digits = /^[ \t\n\v\f\r]*([+-]?)(\d+)/u.exec(text);
  if (digits === null) return 0n;
  const value = BigInt(digits[2] ?? 0) * (digits[1] === '-' ? -1n : 1n);
  const limit = 1n << 63n;
  const saturated = value >= limit ? limit - 1n : value < -limit ? -limit : value;
  return BigInt.asUintN(bits, saturated);
}

/** How long one packet takes, in parts of a second of which there are `scale`, and the seconds of the unit that was written. */
export interface PacketRate {
  readonly period: bigint;
  readonly seconds: number;
}

/** `number[/unit]`; the unit may be cut short, and what stands between number and slash does not count. */
export function parsePacketRate(word: string, scale: bigint, bits: 32 | 64): PacketRate | Problem {
  const slash = word.indexOf('/');
  const unit = slash === -1 ? 'second' : word.slice(slash + 1).toLowerCase();
  const seconds = unit === '' ? undefined : units.find(([name]) => name.startsWith(unit))?.[1];
  if (seconds === undefined) return refuse(`\`${word.slice(slash + 1)}\` is not a unit of time`, 'the units are second, minute, hour and day');
  const count = leadingNumber(word, bits);
  if (count === 0n) return refuse(`\`${word}\` is not a rate`, 'write number/unit, as 10/second');
  const period = scale * BigInt(seconds) / count;
  return period === 0n ? refuse(`the rate ${word} is too fast: at most ${String(scale)} packets per second`) : { period, seconds };
}

/** The largest unit in which `period` can be said without loss, or nearly so. */
export function rateInUnit(period: bigint, scale: bigint): { readonly count: bigint; readonly seconds: number; readonly word: string } {
  const day = units[0];
  let chosen: (typeof units)[number] = day;
  for (const unit of units.slice(1)) {
    const whole = scale * BigInt(unit[1]);
    if (period > whole || whole / period < whole % period) break;
    chosen = unit;
  }
  const count = scale * BigInt(chosen[1]) / period;
  return { count, seconds: chosen[1], word: `${String(count)}/${savedNames[chosen[0]]}` };
}

/** Legal rates of at most `max` packets per second. */
export function arbitraryRate(fc: Fc, max: number): Arbitrary<string> {
  const number = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max }), fc.constantFrom(60, 90, 3600, max));
  const unit = fc.constantFrom('', '/s', '/sec', '/second', '/SEC', '/m', '/min', '/minute', '/h', '/hour', '/d', '/day');
  return fc.tuple(number, unit, fc.constantFrom('', '', '', ' ', '+', '0')).map(([count, name, prefix]) => `${prefix}${String(count)}${name}`);
}
