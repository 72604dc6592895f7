/** What a helper is and what it may do: `struct nf_conntrack_helper`. */
import type { AddOutcome, Expectation, ExpectationTable } from './expectation.js';
import { ctstatus, type Connection, type Direction, type Tuple } from '../../packet/connection.js';
import type { Packet } from '../../packet/packet.js';
import type { Verdict } from '../../packet/traversal.js';
import { fullMask } from '../../values/address.js';
import type { Family } from '../../values/value.js';
import type { GreKeys } from './gre-keys.js';

/** The host, as far as helpers go. */
export interface HelperHost {
  readonly family: Family;
  /** Seconds. */
  readonly now: number;
  random(why: string): number;
  /** Read: `net.netfilter.nf_conntrack_expect_max`. */
  sysctl(name: string): number;
  /** Netmask of the interface's address whose broadcast address this is; absent or undefined: nothing is known of it. */
  broadcastMask?(interfaceName: string, address: number | bigint): number | undefined;
  /** Removes the connection that has this tuple, if there is one. */
  endConnection?(tuple: Tuple, zone: number): void;
}

/** `struct nf_conntrack_expect_policy`: how many a connection may expect, and for how many seconds. */
export interface ExpectationClass {
  readonly name: string;
  readonly limit: number;
  readonly timeout: number;
}

export interface HelperDefinition {
  readonly name: string;
  /** IP protocols of the connections that it helps. */
  readonly protocols: readonly number[];
  readonly families: readonly Family[];
  readonly classes: readonly [ExpectationClass, ...ExpectationClass[]];
  /** Looks at a packet that is about to leave the host's hooks, NAT done. Drop: it is dropped. */
  readonly help: (call: HelperCall) => Verdict;
  /** An expected connection has come (`exp->expectfn`). */
  readonly onExpected?: (expectations: ExpectationTable, expectation: Expectation, now: number) => void;
}

export interface Foretold {
  /** Absent: any source will do. */
  readonly src?: number | bigint | undefined;
  readonly dst: number | bigint;
  readonly protocol: number;
  readonly dport: number;
  readonly class?: number;
  readonly isPermanent?: boolean;
  readonly isInactive?: boolean;
  readonly helper?: string;
  /** Where the connection is translated: how its data follow. */
  readonly nat?: Expectation['nat'];
  /** Of broadcasts: the source is one of a network, and has this port. */
  readonly sourceMask?: number;
  readonly sport?: number;
  /** The same one of another connection counts as the same. */
  readonly anyMaster?: boolean;
}

/** One packet of one connection, handed to its helper. */
export class HelperCall {
  readonly packet: Packet;
  readonly connection: Connection;
  readonly direction: Direction;
  /** The packet is one of the established connection, in either direction. */
  readonly isEstablished: boolean;
  readonly host: HelperHost;
  readonly expectations: ExpectationTable;
  readonly greKeys: GreKeys;
  readonly #definition: HelperDefinition;
  readonly #states: WeakMap<Connection, object>;

  constructor(packet: Packet, connection: Connection, isEstablished: boolean, definition: HelperDefinition, helpers: {
    readonly host: HelperHost; readonly expectations: ExpectationTable; readonly greKeys: GreKeys; readonly states: WeakMap<Connection, object>;
  }) {
    this.packet = packet;
    this.connection = connection;
    this.direction = packet.direction;
    this.isEstablished = isEstablished;
    this.host = helpers.host;
    this.expectations = helpers.expectations;
    this.greKeys = helpers.greKeys;
    this.#definition = definition;
    this.#states = helpers.states;
  }

  get here(): Tuple { return this.connection.tuple(this.direction); }
  get there(): Tuple { return this.connection.tuple(this.direction === 0 ? 1 : 0); }
  get isTranslated(): boolean { return (this.connection.status & (ctstatus.SRC_NAT | ctstatus.DST_NAT)) !== 0; }

  /** Offset of what TCP or UDP carries; undefined where it carries nothing. */
  get payloadAt(): number | undefined {
    const { packet } = this;
    const isTcp = this.here.protocol === 6;
    if (packet.transportLength < (isTcp ? 20 : 8)) return undefined;
    const at = packet.transport + (isTcp ? (packet.u8(packet.transport + 12) >> 4) * 4 : 8);
    return at < packet.length ? at : undefined;
  }

  /** The bytes from an offset on as text, a character each. */
  text(at: number): string {
    return latin1.decode(this.packet.bytes.subarray(at, this.packet.length));
  }

  /** What the helper remembers of this connection. One helper has one kind of state. */
  state<T extends object>(kind: new () => T): T {
    const known = this.#states.get(this.connection);
    if (known instanceof kind) return known;
    const made = new kind();
    this.#states.set(this.connection, made);
    return made;
  }

  /** The connection is to live for so many seconds more. @see nf_ct_refresh() */
  refresh(seconds: number): void {
    const { connection } = this;
    if (!connection.has(ctstatus.FIXED_TIMEOUT)) connection.expires = seconds + (connection.has(ctstatus.CONFIRMED) ? this.host.now : 0);
  }

  /** @see nf_ct_expect_init(), nf_ct_expect_related() in net/netfilter/nf_conntrack_expect.c */
  expect(what: Foretold): AddOutcome {
    const index = what.class ?? 0;
    const policy = this.#definition.classes[index] ?? this.#definition.classes[0];
    const any = this.host.family === 'ipv4' ? 0 : 0n;
    const full = what.sourceMask ?? fullMask(this.host.family);
    return this.expectations.add({
      master: this.connection, class: index,
      tuple: { src: what.src ?? any, dst: what.dst, protocol: what.protocol, sport: what.sport ?? 0, dport: what.dport },
      mask: { src: what.src === undefined ? any : full, sport: what.sport === undefined ? 0 : 0xffff },
      isPermanent: what.isPermanent ?? false, isInactive: what.isInactive ?? false,
      expires: this.host.now + policy.timeout, helper: what.helper ?? '', nat: what.nat,
    }, { now: this.host.now, limit: policy.limit, capacity: this.host.sysctl('net.netfilter.nf_conntrack_expect_max'), anyMaster: what.anyMaster });
  }

  /**
   * Expects at the port, or at another that is free; 0: none is.
   * @see nf_nat_exp_find_port() in net/netfilter/nf_nat_helper.c
   */
  expectAtFreePort(what: Foretold): number {
    const range = 0xffff - what.dport;
    let port = what.dport;
    for (let attempts = Math.min(range, 128); ; attempts--) {
      const outcome = this.expect({ ...what, dport: port });
      if (outcome === 'added') return port;
      if (outcome !== 'busy' || attempts <= 0) return 0;
      port = what.dport + Math.floor(this.host.random('a free port for an expected connection') * range);
    }
  }
}

const latin1 = new TextDecoder('latin1');
