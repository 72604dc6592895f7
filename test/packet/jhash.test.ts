import test from 'ava';
import { jhash, scaled } from '../../analyzer/packet/jhash.js';

for (const [words, initial, hash] of [
  [[], 0, 0xdead_beef], [[1], 0, 0x72a8_2a9b], [[1, 2], 7, 0x79f0_851f], [[1, 2, 3], 0, 0xa461_58f5],
  [[1, 2, 3, 4], 5, 0x7355_8c35], [Array.from({ length: 7 }, () => 0xffff_ffff), 0xffff_ffff, 0xeb2c_99a0],
] as const) {
  test(`the hash of ${String(words.length)} words is that of lookup3`, t => {
    t.is(jhash(words, initial), hash);
  });
}

test('a hash is spread to the last bit', t => {
  t.is(scaled(0xffff_ffff, 0xffff_ffff), 0xffff_fffe);
  t.is(scaled(0x8000_0001, 0xffff_ffff), Number((0x8000_0001n * 0xffff_ffffn) >> 32n));
});
