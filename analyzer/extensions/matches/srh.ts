import { all, atom, not, type Constraint } from '../../packet/constraint.js';
import { addressWords, isMaskedAddress } from '../../packet/address-words.js';
import { findIpv6Header, ipv6Header, ipv6HeaderLength } from '../../packet/ipv6-headers.js';
import type { Packet } from '../../packet/packet.js';
import type { Predicate } from '../../packet/traversal.js';
import { prefixMask } from '../../values/address.js';
import type { HostMask } from '../../values/host-mask.js';
import { integer } from '../../values/number.js';
import { segmentId } from '../../values/segment-id.js';
import { defineMatch, option, type Given, type OptionDefinition, type OrderedOption, type RuleContext } from '../define.js';
import { saveOption } from '../use.js';

const ipv6 = { family: 'ipv6' } as const;

function byte(name: string, doc: string): OptionDefinition<number> {
  return option({ names: [name], doc, value: integer(0, 255), negatable: true });
}

const options = {
  nextHeader: byte('--srh-next-hdr', 'protocol behind the header'),
  lengthEq: byte('--srh-hdr-len-eq', 'length field of the header is this'),
  lengthGt: byte('--srh-hdr-len-gt', 'length field of the header is above this'),
  lengthLt: byte('--srh-hdr-len-lt', 'length field of the header is below this'),
  segmentsEq: byte('--srh-segs-left-eq', 'number of segments left is this'),
  segmentsGt: byte('--srh-segs-left-gt', 'number of segments left is above this'),
  segmentsLt: byte('--srh-segs-left-lt', 'number of segments left is below this'),
  lastEq: byte('--srh-last-entry-eq', 'index of the last segment is this'),
  lastGt: byte('--srh-last-entry-gt', 'index of the last segment is above this'),
  lastLt: byte('--srh-last-entry-lt', 'index of the last segment is below this'),
  tag: option({ names: ['--srh-tag'], doc: 'tag', value: integer(0, 0xffff), negatable: true }),
  previousId: option({ names: ['--srh-psid'], doc: 'the segment before this one', value: segmentId, negatable: true }),
  nextId: option({ names: ['--srh-nsid'], doc: 'the segment behind this one', value: segmentId, negatable: true }),
  lastId: option({ names: ['--srh-lsid'], doc: 'the last segment', value: segmentId, negatable: true }),
};
type Key = keyof typeof options;
type IdKey = 'previousId' | 'nextId' | 'lastId';
const keys = Object.keys(options) as readonly Key[];

/** The number that the options share: -eq, -gt and -lt of one field have but one place to put it. */
const shared = (key: string): string => key.replace(/(?:Eq|Gt|Lt)$/u, '');

function isIdKey(key: Key): key is IdKey {
  return key === 'previousId' || key === 'nextId' || key === 'lastId';
}

interface Stored {
  readonly key: Key;
  readonly given: Given<unknown>;
}

/** The options as they are stored: of those that share a number, the last given counts for all. */
function stored(ordered: readonly OrderedOption[]): readonly Stored[] {
  return keys.flatMap(key => {
    const own = ordered.find(one => one.key === key);
    const value = ordered.findLast(one => shared(one.key) === shared(key))?.value;
    return own === undefined ? [] : [{ key, given: { negated: own.negated, value } }];
  });
}

/** A previous or next segment must exist, even where the option is negated; so the two are no opposites. */
function meaning(key: Key, given: Given<unknown>, cx: RuleContext): Constraint {
  if (key === 'previousId' || key === 'nextId') return atom(saveOption(options[key], given, cx));
  const positive = atom(saveOption(options[key], { negated: false, value: given.value }, cx));
  return given.negated ? not(positive) : positive;
}

const typeOfHeader = 4;
/** Bytes of it in front of the segments. */
const fixed = 8;

