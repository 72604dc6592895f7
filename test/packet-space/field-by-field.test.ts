import test from 'ava';
import fc from 'fast-check';
import { all, any, atom, is, masked, not, oneOf, within, type Constraint } from '../../analyzer/packet/constraint.js';
import { DimensionBuilder } from '../../analyzer/packet-space/dimensions.js';
import { holdsOfSome } from '../../analyzer/packet-space/field-by-field.js';
import { packetsOf } from '../../analyzer/packet-space/packets.js';
import { isImpossible } from '../../analyzer/packet-space/tracked-states.js';

const name = (field: 'in' | 'out', named: string, prefix = false): Constraint => ({ kind: 'interface', field, name: named, prefix });

const part: fc.Arbitrary<Constraint> = fc.oneof(
  fc.tuple(fc.constantFrom('sport', 'dport'), fc.nat(9), fc.nat(9)).map(([field, low, high]) => within(field as 'sport', low, high)),
  fc.tuple(fc.nat(7), fc.nat(7)).map(([value, mask]) => masked('tcpFlags', value & mask, mask)),
  fc.tuple(fc.nat(7), fc.nat(7)).map(([value, mask]) => masked('mark', value & mask, mask)),
  fc.tuple(fc.constantFrom('', 'eth', 'eth0', 'lo'), fc.boolean()).map(([one, prefix]) => name('in', one, prefix)),
  fc.nat(4).map(state => is('ctstate', state)),
  fc.constantFrom(0, 3, 8, 9).map(type => is('icmpType', type)),
  fc.constantFrom(atom('a'), is('mark', 3), oneOf('protocol', [6, 17]), is('protocol', 6), is('protocol', 1)),
);
const constraint = fc.array(fc.oneof({ weight: 3, arbitrary: part }, part.map(not), fc.array(part, { maxLength: 2 }).map(any), fc.array(part, { maxLength: 2 }).map(some => not(any(some)))), { maxLength: 5 }).map(all);

/** Whether some packet meets it, all classes of values told apart. */
function isSome(one: Constraint): boolean {
  const builder = new DimensionBuilder('ipv4');
  builder.add(one);
  const own = builder.finish();
  return packetsOf(own, one).regions({ lo: new Int32Array(own.last.length), hi: own.last }).some(region => !isImpossible(own.tracked, region));
}

test('field by field no packet is seen where there is none', t => {
  fc.assert(fc.property(constraint, one => !holdsOfSome('ipv4', one) || isSome(one)), { numRuns: 3000, seed: 1 });
  t.pass();
});

test('what rules ask of one field in several ways, and more, is seen to hold of some packet', t => {
  t.true(holdsOfSome('ipv4', all([is('protocol', 6), oneOf('protocol', [6, 17]), masked('tcpFlags', 2, 23), masked('tcpFlags', 0, 8), not(name('in', 'lo')), name('in', 'eth', true), within('dport', 1, 5), not(is('dport', 1))])));
  t.true(holdsOfSome('ipv6', all([within('src', 0x2000n << 112n, 0x3000n << 112n), not(is('src', 0x2000n << 112n)), masked('mark', 1, 1), masked('mark', 4, 6)])));
});

test('a field that cannot be both is not seen to be', t => {
  for (const one of [all([is('dport', 1), is('dport', 2)]), all([masked('mark', 1, 1), masked('mark', 0, 3)]), all([name('in', 'eth0'), not(name('in', 'eth', true))]), all([atom('a'), not(atom('a'))]), is('dport', 70_000), all([is('protocol', 6), is('ctstate', 1), masked('tcpFlags', 18, 18)]), all([is('protocol', 1), is('ctstate', 1), is('icmpType', 0)])]) t.false(holdsOfSome('ipv4', one));
});
