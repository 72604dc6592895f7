/** Which socket of the host a packet is for, as far as the host file and the flows that are tracked say. */
import type { Connection } from '../../packet/connection.js';
import { ctstates } from '../../packet/constraint.js';
import type { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import type { Socket, World } from '../../packet/traversal.js';
import type { Address } from '../../values/address.js';
import type { Family } from '../../values/value.js';
import { isIcmpError } from '../conntrack/icmp-types.js';
import { tupleAt } from '../conntrack/tuples.js';
import type { HostSocket } from './host.js';
import { anyAddress, readAddress } from './prefix.js';

/** The local end of what a packet speaks of. */
interface LocalEnd {
  readonly protocol: number;
  readonly address: Address;
  readonly port: number;
}

interface Listener extends Omit<LocalEnd, 'address'> {
  /** Undefined: all. */
  readonly address: Address | undefined;
  /** '': any. */
  readonly interface: string;
  readonly isTransparent: boolean | undefined;
}

const numbers = { tcp: proto.tcp, udp: proto.udp } as const;
/** Smallest headers that ports are read from. */
const headers: Readonly<Record<number, number>> = { [proto.tcp]: 20, [proto.udp]: 8 };

function readListener({ protocol, address, port, interface: device = '', transparent }: HostSocket, family: Family): readonly Listener[] {
  const any = anyAddress(family);
  const read = address === '*' ? any : readAddress(address, family);
  if (read === undefined) return [];
  return [{ protocol: numbers[protocol], port, address: read === any ? undefined : read, interface: device, isTransparent: transparent }];
}

/** An ICMP error is about a packet that we sent. @see extract_icmp4_fields() in net/ipv4/netfilter/nf_socket_ipv4.c */
function localEndOf(packet: Packet): LocalEnd | undefined {
  const { protocol, family, fragmentOffset, transport, transportLength } = packet;
  if (fragmentOffset > 0) return undefined;
  const header = headers[protocol];
  if (header !== undefined) return transportLength < header ? undefined : { protocol, address: packet.dst, port: packet.dport };
  const icmp = family === 'ipv4' ? proto.icmp : proto.icmpv6;
  if (protocol !== icmp || transportLength < 8 || !isIcmpError(icmp, packet.icmpType)) return undefined;
  const quoted = tupleAt(packet, transport + 8);
  return quoted === undefined || headers[quoted.protocol] === undefined ? undefined : { protocol: quoted.protocol, address: quoted.src, port: quoted.sport };
}

export class LocalSockets {
  /** Undefined: nobody says. */
  readonly #listeners: readonly Listener[] | undefined;
  readonly #isLocal: (address: Address) => boolean;
  /** Flows that TPROXY gave to a socket: their later packets find it by themselves. */
  readonly #proxied = new WeakMap<Connection, Socket>();

  constructor(sockets: readonly HostSocket[] | undefined, family: Family, isLocal: (address: Address) => boolean) {
    this.#listeners = sockets?.flatMap(socket => readListener(socket, family));
    this.#isLocal = isLocal;
  }

  /** A packet has reached its socket. */
  delivered({ connection, socket }: Packet): void {
    if (connection !== undefined && socket?.isTransparent === true) this.#proxied.set(connection, { isTransparent: true, isWildcard: false, isConnected: true });
  }

  /** @see nf_sk_lookup_slow_v4() in net/ipv4/netfilter/nf_socket_ipv4.c, __inet_lookup() in include/net/inet_hashtables.h */
  find(packet: Packet): ReturnType<World['findSocket']> {
    const end = localEndOf(packet);
    return end === undefined ? undefined : this.#ofFlow(packet, end) ?? this.#listening(end, packet.in);
  }

  /** TCP has a socket of its own from the handshake on, and what was sent from here has one too. */
  #ofFlow({ connection, ctstate, direction }: Packet, { protocol, address, port }: LocalEnd): Socket | undefined {
    if (connection === undefined || ctstate === ctstates.NEW) return undefined;
    const { original, reply } = connection;
    if (direction === 1) return this.#isLocal(original.src) ? { isTransparent: false, isWildcard: false, isConnected: true } : undefined;
    const isAccepted = protocol === proto.tcp && reply.src === address && reply.sport === port && this.#isLocal(address);
    return this.#proxied.get(connection) ?? (isAccepted ? { isTransparent: undefined, isWildcard: false, isConnected: true } : undefined);
  }

  /** Who is bound to the address goes before who takes all. @see compute_score() in net/ipv4/inet_hashtables.c */
  #listening(end: LocalEnd, device: string): ReturnType<World['findSocket']> {
    if (this.#listeners === undefined) return 'unknown';
    const fits = this.#listeners.filter(({ protocol, port, address, interface: bound }) =>
      protocol === end.protocol && port === end.port && (bound === '' || bound === device) && (address === undefined || address === end.address));
    const found = fits.find(({ address }) => address !== undefined) ?? fits[0];
    return found === undefined ? undefined : { isTransparent: found.isTransparent, isWildcard: found.address === undefined, isConnected: false };
  }
}
