import { atom } from '../../packet/constraint.js';
import { findOption } from '../../packet/find-option.js';
import type { Packet } from '../../packet/packet.js';
import { noPacket } from '../../packet/predicates.js';
import { hotdrop, headerOffset } from '../../packet/transport-header.js';
import { numberRange, printRange } from '../../values/number-range.js';
import { defineMatch, option } from '../define.js';

const headerLength = 20;
const mssKind = 2, mssLength = 4;

/** The first option of that kind which is as long as it must be. */
function mssOf(packet: Packet, from: number, to: number): number | undefined {
  let at = findOption(packet, from, to, mssKind);
  while (at >= 0) {
    const length = packet.u8(at + 1);
    if (length === mssLength && to - at >= mssLength) return packet.u16(at + 2);
    at = findOption(packet, at === to - 1 ? to : at + (length || 1), to, mssKind);
  }
  return undefined;
}

/** @see tcpmss_mt() in net/netfilter/xt_tcpmss.c. A packet without the option matches where the range is negated. */
export const tcpmss = defineMatch('tcpmss', () => ({
  doc: 'Matches the maximum segment size that a TCP SYN packet announces.',
  protocols: ['tcp'],
  options: {
    mss: option({
      names: ['--mss'], doc: 'maximum segment size or range', value: numberRange(0xffff, { name: 'value', rising: true }), negatable: true, required: true,
      means: range => atom(`tcpmss ${printRange(range)}`),
    }),
  },
  matches: ({ mss }) => {
    if (mss === undefined) return noPacket;
    const { negated, value: { low, high } } = mss;
    return t => {
      const { packet } = t;
      const start = headerOffset(packet);
      const end = start + (packet.u8(start + 12) >> 4) * 4;
      if (end - start < headerLength || end > packet.bytes.length || start + headerLength > packet.bytes.length) return hotdrop(t);
      const size = mssOf(packet, start + headerLength, end);
      return (size !== undefined && size >= low && size <= high) !== negated;
    };
  },
  examples: [
    ['-p tcp -m tcpmss --mss 1400:1500', '='],
    ['-p tcp -m tcpmss ! --mss 0x578:', '-p tcp -m tcpmss ! --mss 1400:65535'],
    ['-p tcp -m tcpmss --mss 5:3', undefined],
    ['-p tcp -m tcpmss', undefined],
    ['-m tcpmss --mss 1400', undefined],
  ],
}));
