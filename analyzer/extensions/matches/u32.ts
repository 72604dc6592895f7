import { atom } from '../../packet/constraint.js';
import type { Packet } from '../../packet/packet.js';
import { u32Tests, type U32Test } from '../../values/u32-tests.js';
import { asks } from '../asks.js';
import { defineMatch, option } from '../define.js';

/** The number at the place that the test computes; undefined where that is beyond the packet. */
function numberAt(packet: Packet, { start, steps }: U32Test): number | undefined {
  const end = packet.bytes.length - 4;
  if (start > end) return undefined;
  let base = 0;
  let value = packet.u32(start);
  for (const [operator, number] of steps) {
    switch (operator) {
      case '&': value = (value & number) >>> 0; break;
      case '<<': value = (value << number) >>> 0; break;
      case '>>': value >>>= number; break;
      case '@':
        base += value;
        if (base + number > end) return undefined;
        value = packet.u32(base + number);
    }
  }
  return value;
}

function passes(packet: Packet, test: U32Test): boolean {
  const value = numberAt(packet, test);
  return value !== undefined && test.ranges.some(([low, high]) => value >= low && value <= high);
}

/** @see u32_match_it() in net/netfilter/xt_u32.c and libxt_u32.c. Numbers are saved in hexadecimal. */
export const u32 = defineMatch('u32', () => ({
  doc: 'Matches packets by numbers of four bytes at computed places.',
  options: {
    tests: option({
      names: ['--u32'], doc: 'the tests, as 6&0xFF=17 for UDP', value: u32Tests, negatable: true, required: true,
      means: (tests, cx) => atom(`u32 ${u32Tests.print(tests, cx)}`),
    }),
  },
  matches: given => asks(given.tests, tests => ({ packet }) => tests.every(test => passes(packet, test))),
  examples: [
    ['-m u32 --u32 "0x6&0xff=0x1"', '='],
    ['-m u32 ! --u32 "6 & 0xFF = 1 , 2 : 010"', '-m u32 ! --u32 "0x6&0xff=0x1,0x2:0x8"'],
    ['-m u32 --u32 "0>>22&0x3C@4>>16=80&&4=0"', '-m u32 --u32 "0x0>>0x16&0x3c@0x4>>0x10=0x50&&0x4=0x0"'],
    ['-m u32 --u32 "4<<32=5"', undefined],
    ['-m u32 --u32 "4=5&&"', undefined],
    ['-m u32 --u32 "4="', undefined],
  ],
}));
