import { atom } from '../../packet/constraint.js';
import { u32Tests } from '../../values/u32-tests.js';
import { defineMatch, option } from '../define.js';

/** @see u32_match_it() in net/netfilter/xt_u32.c and libxt_u32.c. Numbers are saved in hexadecimal. */
export const u32 = defineMatch('u32', () => ({
  doc: 'Matches packets by numbers of four bytes at computed places.',
  options: {
    tests: option({
      names: ['--u32'], doc: 'the tests, as 6&0xFF=17 for UDP', value: u32Tests, negatable: true, required: true,
      means: (tests, cx) => atom(`u32 ${u32Tests.print(tests, cx)}`),
    }),
  },
  examples: [
    ['-m u32 --u32 "0x6&0xff=0x1"', '='],
    ['-m u32 ! --u32 "6 & 0xFF = 1 , 2 : 010"', '-m u32 ! --u32 "0x6&0xff=0x1,0x2:0x8"'],
    ['-m u32 --u32 "0>>22&0x3C@4>>16=80&&4=0"', '-m u32 --u32 "0x0>>0x16&0x3c@0x4>>0x10=0x50&&0x4=0x0"'],
    ['-m u32 --u32 "4<<32=5"', undefined],
    ['-m u32 --u32 "4=5&&"', undefined],
    ['-m u32 --u32 "4="', undefined],
  ],
}));
