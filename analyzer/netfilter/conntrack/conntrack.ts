/**
 * Connection tracking: the table of flows, and how each packet finds its own.
 * @see net/netfilter/nf_conntrack_core.c
 */
import { Connection, ctstatus, type Direction, type Tuple } from '../../packet/connection.js';
import { ctstates } from '../../packet/constraint.js';
import type { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { Verdict, type CtTemplate } from '../../packet/traversal.js';
import type { Family } from '../../values/value.js';
import { isSameFlow } from './clash.js';
import { earlyDropVictims } from './early-drop.js';
import { icmpKind, isErrorForSender } from './icmp-error.js';
import { setTcpClosing } from './tcp.js';
import { account, isConfirmed, Outcome, type ConntrackHost, type TrackingHook } from './tracker.js';
import { trackerOf } from './trackers.js';
import { TupleTable, type TupleEntry, type Zones } from './tuple-table.js';
import { invert, isSameTuple, tupleAt, tupleOf, type GreKeys } from './tuples.js';
import { defaultZones, zonesOf } from './zones.js';

export type { ConntrackHost, TrackingHook } from './tracker.js';
export { readConntrack } from './read-conntrack.js';
export { printConntrack } from './print-conntrack.js';
export { conntrackAnswers } from './answers.js';

/** A connection that is in the table, and the way that a tuple goes in it. */
export interface Found {
  readonly connection: Connection;
  readonly direction: Direction;
}

/** Seconds between two looks for expired connections, and where the table is full. */
const sweepInterval = 60, urgentSweepInterval = 1;

export class Conntrack {
  readonly #host: ConntrackHost;
  readonly #table: TupleTable;
  #lastSweep: number;
  /**
   * Called for each new connection before it is judged, NATed or confirmed: whoever keeps expectations sets EXPECTED, master, mark
   * and helper here. True: it was expected, so the template's helper is not assigned.
   * @see init_conntrack() in net/netfilter/nf_conntrack_core.c
   */
  onNew?: (packet: Packet, connection: Connection, template: CtTemplate | undefined) => boolean;
  /** Called when a connection has left the table. */
  onRemove?: (connection: Connection) => void;
  /** PPTP's call ids. */
  greKeys?: GreKeys;

  constructor(host: ConntrackHost) {
    this.#host = host;
    this.#table = new TupleTable(host.sysctl('net.netfilter.nf_conntrack_buckets'));
    this.#lastSweep = host.now;
  }

  get family(): Family {
    return this.#host.family;
  }

  /** The host's clock, in seconds. */
  get now(): number {
    return this.#host.now;
  }

  /** Connections in the table; those that have expired may count for a while, as in the kernel. */
  get count(): number {
    return this.#table.count;
  }

  /** The packet's own tuple; undefined where it has none. */
  tupleOf(packet: Packet): Tuple | undefined {
    return tupleOf(packet, this.greKeys);
  }

  /** The tuple of the packet quoted at this byte. */
  tupleAt(packet: Packet, offset: number): Tuple | undefined {
    return tupleAt(packet, offset, this.greKeys);
  }

  invert(tuple: Tuple): Tuple | undefined {
    return invert(tuple);
  }

  /** Connections that are alive, the oldest first. Those that lost a clash are hidden, as in `conntrack -L`. */
  *connections(): Iterable<Connection> {
    for (const connection of this.#table.connections()) {
      if (!this.#isExpired(connection) && (connection.status & ctstatus.NAT_CLASH) === 0) yield connection;
    }
  }

  /** The live, confirmed connection one of whose tuples this is, in the zone. */
  findConnection(tuple: Tuple, zone: number): Connection | undefined {
    return this.directionOf(tuple, zone)?.connection;
  }

  directionOf(tuple: Tuple, zone: number): Found | undefined {
    return this.#find(tuple, zone === 0 ? defaultZones : [zone, zone]);
  }

  #isExpired(connection: Connection): boolean {
    return connection.expires <= this.#host.now;
  }

  #find(tuple: Tuple, zones: Zones, side?: Direction): TupleEntry | undefined {
    let entry = this.#table.find(tuple, zones, side);
    while (entry !== undefined && this.#isExpired(entry.connection)) {
      this.remove(entry.connection);
      entry = this.#table.find(tuple, zones, side);
    }
    return entry;
  }

  /**
   * nf_conntrack_in(): finds or makes the packet's connection and gives the packet its state. Accept; or Drop, where the table is full.
   * A packet that is tracked already (loopback) or never will be (NOTRACK) stays as it is.
   */
  track(packet: Packet, hook: TrackingHook, template: CtTemplate | undefined): Verdict {
    if (packet.connection !== undefined || packet.ctstate === ctstates.UNTRACKED) return Verdict.Accept;
    packet.isRelatedError = false;
    if (template?.notrack === true) {
      packet.ctstate = ctstates.UNTRACKED;
      return Verdict.Accept;
    }
    this.#sweepAtTimes(sweepInterval);
    packet.ctstate = ctstates.INVALID;
    packet.direction = 0;
    const { protocol } = packet;
    if ((protocol === proto.icmp || protocol === proto.icmpv6) && this.#trackIcmp(packet, hook, template)) return Verdict.Accept;
    return this.#trackFlow(packet, hook, template);
  }

  /** True: it is settled; false: it is a query, tracked as any other flow. */
  #trackIcmp(packet: Packet, hook: TrackingHook, template: CtTemplate | undefined): boolean {
    if (!packet.isSound || packet.fragmentOffset > 0) return true;
    const kind = icmpKind(this.#host, packet, hook);
    if (kind === 'query') return false;
    if (kind === 'untracked') packet.ctstate = ctstates.UNTRACKED;
    else if (kind !== 'invalid') this.#relateError(packet, kind, template);
    return true;
  }

  /** @see nf_conntrack_inet_error() in net/netfilter/nf_conntrack_proto_icmp.c */
  #relateError(packet: Packet, quoteAt: number, template: CtTemplate | undefined): void {
    const quoted = this.tupleAt(packet, quoteAt);
    const answer = quoted && invert(quoted);
    const found = answer && this.#find(answer, zonesOf(packet, template));
    if (found === undefined || !isErrorForSender(packet, found.tuple)) return;
    packet.connection = found.connection;
    packet.direction = found.direction;
    packet.ctstate = ctstates.RELATED;
    packet.isRelatedError = true;
  }

  #trackFlow(packet: Packet, hook: TrackingHook, template: CtTemplate | undefined): Verdict {
    const tuple = this.tupleOf(packet);
    if (tuple === undefined) return Verdict.Accept;
    const tracker = trackerOf(tuple.protocol);
    for (let isAgain = false; ; isAgain = true) {
      const connection = this.#resolve(packet, tuple, template);
      if (connection === 'full') return Verdict.Drop;
      if (connection === undefined) return Verdict.Accept;
      const outcome = tracker.packet(this.#host, packet, connection, hook);
      if (outcome === Outcome.Accept || outcome === Outcome.AcceptAndKill) {
        if (packet.direction === 1) connection.status |= ctstatus.SEEN_REPLY;
        if (outcome === Outcome.AcceptAndKill) this.#kill(packet, connection);
        return Verdict.Accept;
      }
      packet.connection = undefined;
      packet.ctstate = ctstates.INVALID;
      packet.direction = 0;
      if (outcome === Outcome.Invalid || isAgain) return Verdict.Accept;
      this.remove(connection);
    }
  }

  /** @see nf_ct_kill_acct() in net/netfilter/nf_conntrack_core.c */
  #kill(packet: Packet, connection: Connection): void {
    account(packet, connection);
    this.remove(connection);
  }

  /** Finds the flow or makes it, and gives the packet its state. @see resolve_normal_ct() in net/netfilter/nf_conntrack_core.c */
  #resolve(packet: Packet, tuple: Tuple, template: CtTemplate | undefined): Connection | 'full' | undefined {
    const zones = zonesOf(packet, template);
    const found = this.#find(tuple, zones);
    const connection = found === undefined ? this.#begin(packet, tuple, zones, template) : found.connection;
    if (connection === 'full' || connection === undefined) return connection;
    packet.connection = connection;
    packet.direction = found?.direction ?? 0;
    const { status } = connection;
    if (packet.direction === 1 || (status & ctstatus.SEEN_REPLY) !== 0) packet.ctstate = ctstates.ESTABLISHED;
    else packet.ctstate = (status & ctstatus.EXPECTED) !== 0 ? ctstates.RELATED : ctstates.NEW;
    return connection;
  }

  /** @see init_conntrack() in net/netfilter/nf_conntrack_core.c */
  #begin(packet: Packet, tuple: Tuple, zones: Zones, template: CtTemplate | undefined): Connection | 'full' | undefined {
    const reply = invert(tuple);
    if (reply === undefined) return undefined;
    if (!this.#hasRoom()) return 'full';
    const connection = new Connection(tuple, reply);
    connection.zones = zones;
    if (this.#host.sysctl('net.netfilter.nf_conntrack_acct') !== 0) connection.accounted = true;
    const isExpected = this.onNew?.(packet, connection, template) ?? false;
    if (!isExpected && template?.helper !== undefined) {
      connection.helper = template.helper;
      connection.status |= ctstatus.HELPER;
    }
    if (template?.timeoutPolicy !== undefined) this.#host.note?.(`timeout policy ${template.timeoutPolicy} is not known: the usual timeouts are taken`);
    return connection;
  }

  /** @see __nf_conntrack_alloc() in net/netfilter/nf_conntrack_core.c */
  #hasRoom(): boolean {
    const max = this.#host.sysctl('net.netfilter.nf_conntrack_max');
    if (this.#table.count < max) return true;
    this.#sweepAtTimes(urgentSweepInterval);
    return this.#table.count < max || this.#dropEarly();
  }

  #dropEarly(): boolean {
    const victims = earlyDropVictims(this.#host, this.#table);
    for (const victim of victims) this.remove(victim);
    return victims.length > 0;
  }

  /** Forgets what has expired, if that was not done in the last `interval` seconds. @see gc_worker() in net/netfilter/nf_conntrack_core.c */
  #sweepAtTimes(interval: number): void {
    const { now } = this.#host;
    if (now - this.#lastSweep < interval) return;
    this.#lastSweep = now;
    for (const connection of this.#table.connections()) if (this.#isExpired(connection)) this.remove(connection);
  }

  /**
   * nf_conntrack_confirm(): the packet has come out at the other end, so its flow is one. Drop, where NAT or zones have made its
   * tuples those of another flow and the two cannot be told apart.
   */
  confirm(packet: Packet): Verdict {
    const { connection } = packet;
    if (connection === undefined || isConfirmed(connection) || packet.direction !== 0) return Verdict.Accept;
    if ((connection.status & ctstatus.DYING) !== 0) return Verdict.Drop;
    const winner = this.#find(connection.original, connection.zones, 0) ?? this.#find(connection.reply, connection.zones, 1);
    if (winner !== undefined) return this.#resolveClash(packet, connection, winner.connection);
    this.add(connection);
    return Verdict.Accept;
  }

  /** @see nf_ct_resolve_clash() in net/netfilter/nf_conntrack_core.c */
  #resolveClash(packet: Packet, loser: Connection, winner: Connection): Verdict {
    if (!trackerOf(winner.original.protocol).allowsClash) return Verdict.Drop;
    const other = isSameFlow(winner, loser) ? winner : this.#find(loser.reply, loser.zones, 1)?.connection;
    if (other !== undefined) {
      if (!isSameFlow(other, loser)) return Verdict.Drop;
      account(packet, other);
      packet.connection = other;
      return Verdict.Accept;
    }
    // Only its answers will find it, and only for a second.
    loser.expires = this.#host.now + 1;
    loser.status |= ctstatus.FIXED_TIMEOUT | ctstatus.NAT_CLASH | ctstatus.CONFIRMED;
    this.#table.insert(loser, true);
    return Verdict.Accept;
  }

  /** Puts a connection into the table; `expires` says how long it is to live from now on. */
  add(connection: Connection): void {
    connection.expires += this.#host.now;
    connection.status |= ctstatus.CONFIRMED;
    this.#table.insert(connection);
  }

  /** nf_conntrack_alter_reply(): NAT says what answers will look like. Only before the connection is confirmed. */
  alterReply(connection: Connection, reply: Tuple): void {
    if (!isConfirmed(connection)) connection.reply = reply;
  }

  /** nf_conntrack_tuple_taken(): does a connection other than `ignored` own this reply tuple in its zone? One with the same original tuple does not count: they are one flow. */
  isTaken(tuple: Tuple, ignored: Connection): boolean {
    const { zones } = ignored;
    const entry = this.#find(tuple, zones, 1);
    if (entry === undefined || entry.connection === ignored) return false;
    const { connection } = entry;
    return !(isSameTuple(connection.original, ignored.original) && connection.zones[0] === zones[0]);
  }

  /** nf_ct_kill() */
  remove(connection: Connection): void {
    if ((connection.status & ctstatus.DYING) !== 0) return;
    connection.status |= ctstatus.DYING;
    this.#table.remove(connection);
    this.onRemove?.(connection);
  }

  /** The host has sent a RST for it (REJECT). */
  setClosing(connection: Connection): void {
    if (connection.original.protocol === proto.tcp) setTcpClosing(this.#host, connection);
  }
}
