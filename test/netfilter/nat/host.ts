/** A host with nothing but connections and NAT: enough to see what becomes of packets. */
import { buildPacket } from '../../../analyzer/netfilter/scenario/build-packet.js';
import { invert, isSameTuple, tupleAt, tupleOf } from '../../../analyzer/netfilter/conntrack/tuples.js';
import type { NatConntrack, NatHook } from '../../../analyzer/netfilter/nat/nat-host.js';
import { Nat } from '../../../analyzer/netfilter/nat/nat.js';
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { Connection, ctstatus, type Direction, type Tuple } from '../../../analyzer/packet/connection.js';
import { ctstates } from '../../../analyzer/packet/constraint.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { Verdict, type NatRange } from '../../../analyzer/packet/traversal.js';
import { parseAddress, printAddress } from '../../../analyzer/values/address.js';
import type { Family } from '../../../analyzer/values/value.js';

export function ip(text: string): number | bigint {
  const address = parseAddress(text, text.includes(':') ? 'ipv6' : 'ipv4');
  if (typeof address !== 'number' && typeof address !== 'bigint') throw new Error(`no address: ${text}`);
  return address;
}

export function packetOf(words: ScenarioPacket, family: Family = 'ipv4'): Packet {
  const [bytes] = buildPacket(words, family);
  return new Packet(family, bytes ?? new Uint8Array());
}

/** A UDP packet of 5 bytes, `10.0.0.5:4000 > 198.51.100.1:80`. */
export function udp(words: string): Packet {
  const [, src = '', sport, dst = '', dport] = /^(.*):(\d+) > (.*):(\d+)$/u.exec(words) ?? [];
  return packetOf({ proto: 'udp', src, sport: Number(sport), dst, dport: Number(dport), payload: 'hello' }, src.includes(':') ? 'ipv6' : 'ipv4');
}

/** `10.0.0.5:4000 > 198.51.100.1:80`, of any packet. */
export function flow(packet: Packet): string {
  const { src, dst, sport, dport } = tupleOf(packet) ?? { src: 0, dst: 0, sport: 0, dport: 0 };
  return `${printAddress(src)}:${String(sport)} > ${printAddress(dst)}:${String(dport)}`;
}

/** A plain list in place of the real table. */
export class Connections implements NatConntrack {
  readonly all: Connection[] = [];

  find(tuple: Tuple, zone = 0): { readonly connection: Connection; readonly direction: Direction } | undefined {
    for (const connection of this.all) {
      if (isSameTuple(connection.original, tuple) && connection.zones[0] === zone) return { connection, direction: 0 };
      if (isSameTuple(connection.reply, tuple) && connection.zones[1] === zone) return { connection, direction: 1 };
    }
    return undefined;
  }

  findConnection(tuple: Tuple, zone: number): Connection | undefined { return this.find(tuple, zone)?.connection; }

  isTaken(tuple: Tuple, ignored: Connection): boolean {
    return this.all.some(one => one !== ignored && ((isSameTuple(one.original, tuple) && one.zones[0] === ignored.zones[0]) || (isSameTuple(one.reply, tuple) && one.zones[1] === ignored.zones[1])));
  }

  alterReply(connection: Connection, reply: Tuple): void { connection.reply = reply; }

  remove(connection: Connection): void {
    const index = this.all.indexOf(connection);
    if (index !== -1) this.all.splice(index, 1);
  }
}

/** What the nat table says at each hook: a mapping, or a verdict. */
export type Rules = Partial<Record<NatHook, NatRange | Verdict>>;

export class NatBox {
  readonly connections = new Connections();
  /** What chance was asked for. */
  readonly chances: string[] = [];
  readonly nat: Nat;
  readonly asked: NatHook[] = [];
  readonly rules: Rules;
  readonly zone: number;
  #seed = 1;

  constructor(rules: Rules = {}, zone = 0) {
    this.rules = rules;
    this.zone = zone;
    this.nat = new Nat({
      conntrack: this.connections,
      random: why => {
        this.chances.push(why);
        this.#seed = (this.#seed * 48_271) % 0x7fff_ffff;
        return this.#seed / 0x7fff_ffff;
      },
    });
  }

  /** Gives the packet its connection, a new one where there is none. */
  track(packet: Packet, zone = this.zone): Connection | undefined {
    const tuple = tupleOf(packet);
    if (tuple === undefined) return undefined;
    const known = this.connections.find(tuple, zone);
    const reply = invert(tuple);
    if (known === undefined && reply === undefined) return undefined;
    const connection = known?.connection ?? new Connection(tuple, reply ?? tuple);
    if (known === undefined) connection.zones = [zone, zone];
    packet.connection = connection;
    packet.direction = known?.direction ?? 0;
    packet.ctstate = packet.direction === 1 || connection.has(ctstatus.SEEN_REPLY) ? ctstates.ESTABLISHED : ctstates.NEW;
    if (packet.direction === 1) connection.status |= ctstatus.SEEN_REPLY;
    return connection;
  }

  /** Makes an ICMP error part of the connection whose packet it quotes. */
  relate(packet: Packet): void {
    const tuple = tupleAt(packet, packet.transport + 8);
    const sought = tuple === undefined ? undefined : invert(tuple);
    const known = sought === undefined ? undefined : this.connections.find(sought, this.zone);
    packet.connection = known?.connection;
    packet.direction = known?.direction ?? 0;
    packet.ctstate = known === undefined ? ctstates.INVALID : ctstates.RELATED;
    packet.isRelatedError = known !== undefined;
  }

  pass(packet: Packet, hook: NatHook): Verdict {
    return this.nat.hook(packet, hook, () => {
      this.asked.push(hook);
      const rule = this.rules[hook] ?? Verdict.Accept;
      return typeof rule === 'number' ? rule : this.nat.setup(packet, rule, hook);
    });
  }

  confirm({ connection }: Packet): Verdict {
    if (connection === undefined || connection.has(ctstatus.CONFIRMED)) return Verdict.Accept;
    if (this.connections.isTaken(connection.reply, connection)) return Verdict.Drop;
    connection.status |= ctstatus.CONFIRMED;
    this.connections.all.push(connection);
    return Verdict.Accept;
  }

  /** Through the host: what comes out, or `dropped`. */
  forward(packet: Packet, out = 'eth1'): string {
    if (packet.connection === undefined) this.track(packet);
    if (this.pass(packet, 'PREROUTING') !== Verdict.Accept) return 'dropped';
    packet.out = out;
    if (this.pass(packet, 'POSTROUTING') !== Verdict.Accept) return 'dropped';
    return this.confirm(packet) === Verdict.Accept ? flow(packet) : 'dropped';
  }

  forwardError(packet: Packet): boolean {
    this.relate(packet);
    return this.pass(packet, 'PREROUTING') === Verdict.Accept && this.pass(packet, 'POSTROUTING') === Verdict.Accept;
  }
}

export function to(side: NatRange['side'], address: string, more: Partial<NatRange> = {}): NatRange {
  const [low = '', high = low] = address.split('-');
  return { side, ...low === '' ? {} : { minAddress: ip(low), maxAddress: ip(high) }, ...more };
}

export function ports(low: number, high = low): Pick<NatRange, 'minPort' | 'maxPort'> {
  return { minPort: low, maxPort: high };
}
