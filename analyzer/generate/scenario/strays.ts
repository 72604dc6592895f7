/** Packets that belong to no conversation: to nobody's address, of odd types, of no sense. */
import type { ScenarioPacket, ScenarioStep } from '../../netfilter/scenario.js';
import type { Arbitrary, Family, Fc } from '../../values/value.js';
import { places } from './places.js';

/** ICMP types with a meaning of their own, and one that has none. In IPv6 those of neighbour discovery and multicast listeners too. */
const icmpTypes: Readonly<Record<Family, readonly number[]>> = {
  ipv4: [0, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 40, 42],
  ipv6: [1, 2, 3, 4, 100, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 141, 143, 144, 200],
};

function hexOf(fc: Fc, length: { readonly minLength?: number; readonly maxLength: number }): Arbitrary<string> {
  return fc.uint8Array(length).map(bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(''));
}

/** Pieces of two packets between the same two, in any order: in part they lie one over another, or are cut where they must not be. */
export function pieces(fc: Fc, family: Family): Arbitrary<ScenarioStep> {
  const { own: [mine = ''], peers: [from, , , to] } = places[family];
  const hex = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(8, 16, 24).chain(length => hexOf(fc, { minLength: length, maxLength: length })) }, { weight: 1, arbitrary: hexOf(fc, { maxLength: 20 }) });
  return fc.record({ dst: fc.constantFrom(mine, to?.address ?? ''), rest_hex: hex, frag_off: fc.nat(4), mf: fc.boolean(), ip_id: fc.constantFrom(100, 100, 100, 101), df: fc.constantFrom(false, false, false, true), tos: fc.constantFrom(0, 0, 0, 2, 3) })
    .map(({ df, ...packet }) => ({ in: from?.behind ?? '', packet: { proto: 'udp', src: from?.address ?? '', ...packet, ...df && family === 'ipv4' ? { df } : {} } }));
}

function transport(fc: Fc, family: Family): Arbitrary<ScenarioPacket> {
  const port = fc.constantFrom(...places[family].ports);
  const hex = hexOf(fc, { maxLength: 40 });
  return fc.oneof(
    fc.record({ proto: fc.constantFrom('tcp', 'udp'), sport: port, dport: port }),
    fc.record({ proto: fc.constant(family === 'ipv4' ? 'icmp' : 'icmpv6'), type: fc.constantFrom(...icmpTypes[family]), code: fc.nat(3), rest: fc.nat(255) }),
    fc.record({ proto: fc.constantFrom('tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 'gre', 'udplite', 'esp', 'ah', 'dccp', 'igmp', '253', '4'), rest_hex: hex }),
  );
}

/** A packet to or from somewhere strange. It never comes from a local process to many: the copy that the host gets of that cannot always be told apart in a trace of the kernel. */
export function strays(fc: Fc, family: Family): Arbitrary<ScenarioStep> {
  const { interfaces, own, peers, elsewhere, strangeSources, strangeTargets } = places[family];
  const devices = fc.constantFrom(...interfaces.map(one => one.name));
  const usual = [...own, ...peers.map(one => one.address)];
  const arriving = fc.record({
    in: devices, packet: transport(fc, family), ends: fc.oneof(
      fc.tuple(fc.constantFrom(...usual), fc.constantFrom(...strangeTargets)), fc.tuple(fc.constantFrom(...strangeSources), fc.constantFrom(...usual)), fc.tuple(fc.constantFrom(...usual), fc.constantFrom(...usual)),
    ), broadcast: fc.integer({ min: 0, max: 9 }).map(number => number === 9),
  });
  const leaving = fc.record({ in: fc.constant('local'), packet: transport(fc, family), ends: fc.tuple(fc.constantFrom(...own), fc.constantFrom(...usual, ...elsewhere)), broadcast: fc.constant(false) });
  return fc.oneof({ weight: 3, arbitrary: arriving }, { weight: 1, arbitrary: leaving })
    .map(({ ends: [src, dst], packet, broadcast, ...step }) => ({ ...step, packet: { ...packet, src, dst }, ...broadcast ? { broadcast } : {} }));
}
