import { atom, not } from '../../packet/constraint.js';
import { hasBytes, hasBytesInAnyCase, upperCase } from '../../packet/find-bytes.js';
import { noPacket } from '../../packet/predicates.js';
import { hexPattern, plainPattern, printPattern } from '../../values/byte-pattern.js';
import { flag } from '../../values/flag.js';
import { keyword } from '../../values/keyword.js';
import { integer } from '../../values/number.js';
import { defineMatch, option, type GivenOf } from '../define.js';

const offset = integer(0, 65_535);

const options = {
  from: option({ names: ['--from'], doc: 'offset at which the search begins', value: offset }),
  to: option({ names: ['--to'], doc: 'offset at which it ends', value: offset }),
  algo: option({ names: ['--algo'], doc: 'bm (Boyer-Moore) or kmp (Knuth-Pratt-Morris)', required: true, value: keyword({ bm: 'bm', kmp: 'kmp' }, { name: 'search algorithm of netfilter' }) }),
  string: option({ names: ['--string'], doc: 'text to look for', value: plainPattern, negatable: true, excludes: ['hex'] }),
  hex: option({ names: ['--hex-string'], doc: 'text to look for, with |hexadecimal| parts', value: hexPattern, negatable: true, excludes: ['string'] }),
  icase: option({ names: ['--icase'], doc: 'upper and lower case are the same', value: flag }),
};
type StringGiven = GivenOf<typeof options>;

/** All but the `!`. */
function words({ string: text, hex, algo, from, to, icase }: StringGiven): string {
  return [
    printPattern((text ?? hex)?.value ?? ''), `--algo ${algo?.value ?? 'bm'}`,
    ...from === undefined || from.value === 0 ? [] : [`--from ${String(from.value)}`],
    ...to === undefined || to.value === 65_535 ? [] : [`--to ${String(to.value)}`],
    ...icase === undefined ? [] : ['--icase'],
  ].join(' ');
}

/** @see string_mt_check() in net/netfilter/xt_string.c, and libxt_string.c: what is printable is saved as --string, however it was written. */
export const string = defineMatch('string', () => ({
  doc: 'Matches packets that contain certain bytes.',
  options,
  check: ({ string: text, hex, from, to }) => {
    if (text === undefined && hex === undefined) return '--string or --hex-string must be given';
    return (from?.value ?? 0) > (to?.value ?? 65_535) ? '--from must not be greater than --to' : undefined;
  },
  save: given => `${(given.string ?? given.hex)?.negated === true ? '! ' : ''}${words(given)}`,
  means: given => {
    const found = atom(`string ${words(given)}`);
    return (given.string ?? given.hex)?.negated === true ? not(found) : found;
  },
  matches: ({ string: text, hex, from, to, icase }) => {
    const pattern = text ?? hex;
    if (pattern === undefined) return noPacket;
    const { negated, value } = pattern;
    const bytes = Uint8Array.from(value, one => one.charCodeAt(0));
    const [begin, end] = [from?.value ?? 0, to?.value ?? 65_535];
    if (icase === undefined) return ({ packet }) => hasBytes(packet.bytes, bytes, begin, end) !== negated;
    const upper = upperCase(bytes);
    return ({ packet }) => hasBytesInAnyCase(packet.bytes, upper, begin, end) !== negated;
  },
  arbitrary: (fc, cx) => fc.tuple(
    fc.constantFrom([], [], ['!']), fc.oneof(plainPattern.arbitrary(fc, cx).map(text => ['--string', ...text]), hexPattern.arbitrary(fc, cx).map(text => ['--hex-string', ...text])),
    fc.constantFrom('bm', 'kmp'), fc.option(fc.integer({ min: 0, max: 300 })), fc.option(fc.oneof(fc.integer({ min: 300, max: 65_535 }), fc.constant(65_535))), fc.constantFrom([], ['--icase']),
  ).chain(([bang, pattern, algo, from, to, icase]) => {
    const parts: readonly (readonly string[])[] = [[...bang, ...pattern], ['--algo', algo], from === null ? [] : ['--from', `0x${from.toString(16)}`], to === null ? [] : ['--to', String(to)], icase];
    return fc.shuffledSubarray([...parts], { minLength: parts.length });
  }).map(parts => parts.flat()),
  examples: [
    ['-m string --string "GET /" --algo bm', '='],
    ['-m string --icase --algo kmp ! --hex-string "|41 42|c" --to 0xff', '-m string ! --string "ABc" --algo kmp --to 255 --icase'],
    ['-m string --hex-string "|0d 0a|" --algo bm --from 0', '-m string --hex-string "|0d0a|" --algo bm'],
    ['-m string --string abc --algo fsm', undefined],
    ['-m string --string "" --algo bm', undefined],
    ['-m string --hex-string "|4|" --algo bm', undefined],
    ['-m string --string abc --algo bm --from 5 --to 4', undefined],
  ],
}));
