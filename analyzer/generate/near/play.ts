/** A script played on a host: each packet answers what the other side saw, addresses translated or not. */
import type { DetailedStep, Host } from '../../netfilter/engine.js';
import type { Scenario, ScenarioPacket, ScenarioStep } from '../../netfilter/scenario.js';
import { hasPorts, isPing } from '../../netfilter/scenario/protocol-names.js';
import { ScenarioError } from '../../netfilter/scenario/scenario-error.js';
import { scriptOf, type Line } from '../../netfilter/scenario/scripts.js';
import { arrived, Sides } from '../../netfilter/scenario/sides.js';
import { freshHost, type Drawn, type Place } from './packets-near.js';
import type { Script, Turn } from './script.js';

/** A packet of a played conversation, and what became of it. */
export interface Event {
  readonly step: ScenarioStep;
  readonly answer: DetailedStep;
  /** Of a flow that is played in the right order: whose packet it is, and how many of the flow came before it. */
  readonly said: { readonly flow: Flow; readonly line: Line; readonly position: number } | undefined;
}

/** Two programs that talk with each other. */
export interface Flow {
  readonly number: number;
  /** Who sent the first packet does not get what is sent to its source. */
  readonly isSpoofed: boolean;
}

export interface Played {
  readonly place: Place;
  readonly events: readonly Event[];
}

/** Packets of one conversation; more are not played. */
const mostSteps = 80;

class Talk {
  readonly flow: Flow;
  readonly opening: Drawn['step'];
  readonly lines: readonly Line[];
  readonly sides: Sides;
  position = 0;
  /** A packet got lost, or the other side says that it did: there is no right order any more. */
  isOver = false;
  /** The client's last packet as it came out, and where. */
  seen: { readonly at: string; readonly packet: ScenarioPacket } | undefined;

  constructor({ step, isSpoofed }: Drawn, number: number) {
    // What opens a conversation is its first packet, whatever the rule asked for; each flow has a port of its own.
    const { flags, type, code, ...packet } = step.packet;
    this.opening = { ...step, packet: { ...packet, ...endOf(packet, packet.sport ?? 40_000 + number, 1 + number) } };
    this.flow = { number, isSpoofed };
    this.lines = scriptOf(packet.proto);
    this.sides = new Sides(this.opening);
  }
}

/** What tells a client's flows apart: its port, or the id of a ping. */
function endOf({ proto }: ScenarioPacket, sport: number, id: number): Partial<ScenarioPacket> {
  return hasPorts(proto) ? { sport } : isPing(proto) ? { id } : {};
}

/** Plays one conversation. */
class Player {
  readonly events: Event[] = [];
  readonly #host: Host;
  readonly #talks: readonly Talk[];
  readonly #isV6: boolean;
  /** Seconds that pass before the next packet. */
  #pause = 0;
  #crowded = 0;

  constructor(place: Place, flows: readonly Drawn[]) {
    this.#host = freshHost(place);
    this.#isV6 = place.ruleset.family === 'ipv6';
    this.#talks = flows.map((one, number) => new Talk(one, number));
  }

  turn(turn: Turn): void {
    this.#pause += turn.advance;
    if (turn.kind === 'stray') {
      this.send(turn.step, undefined);
      return;
    }
    const talk = this.#talks[turn.flow % this.#talks.length];
    if (talk === undefined) return;
    switch (turn.kind) {
      case 'next': for (let left = turn.count; left > 0 && !talk.isOver; left--) this.#say(talk); return;
      case 'crowd': for (let left = turn.count; left > 0; left--) this.#crowd(talk); return;
      case 'error': this.#complain(talk); return;
    }
  }

  send(step: ScenarioStep, said: Event['said']): DetailedStep | undefined {
    if (this.events.length >= mostSteps) return undefined;
    const whole = this.#pause === 0 ? step : { ...step, advance: this.#pause };
    this.#pause = 0;
    const answer = this.#host.sendInDetail(whole, false);
    this.events.push({ step: whole, answer, said });
    return answer;
  }

  #say(talk: Talk): void {
    const line = talk.lines[talk.position];
    if (line === undefined || (line.from === 'server' && talk.flow.isSpoofed)) {
      talk.isOver = true;
      return;
    }
    const step = talk.sides.step(line);
    const answer = this.send(step, { flow: talk.flow, line, position: talk.position++ });
    const came = answer === undefined ? undefined : arrived(step, answer);
    if (answer === undefined || came === undefined || talk.sides.note(line, came) !== undefined) {
      talk.isOver = true;
      return;
    }
    const packet = answer.arrived ?? answer.out[0];
    if (line.from === 'client' && packet !== undefined) talk.seen = { at: came.at, packet: inWords(packet) };
  }

  #crowd({ opening, lines: [first] }: Talk): void {
    if (first === undefined) return;
    const { packet } = opening;
    const number = 1 + this.#crowded++;
    this.send({ ...opening, packet: { ...packet, ...first.fields, ...endOf(packet, 50_000 + number, 50_000 + number) } }, undefined);
  }

  #complain(talk: Talk): void {
    if (talk.seen === undefined) return;
    const { at, packet: quote } = talk.seen;
    const error = this.#isV6 ? { proto: 'icmpv6', type: 1, code: 4 } : { proto: 'icmp', type: 3, code: 3 };
    talk.isOver = true;
    this.send({ in: at, packet: { ...error, src: quote.dst ?? '', dst: quote.src ?? '', quote } }, undefined);
  }
}

/** Without where it left, which is no field of a packet. */
function inWords({ oif, ...packet }: ScenarioPacket & { readonly oif?: string }): ScenarioPacket {
  return packet;
}

/** Two flows of the same ends would be one. */
function distinct(flows: readonly Drawn[]): readonly Drawn[] {
  const seen = new Set<string>();
  return flows.filter(({ step: { packet: { proto, src, dst, sport, dport } } }) => {
    const key = [proto, sport ?? '', dport ?? '', ...[src, dst].sort()].join(' ');
    return sport === undefined || (!seen.has(key) && seen.add(key));
  });
}

/** Plays a script. A packet that cannot be is left out, with all behind it. */
export function play(place: Place, { before, flows, turns }: Script): Played {
  const player = new Player(place, distinct(flows));
  try {
    for (const step of before) player.send(step, undefined);
    for (const turn of turns) player.turn(turn);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
  }
  return { place, events: player.events };
}

/** The played conversation up to this packet, as a scenario. */
export function scenarioOf({ place: { ruleset, terrain }, events }: Played, length = events.length): Scenario {
  const { sockets, timeZoneOffset, interfaces = [], routes = [], ipRules = [], ...setup } = terrain.setup;
  const words = (list: readonly unknown[]): readonly string[] => list.filter(one => typeof one === 'string');
  return {
    family: ruleset.family, backend: ruleset.backend, ...setup,
    interfaces: interfaces.map(({ name, addresses = [] }) => ({ name, addresses: addresses.map(one => typeof one === 'string' ? one : one.address) })),
    routes: words(routes), ...ipRules.length === 0 ? {} : { ipRules: words(ipRules) },
    steps: events.slice(0, length).map(({ step }) => step),
  };
}
