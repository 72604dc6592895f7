/** Packets by their bytes, for tests that look at bytes. */
import { Packet } from '../../analyzer/packet/packet.js';
import { setHeaderChecksum, setTransportChecksum } from '../../analyzer/packet/rewrite.js';
import { parseAddress } from '../../analyzer/values/address.js';
import type { Family } from '../../analyzer/values/value.js';

export function address(text: string): number | bigint {
  const parsed = parseAddress(text, text.includes(':') ? 'ipv6' : 'ipv4');
  if (typeof parsed === 'object') throw new Error(`${text} is no address`);
  return parsed;
}

function addressBytes(text: string): number[] {
  const value = BigInt(address(text));
  const size = text.includes(':') ? 16 : 4;
  return Array.from({ length: size }, (_, index) => Number((value >> BigInt(8 * (size - 1 - index))) & 0xffn));
}

const word = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff];
const long = (value: number): number[] => [...word(value >>> 16), ...word(value & 0xffff)];

export interface IpFields {
  readonly src?: string;
  readonly dst?: string;
  readonly protocol?: number;
  readonly payload?: Iterable<number>;
  readonly id?: number;
  /** IPv4: flags and offset; DF is 0x4000, MF 0x2000. */
  readonly fragment?: number;
  readonly tos?: number;
  readonly ttl?: number;
  readonly options?: readonly number[];
}

/** From 10.0.0.2 to 10.0.1.2 where nothing is said. */
export function ipv4({ src = '10.0.0.2', dst = '10.0.1.2', protocol = 17, payload = [], id = 1, fragment = 0, tos = 0, ttl = 64, options = [] }: IpFields): Packet {
  const data = [...payload];
  const header = 20 + options.length;
  const packet = new Packet('ipv4', Uint8Array.from([
    0x40 | header / 4, tos, ...word(header + data.length), ...word(id), ...word(fragment), ttl, protocol, 0, 0,
    ...addressBytes(src), ...addressBytes(dst), ...options, ...data,
  ]));
  setHeaderChecksum(packet);
  return packet;
}

/** From fd0a::2 to fd0b::2 where nothing is said. */
export function ipv6({ src = 'fd0a::2', dst = 'fd0b::2', protocol = 17, payload = [], tos = 0, ttl = 64 }: IpFields): Packet {
  const data = [...payload];
  return new Packet('ipv6', Uint8Array.from([
    0x60 | tos >> 4, (tos & 15) << 4, 0, 0, ...word(data.length), protocol, ttl, ...addressBytes(src), ...addressBytes(dst), ...data,
  ]));
}

export function ip(family: Family, fields: IpFields): Packet {
  return family === 'ipv4' ? ipv4(fields) : ipv6(fields);
}

export const ascii = (text: string): number[] => [...text].map(char => char.charCodeAt(0));

export interface TcpFields {
  readonly sport?: number;
  readonly dport?: number;
  readonly flags?: number;
  readonly seq?: number;
  readonly ack?: number;
  readonly options?: readonly number[];
  readonly text?: string;
}

/** A SYN from 1000 to 80 where nothing is said; the checksum is right. */
export function tcp({ sport = 1000, dport = 80, flags = 2, seq = 1000, ack = 0, options = [], text = '' }: TcpFields, fields: IpFields = {}, family: Family = 'ipv4'): Packet {
  const packet = ip(family, { ...fields, protocol: 6, payload: [
    ...word(sport), ...word(dport), ...long(seq), ...long(ack), (20 + options.length) << 2, flags, 0xff, 0xff, 0, 0, 0, 0, ...options, ...ascii(text),
  ] });
  setTransportChecksum(packet);
  return packet;
}

export function udp(sport: number, dport: number, text: string | readonly number[], fields: IpFields = {}, family: Family = 'ipv4'): Packet {
  const data = typeof text === 'string' ? ascii(text) : text;
  const packet = ip(family, { ...fields, protocol: 17, payload: [...word(sport), ...word(dport), ...word(8 + data.length), 0, 0, ...data] });
  setTransportChecksum(packet);
  return packet;
}

export { long, word };
