import fc from 'fast-check';
import test from 'ava';
import { buildPacket } from '../../analyzer/netfilter/scenario/build-packet.js';
import { anyPort, packed, RuleScan, ScanKey, type QuickTest } from '../../analyzer/netfilter/tables/rule-scan.js';
import { Packet } from '../../analyzer/packet/packet.js';

const addresses = [0x0a00_0001, 0x0a00_0005, 0xc633_6407 | 0, 0xffff_ffff | 0];
const masks = [0, -1, 0xffff_ff00 | 0, 0x0000_00ff];
const bounds = fc.oneof(fc.constant(anyPort), fc.tuple(fc.constantFrom(0, 22, 80, 1024, 65_535), fc.constantFrom(0, 22, 80, 1024, 65_535)).map(([low, high]) => ({ low, high })));

const quickTests = fc.record({
  src: fc.constantFrom(...addresses), srcMask: fc.constantFrom(...masks), srcNegated: fc.boolean(),
  dst: fc.constantFrom(...addresses), dstMask: fc.constantFrom(...masks), dstNegated: fc.boolean(),
  protocol: fc.constantFrom(0, 6, 17, 255), protocolNegated: fc.boolean(), sport: bounds, dport: bounds,
});

function dotted(address: number): string {
  return [24, 16, 8, 0].map(shift => (address >>> shift) & 255).join('.');
}

const packets = fc.record({ proto: fc.constantFrom('tcp', 'udp', 'gre'), src: fc.constantFrom(...addresses), dst: fc.constantFrom(...addresses), sport: fc.constantFrom(0, 22, 79, 80, 81, 65_535), dport: fc.constantFrom(0, 22, 79, 80, 81, 65_535), cut: fc.constantFrom(undefined, 6) })
  .map(({ cut, src, dst, ...rest }) => new Packet('ipv4', buildPacket({ ...rest, src: dotted(src), dst: dotted(dst), ...cut === undefined ? {} : { cut } }, 'ipv4')[0] ?? new Uint8Array()));

/** The same, as the words say it. */
function passes(packet: Packet, one: QuickTest): boolean {
  const isAt = (address: number, wanted: number, mask: number, negated: boolean): boolean => ((address & mask) === (wanted & mask)) !== negated;
  const isAmong = (port: number, { low, high }: { low: number; high: number }): boolean => port >= low && port <= high;
  const hasPorts = packet.transportLength >= ({ 6: 20, 17: 8 }[packet.protocol] ?? Infinity);
  return isAt(packet.u32(12), one.src, one.srcMask, one.srcNegated) && isAt(packet.u32(16), one.dst, one.dstMask, one.dstNegated)
    && (one.protocol === 0 || (packet.protocol === one.protocol) !== one.protocolNegated)
    && (!hasPorts || (isAmong(packet.sport, one.sport) && isAmong(packet.dport, one.dport)));
}

test('packed rules are passed over exactly where their addresses, protocol or ports say so', t => {
  fc.assert(fc.property(fc.array(quickTests, { maxLength: 6 }), packets, (tests, packet) => {
    const key = new ScanKey();
    key.read(packet, packet.protocol);
    const numbers = packed(tests);
    const found: number[] = [];
    for (let at = key.next(numbers, 0); at < tests.length; at = key.next(numbers, at + 1)) found.push(at);
    t.deepEqual(found, tests.flatMap((one, index) => passes(packet, one) ? [index] : []));
  }), { numRuns: 5000, seed: 7 });
});

test('in long chains rules are found by the networks that they name, the same ones and in order', t => {
  fc.assert(fc.property(fc.array(quickTests, { minLength: 1, maxLength: 6 }), packets, (few, packet) => {
    const tests = Array.from({ length: 300 }, (_, i) => few[(i * i) % few.length] ?? few[0]).filter(one => one !== undefined);
    const key = new ScanKey();
    key.read(packet, packet.protocol);
    const scan = new RuleScan(tests);
    const found: number[] = [];
    for (let at = scan.next(key, 0); at < tests.length; at = scan.next(key, at + 1)) found.push(at);
    t.deepEqual(found, tests.flatMap((one, index) => passes(packet, one) ? [index] : []));
  }), { numRuns: 500, seed: 8 });
});
