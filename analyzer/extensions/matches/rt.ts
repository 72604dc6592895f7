import { all, always, atom, not, type Constraint } from '../../packet/constraint.js';
import { addressWords, compareAddress } from '../../packet/address-words.js';
import { ipv6Header, ipv6HeaderLength, ipv6HeaderOrDrop } from '../../packet/ipv6-headers.js';
import type { Packet } from '../../packet/packet.js';
import { flag } from '../../values/flag.js';
import { ipv6AddressList } from '../../values/ipv6-address-list.js';
import { numberRange } from '../../values/number-range.js';
import { integer } from '../../values/number.js';
import type { Arbitrary, Fc, ValueContext } from '../../values/value.js';
import { isInRange, isNumber } from '../asks.js';
import { defineMatch, option, type Given, type OrderedOption } from '../define.js';
import { inHeaderRange, max32, saveRange } from '../save-full-range.js';

const ipv6 = { family: 'ipv6' } as const;
const segmentRange = numberRange(max32, { name: 'number' });

/** What must stand before some options. */
function checkOrder(ordered: readonly OrderedOption[]): string | undefined {
  const before = new Set<string>();
  for (const { key, negated, value } of ordered) {
    if ((key === 'reserved' || key === 'addresses') && !before.has('type 0')) return `--rt-type 0 must stand before --rt-0-${key === 'reserved' ? 'res' : 'addrs'}`;
    if (key === 'notStrict' && !before.has('addresses')) return '--rt-0-addrs must stand before --rt-0-not-strict';
    before.add(key === 'type' && value === 0 && !negated ? 'type 0' : key);
  }
  return undefined;
}

/** Any use, with what must stand first in front. */
function words(fc: Fc, cx: ValueContext): Arbitrary<readonly string[]> {
  const word = integer(0, max32).arbitrary(fc, cx);
  const bang = fc.constantFrom<readonly string[]>([], [], ['!']);
  const maybe = (one: Arbitrary<readonly string[]>): Arbitrary<readonly string[]> => fc.oneof(fc.constant<readonly string[]>([]), one);
  const named = (name: string, value: Arbitrary<readonly string[]>): Arbitrary<readonly string[]> => maybe(fc.tuple(bang, value).map(([not, list]) => [...not, name, ...list]));
  const typeZero = fc.tuple(
    maybe(fc.constant(['--rt-0-res'])),
    maybe(fc.tuple(ipv6AddressList.arbitrary(fc, cx), maybe(fc.constant(['--rt-0-not-strict']))).map(([list, strict]) => ['--rt-0-addrs', ...list, ...strict])),
  ).map(parts => ['--rt-type', '0', ...parts.flat()]);
  const type = fc.oneof(typeZero, named('--rt-type', word));
  return fc.tuple(named('--rt-len', word), type, named('--rt-segsleft', segmentRange.arbitrary(fc, cx))).map(parts => parts.flat());
}

function part<T>(given: Given<T> | undefined, meaning: (value: T) => Constraint): Constraint {
  if (given === undefined) return always;
  return given.negated ? not(meaning(given.value)) : meaning(given.value);
}

interface AddressesGiven {
  readonly addresses?: Given<readonly (number | bigint)[]>;
  readonly notStrict?: Given<true>;
}

/** Whether the `count` addresses from byte `at` on are those given, or, not strictly, have them among them in this order. */
function asksAddresses({ addresses, notStrict }: AddressesGiven): (packet: Packet, at: number, count: number) => boolean {
  if (addresses === undefined) return () => true;
  const wanted = addresses.value.map(addressWords);
  return (packet, at, count) => {
    if (notStrict === undefined) return count === wanted.length && wanted.every((address, index) => compareAddress(packet, at + 16 * index, address) === 0);
    let found = 0;
    for (let index = 0; index < count && found < wanted.length; index++) {
      const address = wanted[found];
      if (address !== undefined && compareAddress(packet, at + 16 * index, address) === 0) found++;
    }
    return found === wanted.length;
  };
}

/** @see rt_mt6() in net/ipv6/netfilter/ip6t_rt.c. A packet without a routing header never matches. */
export const rt = defineMatch('rt', () => ({
  doc: 'Matches packets with a routing header, by its fields.',
  usesOrder: true,
  families: ['ipv6'],
  options: {
    type: option({ names: ['--rt-type'], doc: 'type of the header', value: integer(0, max32), negatable: true }),
    segments: option({
      names: ['--rt-segsleft'], doc: 'segments left, or range', value: segmentRange, negatable: true,
      save: saveRange('--rt-segsleft', max32),
    }),
    length: option({ names: ['--rt-len'], doc: 'length of the header in bytes', value: integer(0, max32), negatable: true }),
    reserved: option({ names: ['--rt-0-res'], doc: 'the reserved field is zero (type 0)', value: flag }),
    addresses: option({ names: ['--rt-0-addrs'], doc: 'addresses of the header (type 0)', value: ipv6AddressList }),
    notStrict: option({ names: ['--rt-0-not-strict'], doc: 'the addresses need not follow each other', value: flag }),
  },
  check: (_given, cx) => checkOrder(cx.ordered),
  arbitrary: words,
  means: ({ type, segments, length, reserved, addresses, notStrict }, cx) => all([
    atom('rt'),
    part(type, value => atom(`rt type ${String(value)}`)),
    part(segments, range => inHeaderRange('rt segments', range, max32)),
    part(length, value => atom(`rt length ${String(value)}`)),
    part(reserved, () => atom('rt reserved')),
    part(addresses, list => atom(`rt addresses ${notStrict === undefined ? 'strict' : 'loose'} ${ipv6AddressList.print(list, cx)}`)),
  ]),
  matches: given => {
    const { type, segments, length, reserved } = given;
    const hasAddresses = asksAddresses(given);
    return t => {
      const at = ipv6HeaderOrDrop(t, ipv6Header.routing, 4);
      if (at === undefined) return false;
      const { packet } = t;
      const size = ipv6HeaderLength(packet, ipv6Header.routing, at);
      if (!isInRange(segments, packet.u8(at + 3)) || !isNumber(length, size) || !isNumber(type, packet.u8(at + 2))) return false;
      return (reserved === undefined || packet.u32(at + 4) === 0) && hasAddresses(packet, at + 8, (size - 8) >> 4);
    };
  },
  examples: [
    ['-m rt --rt-type 0 ! --rt-segsleft 1:23 --rt-len 42 --rt-0-res --rt-0-addrs ::1,::2 --rt-0-not-strict', '=', ipv6],
    ['-m rt --rt-segsleft : ! --rt-type 0x2', '-m rt ! --rt-type 2', ipv6],
    ['-m rt --rt-0-res --rt-type 0', undefined, ipv6],
    ['-m rt --rt-type 0 --rt-0-addrs fe80::1%lo', undefined, ipv6],
  ],
}));
