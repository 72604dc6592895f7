/** Network prefix translation (RFC 6296): addresses change so that no checksum of layer 4 notices. */
import { fold, sumOf } from '../packet/checksum.js';
import type { Packet } from '../packet/packet.js';
import { protocolNumber as proto } from '../packet/protocols.js';
import { putAddress } from '../packet/put.js';
import { Verdict, type Action } from '../packet/traversal.js';
import type { Ip6Prefix } from '../values/ip6-prefix.js';

const parameterProblem = 4, erroneousField = 0;
const sourceAt = 8, destinationAt = 24, headerLength = 40, icmpHeaderLength = 8;

/** Rewrites the address at byte `at` in place; false where nothing in it can take up the difference. */
type Translate = (bytes: Uint8Array, at: number) => boolean;

function bytesOf({ address }: Ip6Prefix): Uint8Array {
  const bytes = new Uint8Array(16);
  putAddress(bytes, 0, BigInt(address));
  return bytes;
}

/** The bits of byte `index` that a prefix of this length covers. */
function maskAt(index: number, length: number): number {
  const bits = Math.min(8, Math.max(0, length - 8 * index));
  return 0xff00 >> bits & 0xff;
}

/** Which 16-bit word takes up the difference: behind a prefix of up to 48 bits the subnet, else the first word of the host part that is not all ones. */
function adjustedWord(bytes: Uint8Array, at: number, length: number): number | undefined {
  if (length <= 48) return at + 6;
  for (let word = at + 8; word < at + 16; word += 2) if (bytes[word] !== 0xff || bytes[word + 1] !== 0xff) return word;
  return undefined;
}

/** @see ip6t_npt_checkentry(), ip6t_npt_map_pfx() in net/ipv6/netfilter/ip6t_NPT.c */
function translation(from: Ip6Prefix, to: Ip6Prefix): Translate {
  const prefix = bytesOf(to);
  const length = Math.max(from.length, to.length);
  const adjustment = sumOf(bytesOf(from)) + (~sumOf(prefix) & 0xffff);
  return (bytes, at) => {
    for (let index = 0; index < length / 8; index++) {
      const mask = maskAt(index, length);
      bytes[at + index] = ((bytes[at + index] ?? 0) & ~mask) | ((prefix[index] ?? 0) & mask);
    }
    const word = adjustedWord(bytes, at, length);
    if (word === undefined) return false;
    const sum = fold(((bytes[word] ?? 0) << 8) + (bytes[word + 1] ?? 0) + adjustment);
    bytes[word] = sum === 0xffff ? 0 : sum >>> 8;
    bytes[word + 1] = sum === 0xffff ? 0 : sum & 0xff;
    return true;
  };
}

/** Where the address that is translated stands in a packet that an ICMPv6 error quotes: opposite to that of the error itself. */
function quotedAddress({ bytes }: Packet, at: number): number | undefined {
  const quote = headerLength + icmpHeaderLength;
  const type = bytes[headerLength] ?? 0;
  if (bytes[6] !== proto.icmpv6 || type < 1 || type > 4 || bytes.length < quote + headerLength) return undefined;
  return quote + (at === sourceAt ? destinationAt : sourceAt);
}

function hasPrefix(bytes: Uint8Array, at: number, { address, length }: Ip6Prefix): boolean {
  const wanted = bytesOf({ address, length });
  return wanted.every((byte, index) => byte === ((bytes[at + index] ?? 0) & maskAt(index, length)));
}

/**
 * What SNPT (`side` source) and DNPT do: the prefix `from` of the address becomes `to`, whatever it is, and in a quoted packet where it is `from`.
 * @see ip6t_snpt_tg(), ip6t_dnpt_tg() in net/ipv6/netfilter/ip6t_NPT.c
 */
export function prefixTranslation(side: 'source' | 'destination', from: Ip6Prefix, to: Ip6Prefix): Action {
  const at = side === 'source' ? sourceAt : destinationAt;
  const translate = translation(from, to);
  return t => {
    const { bytes } = t.packet;
    if (bytes.length < headerLength) return Verdict.Drop;
    if (!translate(bytes, at)) {
      t.note('no 16 bits of the address can take up the difference between the prefixes (RFC 6296, 3.5)');
      t.world.icmpError(parameterProblem, erroneousField, at);
      return Verdict.Drop;
    }
    const quoted = quotedAddress(t.packet, at);
    if (quoted !== undefined && hasPrefix(bytes, quoted, from)) translate(bytes, quoted);
    return Verdict.Continue;
  };
}
