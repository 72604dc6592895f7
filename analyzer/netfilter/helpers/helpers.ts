/** Helpers of connection tracking: protocols that announce further connections in what they say. No connection gets one but by `-j CT --helper`. */
import { ctstates } from '../../packet/constraint.js';
import { ctstatus, type Connection, type Tuple } from '../../packet/connection.js';
import type { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { Verdict } from '../../packet/traversal.js';
import type { Family } from '../../values/value.js';
import { amanda } from './amanda.js';
import { netbiosNs, snmp } from './broadcast.js';
import { ExpectationTable, type Expectation } from './expectation.js';
import { ftp } from './ftp.js';
import { GreKeys } from './gre-keys.js';
import { HelperCall, type HelperDefinition, type HelperHost } from './helper.js';
import { irc } from './irc.js';
import { endCall, pptp } from './pptp.js';
import { sane } from './sane.js';
import { adjustSequence } from './sequence-adjust.js';
import { sip } from './sip.js';
import { tftp } from './tftp.js';

export { expectedNat, type Expectation } from './expectation.js';
export type { HelperHost } from './helper.js';

const definitions: ReadonlyMap<string, HelperDefinition> = new Map(
  [ftp, tftp, sip, irc, amanda, sane, netbiosNs, snmp, pptp].map(definition => [definition.name, definition]),
);

/** Every helper of the kernel, and how far this model goes. */
export const helperSupport: Readonly<Record<string, 'modelled' | 'untranslated' | 'unmodelled'>> = {
  ftp: 'modelled',
  tftp: 'modelled',
  irc: 'modelled',
  amanda: 'modelled',
  sane: 'modelled',
  'netbios-ns': 'modelled',
  /** Of connections that are translated, messages are not rewritten and nothing is expected. */
  snmp: 'untranslated',
  sip: 'untranslated',
  pptp: 'untranslated',
  RAS: 'unmodelled',
  'Q.931': 'unmodelled',
  'H.245': 'unmodelled',
};

export class Helpers {
  readonly #host: HelperHost;
  readonly #expectations = new ExpectationTable();
  readonly #greKeys = new GreKeys();
  readonly #states = new WeakMap<Connection, object>();

  constructor(host: HelperHost) {
    this.#host = host;
  }

  /** Is there such a helper for connections of this IP protocol (nf_conntrack_helper_try_module_get)? One that is not modelled helps nothing. */
  static fits(name: string, protocol: number, family: Family): boolean {
    const definition = definitions.get(name);
    return definition !== undefined && definition.protocols.includes(protocol) && definition.families.includes(family);
  }

  /** What is expected now, alive. */
  *expectations(): IterableIterator<Expectation> {
    for (const one of this.#expectations) if (one.expires > this.#host.now) yield one;
  }

  /**
   * Behind all tables of POSTROUTING and INPUT, before the connection is confirmed. The packet may be rewritten.
   * @see nf_confirm() in net/netfilter/nf_conntrack_proto.c
   */
  run(packet: Packet): Verdict {
    const { connection, ctstate, direction } = packet;
    const definition = connection === undefined || connection.helper === '' ? undefined : definitions.get(connection.helper);
    if (connection === undefined || definition === undefined || isRelatedReply(packet) || packet.fragmentOffset > 0) return Verdict.Accept;
    if (!Helpers.fits(definition.name, connection.tuple(direction).protocol, packet.family)) return Verdict.Accept;
    // An ICMP error of the connection says nothing in its language.
    if (packet.protocol !== connection.tuple(direction).protocol) return Verdict.Accept;
    return definition.help(new HelperCall(packet, connection, ctstate === ctstates.ESTABLISHED, definition, {
      host: this.#host, expectations: this.#expectations, greKeys: this.#greKeys, states: this.#states,
    }));
  }

  /** Behind `run`: sequence numbers of a connection whose data were changed. False: the packet is dropped. Loopback is left alone. */
  adjustSequence(packet: Packet): boolean {
    const { connection } = packet;
    if (connection?.has(ctstatus.SEQ_ADJUST) !== true || packet.in === 'lo' || isRelatedReply(packet) || packet.protocol !== proto.tcp) return true;
    return adjustSequence(packet, connection);
  }

  /** A new connection's tuple: what it answers, if anything. @see init_conntrack() in net/netfilter/nf_conntrack_core.c */
  expected(tuple: Tuple, zone: number): Expectation | undefined {
    return this.#expectations.take(tuple, zone, this.#host.now);
  }

  /** The new connection is related to the one that foretold it: it takes over its mark; `expectedNat()` says how it is translated. */
  adopt(connection: Connection, expectation: Expectation): void {
    const { master, helper } = expectation;
    connection.master = master;
    connection.status |= ctstatus.EXPECTED;
    connection.mark = master.mark;
    connection.secmark = master.secmark;
    connection.helper = helper;
    definitions.get(master.helper)?.onExpected?.(this.#expectations, expectation, this.#host.now);
  }

  /** The connection is gone, and what it foretold with it. */
  forget(connection: Connection): void {
    endCall(connection, { host: this.#host, greKeys: this.#greKeys, expectations: this.#expectations });
  }

  /** Source key of a GRE tuple with key 0 there: the call id that PPTP agreed on, else 0. */
  greKey(tuple: Tuple): number {
    return this.#greKeys.lookup(tuple);
  }
}

/** `IP_CT_RELATED_REPLY`: helpers and sequence adjustment pass it over. */
function isRelatedReply(packet: Packet): boolean {
  return packet.ctstate === ctstates.RELATED && packet.direction === 1;
}
