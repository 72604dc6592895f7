/** A namespace with rules, and the hosts that it is made to be, one after the other. */
import type { Scenario, ScenarioAnswer, ScenarioInterface, StepAnswer } from '../analyzer/netfilter/scenario.js';
import type { DropReasons } from './drop-reasons.js';
import type { Helper } from './helper-process.js';
import { readRuleBook } from './rule-book.js';
import { Run, type Place } from './run.js';
import { rearrange, setUp } from './set-up.js';

/** What hosts of one namespace have in common. */
export type SharedRules = Pick<Scenario, 'family' | 'backend' | 'rules' | 'ipsets' | 'sysctls'>;

/** What may be another each time. */
export type HostAndSteps = Pick<Scenario, 'interfaces' | 'routes' | 'conntrack' | 'steps'>;

/** The helper has no room for more. */
const mostDevices = 64;

export class Namespace {
  readonly #helper: Helper;
  readonly #place: Place & { readonly devices: ScenarioInterface[] };
  /** It is half one host and half another. */
  #isSpoilt = false;

  private constructor(helper: Helper, place: Omit<Place, 'devices'>, devices: readonly ScenarioInterface[]) {
    this.#helper = helper;
    this.#place = { ...place, devices: [...devices] };
  }

  /** A fresh one, with the scenario's host and rules. @throws {SetUpError} */
  static async open(helper: Helper, scenario: Scenario, reasons: DropReasons): Promise<Namespace> {
    const { family = 'ipv4', backend = 'nft', interfaces = [] } = scenario;
    const saved = await setUp(helper, scenario, family, backend);
    const book = await readRuleBook(helper, saved, { family, backend });
    return new Namespace(helper, { family, backend, book, reasons }, interfaces);
  }

  /** Whether another host may be made of it. */
  get hasRoom(): boolean { return !this.#isSpoilt && this.#place.devices.length <= mostDevices / 2; }

  /** Sends the packets to the host as it is. */
  async play(scenario: Scenario): Promise<ScenarioAnswer> {
    const run = new Run(this.#helper, scenario, this.#place);
    const steps: StepAnswer[] = [];
    await run.begin();
    for (const step of scenario.steps) steps.push(await run.step(step));
    return { steps };
  }

  /** Sends packets to another host with the same rules: flows, addresses and routes of the one before are gone. @throws {SetUpError} */
  async move(host: HostAndSteps): Promise<ScenarioAnswer> {
    const { devices, family } = this.#place;
    const known = new Set(devices.map(({ name }) => name));
    const fresh = (host.interfaces ?? []).filter(({ name }) => !known.has(name));
    this.#isSpoilt = true;
    await rearrange(this.#helper, host, { family, devices, fresh });
    devices.push(...fresh);
    this.#isSpoilt = false;
    return this.play(host);
  }
}
