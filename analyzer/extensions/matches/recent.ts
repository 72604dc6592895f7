import { always, unknown } from '../../packet/constraint.js';
import type { Packet } from '../../packet/packet.js';
import type { Predicate } from '../../packet/traversal.js';
import { fullMask, maskAddress, printAddress, type Address } from '../../values/address.js';
import { flag } from '../../values/flag.js';
import { hostAddress } from '../../values/host-address.js';
import { integer } from '../../values/number.js';
import { procName } from '../../values/proc-name.js';
import type { Arbitrary } from '../../values/value.js';
import { defineMatch, option, type EngineContext, type OrderedOption } from '../define.js';
import { jiffies, ticksPerSecond } from '../kernel-clock.js';
import { RecentList, type RecentEntry } from '../recent-list.js';

const actions = ['set', 'rcheck', 'update', 'remove'] as const;
const others = (action: string): readonly string[] => actions.filter(other => other !== action);
const stateful = unknown('which addresses were seen before');

function sideOf(ordered: readonly OrderedOption[]): 'rsource' | 'rdest' {
  return ordered.findLast(one => one.key === 'rsource' || one.key === 'rdest')?.key === 'rdest' ? 'rdest' : 'rsource';
}

/** As it was before this host forwarded it: then it is one lower by now (recent_mt). */
function ttlSeen({ ttl, out, owner }: Packet): number {
  return out !== '' && owner === undefined ? (ttl + 1) & 0xff : ttl;
}

interface RecentOptions {
  readonly action: typeof actions[number];
  readonly negated: boolean;
  /** 0: however long ago. */
  readonly seconds: number;
  readonly hitcount: number;
  readonly reap: boolean;
  readonly rttl: boolean;
  readonly name: string;
  readonly mask: Address;
  readonly side: 'rsource' | 'rdest';
}

function isHit(entry: RecentEntry, since: number, { seconds, hitcount }: RecentOptions): boolean {
  let hits = 0;
  for (const stamp of entry.stamps) if (seconds === 0 || stamp >= since) hits++;
  return hits > 0 && hits >= hitcount;
}

/** @see recent_mt() in net/netfilter/xt_recent.c */
function predicate(options: RecentOptions, { world }: EngineContext): Predicate {
  const { action, negated, mask, rttl, reap, side } = options;
  const list = world.shared('recent', options.name, () => new RecentList());
  list.makeRoom(options.hitcount);
  // The kernel multiplies in 32 bits.
  const span = (options.seconds * ticksPerSecond) % 2 ** 32;
  return ({ packet }) => {
    const address = maskAddress(side === 'rdest' ? packet.dst : packet.src, mask);
    const ttl = ttlSeen(packet);
    const now = jiffies(world);
    const entry = list.find(address, rttl ? ttl : 0);
    if (entry === undefined) {
      if (action === 'set') list.add(address, ttl, now);
      return (action === 'set') !== negated;
    }
    const found = action === 'set' || action === 'remove' || isHit(entry, now - span, options);
    const answer = found !== negated;
    const isSeen = action === 'set' || (action === 'update' && answer);
    if (action === 'remove') list.remove(address);
    if (reap) list.reap(now - span, isSeen ? entry : undefined);
    if (isSeen) list.update(address, entry, ttl, now);
    return answer;
  };
}

/**
 * @see recent_mt_check() in net/netfilter/xt_recent.c, and libxt_recent.c. Of --rsource and --rdest the last
 * counts; seconds from 2^31 on are saved as negative numbers, which cannot be read again.
 */
export const recent = defineMatch('recent', () => ({
  remembers: true,
  shares: true,
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
  // Without a count, who was seen before is a matter of who it is.
  bounds: ({ rcheck, update, hitcount }) => (hitcount?.value ?? 0) < 2 ? undefined : (rcheck ?? update)?.negated === true ? 'below' : 'above',
  keeps: ({ set, rcheck, update, name }, ordered) => {
    const action = set ?? rcheck ?? update;
    return action === undefined ? undefined : { list: name?.value ?? 'DEFAULT', does: set === undefined ? 'asks' : 'puts', side: sideOf(ordered) === 'rdest' ? 'dst' : 'src', negated: action.negated };
  },
  save: (given, { family, ordered }) => {
    const { seconds, hitcount, name, mask } = given;
    const action = actions.find(one => given[one] !== undefined) ?? 'rcheck';
    return [
      ...given[action]?.negated === true ? ['!'] : [], `--${action}`,
      ...seconds === undefined ? [] : [`--seconds ${String(seconds.value | 0)}`],
      ...given.reap === undefined ? [] : ['--reap'],
      ...hitcount === undefined || hitcount.value === 0 ? [] : [`--hitcount ${String(hitcount.value)}`],
      ...given.rttl === undefined ? [] : ['--rttl'],
      `--name ${name?.value ?? 'DEFAULT'}`, `--mask ${printAddress(mask?.value ?? fullMask(family))}`, `--${sideOf(ordered)}`,
    ].join(' ');
  },
  matches: (given, cx) => {
    const action = actions.find(one => given[one] !== undefined) ?? 'rcheck';
    return predicate({
      action, negated: given[action]?.negated === true, seconds: given.seconds?.value ?? 0, hitcount: given.hitcount?.value ?? 0,
      reap: given.reap !== undefined, rttl: given.rttl !== undefined, name: given.name?.value ?? 'DEFAULT',
      mask: given.mask?.value ?? fullMask(cx.family), side: sideOf(cx.ordered),
    }, cx);
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
