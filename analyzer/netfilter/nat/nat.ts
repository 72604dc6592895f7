/** Network address translation: decided once for each connection, done to each of its packets. */
import { ctstatus, type Connection } from '../../packet/connection.js';
import { ctstates } from '../../packet/constraint.js';
import type { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { Verdict, type NatRange } from '../../packet/traversal.js';
import { invert, isSameTuple } from '../conntrack/tuples.js';
import { likeAnswer, manipulate } from './manipulate.js';
import type { NatHook, NatHost, NatSide } from './nat-host.js';
import { doneBit, natBit, sideOf, translates } from './sides.js';
import { SourceMappings } from './source-mappings.js';
import { translateError } from './translate-error.js';
import { TupleChooser } from './unique-tuple.js';

/** The network of the range, the host of the address. @see netmap_tg4(), netmap_tg6() in net/netfilter/xt_NETMAP.c */
function mappedHost(address: number | bigint, network: number | bigint, mask: number | bigint): number | bigint {
  if (typeof address === 'number') return ((address & ~Number(mask)) | Number(network)) >>> 0;
  return (address & ~BigInt(mask)) | BigInt(network);
}

/** A range that leaves the address as it is. @see __nf_nat_alloc_null_binding() in net/netfilter/nf_nat_core.c */
function nullBinding({ reply }: Connection, side: NatSide): NatRange {
  const address = side === 'source' ? reply.dst : reply.src;
  return { side, minAddress: address, maxAddress: address };
}

/** Its first packet left through another interface than the one whose address it borrows. @see nf_nat_oif_changed() in include/net/netfilter/nf_nat.h */
function hasMoved({ masqueradeInterface }: Connection, packet: Packet, hook: NatHook): boolean {
  return masqueradeInterface !== '' && hook === 'POSTROUTING' && packet.direction === 0 && packet.out !== masqueradeInterface;
}

function isIcmp({ family, protocol }: Packet): boolean {
  return protocol === (family === 'ipv4' ? proto.icmp : proto.icmpv6);
}

export class Nat {
  readonly #host: NatHost;
  readonly #mappings: SourceMappings;
  readonly #chooser: TupleChooser;

  constructor(host: NatHost) {
    this.#host = host;
    this.#mappings = new SourceMappings(connection => host.conntrack.findConnection(connection.reply, connection.zones[1]) === connection);
    this.#chooser = new TupleChooser(host, this.#mappings);
  }

  /**
   * A packet at the nat hook: `runChain`, which asks the nat table's chain, is called only where this side of the packet's
   * connection is not decided yet. The packet's bytes are translated in place. A verdict other than Accept ends its way.
   * @see nf_nat_ipv4_fn() in net/netfilter/nf_nat_proto.c, nf_nat_inet_fn() in net/netfilter/nf_nat_core.c
   */
  hook(packet: Packet, hook: NatHook, runChain: () => Verdict): Verdict {
    const { connection } = packet;
    if (connection === undefined) return Verdict.Accept;
    const side = sideOf[hook];
    if (packet.ctstate === ctstates.RELATED && isIcmp(packet)) return translateError(packet, connection, side) ? Verdict.Accept : Verdict.Drop;
    if (packet.ctstate !== ctstates.ESTABLISHED && !connection.has(doneBit[side])) {
      const verdict = this.#decide(connection, side, runChain);
      if (verdict !== Verdict.Accept) return verdict;
    } else if (hasMoved(connection, packet, hook)) {
      this.#host.conntrack.remove(connection);
      return Verdict.Drop;
    }
    return this.#translate(packet, connection, side);
  }

  /** What a rule's target asks for the packet's connection; the packet itself is changed when the hook is left. */
  setup(packet: Packet, range: NatRange, hook: NatHook): Verdict {
    const { connection } = packet;
    if (connection === undefined) return Verdict.Accept;
    const { netmapMask, minAddress } = range;
    if (netmapMask === undefined || minAddress === undefined) return this.setupConnection(connection, range);
    const address = mappedHost(sideOf[hook] === 'source' ? packet.src : packet.dst, minAddress, netmapMask);
    return this.setupConnection(connection, { ...range, minAddress: address, maxAddress: address });
  }

  /**
   * Decides one side of a connection that is not confirmed yet, and teaches connection tracking what its replies will look like.
   * What a helper expected is decided by it on both sides before its first hook, and skips the chains then.
   * @see nf_nat_setup_info() in net/netfilter/nf_nat_core.c
   */
  setupConnection(connection: Connection, range: NatRange): Verdict {
    const { side } = range;
    if (connection.has(ctstatus.CONFIRMED)) return Verdict.Accept;
    if (connection.has(doneBit[side])) return Verdict.Drop;
    const current = invert(connection.reply) ?? connection.original;
    const chosen = this.#chooser.choose(connection, current, range);
    const reply = isSameTuple(chosen, current) ? undefined : invert(chosen);
    if (reply !== undefined) {
      this.#host.conntrack.alterReply(connection, reply);
      connection.status |= natBit[side];
    }
    if (side === 'source') this.#mappings.add(connection);
    connection.status |= doneBit[side];
    return Verdict.Accept;
  }

  /** Takes up a connection that was there before the scenario began: both sides are decided, as its tuples say. */
  adopt(connection: Connection): void {
    const current = invert(connection.reply) ?? connection.original;
    const { src, dst, sport, dport } = connection.original;
    if (current.src !== src || current.sport !== sport) connection.status |= ctstatus.SRC_NAT;
    if (current.dst !== dst || current.dport !== dport) connection.status |= ctstatus.DST_NAT;
    connection.status |= ctstatus.SRC_NAT_DONE | ctstatus.DST_NAT_DONE;
    this.#mappings.add(connection);
  }

  /** What no rule maps gets its own address, yet perhaps another port: its replies must not be mistaken for those of another connection. */
  #decide(connection: Connection, side: NatSide, runChain: () => Verdict): Verdict {
    const verdict = runChain();
    if (verdict !== Verdict.Accept || connection.has(doneBit[side])) return verdict;
    return this.setupConnection(connection, nullBinding(connection, side));
  }

  /** Makes the packet look like the inverse of the connection's other direction. @see nf_nat_manip_pkt() in net/netfilter/nf_nat_proto.c */
  #translate(packet: Packet, connection: Connection, side: NatSide): Verdict {
    const { bytes, family, direction } = packet;
    if (!translates(connection, side, direction)) return Verdict.Accept;
    const there = connection.tuple(direction === 0 ? 1 : 0);
    return manipulate(bytes, family, 0, likeAnswer(there, side)) ? Verdict.Accept : Verdict.Drop;
  }
}
