/** What keeps many hosts in order, and in memory: laws of the small parts. */
import test from 'ava';
import fc from 'fast-check';
import { inOrder } from '../../../cli/lint/in-order.js';
import { progressLine } from '../../../cli/progress.js';
import { Recent } from '../../../cli/recent.js';
import { shardOf } from '../../../cli/shard.js';
import { siblingsAmong } from '../../../cli/siblings.js';

test('results come in the order of the items, whichever is done first, and no more than the width are begun ahead', async t => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(5), { maxLength: 30 }), fc.integer({ min: 1, max: 8 }), async (turns, width) => {
    let begun = 0;
    let taken = 0;
    let most = 0;
    const work = async (turn: number): Promise<number> => {
      most = Math.max(most, ++begun - taken);
      for (let wait = 0; wait < turn; wait++) await Promise.resolve();
      return turn;
    };
    const results: number[] = [];
    for await (const result of inOrder(turns, width, work)) {
      results.push(result);
      taken++;
    }
    t.deepEqual(results, turns);
    t.true(most <= width);
  }));
});

test('an error comes at its turn, after what is before it', async t => {
  const results: number[] = [];
  await t.throwsAsync(async () => {
    for await (const one of inOrder([1, 2, 3], 3, item => item === 2 ? Promise.reject(new Error('two')) : Promise.resolve(item))) results.push(one);
  }, { message: 'two' });
  t.deepEqual(results, [1]);
});

test('shards in their order are the whole list, none longer than another by more than one', t => {
  fc.assert(fc.property(fc.uniqueArray(fc.string(), { maxLength: 40 }), fc.integer({ min: 1, max: 50 }), (files, count) => {
    const shards = Array.from({ length: count }, (_, index) => shardOf(files, { index: index + 1, count }));
    t.deepEqual(shards.flatMap(one => one.files), files);
    const sizes = shards.map(one => one.files.length);
    t.true(Math.max(...sizes) - Math.min(...sizes) <= 1);
    t.is(new Set(shards.map(({ shard }) => shard.list)).size, 1);
  }));
  t.not(shardOf(['a', 'b'], { index: 1, count: 2 }).shard.list, shardOf(['a', 'c'], { index: 1, count: 2 }).shard.list);
});

test('the sibling of a path is the first that differs in the family alone', t => {
  const sibling = siblingsAmong(['web/rules.v4', 'web/rules.v6', 'db/iptables.rules', 'db/ip6tables.rules', 'v4/rules.v6', 'x.rules', 'x6.rules']);
  t.is(sibling('web/rules.v4'), 'web/rules.v6');
  t.is(sibling('web/rules.v6'), 'web/rules.v4');
  t.is(sibling('db/ip6tables.rules'), 'db/iptables.rules');
  t.is(sibling('x6.rules'), 'x.rules');
  t.is(sibling('v4/rules.v6'), undefined);
  t.is(sibling('db/rules.v4'), undefined);
  t.is(siblingsAmong(['host1.rules', 'host16.rules', 'fw-v40', 'fw-v60'])('host1.rules'), undefined, 'the sixteenth host');
  t.is(siblingsAmong(['fw-v40', 'fw-v60'])('fw-v40'), undefined);
});

test('what was asked for lately is kept, and no more of it than that', t => {
  const recent = new Recent<number, number>(2);
  let made = 0;
  const get = (key: number): number => recent.get(key, () => ++made);
  t.deepEqual([1, 2, 1, 3, 1, 2].map(get), [1, 2, 1, 3, 1, 4]);
});

test('the line of progress says how much is done, how fast, and how long it takes, in the width of the terminal', t => {
  t.is(progressLine(50, 200, 'web1/rules.v4', 2000, 80), '[█████               ] 50/200 25/s 0:06 left web1/rules.v4');
  t.is(progressLine(0, 3, 'a', 2000, 80), `[${' '.repeat(20)}] 0/3 a`);
  t.is(progressLine(1, 8000, 'a', 1000, 80).slice(23), '1/8000 1.0/s 2:13:19 left a');
  t.is(progressLine(50, 200, 'a/very/long/name/of/a/file\u001b[31m.rules', 2000, 50).length, 49);
});
