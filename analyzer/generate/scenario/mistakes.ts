/** What may be wrong with a packet of a conversation. */
import type { ScenarioPacket } from '../../netfilter/scenario.js';
import type { Family } from '../../values/value.js';
import type { Mistake, Move } from './flows.js';

/** Pieces out of order, twice, or not all of them; undefined: as they should be. */
const orders: readonly (readonly number[] | undefined)[] = [undefined, undefined, [1, 0], [0], [1], [0, 0, 1], [1, 1, 0], [0, 1, 0]];

/** Pieces of at least 64 bytes of payload: two or more of each size. */
function fragments(packet: ScenarioPacket, detail: number): ScenarioPacket {
  if (packet.payload !== undefined) return packet;
  const size = [32, 40, 56, 24][detail % 4] ?? 32;
  const order = orders[(detail >> 2) % orders.length];
  return { ...packet, payload_len: 64, fragsize: size, ip_id: 100 + detail % 3, ...order === undefined ? {} : { fragorder: order } };
}

/** Changes the packet; what is wrong with its frame, or is no mistake of one packet alone, is not made here. */
export function mistaken(packet: ScenarioPacket, mistake: Mistake, { detail }: Move): ScenarioPacket {
  switch (mistake) {
    case 'badcsum': case 'badipcsum': return { ...packet, [mistake]: true };
    case 'ttl': return { ...packet, ttl: detail % 4 };
    case 'tos': return { ...packet, tos: detail };
    case 'options': return packet.proto === 'tcp' ? { ...packet, mss: 1400 } : { ...packet, ttl: 2 };
    case 'fragments': return packet.proto === 'tcp' || packet.proto === 'udp' || packet.proto === 'udplite' || packet.type !== undefined ? fragments(packet, detail) : packet;
    case 'cut': return { ...packet, cut: detail % 24 };
    case 'payload': return { ...packet, payload: 'xxabcxx' };
    case 'doff': return packet.proto === 'tcp' ? { ...packet, doff: detail % 16 } : packet;
    case 'udplen': return packet.proto === 'udp' || packet.proto === 'udplite' ? { ...packet, udplen: detail } : packet;
    case 'nocsum': return packet.proto === 'udp' ? { ...packet, nocsum: true } : packet;
    // Without such a bit, sockets of IPv6 never send what is too long.
    case 'df': return packet.src?.includes(':') === true ? packet : { ...packet, df: true, payload_len: detail % 2 === 0 ? 1472 : 1473 };
    case 'smac': return { ...packet, smac: '02:00:00:00:00:99' };
    case 'dmac': return { ...packet, dmac: '02:00:00:00:00:77' };
    case 'broadcast': case 'other interface': case 'error': case 'none': return packet;
  }
}

/** Types and codes with which somebody says that a packet could not be delivered. */
const errors: Readonly<Record<Family, readonly (readonly [type: number, code: number])[]>> = {
  ipv4: [[3, 3], [3, 3], [3, 1], [3, 4], [3, 13], [4, 0], [5, 1], [11, 0], [11, 1], [12, 0]],
  ipv6: [[1, 4], [1, 4], [1, 0], [2, 0], [3, 0], [3, 1], [4, 0], [4, 1], [137, 0]],
};

/** Whoever had the packet last, or a router on the way, says that it could not be delivered; how much it quotes, is its own business. */
export function errorAbout(seen: ScenarioPacket, family: Family, router: string, { detail, slip }: Move): ScenarioPacket {
  const [type, code] = errors[family][detail % errors[family].length] ?? [3, 3];
  const length = [undefined, undefined, undefined, 28, 20, 27, 24, 60][(detail >> 4) % 8];
  return {
    proto: family === 'ipv6' ? 'icmpv6' : 'icmp', src: detail % 3 === 0 ? router : seen.dst ?? '', dst: slip === 0 ? seen.src ?? '' : seen.dst ?? '', type, code, quote: seen,
    ...length === undefined ? {} : { quote_len: length }, ...detail === 77 ? { badcsum: true } : {},
  };
}
