import { arbitraryRate, leadingNumber, parsePacketRate } from './packet-rate.js';
import { Problem, refuse, type Value } from './value.js';

/** Millionths of a second (XT_HASHLIMIT_SCALE_v2). */
export const hashlimitScale = 1_000_000n;
const top = 0xffff_ffffn;

/** A rate as the kernel has it: millionths of a second for a packet, or a share of 2^32 for 16 bytes. */
export interface HashlimitRate {
  readonly kind: 'packets' | 'bytes';
  readonly period: bigint;
  /** Those of the unit of a rate in packets. */
  readonly seconds: number;
}

/** How many bytes a second a period stands for: a multiple of 16, and 0 where there are less. */
export function bytesPerSecond(period: bigint): bigint {
  return ((top / period) - 1n) << 4n;
}

/** undefined where the loader divides by zero. */
function periodOf(bytes: bigint): bigint | undefined {
  const divisor = BigInt.asUintN(32, BigInt.asUintN(32, bytes >> 4n) + 1n);
  return divisor === 0n ? undefined : top / divisor;
}

const units = [['m', 1n << 20n], ['k', 1n << 10n], ['', 1n]] as const;

/** In the largest unit in which the period stays the same; for that question bytes beyond 32 bits are forgotten. */
export function printBytesPerSecond(period: bigint): string {
  const bytes = bytesPerSecond(period);
  const low = BigInt.asUintN(32, bytes);
  const [name, size] = units.find(([, one]) => one === 1n || (bytes >= one && periodOf(low - low % one) === period)) ?? ['', 1n];
  return `${String(bytes / size)}${name}b/s`;
}

/** In the largest unit that is not too large; the rest is lost. */
export function printBytes(bytes: bigint): string {
  const [name, size] = units.find(([, one]) => one === 1n || bytes >= one) ?? ['', 1n];
  return `${String(bytes / size)}${name}b`;
}

/** `number[/unit]` of packets, or `number[k|m]b/s` of bytes. */
export const hashlimitRate: Value<HashlimitRate> = {
  syntax: 'number[/second|minute|hour|day] or number[k|m]b/s',
  words: 1,
  parse: ([word = '']) => {
    const at = word.indexOf('b/s');
    const count = leadingNumber(word, 64);
    if (at > 0 && count !== 0n) {
      const factor = { k: 1n << 10n, m: 1n << 20n }[word.charAt(at - 1)] ?? 1n;
      const period = periodOf(BigInt.asUintN(64, count * factor));
      return period === undefined ? refuse(`the rate ${word} is too high`) : { kind: 'bytes', period, seconds: 1 };
    }
    const rate = parsePacketRate(word, hashlimitScale, 64);
    return rate instanceof Problem ? rate : { kind: 'packets', ...rate };
  },
  print: ({ period }) => String(period),
  arbitrary: fc => fc.oneof(
    { weight: 2, arbitrary: arbitraryRate(fc, Number(hashlimitScale)) },
    { weight: 1, arbitrary: fc.tuple(fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 30_000 })), fc.constantFrom('b/s', 'kb/s', 'mb/s', 'kb/second')).map(([count, unit]) => `${String(count)}${unit}`) },
  ).map(word => [word]),
};
