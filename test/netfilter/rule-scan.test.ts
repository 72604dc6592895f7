import fc from 'fast-check';
import test from 'ava';
import { buildPacket } from '../../analyzer/netfilter/scenario/build-packet.js';
import { anyPort, PackedRules, ScanKey, type AddressTest, type QuickTest } from '../../analyzer/netfilter/tables/packed-rules.js';
import { RuleScan } from '../../analyzer/netfilter/tables/rule-scan.js';
import { Packet } from '../../analyzer/packet/packet.js';
import { printAddress, type Address } from '../../analyzer/values/address.js';
import type { Family } from '../../analyzer/values/value.js';

const words = { ipv4: [0x0a00_0001n, 0x0a00_0005n, 0xc633_6407n, 0xffff_ffffn], ipv6: [0x2001_0db8_0001_0000_0000_0000_0000_0001n, 0x2001_0db8_0001_0000_0000_0000_0001_0001n, 0x2001_0db8_0002_0000_0000_0000_0000_0001n, 0xff02_0000_0000_0000_0000_0000_0000_0001n] } as const;
const allOnes = { ipv4: 0xffff_ffffn, ipv6: (1n << 128n) - 1n } as const;

interface Case {
  readonly family: Family;
  readonly tests: readonly QuickTest[];
  readonly packet: Packet;
}

function casesOf(family: Family, length: number): fc.Arbitrary<Case> {
  const addresses = fc.constantFrom(...words[family]);
  const ones = allOnes[family];
  const addressTests = fc.record({ address: addresses, mask: fc.constantFrom(0n, ones, ones ^ 0xffn, ones ^ 0xff_ffffn, ones ^ (ones >> (family === 'ipv4' ? 16n : 48n)), 0xffn), negated: fc.boolean() })
    .map(({ address, mask, ...rest }) => ({ address: family === 'ipv4' ? Number(address) : address, mask: family === 'ipv4' ? Number(mask) : mask, ...rest }));
  const bounds = fc.oneof(fc.constant(anyPort), fc.tuple(fc.constantFrom(0, 22, 80, 1024, 65_535), fc.constantFrom(0, 22, 80, 1024, 65_535)).map(([low, high]) => ({ low, high })));
  const tests = fc.array(fc.record({ src: addressTests, dst: addressTests, protocol: fc.constantFrom(0, 6, 17, 255), protocolNegated: fc.boolean(), sport: bounds, dport: bounds }), { minLength: 1, maxLength: length });
  const print = (address: bigint): string => printAddress(family === 'ipv4' ? Number(address) : address);
  const ports = fc.constantFrom(0, 22, 79, 80, 81, 65_535);
  const packet = fc.record({ proto: fc.constantFrom('tcp', 'udp', 'gre'), src: addresses, dst: addresses, sport: ports, dport: ports, cut: fc.constantFrom(undefined, 6) })
    .map(({ cut, src, dst, ...rest }) => new Packet(family, buildPacket({ ...rest, src: print(src), dst: print(dst), ...cut === undefined ? {} : { cut } }, family)[0] ?? new Uint8Array()));
  return fc.record({ family: fc.constant(family), tests, packet });
}

function cases(length: number): fc.Arbitrary<Case> {
  return fc.oneof(casesOf('ipv4', length), casesOf('ipv6', length));
}

/** The same, as the words say it. */
function passes(packet: Packet, one: QuickTest): boolean {
  const isAt = (address: Address, { address: wanted, mask, negated }: AddressTest): boolean => ((BigInt(address) & BigInt(mask)) === (BigInt(wanted) & BigInt(mask))) !== negated;
  const isAmong = (port: number, { low, high }: { low: number; high: number }): boolean => port >= low && port <= high;
  const hasPorts = packet.transportLength >= ({ 6: 20, 17: 8 }[packet.protocol] ?? Infinity);
  return isAt(packet.src, one.src) && isAt(packet.dst, one.dst)
    && (one.protocol === 0 || (packet.protocol === one.protocol) !== one.protocolNegated)
    && (!hasPorts || (isAmong(packet.sport, one.sport) && isAmong(packet.dport, one.dport)));
}

function allFrom(next: (from: number) => number, length: number): readonly number[] {
  const found: number[] = [];
  for (let at = next(0); at < length; at = next(at + 1)) found.push(at);
  return found;
}

test('packed rules are passed over exactly where their addresses, protocol or ports say so', t => {
  fc.assert(fc.property(cases(6), ({ family, tests, packet }) => {
    const key = new ScanKey();
    key.read(packet, packet.protocol);
    const rules = new PackedRules(tests, family);
    t.deepEqual(allFrom(from => key.next(rules, from), tests.length), tests.flatMap((one, index) => passes(packet, one) ? [index] : []));
  }), { numRuns: 5000, seed: 7 });
});

test('in long chains rules are found by the networks and ports that they name, the same ones and in order', t => {
  fc.assert(fc.property(cases(40), ({ family, tests: some, packet }) => {
    const tests = Array.from({ length: 600 }, (_, i) => some[(i * i) % some.length] ?? some[0]).filter(one => one !== undefined);
    const key = new ScanKey();
    key.read(packet, packet.protocol);
    const scan = new RuleScan(tests, family);
    t.deepEqual(allFrom(from => scan.next(key, from), tests.length), tests.flatMap((one, index) => passes(packet, one) ? [index] : []));
  }), { numRuns: 500, seed: 8 });
});
