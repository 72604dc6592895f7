import test from 'ava';
import fc from 'fast-check';
import { InterfaceNames } from '../../analyzer/packet-space/interface-names.js';

const words = ['lo', 'l', 'lo0', 'loop', 'eth', 'eth0', 'eth1', 'e', 'wg0', 'tun', 'a', 'zz9'];
const some = fc.subarray(words);

function isIn(intervals: readonly number[], at: number): boolean {
  for (let i = 0; i < intervals.length; i += 2) if ((intervals[i] ?? 0) <= at && at <= (intervals[i + 1] ?? 0)) return true;
  return false;
}

test('a prefix takes the classes of just the names that begin so, lo among them', t => {
  fc.assert(fc.property(some, some, (names, prefixes) => {
    const line = new InterfaceNames(names, prefixes);
    for (const prefix of prefixes) {
      const taken = line.withPrefix(prefix, false);
      for (const name of [...words, 'lo1', 'ethx', 'q']) t.is(isIn(taken, line.classOf(name)), name.startsWith(prefix), `${prefix}+ and ${name}, of ${names.join()} and ${prefixes.join()}`);
    }
  }));
});

test('all interfaces but lo are neighbours, and so are those of a prefix', t => {
  const line = new InterfaceNames(['eth0', 'lo', 'wg0'], ['eth', 'l']);
  t.is(line.classOf('lo'), 1);
  t.deepEqual(line.withPrefix('eth', false), [line.classOf('eth0'), line.classOf('eth1')]);
  t.deepEqual(line.withPrefix('l', false), [1, 1, line.classOf('lx'), line.classOf('lx')]);
  t.is(line.nameIn(1, []), 'lo');
});