/** How each number of the header at byte `at` is compared. The tag is given as a number, and compared as it lies in memory. */
const numbers: Readonly<Record<Exclude<Key, IdKey>, (packet: Packet, at: number, value: number) => boolean>> = {
  nextHeader: (packet, at, value) => packet.u8(at) === value,
  lengthEq: (packet, at, value) => packet.u8(at + 1) === value,
  lengthGt: (packet, at, value) => packet.u8(at + 1) > value,
  lengthLt: (packet, at, value) => packet.u8(at + 1) < value,
  segmentsEq: (packet, at, value) => packet.u8(at + 3) === value,
  segmentsGt: (packet, at, value) => packet.u8(at + 3) > value,
  segmentsLt: (packet, at, value) => packet.u8(at + 3) < value,
  lastEq: (packet, at, value) => packet.u8(at + 4) === value,
  lastGt: (packet, at, value) => packet.u8(at + 4) > value,
  lastLt: (packet, at, value) => packet.u8(at + 4) < value,
  tag: (packet, at, value) => packet.u8(at + 6) + 256 * packet.u8(at + 7) === value,
};

type HeaderTest = (packet: Packet, at: number) => boolean;

/** Where a segment is in the list: undefined where there is none. */
function segmentIndex(key: IdKey, left: number, last: number): number | undefined {
  if (key === 'lastId') return 0;
  if (key === 'previousId') return left === last ? undefined : left + 1;
  return left === 0 ? undefined : left - 1;
}

function isSegment(key: IdKey, { address, length }: HostMask, negated: boolean): HeaderTest {
  const mask = addressWords(prefixMask(length, 'ipv6'));
  const wanted = addressWords(address);
  return (packet, at) => {
    const index = segmentIndex(key, packet.u8(at + 3), packet.u8(at + 4));
    if (index === undefined) return false;
    const segment = at + fixed + 16 * index;
    return segment + 16 <= packet.bytes.length && isMaskedAddress(packet, segment, wanted, mask) !== negated;
  };
}

function headerTest({ key, given: { negated, value } }: Stored): HeaderTest {
  if (isIdKey(key)) return isSegment(key, value as HostMask, negated);
  const test = numbers[key];
  return (packet, at) => test(packet, at, value as number) !== negated;
}

function compile(ordered: readonly OrderedOption[]): Predicate {
  const tests = stored(ordered).map(headerTest);
  return ({ packet }) => {
    const at = findIpv6Header(packet, ipv6Header.routing);
    if (at < 0 || at + fixed > packet.bytes.length || at + ipv6HeaderLength(packet, ipv6Header.routing, at) > packet.bytes.length) return false;
    if (packet.u8(at + 2) !== typeOfHeader || packet.u8(at + 3) > packet.u8(at + 4)) return false;
    return tests.every(test => test(packet, at));
  };
}

/** @see srh1_mt6() in net/ipv6/netfilter/ip6t_srh.c. A packet without a segment routing header never matches. */
export const srh = defineMatch('srh', () => ({
  doc: 'Matches packets with a segment routing header, by its fields.',
  usesOrder: true,
  families: ['ipv6'],
  options,
  save: (_given, cx) => stored(cx.ordered).map(({ key, given }) => saveOption(options[key], given, cx)).join(' '),
  means: (_given, cx) => all([atom('srh'), ...stored(cx.ordered).map(({ key, given }) => meaning(key, given, cx))]),
  matches: (_given, cx) => compile(cx.ordered),
  examples: [
    ['-m srh --srh-next-hdr 17 ! --srh-segs-left-gt 3 --srh-tag 0', '=', ipv6],
    ['-m srh --srh-psid a::/64 ! --srh-nsid b::/128', '=', ipv6],
    ['-m srh --srh-lsid a::1/ffff::', '-m srh --srh-lsid a::1/16', ipv6],
    ['-m srh --srh-hdr-len-gt 4 --srh-hdr-len-eq 0x5', '-m srh --srh-hdr-len-eq 5 --srh-hdr-len-gt 5', ipv6],
    ['-m srh --srh-tag 65536', undefined, ipv6],
  ],
}));
