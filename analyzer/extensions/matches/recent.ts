import { always, unknown } from '../../packet/constraint.js';
import { fullMask, printAddress } from '../../values/address.js';
import { flag } from '../../values/flag.js';
import { hostAddress } from '../../values/host-address.js';
import { integer } from '../../values/number.js';
import { procName } from '../../values/proc-name.js';
import type { Arbitrary } from '../../values/value.js';
import { defineMatch, option } from '../define.js';

const actions = ['set', 'rcheck', 'update', 'remove'] as const;
const others = (action: string): readonly string[] => actions.filter(other => other !== action);
const stateful = unknown('which addresses were seen before');

/**
 * @see recent_mt_check() in net/netfilter/xt_recent.c, and libxt_recent.c. Of --rsource and --rdest the last
 * counts; seconds from 2^31 on are saved as negative numbers, which cannot be read again.
 */
export const recent = defineMatch('recent', () => ({
  doc: 'Remembers addresses in a list, and matches those that are in it.',
  usesOrder: true,
  options: {
    set: option({ names: ['--set'], doc: 'put the address on the list; always matches', value: flag, negatable: true, excludes: others('set'), means: () => always }),
    rcheck: option({ names: ['--rcheck'], doc: 'match if the address is on the list', value: flag, negatable: true, excludes: others('rcheck'), means: () => stateful }),
    update: option({ names: ['--update'], doc: 'as --rcheck, and note that the address was seen', value: flag, negatable: true, excludes: others('update'), means: () => stateful }),
    remove: option({ names: ['--remove'], doc: 'match if the address is on the list, and take it off', value: flag, negatable: true, excludes: others('remove'), means: () => stateful }),
    seconds: option({ names: ['--seconds'], doc: 'only if it was seen within so many seconds', value: integer(1, 0xffff_ffff), excludes: ['set', 'remove'], means: () => always }),
    reap: option({ names: ['--reap'], doc: 'forget addresses that were seen earlier than --seconds', value: flag, needs: ['seconds'], means: () => always }),
    hitcount: option({ names: ['--hitcount'], doc: 'only if it was seen so many times', value: integer(0, 65_535), means: () => always }),
    rttl: option({ names: ['--rttl'], doc: 'only if the TTL is as it was', value: flag, excludes: ['set', 'remove'], means: () => always }),
    name: option({ names: ['--name'], doc: 'name of the list, DEFAULT if not given', value: procName(199), means: () => always }),
    mask: option({ names: ['--mask'], doc: 'mask by which addresses are grouped', value: hostAddress, means: () => always }),
    rsource: option({ names: ['--rsource'], doc: 'look at the source address (the default)', value: flag, means: () => always }),
    rdest: option({ names: ['--rdest'], doc: 'look at the destination address', value: flag, means: () => always }),
  },
  check: ({ set, rcheck, update, remove, hitcount }) => {
    if ([set, rcheck, update, remove].every(action => action === undefined)) return 'one of --set, --rcheck, --update and --remove must be given';
    const action = set === undefined ? remove === undefined ? undefined : '--remove' : '--set';
    return action !== undefined && hitcount !== undefined && hitcount.value !== 0 ? `--hitcount cannot be used together with ${action}` : undefined;
  },
  save: (given, { family, ordered }) => {
    const { seconds, hitcount, name, mask } = given;
    const action = actions.find(one => given[one] !== undefined) ?? 'rcheck';
    const side = ordered.findLast(one => one.key === 'rsource' || one.key === 'rdest')?.key ?? 'rsource';
    return [
      ...given[action]?.negated === true ? ['!'] : [], `--${action}`,
      ...seconds === undefined ? [] : [`--seconds ${String(seconds.value | 0)}`],
      ...given.reap === undefined ? [] : ['--reap'],
      ...hitcount === undefined || hitcount.value === 0 ? [] : [`--hitcount ${String(hitcount.value)}`],
      ...given.rttl === undefined ? [] : ['--rttl'],
      `--name ${name?.value ?? 'DEFAULT'}`, `--mask ${printAddress(mask?.value ?? fullMask(family))}`, `--${side}`,
    ].join(' ');
  },
  arbitrary: (fc, cx) => {
    const some = (name: string, value: { arbitrary: typeof hostAddress.arbitrary }): Arbitrary<readonly string[]> => fc.oneof(fc.constant([]), value.arbitrary(fc, cx).map(words => [name, ...words]));
    return fc.tuple(fc.constantFrom([], [], ['!']), fc.constantFrom(...actions)).chain(([bang, action]) => {
      const isPassive = action === 'rcheck' || action === 'update';
      const seconds = isPassive ? fc.tuple(some('--seconds', integer(1, 0xffff_ffff)), fc.boolean()).map(([words, reap]) => words.length > 0 && reap ? ['--reap', ...words] : words) : fc.constant([]);
      const hitcount = some('--hitcount', isPassive ? integer(0, 65_535) : integer(0, 0));
      return fc.tuple(
        fc.constant([...bang, `--${action}`]), seconds, hitcount, fc.constantFrom([], isPassive ? ['--rttl'] : []),
        some('--name', procName(199)), some('--mask', hostAddress), fc.constantFrom([], ['--rsource'], ['--rdest'], ['--rsource', '--rdest'], ['--rdest', '--rsource']),
      ).chain(parts => fc.shuffledSubarray(parts, { minLength: parts.length })).map(parts => parts.flat());
    });
  },
  examples: [
    ['-m recent --set --name ssh --mask 255.255.255.255 --rsource', '='],
    ['-m recent --hitcount 4 --seconds 0x3c --update', '-m recent --update --seconds 60 --hitcount 4 --name DEFAULT --mask 255.255.255.255 --rsource'],
    ['-m recent --rdest --rsource ! --rcheck', '-m recent ! --rcheck --name DEFAULT --mask 255.255.255.255 --rsource'],
    ['-m recent --set --seconds 5', undefined],
    ['-m recent --rcheck --reap', undefined],
    ['-m recent --name foo', undefined],
    ['-m recent --set --name a/b', undefined],
  ],
}));
