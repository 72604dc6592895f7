import test from 'ava';
import { SourceMappings } from '../../../analyzer/netfilter/nat/source-mappings.js';
import { Connection, type Tuple } from '../../../analyzer/packet/connection.js';

function tuple(sport: number): Tuple {
  return { src: 1, dst: 2, protocol: 17, sport, dport: 80 };
}

test('connections of the same source are told apart by zone, the newest first', t => {
  const mappings = new SourceMappings(() => true);
  const [first, second, elsewhere] = [new Connection(tuple(1), tuple(1)), new Connection(tuple(1), tuple(1)), new Connection(tuple(1), tuple(1))];
  elsewhere.zones = [7, 7];
  for (const one of [first, second, elsewhere]) mappings.add(one);
  t.deepEqual([...mappings.from(tuple(1), 0)], [second, first]);
  t.deepEqual([...mappings.from(tuple(1), 7)], [elsewhere]);
  t.deepEqual([...mappings.from(tuple(2), 0)], []);
});

test('memory stays flat while connections come and go', t => {
  const alive = new Set<Connection>();
  const mappings = new SourceMappings(connection => alive.has(connection));
  for (let index = 0; index < 100_000; index++) {
    const connection = new Connection(tuple(index % 60_000), tuple(index % 60_000));
    alive.clear();
    alive.add(connection);
    mappings.add(connection);
    if (mappings.size > 2048) t.fail(`${String(mappings.size)} are kept`);
  }
  t.is([...mappings.from(tuple(99_999 % 60_000), 0)].length, 1);
});
