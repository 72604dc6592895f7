/** `--stats`: where the time went, and how much there was to do; on stderr. */
import type { Measure } from '../analyzer/examine.js';
import { countOf } from '../report/report.js';
import { visible } from '../report/visible.js';

/** In the order in which they come. */
const phases = { read: 'reading files', load: 'loading the rules', checks: 'checks', replay: 'replaying witnesses in the engine', report: 'writing reports' } as const;

export type Phase = keyof typeof phases;

/** What was done. */
export interface Amounts {
  readonly files: number;
  readonly rules: number;
  readonly findings: number;
  readonly undecided: number;
}

/** Checks that take less are counted together. In milliseconds. */
const least = 1;

function milliseconds(time: number): string {
  return `${time.toFixed(1).padStart(9)} ms`;
}

class Stats {
  readonly #phases = new Map<Phase, number>();
  readonly #checks = new Map<string, number>();

  add(phase: Phase, time: number): void {
    this.#phases.set(phase, (this.#phases.get(phase) ?? 0) + time);
  }

  addCheck(name: string, time: number): void {
    this.#checks.set(name, (this.#checks.get(name) ?? 0) + time);
    this.add('checks', time);
  }

  /** `total`: since the process was started, in milliseconds. */
  * lines({ files, rules, findings, undecided }: Amounts, total: number): Generator<string, void> {
    const known = [...this.#phases.values()].reduce((sum, time) => sum + time, 0);
    yield `${milliseconds(total)}  in all, of which`;
    for (const [phase, words] of Object.entries(phases) as [Phase, string][]) yield `${milliseconds(this.#phases.get(phase) ?? 0)}  ${words}`;
    yield `${milliseconds(Math.max(0, total - known))}  starting up, and the rest`;
    const slowest = [...this.#checks].sort(([a, before], [b, after]) => after - before || (a < b ? -1 : 1));
    const shown = slowest.filter(([, time]) => time >= least);
    if (shown.length > 0) yield 'checks, the slowest first; the first that asks something of the rules takes the time for its answer:';
    for (const [name, time] of shown) yield `${milliseconds(time)}  ${visible(name)}`;
    if (shown.length < slowest.length) yield `${String(slowest.length - shown.length)} checks below ${String(least)} ms`;
    yield `${countOf(files, 'file')}, ${countOf(rules, 'rule')}, ${countOf(findings, 'finding')}, ${countOf(undecided, 'question')} undecided`;
  }
}

let stats: Stats | undefined;

export function startStats(): void {
  stats = new Stats();
}

/** Carries out some work, and counts its time where somebody wants to know. */
export async function timed<T>(phase: Phase, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    stats?.add(phase, performance.now() - start);
  }
}

/** For the analysis; undefined where nobody wants to know. */
export function measureOfChecks(): Measure | undefined {
  const counting = stats;
  return counting === undefined ? undefined : (what, work) => {
    const start = performance.now();
    try {
      return work();
    } finally {
      const time = performance.now() - start;
      if (what === 'load') counting.add('load', time);
      else counting.addCheck(what, time);
    }
  };
}

export function tellStats(amounts: Amounts): void {
  for (const line of stats?.lines(amounts, performance.now()) ?? []) process.stderr.write(`iptables-lint: ${line}\n`);
}
