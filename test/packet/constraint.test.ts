/** The laws of constraints, by asking them of packets. */
import test from 'ava';
import * as fc from 'fast-check';
import { all, always, any, atom, is, masked, never, not, oneOf, within, type Constraint } from '../../analyzer/packet/constraint.js';

type Packet = Readonly<Record<string, number>>;

/** Whether a packet meets a constraint, in the plainest way. */
function holds(constraint: Constraint, packet: Packet): boolean {
  switch (constraint.kind) {
    case 'always': return true;
    case 'never': case 'unknown': return false;
    case 'within': return constraint.ranges.some(({ low, high }) => (packet[constraint.field] ?? 0) >= low && (packet[constraint.field] ?? 0) <= high);
    case 'masked': return ((packet[constraint.field] ?? 0) & Number(constraint.mask)) === Number(constraint.value);
    case 'interface': return false;
    case 'atom': return packet[constraint.name] === 1;
    case 'not': return !holds(constraint.of, packet);
    case 'all': return constraint.of.every(one => holds(one, packet));
    case 'any': return constraint.of.some(one => holds(one, packet));
  }
}

const small = fc.integer({ min: 0, max: 7 });
const leaf: fc.Arbitrary<Constraint> = fc.oneof(
  fc.constantFrom(always, never, atom('a'), atom('b')),
  fc.tuple(small, small).map(([low, high]) => within('sport', low, high)),
  fc.array(small, { maxLength: 3 }).map(values => oneOf('dport', values)),
  small.map(value => is('protocol', value)),
  fc.tuple(small, small).map(([value, mask]) => masked('mark', value, mask)),
);
const constraint: fc.Arbitrary<Constraint> = fc.letrec<{ tree: Constraint }>(tie => ({
  tree: fc.oneof({ maxDepth: 3 }, leaf,
    tie('tree').map(not), fc.array(tie('tree'), { maxLength: 3 }).map(all), fc.array(tie('tree'), { maxLength: 3 }).map(any)),
})).tree;
const packet: fc.Arbitrary<Packet> = fc.record({ sport: small, dport: small, protocol: small, mark: small, a: fc.integer({ min: 0, max: 1 }), b: fc.integer({ min: 0, max: 1 }) });

test('a negation holds where the other does not, however deep', t => {
  fc.assert(fc.property(constraint, packet, (one, of) => { t.is(holds(not(one), of), !holds(one, of)); }), { seed: 1, numRuns: 3000 });
});

test('all and any are what they say', t => {
  fc.assert(fc.property(fc.array(constraint, { maxLength: 4 }), packet, (list, of) => {
    t.is(holds(all(list), of), list.every(one => holds(one, of)));
    t.is(holds(any(list), of), list.some(one => holds(one, of)));
  }), { seed: 2, numRuns: 2000 });
});

test('a mask that lacks a bit of the value matches nothing', t => {
  t.is(masked('mark', 3, 1), never);
  t.is(masked('mark', 0, 0), always);
});
