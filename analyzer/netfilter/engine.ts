/**
 * The engine: a rule set, a host and packets in order go in; which rules each packet met, and what became of it, come out.
 *
 * ```ts
 * const host = createHost(ruleset, { interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }] });
 * const { verdict, by } = host.send({ in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', dport: 22 } });
 * ```
 */
import { load } from '../model/load.js';
import { emptyRuleset, type Ruleset } from '../model/ruleset.js';
import { didYouMean } from '../model/suggest.js';
import { Packet } from '../packet/packet.js';
import type { Family } from '../values/value.js';
import { answerOf } from './answer.js';
import { buildPacket } from './scenario/build-packet.js';
import { describePacket } from './scenario/describe-packet.js';
import { readConntrack } from './conntrack/read-conntrack.js';
import type { HostSocket } from './host/host.js';
import { scenarioSysctls, Sysctls } from './host/sysctls.js';
import { routingOf, type RoutedHost } from './host/scenario-host.js';
import { defaultStart, HostState } from './host-state.js';
import { readIpSets } from '../packet/ip-set/read-ip-sets.js';
import type { Journey } from './journey.js';
import { macBytes } from './scenario/mac-bytes.js';
import type { Scenario, ScenarioPacket, ScenarioStep, StepAnswer } from './scenario.js';
import { ScenarioError } from './scenario/scenario-error.js';
import { Stack } from './stack.js';
import { TrailRecorder } from './trail/trail-recorder.js';
import type { TrailEntry } from './trail/trail.js';

/** A scenario without its packets; its interfaces, routes and rules may be those of a host file. */
export interface HostSetup extends Omit<Scenario, 'steps' | 'rules' | 'family' | 'backend' | keyof RoutedHost>, RoutedHost {
  /** Seconds that its local time is ahead of UTC; 0 where nothing is said. */
  readonly timeZoneOffset?: number;
  /** Who listens; absent: it is not known. */
  readonly sockets?: readonly HostSocket[];
}

/** What is assumed where the rules and packets do not say. */
export interface TraceOptions {
  /** Of everything that chance decides; 1 where nothing is said. */
  readonly seed?: number;
  /** What is assumed where something cannot be known offline; `skip` where nothing is said. */
  readonly unknown?: 'match' | 'skip';
  /** What to assume for the first unknowns that are met, one by one; `unknown` holds behind them. */
  readonly decisions?: readonly boolean[];
  /** When the scenario begins, in seconds since 1970 (UTC). */
  readonly start?: number;
}

/** What became of one packet, and every rule that it met. */
export interface DetailedStep extends StepAnswer {
  /** What a local process got, as it was then; absent where none did. */
  readonly arrived?: ScenarioPacket;
  readonly trail: readonly TrailEntry[];
}

/** What became of the packets of a scenario, step by step. */
export interface DetailedAnswer {
  readonly steps: readonly DetailedStep[];
}

/** A host with its rules: what it remembers of earlier packets decides on later ones. */
export class Host {
  readonly #stack: Stack;
  readonly #state: HostState;
  /** What of its routes, rules and addresses was not understood, and is left out. */
  readonly problems: readonly string[];
  readonly #isDescribed: boolean;
  #decided = 0;

