/** Packets for tests of routing: a UDP datagram with what routing looks at. */
import { Packet } from '../../../analyzer/packet/packet.js';
import { setHeaderChecksum } from '../../../analyzer/packet/rewrite.js';
import { readAddress } from '../../../analyzer/netfilter/host/prefix.js';
import type { Family } from '../../../analyzer/values/value.js';

export interface Wanted {
  readonly in: string;
  readonly src: string;
  readonly dst: string;
  readonly mark?: number;
  readonly tos?: number;
  readonly ttl?: number;
  readonly sport?: number;
  readonly dport?: number;
}

export function address(word: string): number | bigint {
  const family = word.includes(':') ? 'ipv6' : 'ipv4';
  const read = readAddress(word, family);
  if (read === undefined) throw new Error(`${word} is no address`);
  return read;
}

function put(bytes: Uint8Array, at: number, word: string): void {
  const value = BigInt(address(word)), size = word.includes(':') ? 16 : 4;
  for (let i = 0; i < size; i++) bytes[at + i] = Number((value >> BigInt(8 * (size - 1 - i))) & 0xffn);
}

function header(family: Family, { src, dst, tos = 0, ttl = 64 }: Wanted): Uint8Array {
  if (family === 'ipv4') {
    const bytes = Uint8Array.of(0x45, tos, 0, 28, 0, 1, 0, 0, ttl, 17, ...Array<number>(10).fill(0));
    put(bytes, 12, src);
    put(bytes, 16, dst);
    return bytes;
  }
  const bytes = Uint8Array.of(0x60 | (tos >> 4), (tos & 15) << 4, 0, 0, 0, 8, 17, ttl, ...Array<number>(32).fill(0));
  put(bytes, 8, src);
  put(bytes, 24, dst);
  return bytes;
}

export function udp(wanted: Wanted): Packet {
  const family = wanted.src.includes(':') ? 'ipv6' : 'ipv4';
  const { sport = 1024, dport = 53 } = wanted;
  const packet = new Packet(family, Uint8Array.of(...header(family, wanted), sport >> 8, sport & 255, dport >> 8, dport & 255, 0, 8, 0, 0));
  setHeaderChecksum(packet);
  packet.in = wanted.in;
  packet.mark = wanted.mark ?? 0;
  return packet;
}
