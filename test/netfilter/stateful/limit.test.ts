import test from 'ava';
import * as fc from 'fast-check';
import type { Backend } from '../../../analyzer/values/value.js';
import { ruleOf } from '../compiled.js';
import { udp } from '../packet-bytes.js';
import { movingWorld } from './clock.js';

const backends: readonly Backend[] = ['legacy', 'nft'];

for (const backend of backends) {
  test(`${backend}: a burst passes, then what the rate lets through`, t => {
    const world = movingWorld(backend);
    const ask = ruleOf('-m limit --limit 2/sec --limit-burst 3', { world });
    const matches = (count: number): number => Array.from({ length: count }, () => ask(udp(1, 2, ''))).filter(answer => answer === 'match').length;
    t.is(matches(10), 3);
    world.now += 0.5;
    t.is(matches(10), 1);
    world.now += 60;
    t.is(matches(10), 3, 'credit beyond the burst is lost');
  });

  test(`${backend}: no more ever match than the burst and what the rate adds`, t => {
    fc.assert(fc.property(
      fc.constantFrom<readonly [string, number]>(['sec', 1], ['min', 60], ['hour', 3600]), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 30 }),
      fc.array(fc.double({ min: 0, max: 30, noNaN: true }), { minLength: 1, maxLength: 60 }),
      ([unit, seconds], count, burst, pauses) => {
        const world = movingWorld(backend);
        const ask = ruleOf(`-m limit --limit ${String(count)}/${unit} --limit-burst ${String(burst)}`, { world });
        let matched = 0;
        for (const pause of pauses) {
          world.now += pause;
          if (ask(udp(1, 2, '')) === 'match') matched++;
        }
        // The period of a packet is rounded down to ten-thousandths of a second, and to whole packets a unit.
        const rate = Math.floor(10_000 * seconds / Math.floor(10_000 * seconds / count)) / seconds;
        t.true(matched <= burst + 1.001 * rate * world.now + 1);
      },
    ), { numRuns: 200 });
  });
}

test('each rule has credit of its own', t => {
  const world = movingWorld();
  const first = ruleOf('-m limit --limit 1/hour --limit-burst 1', { world });
  const second = ruleOf('-m limit --limit 1/hour --limit-burst 1', { world });
  t.deepEqual([first(udp(1, 2, '')), first(udp(1, 2, '')), second(udp(1, 2, ''))], ['match', 'no match', 'match']);
});

test('a slow rate with a large burst does not lose a packet to rounding', t => {
  for (const backend of backends) {
    const world = movingWorld(backend);
    const ask = ruleOf(`-m limit --limit 1/day --limit-burst ${backend === 'nft' ? '9999' : '1'}`, { world });
    const burst = backend === 'nft' ? 9999 : 1;
    for (let packet = 0; packet < burst; packet++) t.is(ask(udp(1, 2, '')), 'match');
    t.is(ask(udp(1, 2, '')), 'no match');
    world.now += 86_400;
    t.is(ask(udp(1, 2, '')), 'match');
  }
});

test('sums of tenths of a second are what was meant', t => {
  const world = movingWorld('nft');
  const ask = ruleOf('-m limit --limit 1/sec --limit-burst 1', { world });
  t.is(ask(udp(1, 2, '')), 'match');
  for (let tenth = 0; tenth < 10; tenth++) world.now += 0.1;
  t.is(ask(udp(1, 2, '')), 'match');
});
