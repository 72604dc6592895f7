/**
 * V8 as it suits a program that is done in a second. It is made for pages and servers that run for hours: it optimizes what ran for some milliseconds, which
 * takes longer than it then gains, and lets the part of the heap for new objects grow to 32 MB before it looks what of them is needed.
 */
import { setFlagsFromString } from 'node:v8';

/** So many bytes of bytecode a function runs before it is optimized: six times as many as usual. */
const budget = 400_000;
/** From V8 12 on, which comes with Node 22, another compiler comes before, and so many calls: seven times as many as usual. */
const calls = 20_000;

/** To be called before the program is loaded: code that was kept is used by a V8 that has the same settings. */
export function expectShortRun(): void {
  expectGrowth(false);
  expectFrugal(true);
  setFlagsFromString(Number.parseInt(process.versions.v8, 10) < 12 ? `--interrupt-budget=${String(budget)}` : `--invocation-count-for-turbofan=${String(calls)}`);
}

/** Whether the heap's part for new objects may grow from the 1 or 2 MB that it has at the start. To be taken back before code is kept. */
export function expectGrowth(grows: boolean): void {
  setFlagsFromString(`--semi-space-growth-factor=${grows ? '2' : '1'}`);
}

/** Whether the heap grows by a half at most before it is collected again, or up to four times, which takes less time where threads have much to do. To be taken back before code is kept. */
export function expectFrugal(isFrugal: boolean): void {
  setFlagsFromString(`--heap-growing-percent=${isFrugal ? '50' : '0'}`);
}

/** Whether collecting garbage may take threads of V8's own beside each of ours: where ours take all cores, those only get into their way (a tenth of the time). To be taken back before code is kept. */
export function allowCollectors(allowed: boolean): void {
  for (const flag of ['parallel-scavenge', 'concurrent-sweeping']) setFlagsFromString(`--${allowed ? '' : 'no-'}${flag}`);
}
