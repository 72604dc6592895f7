/** Hosts that the packets of several witnesses share. */
import test from 'ava';
import { join, planHost, shared, type HostPlan } from '../../analyzer/witness/host-plan.js';

function planFor(number: number): HostPlan {
  const plan = planHost([{ in: 'eth0', packet: { src: `198.51.${String(number)}.7`, dst: `192.0.2.${String(number)}`, proto: 'tcp' } }], [], 'ipv4');
  if (typeof plan === 'string') throw new Error(plan);
  return plan;
}

test('a witness that joins a host is looked at, and not all that joined before: there may be tens of thousands', t => {
  let looks = 0;
  class Watched<K, V> extends Map<K, V> {
    override [Symbol.iterator](): MapIterator<[K, V]> { looks++; return super[Symbol.iterator](); }
    override entries(): MapIterator<[K, V]> { looks++; return super.entries(); }
    override values(): MapIterator<V> { looks++; return super.values(); }
    override keys(): MapIterator<K> { looks++; return super.keys(); }
    override forEach(...given: Parameters<Map<K, V>['forEach']>): void { looks++; super.forEach(...given); }
  }
  const host = { ...shared(planFor(0)), places: new Watched(planFor(0).places) };
  looks = 0;
  for (let number = 1; number < 200; number++) t.true(join(host, planFor(number)));
  t.is(looks, 0);
  t.is(host.places.size, 400);
});
