/** The hop-by-hop options header of IPv6, which every host on the way reads. */
import type { Packet } from '../../packet/packet.js';
import { isMulticast6 } from './address-kind.js';
import type { IcmpError } from './flow.js';

const option = { pad1: 0, padN: 1, routerAlert: 5, jumbo: 194 } as const;

export interface OptionsProblem {
  readonly icmp?: IcmpError;
}

const silent: OptionsProblem = {};

function parameterProblem(code: number, pointer: number): OptionsProblem {
  return { icmp: { type: 4, code, pointer } };
}

/** Padding may be at most 7 bytes in a row, and is zero. */
function isPadding(packet: Packet, at: number, length: number): boolean {
  for (let i = 2; i < length; i++) if (packet.u8(at + i) !== 0) return false;
  return true;
}

/** The two highest bits of an option nobody knows say what to do about it. @see ip6_tlvopt_unknown() in net/ipv6/exthdrs.c */
function unknownOption(packet: Packet, at: number): OptionsProblem | undefined {
  switch (packet.u8(at) >> 6) {
    case 0: return undefined;
    case 1: return silent;
    case 2: return parameterProblem(2, at);
    default: return isMulticast6(packet.u128(24)) ? silent : parameterProblem(2, at);
  }
}

/** @see ipv6_hop_jumbo() */
function jumbo(packet: Packet, at: number): OptionsProblem | undefined {
  if (packet.u8(at + 1) !== 4 || (at & 3) !== 2) return silent;
  const length = packet.u32(at + 2);
  if (length <= 0xffff) return parameterProblem(0, at + 2);
  if (packet.u16(4) !== 0) return parameterProblem(0, at);
  return length > packet.bytes.length - 40 ? silent : undefined;
}

function checkOption(packet: Packet, at: number): OptionsProblem | undefined {
  switch (packet.u8(at)) {
    case option.routerAlert: return packet.u8(at + 1) === 2 ? undefined : silent;
    case option.jumbo: return jumbo(packet, at);
    default: return unknownOption(packet, at);
  }
}

/**
 * What is wrong with the options; undefined where nothing is. Options of IOAM and CALIPSO are taken as unknown ones.
 * @param limit how many options there may be; below 0, and none that is unknown
 * @param maxLength of the header in bytes
 * @see ipv6_parse_hopopts(), ip6_parse_tlv()
 */
export function checkHopByHop(packet: Packet, limit: number, maxLength: number): OptionsProblem | undefined {
  const length = (packet.u8(41) + 1) * 8;
  if (packet.bytes.length < 40 + length || length > maxLength) return silent;
  const end = 40 + length;
  let [at, padding, count] = [42, 0, 0];
  while (at < end) {
    const type = packet.u8(at);
    const size = type === option.pad1 ? 1 : packet.u8(at + 1) + 2;
    if (at + size > end || (type !== option.pad1 && at + 2 > end)) return silent;
    if (type === option.pad1 || type === option.padN) {
      padding += size;
      if (padding > 7 || (type === option.padN && !isPadding(packet, at, size))) return silent;
    } else {
      padding = 0;
      const wrong = ++count > Math.abs(limit) ? silent : checkOption(packet, at);
      if (wrong !== undefined) return wrong;
    }
    at += size;
  }
  return undefined;
}
