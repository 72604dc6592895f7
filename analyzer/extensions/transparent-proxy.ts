/** What `-j TPROXY` does to a packet. */
import type { Packet } from '../packet/packet.js';
import { rewriteAddress, rewriteTransport16 } from '../packet/rewrite.js';
import { Verdict, type Socket, type Traversal } from '../packet/traversal.js';
import type { MarkMask } from '../values/mark-mask.js';

export interface ProxyTarget {
  /** 0: that of the packet. */
  readonly port: number;
  /** 0: that of the interface. */
  readonly address: number | bigint;
  readonly mark: MarkMask;
}

/** The packet as it would be if it were addressed to the proxy. */
function redirected(packet: Packet, address: number | bigint, port: number): Packet {
  const copy = packet.copyBytes();
  copy.in = packet.in;
  rewriteAddress(copy, 'destination', address);
  rewriteTransport16(copy, 2, port);
  return copy;
}

/** The socket that the flow has already, else the one that listens where the rule says. */
function findSocket({ packet, world }: Traversal, { address, port }: ProxyTarget): Socket | 'unknown' | undefined {
  const own = world.findSocket(packet);
  if (own !== undefined && own !== 'unknown' && own.isConnected) return own;
  const local = Number(address) === 0 ? world.sourceAddress(packet.in, packet.src) ?? packet.dst : address;
  return world.findSocket(redirected(packet, local, port === 0 ? packet.dport : port));
}

/** Whether there is one that may answer for addresses of others. */
function isTransparent(t: Traversal, socket: Socket | 'unknown' | undefined): boolean {
  if (socket === undefined) return false;
  const said = socket === 'unknown' ? undefined : socket.isTransparent;
  return said ?? t.unknown('it is not known whether a transparent socket listens there');
}

/** @see tproxy_tg4() and tproxy_tg6_v1() in net/netfilter/xt_TPROXY.c */
export function transparentProxy(t: Traversal, target: ProxyTarget): Verdict {
  const { packet } = t;
  const socket = packet.fragmentOffset > 0 || packet.transportLength < 8 ? undefined : findSocket(t, target);
  if (!isTransparent(t, socket)) {
    t.note('TPROXY: no transparent socket listens there, and the packet is dropped');
    return Verdict.Drop;
  }
  packet.mark = ((packet.mark & ~target.mark.mask) ^ target.mark.mark) >>> 0;
  packet.socket = { isConnected: false, isWildcard: false, ...socket === 'unknown' ? {} : socket, isTransparent: true };
  return Verdict.Accept;
}
