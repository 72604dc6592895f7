import test from 'ava';
import * as fc from 'fast-check';
import { Packet } from '../../../analyzer/packet/packet.js';
import { ruleOf } from '../compiled.js';
import { ipv4, tcp, udp } from '../packet-bytes.js';
import { movingWorld } from './clock.js';

const from = (src: string): Packet => udp(1, 2, '', { src });

test('addresses are counted apart, and grouped by the mask', t => {
  const world = movingWorld();
  const each = ruleOf('-m hashlimit --hashlimit-upto 1/min --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name a', { world });
  t.deepEqual([each(from('10.0.0.1')), each(from('10.0.0.2')), each(from('10.0.0.1'))], ['match', 'match', 'no match']);
  const grouped = ruleOf('-m hashlimit --hashlimit-upto 1/min --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-srcmask 24 --hashlimit-name b', { world });
  t.deepEqual([grouped(from('10.0.0.1')), grouped(from('10.0.0.2')), grouped(from('10.0.1.1'))], ['match', 'no match', 'match']);
});

test('rules with one name share the table, and above is the opposite of upto', t => {
  const world = movingWorld();
  const upto = ruleOf('-m hashlimit --hashlimit-upto 1/min --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name a', { world });
  const above = ruleOf('-m hashlimit --hashlimit-above 1/min --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name a', { world });
  t.deepEqual([upto(from('10.0.0.1')), above(from('10.0.0.1')), above(from('10.0.0.1')), upto(from('10.0.0.1'))], ['match', 'no match', 'match', 'no match']);
});

test('ports tell packets apart, and a packet that ends before its ports is dropped', t => {
  const ask = ruleOf('-m hashlimit --hashlimit-upto 1/min --hashlimit-burst 1 --hashlimit-mode dstip,dstport --hashlimit-name a');
  t.deepEqual([ask(tcp({ dport: 80 })), ask(tcp({ dport: 81 })), ask(tcp({ dport: 80 }))], ['match', 'match', 'no match']);
  t.is(ask(ipv4({ protocol: 6, payload: [0, 1, 0] })), 'hotdrop');
  t.is(ask(ipv4({ protocol: 1, payload: [8, 0] })), 'match', 'what has no ports has ports 0');
});

test('an idle entry is forgotten when the table is cleaned up after it expired', t => {
  const world = movingWorld();
  const ask = ruleOf('-m hashlimit --hashlimit-upto 1/day --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name a --hashlimit-htable-expire 2500 --hashlimit-htable-gcinterval 1000', { world });
  t.is(ask(from('10.0.0.1')), 'match');
  world.now = 2.9;
  t.is(ask(from('10.0.0.1')), 'no match', 'it expired at 2.5, but is there until 3');
  world.now = 5.9;
  t.is(ask(from('10.0.0.1')), 'no match', 'it expired at 5.4, but is there until 6');
  world.now = 9;
  t.is(ask(from('10.0.0.1')), 'match');
});

test('a full table drops what it has no entry for', t => {
  const ask = ruleOf('-m hashlimit --hashlimit-upto 1/day --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name a --hashlimit-htable-size 2 --hashlimit-htable-max 2');
  t.deepEqual([ask(from('10.0.0.1')), ask(from('10.0.0.2')), ask(from('10.0.0.3')), ask(from('10.0.0.1'))], ['match', 'match', 'hotdrop', 'no match']);
});

test('bytes are limited by credit for a second, which may be filled up at once', t => {
  const world = movingWorld();
  const packet = (): Packet => udp(1, 2, new Array<number>(972).fill(0));
  const count = (ask: (one: Packet) => string): number => Array.from({ length: 100 }, () => ask(packet())).filter(answer => answer === 'match').length;
  const plain = ruleOf('-m hashlimit --hashlimit-upto 10kb/s --hashlimit-name a', { world });
  t.is(count(plain), 10);
  world.now += 0.5;
  t.is(count(plain), 5);
  const twice = ruleOf('-m hashlimit --hashlimit-upto 10kb/s --hashlimit-burst 20kb --hashlimit-name b', { world });
  t.is(count(twice), 30);
});

test('--hashlimit-rate-match measures the rate, and limits nothing', t => {
  const world = movingWorld();
  const ask = ruleOf('-m hashlimit --hashlimit-above 10/sec --hashlimit-burst 5 --hashlimit-name m --hashlimit-rate-match --hashlimit-htable-expire 10000', { world });
  const send = (count: number): number => Array.from({ length: count }, () => ask(from('10.0.0.1'))).filter(answer => answer === 'match').length;
  t.is(send(20), 5, 'the first fifteen are within the burst');
  world.now += 1;
  t.is(send(1), 1, 'the second before was above the rate');
  world.now += 1;
  t.is(send(1), 0);
});

test('no address ever gets more than its burst and what the rate adds', t => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.double({ min: 0, max: 5, noNaN: true })), { maxLength: 80 }),
    (rate, burst, packets) => {
      const world = movingWorld();
      const ask = ruleOf(`-m hashlimit --hashlimit-upto ${String(rate)}/min --hashlimit-burst ${String(burst)} --hashlimit-mode srcip --hashlimit-name a`, { world });
      const matched = [0, 0, 0, 0];
      for (const [host, pause] of packets) {
        world.now += pause;
        if (ask(from(`10.0.0.${String(host)}`)) === 'match') matched[host] = (matched[host] ?? 0) + 1;
      }
      for (const count of matched) t.true(count <= burst + rate * 1.001 * world.now / 60 + 1);
    },
  ), { numRuns: 100 });
});
