/** Scenarios about the extension headers of IPv6: chains of them, whole and broken, and rules that ask for them. */
import { buildPacket } from '../../../analyzer/netfilter/scenario/build-packet.js';
import type { Scenario, ScenarioPacket, ScenarioStep } from '../../../analyzer/netfilter/scenario.js';
import { addressBytes } from '../../../analyzer/netfilter/scenario/address-bytes.js';
import { hexOf } from '../../../analyzer/netfilter/scenario/payload.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { places } from '../../../analyzer/generate/scenario/places.js';
import type { ScenarioPlace } from '../../../analyzer/generate/scenario/rule-place.js';
import type { Arbitrary, Fc } from '../../../analyzer/values/value.js';
import { extensionRules } from './extension-header-rules.js';

/** A header as its predecessor names it; its own first byte, what follows, is filled in when they are chained. */
interface Header {
  readonly kind: number;
  readonly bytes: readonly number[];
}

const hopByHop = 0, tcp = 6, udp = 17, routing = 43, fragment = 44, esp = 50, authentication = 51, icmpv6 = 58, none = 59, destination = 60, mobility = 135;

const { interfaces, defaultRoute, own, peers } = places.ipv6;

function addressBytesOf(address: string): readonly number[] {
  return [...addressBytes(address, 'ipv6', 'a segment')];
}

const segments = [...own, ...peers.map(peer => peer.address)].map(addressBytesOf);

/** Fills up to a multiple of 8 bytes behind the two bytes of the header itself, with PadN or Pad1. */
function padded(options: readonly number[]): readonly number[] {
  const missing = 7 - (options.length + 1) % 8;
  if (missing === 0) return options;
  return [...options, ...missing === 1 ? [0] : [1, missing - 2, ...Array<number>(missing - 2).fill(0)]];
}

/** Options one may meet: padding, router alert, those that nobody knows with each way to treat them, and jumbo. */
const knownOptions: readonly (readonly number[])[] = [
  [0], [0, 0], [1, 0], [1, 2, 0, 0], [5, 2, 0, 0], [5, 2, 0, 7], [5, 1, 0], [30, 1, 9], [62, 0], [94, 1, 1], [158, 1, 1], [222, 2, 1, 1], [194, 4, 0, 1, 0, 0], [201, 16, ...segments[0] ?? []],
];

function optionsHeader(fc: Fc, kind: number): Arbitrary<Header> {
  return fc.tuple(fc.array(fc.constantFrom(...knownOptions), { maxLength: 3 }), fc.constantFrom(0, 0, 0, 0, 0, 1, -1)).map(([options, slip]) => {
    const content = padded(options.flat());
    return { kind, bytes: [0, Math.max(0, (content.length + 2) / 8 - 1 + slip), ...content] };
  });
}

/** Of type 0 and 4: segments behind eight bytes; of type 2: one. */
function routingHeader(fc: Fc): Arbitrary<Header> {
  return fc.tuple(fc.constantFrom(0, 0, 2, 4, 4, 200), fc.array(fc.constantFrom(...segments), { maxLength: 3 }), fc.nat(3), fc.constantFrom(0, 0, 1, 3), fc.constantFrom(0, 0, 0, 7), fc.constantFrom(0, 0, 0, 0, 1))
    .map(([type, list, left, last, tag, slip]) => ({ kind: routing, bytes: [0, list.length * 2 + slip, type, left, Math.max(last, list.length - 1), 0, 0, tag, ...list.flat()] }));
}

function fragmentHeader(fc: Fc): Arbitrary<Header> {
  return fc.tuple(fc.constantFrom(0, 0, 0, 0, 8, 9, 1, 1, 2, 184), fc.constantFrom(0, 0, 0, 5), fc.constantFrom(7, 8, 0x1234))
    .map(([field, reserved, id]) => ({ kind: fragment, bytes: [0, reserved, field >> 8, field & 0xff, 0, 0, id >> 8, id & 0xff] }));
}

function authenticationHeader(fc: Fc): Arbitrary<Header> {
  return fc.tuple(fc.constantFrom(1, 256, 512), fc.constantFrom(4, 4, 4, 2, 5), fc.constantFrom(0, 0, 1))
    .map(([spi, length, reserved]) => ({ kind: authentication, bytes: [0, length, 0, reserved, 0, 0, spi >> 8, spi & 0xff, 0, 0, 0, 1, ...Array<number>(12).fill(0xab)] }));
}

function headers(fc: Fc): Arbitrary<readonly Header[]> {
  const any = fc.oneof(optionsHeader(fc, hopByHop), optionsHeader(fc, destination), routingHeader(fc), fragmentHeader(fc), authenticationHeader(fc));
  const first = fc.oneof({ weight: 3, arbitrary: fc.constant<readonly Header[]>([]) }, { weight: 1, arbitrary: optionsHeader(fc, hopByHop).map(header => [header]) });
  return fc.tuple(first, fc.array(any, { maxLength: 3 })).map(parts => parts.flat());
}

