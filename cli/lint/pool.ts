/** Threads that lint: one that dies, or comes to no end, costs the rules that it was at, and no others. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { allowCollectors, expectFrugal, expectGrowth } from '../short-run.js';
import { Trouble } from '../trouble.js';
import type { Linted, LintJob } from './linted.js';
import type { Answer } from './worker.js';

/** It is one folder above what is bundled. */
const program = new URL('../thread.cjs', import.meta.url);

/** New objects have 8 MB, twice. Three times that is what V8 counts; with more, it is slower to see what is needed no longer, and no faster otherwise. A single file is hardly slower with half of it. */
const megabytes = { many: 24, single: 12 };

interface Waiting {
  readonly job: LintJob;
  readonly resolve: (linted: Linted) => void;
  readonly reject: (error: unknown) => void;
}

/** What a thread has to do: it is at the first of its jobs, and another may lie ready for it. */
interface Busy {
  readonly jobs: Waiting[];
  timer: NodeJS.Timeout;
}

function deathOf(error: unknown): Trouble {
  const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
  const why = isMemory ? 'there was not enough memory; NODE_OPTIONS=--max-old-space-size=8192 allows 8 GB' : error instanceof Error ? error.message : String(error);
  return new Trouble(`it could not be linted: ${why}`, { cause: error });
}

export class Pool {
  readonly #size: number;
  readonly #timeout: number;
  readonly #isSingle: boolean;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Busy>();
  readonly #waiting: Waiting[] = [];
  #grows = false;

  /** `size`: threads at most, which are started when they are needed; `timeout`: seconds that one job may take; `isSingle`: there is one file, large or with checks of others, and memory matters more than time. */
  constructor(size: number, timeout: number, isSingle = false) {
    this.#size = size;
    this.#timeout = timeout;
    this.#isSingle = isSingle;
  }

  lint(job: LintJob): Promise<Linted> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#next();
    });
  }

  /** Nobody waits for the jobs that are left. */
  async close(): Promise<void> {
    this.#waiting.length = 0;
    for (const { timer } of this.#busy.values()) clearTimeout(timer);
    await Promise.all([...this.#idle, ...this.#busy.keys()].map(worker => worker.terminate()));
    expectGrowth(false);
    expectFrugal(true);
    allowCollectors(true);
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#idle.pop() ?? (this.#busy.size < this.#size ? this.#start() : this.#withRoom());
      const waiting = worker === undefined ? undefined : this.#waiting.shift();
      if (worker === undefined || waiting === undefined) return;
      const busy = this.#busy.get(worker);
      if (busy === undefined) this.#busy.set(worker, { jobs: [waiting], timer: this.#timer(worker) });
      else busy.jobs.push(waiting);
      worker.postMessage(waiting.job);
    }
  }

  /** A thread that would have nothing to do until this one hears of it. The last jobs wait for whoever is free first. */
  #withRoom(): Worker | undefined {
    if (this.#waiting.length <= this.#size) return undefined;
    for (const [worker, { jobs }] of this.#busy) if (jobs.length === 1) return worker;
    return undefined;
  }

  #timer(worker: Worker): NodeJS.Timeout {
    return setTimeout(() => { this.#late(worker); }, this.#timeout * 1000);
  }

  /** What is said with --debug, the one says that started it. */
  #start(): Worker {
    const worker = new Worker(program, { argv: [], resourceLimits: { maxYoungGenerationSizeMb: megabytes[this.#isSingle ? 'single' : 'many'] }, env: { ...process.env, IPTABLES_LINT_DEBUG: '' } });
    worker.on('message', (answer: Answer) => { this.#answered(worker, answer); });
    worker.on('error', error => { this.#died(worker, error); });
    worker.on('exit', code => { this.#died(worker, new Error(`its thread ended with ${String(code)}`)); });
    return worker;
  }

  #answered(worker: Worker, { linted, error }: Answer): void {
    if (!this.#grows && !this.#isSingle) {
      // It has loaded the program by now, and goes on for longer.
      this.#grows = true;
      expectGrowth(true);
      expectFrugal(false);
      allowCollectors(this.#size < availableParallelism());
    }
    const busy = this.#busy.get(worker);
    // Its time was over, and it is about to end.
    if (busy === undefined) return;
    const done = busy.jobs.shift();
    clearTimeout(busy.timer);
    if (busy.jobs.length > 0) busy.timer = this.#timer(worker);
    else {
      this.#busy.delete(worker);
      this.#idle.push(worker);
    }
    if (linted === undefined) done?.reject(error);
    else done?.resolve({ source: done.job.source, ...linted });
    this.#next();
  }

  #died(worker: Worker, error: unknown): void {
    const at = this.#idle.indexOf(worker);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#lost(worker, deathOf(error));
  }

  #late(worker: Worker): void {
    void worker.terminate();
    this.#lost(worker, new Trouble(`it was not linted in ${String(this.#timeout)} seconds; --timeout ${String(this.#timeout * 4)} gives it longer`));
  }

  /** A thread is no more: what it was at is not linted, and what lay ready for it another one lints. */
  #lost(worker: Worker, why: Trouble): void {
    const { jobs: [at, ...others] = [], timer } = this.#busy.get(worker) ?? {};
    clearTimeout(timer);
    this.#busy.delete(worker);
    at?.reject(why);
    this.#waiting.unshift(...others);
    this.#next();
  }
}
