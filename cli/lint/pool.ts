/** Threads that lint: one that dies, or comes to no end, costs the rules that it was at, and no others. */
import { Worker } from 'node:worker_threads';
import { Trouble } from '../trouble.js';
import type { Linted, LintJob } from './linted.js';
import type { Answer } from './worker.js';

/** It is one folder above what is bundled. */
const program = new URL('../thread.cjs', import.meta.url);

/** New objects have 4 MB, twice. Three times that is what V8 counts; with more, it is slower to see what is needed no longer, and no faster otherwise. */
const resourceLimits = { maxYoungGenerationSizeMb: 12 };

interface Waiting {
  readonly job: LintJob;
  readonly resolve: (linted: Linted) => void;
  readonly reject: (error: unknown) => void;
}

interface Busy extends Waiting {
  readonly timer: NodeJS.Timeout;
}

function deathOf(error: unknown): Trouble {
  const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
  const why = isMemory ? 'there was not enough memory; NODE_OPTIONS=--max-old-space-size=8192 allows 8 GB' : error instanceof Error ? error.message : String(error);
  return new Trouble(`it could not be linted: ${why}`, { cause: error });
}

export class Pool {
  readonly #size: number;
  readonly #timeout: number;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Busy>();
  readonly #waiting: Waiting[] = [];

  /** `size`: threads at most, which are started when they are needed; `timeout`: seconds that one job may take. */
  constructor(size: number, timeout: number) {
    this.#size = size;
    this.#timeout = timeout;
  }

  lint(job: LintJob): Promise<Linted> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    for (const { timer } of this.#busy.values()) clearTimeout(timer);
    await Promise.all([...this.#idle, ...this.#busy.keys()].map(worker => worker.terminate()));
  }

  #next(): void {
    if (this.#waiting.length === 0 || (this.#idle.length === 0 && this.#busy.size >= this.#size)) return;
    const worker = this.#idle.pop() ?? this.#start();
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#busy.set(worker, { ...waiting, timer: setTimeout(() => { this.#late(worker); }, this.#timeout * 1000) });
    worker.postMessage(waiting.job);
  }

  /** What is said with --debug, the one says that started it. */
  #start(): Worker {
    const worker = new Worker(program, { argv: [], resourceLimits, env: { ...process.env, IPTABLES_LINT_DEBUG: '' } });
    worker.on('message', (answer: Answer) => { this.#answered(worker, answer); });
    worker.on('error', error => { this.#died(worker, error); });
    worker.on('exit', code => { this.#died(worker, new Error(`its thread ended with ${String(code)}`)); });
    return worker;
  }

  #answered(worker: Worker, { linted, error }: Answer): void {
    const waiting = this.#done(worker);
    this.#idle.push(worker);
    if (linted === undefined) waiting?.reject(error);
    else waiting?.resolve({ source: waiting.job.source, ...linted });
    this.#next();
  }

  #died(worker: Worker, error: unknown): void {
    const at = this.#idle.indexOf(worker);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#done(worker)?.reject(deathOf(error));
    this.#next();
  }

  #late(worker: Worker): void {
    this.#done(worker)?.reject(new Trouble(`it was not linted in ${String(this.#timeout)} seconds; --timeout ${String(this.#timeout * 4)} gives it longer`));
    void worker.terminate();
    this.#next();
  }

  #done(worker: Worker): Busy | undefined {
    const busy = this.#busy.get(worker);
    clearTimeout(busy?.timer);
    this.#busy.delete(worker);
    return busy;
  }
}