interface Upper {
  readonly kind: number;
  readonly bytes: readonly number[];
}

/** What the headers lead to, checksum included. */
function upperOf(packet: ScenarioPacket): Upper {
  const [bytes = new Uint8Array(0)] = buildPacket(packet, 'ipv6');
  return { kind: bytes[6] ?? none, bytes: [...bytes.subarray(40)] };
}

function upperPackets(fc: Fc, ends: Pick<ScenarioPacket, 'src' | 'dst'>): Arbitrary<Upper> {
  const port = fc.constantFrom(22, 53, 80, 40_000);
  return fc.oneof(
    fc.tuple(port, port, fc.constantFrom('S', 'SA', 'A', 'R', 'FA')).map(([sport, dport, flags]) => upperOf({ proto: 'tcp', ...ends, sport, dport, flags })),
    fc.tuple(port, port, fc.constantFrom(0, 5, 24)).map(([sport, dport, size]) => upperOf({ proto: 'udp', ...ends, sport, dport, payload_len: size })),
    fc.tuple(fc.constantFrom(128, 129, 1, 135), fc.constantFrom(1, 2)).map(([type, id]) => upperOf({ proto: 'icmpv6', ...ends, type, code: 0, id })),
    fc.constantFrom('esp', 'sctp', 'gre', 'dccp', 103).map(proto => upperOf({ proto, ...ends })),
    fc.tuple(fc.constantFrom(none, none, tcp), fc.constantFrom(0, 1, 5)).map(([next, type]) => ({ kind: mobility, bytes: [next, 0, type, 0, 0, 0, 0, 0] })),
    fc.constantFrom<Upper>({ kind: none, bytes: [] }, { kind: none, bytes: [1, 2, 3, 4] }, { kind: tcp, bytes: [0, 80] }, { kind: udp, bytes: [] }, { kind: esp, bytes: [0, 0] }, { kind: icmpv6, bytes: [128] }),
  );
}

/** The chain: its first kind, and the bytes in which each header names the next. */
function chained(list: readonly Header[], upper: Upper): { readonly proto: number; readonly rest: Uint8Array } {
  const kinds = [...list.map(header => header.kind), upper.kind];
  const rest = list.flatMap(({ bytes }, index) => [kinds[index + 1] ?? none, ...bytes.slice(1)]);
  return { proto: kinds[0] ?? none, rest: Uint8Array.from([...rest, ...upper.bytes]) };
}

interface Way {
  readonly in: string;
  readonly src: string;
  readonly dst: string;
}

const [self = '', inner = ''] = own;
const [client = '', , neighbour = '', server = ''] = peers.map(peer => peer.address);
const ways: readonly Way[] = [
  { in: 'eth0', src: client, dst: server }, { in: 'eth0', src: client, dst: server }, { in: 'eth1', src: server, dst: client },
  { in: 'eth0', src: client, dst: self }, { in: 'local', src: self, dst: client }, { in: 'local', src: inner, dst: server }, { in: 'eth0', src: neighbour, dst: 'ff02::1' },
];

function steps(fc: Fc): Arbitrary<ScenarioStep> {
  return fc.constantFrom(...ways).chain(way => {
    const ends = { src: way.src, dst: way.dst };
    return fc.tuple(headers(fc), upperPackets(fc, ends), fc.constantFrom(64, 64, 64, 1), fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(64) })).map(([list, upper, ttl, cut]) => {
      const { proto, rest } = chained(list, upper);
      const mac = ttl === 1 ? {} : { smac: '02:11:22:33:44:55' };
      return { in: way.in, packet: { proto, ...ends, ttl, ...way.in === 'local' ? {} : mac, rest_hex: hexOf(rest.subarray(0, cut)) } };
    });
  });
}

/** Where a header claims to be longer than the packet, the kernel cannot tell of it in a trace. */
function canBeTraced({ packet }: ScenarioStep): boolean {
  const [bytes = new Uint8Array(0)] = buildPacket(packet, 'ipv6');
  return new Packet('ipv6', bytes).transport <= bytes.length;
}

/** As `scenarios()` of the generator, about extension headers; IPv6 only. */
export function extensionHeaderScenarios(fc: Fc, place: ScenarioPlace, maxLength = 6): Arbitrary<Scenario> {
  return fc.tuple(extensionRules(fc, place), fc.array(steps(fc).filter(canBeTraced), { minLength: 1, maxLength }))
    .map(([rules, list]) => ({ ...place, interfaces, routes: [defaultRoute], rules, steps: list }));
}
