/** The choice of a new tuple for a connection: within what the rule says, and such that its answers can be told from those of others. */
import { ctstatus, type Connection, type Tuple } from '../../packet/connection.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import type { NatRange } from '../../packet/traversal.js';
import { TcpFlow, isAfter } from '../conntrack/tcp-flow.js';
import { TcpState } from '../conntrack/tcp-states.js';
import { invert, isSameTuple } from '../conntrack/tuples.js';
import { bestAddress } from './best-address.js';
import type { NatHost } from './nat-host.js';
import type { SourceMappings } from './source-mappings.js';

/** How many ports are tried before another part of a large range is (NF_NAT_MAX_ATTEMPTS), and how few are left when old connections must make way. */
const mostAttempts = 128, fewAttempts = 16, attemptsWithEviction = 32;

type Port = 'sport' | 'dport';

/** The part of a tuple that tells connections between two hosts apart; undefined: there is none that could be changed. */
function portOf({ protocol }: Tuple, side: NatRange['side']): Port | undefined {
  switch (protocol) {
    // An id is the same in both directions.
    case proto.icmp: case proto.icmpv6: return 'sport';
    case proto.tcp: case proto.udp: case proto.udplite: case proto.sctp: case proto.gre: return side === 'source' ? 'sport' : 'dport';
    default: return undefined;
  }
}

function withPort(tuple: Tuple, port: Port, value: number): Tuple {
  return port === 'sport' ? { ...tuple, sport: value } : { ...tuple, dport: value };
}

/** @see l4proto_in_range() in net/netfilter/nf_nat_core.c */
function hasPortIn(tuple: Tuple, side: NatRange['side'], { minPort = 0, maxPort = minPort }: NatRange): boolean {
  const port = portOf(tuple, side);
  return port === undefined || (tuple[port] >= minPort && tuple[port] <= maxPort);
}

/** Does the source already lie where the rule wants it? @see nf_in_range() in net/netfilter/nf_nat_core.c */
function isSourceIn(tuple: Tuple, range: NatRange): boolean {
  const { minAddress, maxAddress = minAddress, minPort } = range;
  if (minAddress !== undefined && maxAddress !== undefined && (tuple.src < minAddress || tuple.src > maxAddress)) return false;
  return minPort === undefined || hasPortIn(tuple, 'source', range);
}

interface Span {
  readonly low: number;
  readonly size: number;
}

/** Without a range a port stays in its class: some servers trust the low ones. Undefined: it must not change. */
function spanOf(tuple: Tuple, port: Port, { side, minPort, maxPort = minPort }: NatRange): Span | undefined {
  if (minPort !== undefined && maxPort !== undefined) return { low: Math.min(minPort, maxPort), size: Math.abs(maxPort - minPort) + 1 };
  if (tuple.protocol === proto.icmp || tuple.protocol === proto.icmpv6) return { low: 0, size: 0x1_0000 };
  if (tuple.protocol === proto.gre) return { low: 1, size: 0xffff };
  if (side === 'destination') return undefined;
  if (tuple[port] < 512) return { low: 1, size: 511 };
  return tuple[port] < 1024 ? { low: 600, size: 424 } : { low: 1024, size: 64_512 };
}

export class TupleChooser {
  readonly #host: NatHost;
  readonly #mappings: SourceMappings;

  constructor(host: NatHost, mappings: SourceMappings) {
    this.#host = host;
    this.#mappings = mappings;
  }

  /**
   * What the connection's packets are to look like, who now look like `current`. It may not be unique where all ports
   * are taken; then the packet is dropped when the connection is confirmed.
   * @see get_unique_tuple() in net/netfilter/nf_nat_core.c
   */
  choose(connection: Connection, current: Tuple, range: NatRange): Tuple {
    const isRandom = range.random === true || range.randomFully === true;
    const kept = range.side === 'source' && !isRandom ? this.#keptSource(connection, current, range) : undefined;
    if (kept !== undefined) return kept;
    const tuple = this.#withAddress(connection, current, range);
    return !isRandom && this.#mayKeepPort(connection, tuple, range) ? tuple : this.#search(connection, tuple, range);
  }