  constructor(ruleset: Ruleset, setup: HostSetup, options: TraceOptions) {
    const seed = options.seed ?? 1;
    this.#state = new HostState(seed, options.start ?? defaultStart, new Sysctls({ ...scenarioSysctls, ...setup.sysctls }), setup.timeZoneOffset);
    const { sets, problems } = readIpSets(setup.ipsets ?? '', { now: () => this.#state.now });
    const [problem] = problems;
    if (problem !== undefined) throw new ScenarioError(`ipsets, line ${String(problem.line)}: ${problem.message}`);
    const routing = routingOf(ruleset.family, setup, this.#state.sysctls, seed);
    this.problems = routing.problems;
    this.#isDescribed = setup.interfaces !== undefined;
    this.#stack = new Stack({ ruleset, state: this.#state, routing, sets, sockets: setup.sockets });
    this.#stack.assume = () => options.decisions?.[this.#decided++] ?? options.unknown === 'match';
    const [wrong] = readConntrack(setup.conntrack ?? '', this.#stack.conntrack);
    this.#stack.adoptConnections();
    if (wrong !== undefined) throw new ScenarioError(`conntrack, line ${String(wrong.line)}: ${wrong.message}`);
  }

  get family(): Family { return this.#stack.family; }

  /** How many connections the table holds; some may have expired. */
  get connectionCount(): number { return this.#stack.conntrack.count; }

  /** Moves the clock on by so many seconds. */
  advance(seconds: number): void {
    this.#state.now += seconds;
    if (seconds > 0) this.#stack.giveUpFragments();
  }

  /** Lets one packet travel; `packet.in` says where it arrived, '' that a local process sends it. The packet is changed on its way. */
  inject(packet: Packet): Journey {
    return packet.in === '' ? this.#stack.send(packet) : this.#stack.receive(packet);
  }

  /** Carries a step of a scenario out. @throws {ScenarioError} where its packet cannot be. */
  send(step: ScenarioStep): StepAnswer {
    return answerOf(this.travel(step), this.#stack.conntrack, this.#state);
  }

  /** The same, with everything that a person wants to read; without `wantsMisses`, rules that nearly matched are not sought. */
  sendInDetail(step: ScenarioStep, wantsMisses = true): DetailedStep {
    const recorder = new TrailRecorder(this.#stack, wantsMisses);
    this.#stack.witness = recorder;
    const journeys = this.travel(step);
    for (const { packet } of journeys) recorder.look(packet);
    this.#stack.witness = undefined;
    const last = journeys.at(-1);
    const arrived = last?.fate?.kind === 'delivered' ? { arrived: describePacket(last.packet.bytes, this.family) } : {};
    return { ...answerOf(journeys, this.#stack.conntrack, this.#state), ...arrived, trail: recorder.entries };
  }

  /** The journeys of a step's packet, or of its fragments, for those who want to know more than an answer says. */
  travel(step: ScenarioStep): readonly Journey[] {
    this.advance(step.advance ?? 0);
    if (step.sysctls !== undefined) this.#state.sysctls.set(step.sysctls);
    return buildPacket(step.packet, this.family).map(bytes => this.inject(this.#packetOf(step, bytes)));
  }

  #packetOf(step: ScenarioStep, bytes: Uint8Array): Packet {
    const packet = new Packet(this.family, bytes);
    const { mark, uid, gid, smac, dmac } = step.packet;
    if (step.in === 'local') {
      packet.mark = mark ?? 0;
      packet.owner = { uid: uid ?? 0, gid: gid ?? 0 };
      return packet;
    }
    if (this.#isDescribed && this.#stack.routing.interfaces.get(step.in) === undefined) throw new ScenarioError(this.#noInterface(step.in));
    packet.in = step.in;
    this.#stack.routing.arriveOn(packet, { source: macBytes(smac), destination: macBytes(dmac), isBroadcast: step.broadcast === true });
    return packet;
  }

  #noInterface(name: string): string {
    const names = this.#stack.routing.interfaces.all.map(one => one.name);
    return `the host has no interface \`${name}\`: ${didYouMean(name, names) ?? `its interfaces are ${names.join(', ')}`}`;
  }
}

/** A host with these rules. @throws {ScenarioError} where the setup cannot be. */
export function createHost(ruleset: Ruleset, setup: HostSetup = {}, options: TraceOptions = {}): Host {
  return new Host(ruleset, setup, options);
}

/** The rule set that a scenario is about: its own text's, or one of those that were loaded for it. */
export function rulesetFor(scenario: Scenario, rulesets: readonly Ruleset[]): Ruleset {
  const own = scenario.rules === undefined ? rulesets : load({ path: 'rules', text: scenario.rules }, { family: scenario.family, backend: scenario.backend }).rulesets;
  const family = scenario.family ?? own[0]?.family ?? 'ipv4';
  const found = own.find(ruleset => ruleset.family === family) ?? emptyRuleset(family);
  return scenario.backend === undefined ? found : { ...found, backend: scenario.backend };
}

/** Lets the packets of a scenario travel, in order. @throws {ScenarioError} where the scenario cannot be. */
export function runScenario(rulesets: readonly Ruleset[], scenario: Scenario, options: TraceOptions = {}): DetailedAnswer {
  const host = createHost(rulesetFor(scenario, rulesets), scenario, options);
  return { steps: scenario.steps.map(step => host.sendInDetail(step)) };
}
