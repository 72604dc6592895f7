import test from 'ava';
import type { Packet } from '../../../analyzer/packet/packet.js';
import { ruleOf } from '../compiled.js';
import { udp } from '../packet-bytes.js';
import { movingWorld } from './clock.js';

const from = (src: string, ttl = 64): Packet => udp(1, 2, '', { src, ttl });

test('what one rule puts on a list another one finds there, for so many seconds', t => {
  const world = movingWorld();
  const set = ruleOf('-m recent --set --name ssh', { world });
  const check = ruleOf('-m recent --rcheck --seconds 60 --name ssh', { world });
  t.is(check(from('10.0.0.1')), 'no match');
  t.is(set(from('10.0.0.1')), 'match');
  t.is(check(from('10.0.0.1')), 'match');
  t.is(check(from('10.0.0.2')), 'no match');
  world.now = 60;
  t.is(check(from('10.0.0.1')), 'match');
  world.now = 60.1;
  t.is(check(from('10.0.0.1')), 'no match');
});

test('--hitcount counts how often it was seen, and --update counts as seen only when it matches', t => {
  const world = movingWorld();
  const set = ruleOf('-m recent --set --name a', { world });
  const update = ruleOf('-m recent --update --seconds 10 --hitcount 3 --name a', { world });
  const answers = ['set', 'update', 'set', 'update', 'set', 'update'].map(step => (step === 'set' ? set : update)(from('10.0.0.1')));
  t.deepEqual(answers, ['match', 'no match', 'match', 'no match', 'match', 'match']);
  world.now = 9;
  t.is(update(from('10.0.0.1')), 'match', 'the update before was the fourth stamp');
  world.now = 10.5;
  t.is(update(from('10.0.0.1')), 'no match', 'only one stamp is younger than ten seconds');
});

test('a list remembers 32 stamps, or as many as a rule counts to', t => {
  const world = movingWorld();
  const set = ruleOf('-m recent --set --name a', { world });
  for (let packet = 0; packet < 100; packet++) set(from('10.0.0.1'));
  t.is(ruleOf('-m recent --rcheck --hitcount 32 --name a', { world })(from('10.0.0.1')), 'match');
  const many = movingWorld();
  const check = ruleOf('-m recent --rcheck --hitcount 40 --name a', { world: many });
  const setMany = ruleOf('-m recent --set --name a', { world: many });
  for (let packet = 0; packet < 39; packet++) setMany(from('10.0.0.1'));
  t.is(check(from('10.0.0.1')), 'no match');
  setMany(from('10.0.0.1'));
  t.is(check(from('10.0.0.1')), 'match');
});

test('--remove takes an address off and matches only if it was there', t => {
  const world = movingWorld();
  const remove = ruleOf('-m recent --remove --name a', { world });
  t.is(remove(from('10.0.0.1')), 'no match');
  ruleOf('-m recent --set --name a', { world })(from('10.0.0.1'));
  t.deepEqual([remove(from('10.0.0.1')), remove(from('10.0.0.1'))], ['match', 'no match']);
});

test('a list holds 100 addresses, and the one seen longest ago makes room', t => {
  const world = movingWorld();
  const set = ruleOf('-m recent --set --name a', { world });
  const check = ruleOf('-m recent --rcheck --name a', { world });
  for (let host = 1; host <= 100; host++) set(from(`10.0.0.${String(host)}`));
  set(from('10.0.0.1'));
  set(from('10.0.1.1'));
  t.deepEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.1.1'].map(host => check(from(host))), ['match', 'no match', 'match', 'match']);
});

test('--rttl asks for the same TTL, --mask groups, --rdest looks at the other side, `!` turns the answer over', t => {
  const world = movingWorld();
  ruleOf('-m recent --set --name a --mask 255.255.255.0', { world })(from('10.0.0.1', 64));
  const masked = ruleOf('-m recent --rcheck --rttl --name a --mask 255.255.255.0', { world });
  t.deepEqual([masked(from('10.0.0.9', 64)), masked(from('10.0.0.9', 63))], ['match', 'no match']);
  t.is(ruleOf('-m recent --rcheck --name a --rdest', { world })(udp(1, 2, '', { dst: '10.0.0.0' })), 'match');
  t.is(ruleOf('-m recent ! --rcheck --name a', { world })(from('10.9.9.9')), 'match');
  t.is(ruleOf('-m recent ! --set --name b', { world })(from('10.9.9.9')), 'no match');
});

test('--reap forgets the address that was seen longest ago', t => {
  const world = movingWorld();
  ruleOf('-m recent --set --name a', { world })(from('10.0.0.1'));
  world.now = 100;
  ruleOf('-m recent --set --name a', { world })(from('10.0.0.2'));
  t.is(ruleOf('-m recent --rcheck --seconds 50 --reap --name a', { world })(from('10.0.0.2')), 'match');
  t.is(ruleOf('-m recent --rcheck --name a', { world })(from('10.0.0.1')), 'no match');
});
