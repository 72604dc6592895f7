/** A conntrack table with a clock in hand, fed by packets in words. */
import { buildPacket } from '../../../analyzer/netfilter/scenario/build-packet.js';
import { Conntrack, type TrackingHook } from '../../../analyzer/netfilter/conntrack/conntrack.js';
import { sysctlDefaults } from '../../../analyzer/netfilter/host/sysctl-defaults.js';
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { Verdict, type CtTemplate } from '../../../analyzer/packet/traversal.js';
import type { Family } from '../../../analyzer/values/value.js';

const stateNames = ['INVALID', 'NEW', 'ESTABLISHED', 'RELATED', 'UNTRACKED'];

export const client = '10.0.0.2', server = '10.0.1.2';

export interface Passing {
  readonly template?: CtTemplate;
  readonly hook?: TrackingHook;
  /** It is dropped before it is confirmed. */
  readonly lost?: boolean;
}

export class Lab {
  now = 0;
  readonly family: Family;
  readonly sysctls: Record<string, number> = { ...sysctlDefaults };
  readonly notes: string[] = [];
  readonly conntrack: Conntrack;
  chance = 0;

  constructor(family: Family = 'ipv4', sysctls: Readonly<Record<string, number>> = {}) {
    this.family = family;
    for (const [name, value] of Object.entries(sysctls)) this.sysctls[`net.netfilter.nf_conntrack_${name}`] = value;
    this.conntrack = new Conntrack(this);
  }

  sysctl(name: string): number {
    return this.sysctls[name] ?? 0;
  }

  random(): number {
    return this.chance;
  }

  note(text: string): void {
    this.notes.push(text);
  }

  build(words: ScenarioPacket): Packet {
    return new Packet(this.family, Uint8Array.from(buildPacket(words, this.family)[0] ?? []));
  }

  /** Sends the packet through; `NEW ORIGINAL`, `INVALID`, `dropped` … */
  pass(packet: Packet, { template, hook = 'PREROUTING', lost = false }: Passing = {}): string {
    const verdict = this.conntrack.track(packet, hook, template);
    if (verdict !== Verdict.Accept) return 'dropped';
    const state = stateNames[packet.stateSeen] ?? '';
    const answer = packet.connection === undefined ? state : `${state} ${packet.direction === 0 ? 'ORIGINAL' : 'REPLY'}`;
    return lost || this.conntrack.confirm(packet) === Verdict.Accept ? answer : `${answer}, dropped`;
  }

  send(words: ScenarioPacket, passing?: Passing): string {
    return this.pass(this.build(words), passing);
  }

  /** A TCP segment between client port 4000 and server port 80; `>` from the client, `<` from the server. */
  tcp(way: '>' | '<', flags: string, seq: number, ack = 0, more: Partial<ScenarioPacket> = {}): string {
    const ends = way === '>' ? { src: client, dst: server, sport: 4000, dport: 80 } : { src: server, dst: client, sport: 80, dport: 4000 };
    return this.send({ proto: 'tcp', ...ends, flags, seq, ack, ...more });
  }

  /** SYN, SYN/ACK, ACK: the client's next byte is 101, the server's 501. */
  handshake(more: Partial<ScenarioPacket> = {}): void {
    this.tcp('>', 'S', 100, 0, more);
    this.tcp('<', 'SA', 500, 101, more);
    this.tcp('>', 'A', 101, 501);
  }

  /** The newest flow in a few words: `ESTABLISHED 432000 ASSURED`; '' where there is none. */
  get flow(): string {
    const connection = [...this.conntrack.connections()].at(-1);
    if (connection === undefined) return '';
    const flags = [(connection.status & 2) === 0 ? 'UNREPLIED' : '', (connection.status & 4) === 0 ? '' : 'ASSURED'];
    return [connection.protocolStateName, String(Math.round(connection.expires - this.now)), ...flags].filter(word => word !== '').join(' ');
  }
}
