/** Options of the IPv4 header, as the kernel reads them when a packet comes in. */
import type { Packet } from '../../packet/packet.js';
import { drop, type InputRoute, type RoutingDrop } from './decision.js';

const option = { end: 0, noop: 1, recordRoute: 7, timestamp: 0x44, looseRoute: 0x83, cipso: 0x86, strictRoute: 0x89, routerAlert: 0x94 } as const;

/** What was met so far: of some options there may be one only. */
interface Seen {
  sourceRoute: number;
  recordRoute: boolean;
  timestamp: boolean;
}

type Check = (packet: Packet, at: number, length: number, seen: Seen) => number | undefined;

/** Each answers the offset of what is wrong, or undefined. */
const sourceRoute: Check = (packet, at, length, seen) => {
  if (length < 3) return at + 1;
  if (packet.u8(at + 2) < 4) return at + 2;
  if (seen.sourceRoute !== 0) return at;
  seen.sourceRoute = at;
  return undefined;
};

const recordRoute: Check = (packet, at, length, seen) => {
  if (seen.recordRoute) return at;
  if (length < 3) return at + 1;
  const pointer = packet.u8(at + 2);
  if (pointer < 4 || (pointer <= length && pointer + 3 > length)) return at + 2;
  seen.recordRoute = true;
  return undefined;
};

const timestamp: Check = (packet, at, length, seen) => {
  if (seen.timestamp) return at;
  if (length < 4) return at + 1;
  const pointer = packet.u8(at + 2), kind = packet.u8(at + 3) & 15;
  if (pointer < 5) return at + 2;
  const isPrespecified = kind === 3, hasAddress = kind === 1 || isPrespecified;
  if (pointer <= length && (pointer + 3 > length || (hasAddress && pointer + 7 > length))) return at + 2;
  if (pointer > length && !isPrespecified && packet.u8(at + 3) >> 4 === 15) return at + 3;
  seen.timestamp = true;
  return undefined;
};

const routerAlert: Check = (_, at, length) => length < 4 ? at + 1 : undefined;

const checks: Readonly<Record<number, Check>> = {
  [option.recordRoute]: recordRoute, [option.timestamp]: timestamp, [option.routerAlert]: routerAlert,
  [option.looseRoute]: sourceRoute, [option.strictRoute]: sourceRoute,
};

/** The offset of what is wrong, or undefined. @see __ip_options_compile() in net/ipv4/ip_options.c */
function findWrong(packet: Packet, seen: Seen): number | undefined {
  const end = (packet.u8(0) & 15) * 4;
  let at = 20;
  while (at < end) {
    const type = packet.u8(at);
    if (type === option.end) return undefined;
    if (type === option.noop) { at++; continue; }
    const length = packet.u8(at + 1);
    if (at + 2 > end || length < 2 || at + length > end) return at;
    const wrong = checks[type]?.(packet, at, length, seen);
    if (wrong !== undefined) return wrong;
    at += length;
  }
  return undefined;
}

/**
 * Why the options end the packet's way; undefined where they do not. A source route is followed no further: where the kernel would go
 * by its next address, the packet is dropped here.
 * @see ip_rcv_options() in net/ipv4/ip_input.c, ip_options_rcv_srr()
 */
export function checkOptions(packet: Packet, kind: InputRoute['kind'], acceptSourceRoute: boolean): RoutingDrop | undefined {
  const seen: Seen = { sourceRoute: 0, recordRoute: false, timestamp: false };
  const wrong = findWrong(packet, seen);
  if (wrong !== undefined) return drop('ip options', 'an option of the IP header is malformed', { type: 12, code: 0, pointer: wrong });
  if (seen.sourceRoute === 0) return undefined;
  if (!acceptSourceRoute) return drop('source route', 'source routes are not accepted');
  if (packet.linkType !== 'unicast') return drop('source route', 'a source route in a broadcast of the link layer');
  const at = seen.sourceRoute, isStrict = packet.u8(at) === option.strictRoute;
  if (kind === 'forward') return isStrict ? drop('source route', 'we are not the next one on a strict route', { type: 12, code: 0, pointer: 16 }) : undefined;
  const isUsedUp = packet.u8(at + 2) > packet.u8(at + 1);
  return kind === 'local' && isUsedUp ? undefined : drop('source route', 'the rest of the route is not followed');
}
