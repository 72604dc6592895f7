import { scanNumber } from './number.js';
import { refuse, type Value } from './value.js';

/** Inclusive at both ends. */
export interface QueueRange {
  readonly low: number;
  readonly high: number;
}

/** `low:high`; either side may be empty. All 65536 queues at once overflow the counter of the kernel. */
export const queueRange: Value<QueueRange> = {
  syntax: 'first:last',
  words: 1,
  parse: ([word = '']) => {
    const parts = word.split(':');
    if (parts.length !== 2) return refuse(`\`${word}\` is not a range of queues`);
    const ends: number[] = [];
    for (const [i, part] of parts.entries()) {
      const scanned = part === '' ? { value: i === 0 ? 0n : 65_535n, rest: '' } : scanNumber(part);
      if (scanned?.rest !== '' || scanned.value > 65_535n) return refuse(`\`${part}\` is not a queue (0 to 65535)`);
      ends.push(Number(scanned.value));
    }
    const [low = 0, high = 0] = ends;
    if (low >= high) return refuse(`the first queue must be less than the last, and ${String(low)} is not less than ${String(high)}`);
    return low === 0 && high === 65_535 ? refuse('at most 65535 queues can be balanced') : { low, high };
  },
  print: ({ low, high }) => `${String(low)}:${String(high)}`,
  arbitrary: fc => fc.tuple(fc.integer({ min: 1, max: 65_534 }), fc.integer({ min: 1, max: 65_534 }), fc.constantFrom('range', 'hex', 'from', 'to')).map(([a, b, form]) => {
    const low = Math.min(a, b);
    const high = Math.max(a, b) + 1;
    if (form === 'from') return [`${String(low)}:`];
    if (form === 'to') return [`:${String(high)}`];
    return [form === 'hex' ? `0x${low.toString(16)}:0x${high.toString(16)}` : `${String(low)}:${String(high)}`];
  }),
};
