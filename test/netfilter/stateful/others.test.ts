/** quota, statistic, time, rateest and set. */
import test from 'ava';
import type { SetTest } from '../../../analyzer/packet/ip-sets.js';
import { ruleOf, type Answer } from '../compiled.js';
import { fakeWorld } from '../fake-world.js';
import { udp } from '../packet-bytes.js';
import { targetOf } from '../targets/act.js';
import { movingWorld } from './clock.js';

const packet = (length: number): ReturnType<typeof udp> => udp(1, 2, new Array<number>(length - 28).fill(0));
const asks = (ask: (one: ReturnType<typeof packet>) => Answer, lengths: readonly number[]): string => lengths.map(length => ask(packet(length)) === 'match' ? 'y' : 'n').join('');

test('a quota is used up by bytes, and one packet that does not fit uses up the rest', t => {
  t.is(asks(ruleOf('-m quota --quota 300'), [100, 100, 101, 28]), 'yynn');
  t.is(asks(ruleOf('-m quota ! --quota 100'), [100, 28]), 'ny');
});

test('--mode nth matches the n-th of so many packets, again and again', t => {
  t.is(asks(ruleOf('-m statistic --mode nth --every 3 --packet 0'), new Array<number>(7).fill(28)), 'ynnynny');
  t.is(asks(ruleOf('-m statistic --mode nth --every 3 --packet 2'), new Array<number>(7).fill(28)), 'nnynnyn');
  t.is(asks(ruleOf('-m statistic --mode nth ! --every 2 --packet 1'), new Array<number>(4).fill(28)), 'ynyn');
});

test('--mode random asks the host\'s chance', t => {
  const dice = [0.1, 0.29, 0.31, 0.9];
  const world = fakeWorld('ipv4', 'legacy', { random: () => dice.shift() ?? 0 });
  t.is(asks(ruleOf('-m statistic --mode random --probability 0.3', { world }), [28, 28, 28, 28]), 'yynn');
});

const at = (text: string, zone = 0): ReturnType<typeof movingWorld> => movingWorld('legacy', { wallClock: Date.parse(`${text}Z`) / 1000, timeZoneOffset: zone });

test('time looks at the hour, the day and the date, at both ends inclusive', t => {
  const during = (rule: string, when: string, zone = 0): Answer => ruleOf(`-m time ${rule}`, { world: at(when, zone) })(packet(28));
  t.is(during('--timestart 09:00 --timestop 17:00', '2026-03-02T09:00:00'), 'match');
  t.is(during('--timestart 09:00 --timestop 17:00', '2026-03-02T17:00:00'), 'match');
  t.is(during('--timestart 09:00 --timestop 17:00', '2026-03-02T17:00:01'), 'no match');
  t.is(during('--timestart 22:00 --timestop 06:00', '2026-03-02T23:00:00'), 'match');
  t.is(during('--timestart 22:00 --timestop 06:00', '2026-03-02T12:00:00'), 'no match');
  t.is(during('--weekdays Mon', '2026-03-02T12:00:00'), 'match');
  t.is(during('! --weekdays Mon', '2026-03-02T12:00:00'), 'no match');
  t.is(during('--monthdays 2', '2026-03-02T12:00:00'), 'match');
  t.is(during('--monthdays 1,3', '2026-03-02T12:00:00'), 'no match');
  t.is(during('--datestart 2026-03-02T12:00:01', '2026-03-02T12:00:00'), 'no match');
  t.is(during('--datestop 2026-03-02T12:00:00', '2026-03-02T12:00:00'), 'match');
});

test('--kerneltz moves the clock, --contiguous counts the small hours to the day before', t => {
  const during = (rule: string, when: string, zone = 0): Answer => ruleOf(`-m time ${rule}`, { world: at(when, zone) })(packet(28));
  t.is(during('--timestart 09:00 --timestop 10:00', '2026-03-02T07:30:00', 7200), 'no match');
  t.is(during('--timestart 09:00 --timestop 10:00 --kerneltz', '2026-03-02T07:30:00', 7200), 'match');
  t.is(during('--weekdays Mon --timestart 23:00 --timestop 01:00', '2026-03-03T00:30:00'), 'no match');
  t.is(during('--weekdays Mon --timestart 23:00 --timestop 01:00 --contiguous', '2026-03-03T00:30:00'), 'match');
});

test('rateest compares what a RATEEST rule has measured', t => {
  const world = movingWorld();
  const count = targetOf('-j RATEEST --rateest-name a --rateest-interval 250ms --rateest-ewmalog 500ms', { world });
  const fast = ruleOf('-m rateest --rateest a --rateest-gt --rateest-pps 20', { world });
  t.is(fast(packet(28)), 'no match');
  for (let tick = 0; tick < 40; tick++) {
    for (let sent = 0; sent < 10; sent++) count(packet(28));
    world.now += 0.25;
  }
  t.is(fast(packet(28)), 'match');
  t.is(ruleOf('-m rateest --rateest a --rateest-lt --rateest-pps 41', { world })(packet(28)), 'match');
  world.now += 100_000;
  t.is(fast(packet(28)), 'no match');
});

test('an estimator that no rule made is unknown', t => {
  t.is(ruleOf('-m rateest --rateest a --rateest-gt --rateest-pps 20')(packet(28)), 'match', 'the test takes what is unknown for a match');
});

test('set hands its question to the sets of the host', t => {
  const asked: SetTest[] = [];
  const sets = { test: (_: unknown, question: SetTest) => { asked.push(question); return true; }, add: () => true, remove: () => true, info: () => undefined };
  const world = fakeWorld('ipv4', 'legacy', { sets });
  t.is(ruleOf('-m set --match-set web src,dst --return-nomatch ! --update-counters ! --packets-eq 5 --bytes-gt 7', { world })(packet(28)), 'match');
  t.is(ruleOf('-m set ! --match-set web dst', { world })(packet(28)), 'no match');
  t.deepEqual(asked, [
    { name: 'web', flags: ['src', 'dst'], returnNomatch: true, keepCounters: true, keepSubcounters: false, packets: { compare: 'ne', value: 5n }, bytes: { compare: 'gt', value: 7n } },
    { name: 'web', flags: ['dst'], returnNomatch: false, keepCounters: false, keepSubcounters: false },
  ]);
});
