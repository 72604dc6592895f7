import test from 'ava';
import { Connection, swapped, type Tuple } from '../../../analyzer/packet/connection.js';
import type { Packet } from '../../../analyzer/packet/packet.js';
import { ruleOf } from '../compiled.js';
import { address, tcp } from '../packet-bytes.js';
import { movingWorld, type MovingWorld } from './clock.js';

const keyOf = ({ src, dst, sport, dport, protocol }: Tuple): string => [src, dst, sport, dport, protocol].join(' ');

/** A table of connections in which all packets of a test are confirmed, as they are when they are let through. */
class Tracked {
  readonly table = new Map<string, Connection>();
  readonly world: MovingWorld = movingWorld('legacy', { findConnection: tuple => this.table.get(keyOf(tuple)) });

  syn(src: string, sport: number): Packet {
    const packet = tcp({ sport }, { src });
    const original = { src: address(src), dst: address('10.0.1.2'), sport, dport: 80, protocol: 6 };
    const connection = this.table.get(keyOf(original)) ?? new Connection(original, swapped(original));
    this.table.set(keyOf(original), connection);
    packet.connection = connection;
    return packet;
  }
}

test('connections of an address are counted, and one that comes again is counted once', t => {
  const tracked = new Tracked();
  const ask = ruleOf('-p tcp -m connlimit --connlimit-above 2', { world: tracked.world });
  const answers = [1, 2, 2, 3, 1].map(port => ask(tracked.syn('10.0.0.1', port)));
  t.deepEqual(answers, ['no match', 'no match', 'no match', 'match', 'match']);
  t.is(ask(tracked.syn('10.0.0.2', 1)), 'no match');
});

test('upto is the opposite of above, and a mask groups addresses', t => {
  const tracked = new Tracked();
  const ask = ruleOf('-p tcp -m connlimit --connlimit-upto 1 --connlimit-mask 24', { world: tracked.world });
  t.deepEqual([ask(tracked.syn('10.0.0.1', 1)), ask(tracked.syn('10.0.0.2', 1)), ask(tracked.syn('10.0.1.1', 1))], ['match', 'no match', 'match']);
});

test('what is gone, or closed by a RST, counts no more', t => {
  const tracked = new Tracked();
  const ask = ruleOf('-p tcp -m connlimit --connlimit-above 1', { world: tracked.world });
  const first = tracked.syn('10.0.0.1', 1);
  const second = tracked.syn('10.0.0.1', 2);
  t.deepEqual([ask(first), ask(second)], ['no match', 'match']);
  if (first.connection !== undefined) first.connection.protocolStateName = 'CLOSE';
  t.is(ask(tracked.syn('10.0.0.1', 2)), 'no match');
  tracked.table.clear();
  t.is(ask(tracked.syn('10.0.0.1', 3)), 'no match');
});

test('a packet that has no tuple is dropped', t => {
  t.is(ruleOf('-m connlimit --connlimit-above 1')(tcp({})), 'hotdrop');
});

test('zones are counted apart', t => {
  const tracked = new Tracked();
  const ask = ruleOf('-p tcp -m connlimit --connlimit-above 1', { world: tracked.world });
  const first = tracked.syn('10.0.0.1', 1);
  const second = tracked.syn('10.0.0.1', 2);
  if (second.connection !== undefined) second.connection.zones = [5, 5];
  t.deepEqual([ask(first), ask(second)], ['no match', 'no match']);
});
