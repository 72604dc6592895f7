/** The real netfilter: what the kernel does with the packets of a scenario, told in the words of the engine's answer. */
import type { Scenario, ScenarioAnswer } from '../analyzer/netfilter/scenario.js';
import { readDropReasons, type DropReasons } from './drop-reasons.js';
import { Helper } from './helper-process.js';
import { Namespace, type HostAndSteps, type SharedRules } from './namespace.js';
import { SetUpError } from './set-up.js';

/** Longest time that `advance` really waits for, in seconds: the kernel's clock cannot be moved. */
export const patience = 5;

/** A scenario that takes longer hangs, in milliseconds; `advance` comes on top. */
const timeLimit = 60_000;

/** What takes longer than so many milliseconds ends with its helper. */
async function limited<T>(helper: Helper, milliseconds: number, work: () => Promise<T>): Promise<T> {
  const limit = { isOver: false };
  const timer = setTimeout(() => {
    limit.isOver = true;
    helper.kill();
  }, milliseconds);
  try {
    return await work();
  } catch (error) {
    throw limit.isOver ? new SetUpError(`it takes longer than ${String(milliseconds / 1000)} seconds`) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** The kernel's refusal is an answer, too. */
async function settled<T>(work: Promise<T>): Promise<T | SetUpError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof SetUpError) return error;
    throw error;
  }
}

/** Several helpers, because the kernel lets each of them wait most of the time: scenarios may be run side by side. Call `close` when done. */
export class Kernel {
  readonly #idle: Helper[];
  readonly #all = new Set<Helper>();
  readonly #queue: ((helper: Helper) => void)[] = [];
  readonly #reasons: Promise<DropReasons>;
  readonly #count: number;

  constructor(helpers = 4) {
    this.#count = helpers;
    this.#idle = Array.from({ length: helpers }, (_, number) => this.#start(number));
    const [first] = this.#idle;
    this.#reasons = first === undefined ? Promise.resolve(new Map()) : readDropReasons(first);
  }

  /** What really happens. @throws {SetUpError} where the kernel refuses the scenario's rules, routes or addresses, or it waits for too long. */
  async run(scenario: Scenario): Promise<ScenarioAnswer> {
    const waits = scenario.steps.map(step => step.advance ?? 0);
    const long = waits.find(seconds => seconds > patience);
    if (long !== undefined) throw new SetUpError(`the kernel's clock cannot be moved by ${String(long)} seconds`);
    const reasons = await this.#reasons;
    return this.#withHelper(helper => limited(helper, timeLimit + waits.reduce((sum, seconds) => sum + seconds * 1000, 0), async () => {
      const namespace = await Namespace.open(helper, scenario, reasons);
      return namespace.play(scenario);
    }));
  }

  /**
   * What really happens on one host after the other that has these rules: they are loaded once, and nothing but what rules
   * themselves remember (`recent`, `limit` …) is left of the hosts before. In their order: the answer, or why there is none.
   */
  async runAll(rules: SharedRules, hosts: readonly HostAndSteps[]): Promise<readonly (ScenarioAnswer | SetUpError)[]> {
    const answers: (ScenarioAnswer | SetUpError)[] = [];
    while (answers.length < hosts.length) await this.#withHelper(helper => this.#goOn(helper, rules, hosts, answers));
    return answers;
  }

  /** Up to the end, or to where a new namespace is needed. */
  async #goOn(helper: Helper, rules: SharedRules, hosts: readonly HostAndSteps[], answers: (ScenarioAnswer | SetUpError)[]): Promise<void> {
    const reasons = await this.#reasons;
    const namespace = await settled(limited(helper, timeLimit * 5, () => Namespace.open(helper, { ...rules, steps: [] }, reasons)));
    if (namespace instanceof SetUpError) {
      answers.push(...hosts.slice(answers.length).map(() => namespace));
      return;
    }
    for (const host of hosts.slice(answers.length)) {
      if (!helper.isAlive || !namespace.hasRoom) return;
      answers.push(await settled(limited(helper, timeLimit, () => namespace.move(host))));
    }
  }

  async #withHelper<T>(work: (helper: Helper) => Promise<T>): Promise<T> {
    const helper = this.#idle.pop() ?? await new Promise<Helper>(resolve => this.#queue.push(resolve));
    try {
      return await work(helper);
    } finally {
      this.#giveBack(helper.isAlive ? helper : this.#restart(helper));
    }
  }

  #start(number: number): Helper {
    const helper = new Helper(number);
    this.#all.add(helper);
    return helper;
  }

  #restart(helper: Helper): Helper {
    this.#all.delete(helper);
    return this.#start(helper.number);
  }

  #giveBack(helper: Helper): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#idle.push(helper);
    else next(helper);
  }

  /** At once, whatever is under way. */
  kill(): void {
    for (const helper of this.#all) helper.kill();
  }

  /** To be called when no scenario is under way. */
  async close(): Promise<void> {
    if (this.#idle.length !== this.#count) throw new Error('scenarios are still under way');
    await Promise.all(this.#idle.map(helper => helper.close()));
  }
}
