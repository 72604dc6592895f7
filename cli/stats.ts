/** `--stats`: where the time went, and how much there was to do; on stderr. */
import type { Measure, Undecided } from '../analyzer/examine.js';
import { countOf } from '../report/report.js';
import { undecidedWords } from '../report/notes.js';
import { visible } from '../report/visible.js';
import { say } from './trouble.js';

/** In the order in which they come. */
const phases = { read: 'reading files', load: 'loading the rules', checks: 'checks', replay: 'replaying witnesses in the engine', report: 'writing reports' } as const;

export type Phase = keyof typeof phases;

/** What was done. */
export interface Amounts {
  readonly files: number;
  readonly rules: number;
  readonly findings: number;
  readonly undecided: Undecided;
}

/** Checks that take less are counted together. In milliseconds. */
const least = 1;

/** Milliseconds since some moment. `performance` takes a millisecond to load, also where nobody asks for times. */
function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

function milliseconds(time: number): string {
  return `${time.toFixed(1).padStart(9)} ms`;
}

/** Milliseconds that a thread took, as plain data. */
export interface Times {
  /** As Node counts threads: the first is 0. */
  readonly thread: number;
  readonly phases: ReadonlyMap<Phase, number>;
  readonly checks: ReadonlyMap<string, number>;
}

function addTo<K>(sums: Map<K, number>, key: K, time: number): void {
  sums.set(key, (sums.get(key) ?? 0) + time);
}

export class Stopwatch {
  readonly #phases = new Map<Phase, number>();
  readonly #checks = new Map<string, number>();
  /** Those besides the first that something was added of. */
  readonly #threads = new Set<number>();

  get times(): Times {
    return { thread: 0, phases: this.#phases, checks: this.#checks };
  }

  add({ thread, phases, checks }: Times): void {
    if (thread !== 0) this.#threads.add(thread);
    for (const [phase, time] of phases) addTo(this.#phases, phase, time);
    for (const [name, time] of checks) addTo(this.#checks, name, time);
  }

  async timed<T>(phase: Phase, work: () => T | Promise<T>): Promise<T> {
    const start = now();
    try {
      return await work();
    } finally {
      addTo(this.#phases, phase, now() - start);
    }
  }

  /** For the analysis. */
  readonly measure: Measure = (what, work) => {
    const start = now();
    try {
      return work();
    } finally {
      const time = now() - start;
      addTo(this.#phases, what === 'load' ? 'load' : 'checks', time);
      if (what !== 'load') addTo(this.#checks, what, time);
    }
  };

  /** `total`: since the process was started, in milliseconds. */
  * lines({ files, rules, findings, undecided }: Amounts, total: number): Generator<string, void> {
    const known = [...this.#phases.values()].reduce((sum, time) => sum + time, 0);
    const threads = this.#threads.size;
    yield `${milliseconds(total)}  in all${threads === 0 ? ', of which' : `; what ${countOf(threads, 'thread')} did at once is added up:`}`;
    for (const [phase, words] of Object.entries(phases) as [Phase, string][]) yield `${milliseconds(this.#phases.get(phase) ?? 0)}  ${words}`;
    if (threads === 0) yield `${milliseconds(Math.max(0, total - known))}  starting up, and the rest`;
    const slowest = [...this.#checks].sort(([a, before], [b, after]) => after - before || (a < b ? -1 : 1));
    const shown = slowest.filter(([, time]) => time >= least);
    if (shown.length > 0) yield 'checks, the slowest first; the first that asks something of the rules takes the time for its answer:';
    for (const [name, time] of shown) yield `${milliseconds(time)}  ${visible(name)}`;
    if (shown.length < slowest.length) yield `${String(slowest.length - shown.length)} checks below ${String(least)} ms`;
    yield `${countOf(files, 'file')}, ${countOf(rules, 'rule')}, ${countOf(findings, 'finding')}, ${undecidedWords(undecided)}`;
  }
}

let stats: Stopwatch | undefined;

export function startStats(): void {
  stats = new Stopwatch();
}

/** Adds what another stopwatch has measured, where somebody wants to know. */
export function countTimes(times: Times | undefined): void {
  if (times !== undefined) stats?.add(times);
}

/** Carries out some work, and counts its time where somebody wants to know. */
export async function timed<T>(phase: Phase, work: () => T | Promise<T>): Promise<T> {
  return stats === undefined ? work() : stats.timed(phase, work);
}

export function tellStats(amounts: Amounts): void {
  for (const line of stats?.lines(amounts, performance.now()) ?? []) say(`iptables-lint: ${line}\n`);
}
