/** A connection with a helper, and packets of it at the last hook. */
import { Helpers, type Expectation } from '../../../analyzer/netfilter/helpers/helpers.js';
import { Connection, ctstatus, swapped, type Direction, type Tuple } from '../../../analyzer/packet/connection.js';
import { ctstates } from '../../../analyzer/packet/constraint.js';
import type { Packet } from '../../../analyzer/packet/packet.js';
import { Verdict } from '../../../analyzer/packet/traversal.js';
import { printAddress } from '../../../analyzer/values/address.js';
import { address, tcp, udp } from '../packet-bytes.js';

export class Host {
  readonly family: 'ipv4' | 'ipv6';
  now = 100;
  chance = 0.5;
  constructor(family: 'ipv4' | 'ipv6' = 'ipv4') { this.family = family; }
  random(): number { return this.chance; }
  sysctl(name: string): number { return name === 'net.netfilter.nf_conntrack_expect_max' ? 4096 : 0; }
  readonly ended: string[] = [];
  endConnection(tuple: Tuple): void { this.ended.push(`${printAddress(tuple.src)}:${String(tuple.sport)} > ${printAddress(tuple.dst)}:${String(tuple.dport)}`); }
  broadcastMask(interfaceName: string): number | undefined { return interfaceName === 'eth0' ? 0xffff_ff00 : undefined; }
}

export interface Ends {
  readonly client?: string;
  readonly server?: string;
  /** As the client names the server, where that is translated. */
  readonly serverAs?: string;
  /** As the server sees the client, where that is translated. */
  readonly clientAs?: string;
  readonly sport?: number;
}

export class Conversation {
  readonly connection: Connection;
  readonly helpers: Helpers;
  readonly host: Host;
  sequence: [number, number] = [1000, 5000];

  constructor(helper: string, protocol: number, dport: number, ends: Ends = {}, host = new Host(), helpers = new Helpers(host)) {
    const { client = '10.0.0.2', server = '10.0.1.2', serverAs = server, clientAs = client, sport = 4000 } = ends;
    const original = { src: address(client), dst: address(serverAs), protocol, sport, dport };
    this.host = host;
    this.helpers = helpers;
    this.connection = new Connection(original, { ...swapped(original), src: address(server), dst: address(clientAs) });
    this.connection.helper = helper;
    this.connection.status = ctstatus.CONFIRMED | (serverAs === server ? 0 : ctstatus.DST_NAT) | (clientAs === client ? 0 : ctstatus.SRC_NAT);
  }

  /** What leaves of a packet with this text, or undefined where it is dropped. */
  say(direction: Direction, text: string | readonly number[]): Packet | undefined {
    const there = this.connection.tuple(direction === 0 ? 1 : 0);
    // Translated already: the packet goes as its answer would come back.
    const fields = { src: printAddress(there.dst), dst: printAddress(there.src) };
    const { family } = this.host;
    const words = typeof text === 'string' ? text : String.fromCharCode(...text);
    const packet = there.protocol === 6
      ? tcp({ sport: there.dport, dport: there.sport, flags: 0x18, seq: this.sequence[direction], ack: this.sequence[direction === 0 ? 1 : 0], text: words }, fields, family)
      : udp(there.dport, there.sport, words, fields, family);
    this.sequence[direction] += words.length;
    return this.pass(packet, direction);
  }

  pass(packet: Packet, direction: Direction): Packet | undefined {
    packet.connection = this.connection;
    packet.ctstate = ctstates.ESTABLISHED;
    packet.direction = direction;
    packet.in = 'eth1';
    packet.out = 'eth0';
    if (this.helpers.run(packet) !== Verdict.Accept || !this.helpers.adjustSequence(packet)) return undefined;
    return packet;
  }

  /** `10.0.1.2:* > 10.0.0.2:1025` for each, the newest last. */
  get expected(): string[] {
    return [...this.helpers.expectations()].map(written);
  }
}

export function written({ tuple, mask }: Expectation): string {
  const source = BigInt(mask.src) === 0n ? '*' : printAddress(tuple.src);
  return `${source}:${mask.sport === 0 ? '*' : String(tuple.sport)} > ${printAddress(tuple.dst)}:${String(tuple.dport)}`;
}

export function textOf(packet: Packet | undefined): string {
  if (packet === undefined) return 'dropped';
  const at = packet.transport + (packet.protocol === 6 ? (packet.u8(packet.transport + 12) >> 4) * 4 : 8);
  return String.fromCharCode(...packet.bytes.subarray(at));
}
