/**
 * V8 as it suits a program that is done in a second. It is made for pages and servers that run for hours: it optimizes what ran for some milliseconds, which
 * takes longer than it then gains, and lets the part of the heap for new objects grow to 32 MB before it looks what of them is needed.
 */
import { setFlagsFromString } from 'node:v8';

/** So many bytes of bytecode a function runs before it is optimized: six times as many as usual. */
const budget = 400_000;

/** To be called before the program is loaded: code that was kept is used by a V8 that has the same settings. */
export function expectShortRun(): void {
  // New objects have 2 MB, as at the start.
  setFlagsFromString('--semi-space-growth-factor=1');
  // From V8 12 on, which comes with Node 22, there is a compiler that takes less time, and no such setting.
  if (Number.parseInt(process.versions.v8, 10) < 12) setFlagsFromString(`--interrupt-budget=${String(budget)}`);
}

/** To be called before threads are started that run for long: what they need for new objects grows to what they may have. */
export function expectLongRun(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
