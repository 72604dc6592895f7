/** What the tracker of one transport protocol is, and what all of them share. */
import { ctstatus, type Connection } from '../../packet/connection.js';
import type { Packet } from '../../packet/packet.js';
import type { Family } from '../../values/value.js';

/** The host around the table. */
export interface ConntrackHost {
  readonly family: Family;
  /** Seconds. */
  readonly now: number;
  /** By its full name, `net.netfilter.nf_conntrack_max`. */
  sysctl(name: string): number;
  /** 0 ≤ x < 1. */
  random(why: string): number;
  /** What a person should know about a decision that the rules do not show. */
  note?(text: string): void;
}

/** Hooks in which a packet is tracked. Checksums are verified in PREROUTING alone. */
export type TrackingHook = 'PREROUTING' | 'OUTPUT';

/** What a tracker says of a packet. */
export const Outcome = {
  /** It belongs to the connection. */
  Accept: 0,
  /** It belongs to no connection (-NF_ACCEPT). */
  Invalid: 1,
  /** It belongs to the connection, which ends with it (nf_ct_kill_acct). */
  AcceptAndKill: 2,
  /** The connection is over, and this packet begins another (-NF_REPEAT). */
  Reopen: 3,
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

export interface Tracker {
  /**
   * Judges a packet that carries its connection, ctstate and direction, and moves the connection along.
   * A connection that is not confirmed is a new one.
   */
  packet(host: ConntrackHost, packet: Packet, connection: Connection, hook: TrackingHook): Outcome;
  /** Two packets that open the same flow at once may both live (`allow_clash`). */
  readonly allowsClash: boolean;
}

/** What accounting counts: one more packet, if its connection is accounted. */
export function account(packet: Packet, connection: Connection): void {
  if (connection.accounted !== true) return;
  connection.packets[packet.direction] += 1n;
  connection.bytes[packet.direction] += BigInt(packet.bytes.length);
}

/** Lets the connection live for so many seconds more, and counts the packet. @see __nf_ct_refresh_acct() in net/netfilter/nf_conntrack_core.c */
export function refresh(host: ConntrackHost, packet: Packet, connection: Connection, seconds: number): void {
  const { status } = connection;
  if ((status & ctstatus.FIXED_TIMEOUT) === 0) connection.expires = (status & ctstatus.CONFIRMED) === 0 ? seconds : host.now + seconds;
  account(packet, connection);
}

export function isConfirmed(connection: Connection): boolean {
  return (connection.status & ctstatus.CONFIRMED) !== 0;
}
