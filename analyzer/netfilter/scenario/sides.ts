/** The two sides of a conversation: where they are, and how each sees the other, addresses translated or not. */
import type { DetailedStep } from '../engine.js';
import { hasPorts, isPing } from './protocol-names.js';
import type { Line } from './scripts.js';
import { ScenarioError } from './scenario-error.js';
import type { ScenarioPacket, ScenarioStep } from '../scenario.js';

/** The packet that opens it: as a step, with the interface found. */
export type Opening = ScenarioStep & { readonly packet: ScenarioPacket & { readonly src: string; readonly dst: string } };

/** Who a packet is from and to. */
interface Ends {
  readonly src: string;
  readonly dst: string;
  readonly sport: number | undefined;
  readonly dport: number | undefined;
  /** ICMP: the id, which NAT may change as it changes ports. */
  readonly id: number | undefined;
}

const clientPort = 40000;

function reversed({ src, dst, sport, dport, id }: Ends): Ends {
  return { src: dst, dst: src, sport: dport, dport: sport, id };
}

function endsOf({ src = '', dst = '', sport, dport, id }: ScenarioPacket): Ends {
  return { src, dst, sport, dport, id };
}

function fieldsOf({ src, dst, sport, dport, id }: Ends): Partial<ScenarioPacket> {
  return { src, dst, ...sport === undefined ? {} : { sport }, ...dport === undefined ? {} : { dport }, ...id === undefined ? {} : { id } };
}

function endText(address: string, port: number | undefined): string {
  return port === undefined ? address : `${address.includes(':') ? `[${address}]` : address}:${String(port)}`;
}

export interface Arrived {
  /** Where answers come from: an interface, or `local`. */
  readonly at: string;
  readonly ends: Ends;
}

/** Where a packet came out, and how; undefined where it did not. */
export function arrived(step: ScenarioStep, answer: DetailedStep): Arrived | undefined {
  if (answer.verdict === 'delivered') return { at: 'local', ends: endsOf(answer.arrived ?? step.packet) };
  const [kind, oif = ''] = answer.verdict.split(' ');
  const [out] = answer.out;
  if ((kind !== 'forwarded' && kind !== 'sent') || out === undefined) return undefined;
  return { at: oif === 'lo' ? 'local' : oif, ends: endsOf(out) };
}

function isSame(one: Ends, other: Ends): boolean {
  return one.src === other.src && one.dst === other.dst && one.sport === other.sport && one.dport === other.dport && (one.id === other.id || one.id === undefined || other.id === undefined);
}

/** Why an answer does not count although it came. */
function misled(expected: Ends, { ends }: Arrived): string {
  return `it comes from ${endText(ends.src, ends.sport)} for ${endText(ends.dst, ends.dport)}, and the client waits for one from ${endText(expected.src, expected.sport)} for ${endText(expected.dst, expected.dport)}`;
}

/** Both sides as the conversation goes on: where they are, and how each sees the other. */
export class Sides {
  readonly #opening: Opening;
  readonly #client: Ends;
  /** As the server sees the client's packets; unknown until the first has come. */
  #server: Arrived | undefined;

  constructor(opening: Opening) {
    const { packet } = opening;
    const withPorts = hasPorts(packet.proto);
    if (withPorts && packet.dport === undefined) throw new ScenarioError('a conversation needs the port of the server');
    this.#opening = opening;
    this.#client = { src: packet.src, dst: packet.dst, sport: withPorts ? packet.sport ?? clientPort : undefined, dport: packet.dport, id: isPing(packet.proto) ? packet.id ?? 1 : undefined };
  }

  step({ from, fields }: Line): ScenarioStep {
    const { packet, in: at, advance, ...rest } = this.#opening;
    if (from === 'client') return { ...rest, in: at, packet: { ...packet, ...fields, ...fieldsOf(this.#client) } };
    const { at: serverAt, ends } = this.#server ?? { at: 'local', ends: this.#client };
    return { in: serverAt, packet: { proto: packet.proto, ...fields, ...fieldsOf(reversed(ends)) } };
  }

  /** Whether the server has seen a packet of the client. */
  get isMet(): boolean { return this.#server !== undefined; }

  /** Takes note of where a packet came out. What is wrong with that, if anything is. */
  note({ from }: Line, came: Arrived): string | undefined {
    if (from === 'server') return isSame(came.ends, reversed(this.#client)) ? undefined : misled(reversed(this.#client), came);
    if (this.#server !== undefined && !isSame(this.#server.ends, came.ends)) return `it reaches ${endText(came.ends.dst, came.ends.dport)} as from ${endText(came.ends.src, came.ends.sport)}, where the packets before it went from ${endText(this.#server.ends.src, this.#server.ends.sport)} to ${endText(this.#server.ends.dst, this.#server.ends.dport)}`;
    this.#server ??= came;
    return undefined;
  }
}