  /** Its own source if the rule allows it, or that of another connection of the same client. */
  #keptSource(connection: Connection, current: Tuple, range: NatRange): Tuple | undefined {
    const source = isSourceIn(current, range) ? current : this.#sourceOfOthers(connection, current, range);
    return source !== undefined && !this.#isTaken(connection, source) ? source : undefined;
  }

  /** @see find_appropriate_src() in net/netfilter/nf_nat_core.c */
  #sourceOfOthers(connection: Connection, current: Tuple, range: NatRange): Tuple | undefined {
    for (const other of this.#mappings.from(current, connection.zones[0])) {
      const mapped = invert(other.reply);
      const source = mapped === undefined ? undefined : { ...current, src: mapped.src, sport: mapped.sport };
      if (source !== undefined && isSourceIn(source, range)) return source;
    }
    return undefined;
  }

  #withAddress({ zones }: Connection, tuple: Tuple, range: NatRange): Tuple {
    const { minAddress, maxAddress = minAddress } = range;
    if (minAddress === undefined || maxAddress === undefined) return tuple;
    const address = bestAddress(tuple, range, minAddress, maxAddress, zones[0] === 0 ? zones[1] : zones[0]);
    return range.side === 'source' ? { ...tuple, src: address } : { ...tuple, dst: address };
  }

  #mayKeepPort(connection: Connection, tuple: Tuple, range: NatRange): boolean {
    if (range.minPort === undefined) return !this.#isTaken(connection, tuple);
    if (range.basePort !== undefined || !hasPortIn(tuple, range.side, range)) return false;
    return range.minPort === (range.maxPort ?? range.minPort) || !this.#isTaken(connection, tuple);
  }

  /** @see nf_nat_l4proto_unique_tuple() in net/netfilter/nf_nat_core.c */
  #search(connection: Connection, tuple: Tuple, range: NatRange): Tuple {
    const port = portOf(tuple, range.side);
    // Only PPTP's helper gives keys to GRE.
    if (port === undefined || (tuple.protocol === proto.gre && connection.master === undefined)) return tuple;
    const span = spanOf(tuple, port, range);
    if (span === undefined) return tuple;
    let attempts = Math.min(span.size, mostAttempts);
    let offset = this.#firstOffset(tuple[port], range, span);
    for (;;) {
      let candidate = tuple;
      for (let left = attempts; left > 0; left--, offset = (offset + 1) & 0xffff) {
        candidate = withPort(tuple, port, span.low + offset % span.size);
        if (!this.#isTakenForGood(connection, candidate, left)) return candidate;
      }
      if (attempts >= span.size || attempts < fewAttempts) return candidate;
      attempts >>= 1;
      offset = this.#randomOffset(span);
    }
  }

  #firstOffset(port: number, { side, basePort, random, randomFully }: NatRange, span: Span): number {
    if (basePort !== undefined) return (port - basePort) & 0xffff;
    return side === 'source' || random === true || randomFully === true ? this.#randomOffset(span) : 0;
  }

  #randomOffset({ size }: Span): number {
    return size === 1 ? 0 : Math.floor(this.#host.random('the port that NAT chooses') * 0x1_0000);
  }

  /** @see nf_nat_used_tuple() in net/netfilter/nf_nat_core.c */
  #isTaken(connection: Connection, tuple: Tuple): boolean {
    const reply = invert(tuple);
    return reply !== undefined && this.#host.conntrack.isTaken(reply, connection);
  }

  /** Towards the end of a search an old connection that has been closed makes way. @see nf_nat_used_tuple_harder() in net/netfilter/nf_nat_core.c */
  #isTakenForGood(connection: Connection, tuple: Tuple, attemptsLeft: number): boolean {
    const flow = connection.protocolState;
    if (attemptsLeft > attemptsWithEviction || !(flow instanceof TcpFlow) || flow.state !== TcpState.SynSent) return this.#isTaken(connection, tuple);
    const reply = invert(tuple);
    const holder = reply === undefined ? undefined : this.#host.conntrack.findConnection(reply, connection.zones[1]);
    if (reply === undefined || holder === undefined) return false;
    if (isSameTuple(holder.original, reply) || !makesWay(holder, flow)) return true;
    this.#host.conntrack.remove(holder);
    return false;
  }
}

/** It is closed, and what its client sent lies before what the new one begins with. @see nf_nat_may_kill(), nf_seq_has_advanced() in net/netfilter/nf_nat_core.c */
function makesWay(holder: Connection, newcomer: TcpFlow): boolean {
  const flow = holder.protocolState;
  if (!(flow instanceof TcpFlow) || flow.state < TcpState.TimeWait || !holder.has(ctstatus.SRC_NAT)) return false;
  return (holder.status & (ctstatus.FIXED_TIMEOUT | ctstatus.DYING)) === 0 && isAfter(newcomer.seen[0].end, flow.seen[0].end);
}
