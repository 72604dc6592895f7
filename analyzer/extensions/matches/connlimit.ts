import { always, unknown } from '../../packet/constraint.js';
import { flag } from '../../values/flag.js';
import { integer } from '../../values/number.js';
import { lengthOfPrefix } from '../../values/prefix-length.js';
import { defineMatch, option } from '../define.js';

const stateful = unknown('how many connections there are at the moment');

/** @see connlimit_mt() in net/netfilter/xt_connlimit.c. Everything is saved, defaults too; `!` turns --connlimit-upto into --connlimit-above. */
export const connlimit = defineMatch('connlimit', () => ({
  doc: 'Matches by the number of connections that a host or a network has at the moment.',
  options: {
    upto: option({ names: ['--connlimit-upto'], doc: 'at most so many', value: integer(0, 0xffff_ffff), negatable: true, excludes: ['above'], means: () => stateful }),
    above: option({ names: ['--connlimit-above'], doc: 'more than so many', value: integer(0, 0xffff_ffff), negatable: true, excludes: ['upto'], means: () => stateful }),
    mask: option({ names: ['--connlimit-mask'], doc: 'prefix length by which addresses are grouped', value: lengthOfPrefix, means: () => always }),
    saddr: option({ names: ['--connlimit-saddr'], doc: 'count by source address (the default)', value: flag, excludes: ['daddr'], means: () => always }),
    daddr: option({ names: ['--connlimit-daddr'], doc: 'count by destination address', value: flag, excludes: ['saddr'], means: () => always }),
  },
  check: ({ upto, above }) => upto === undefined && above === undefined ? '--connlimit-upto or --connlimit-above must be given' : undefined,
  save: ({ upto, above, mask, daddr }, { family }) => {
    const isUpto = upto === undefined ? above?.negated === true : !upto.negated;
    const bits = mask?.value ?? (family === 'ipv4' ? 32 : 128);
    return `--connlimit-${isUpto ? 'upto' : 'above'} ${String((upto ?? above)?.value ?? 0)} --connlimit-mask ${String(bits)} --connlimit-${daddr === undefined ? 's' : 'd'}addr`;
  },
  arbitrary: (fc, cx) => fc.tuple(
    fc.constantFrom('--connlimit-upto', '--connlimit-above'), fc.boolean(), integer(0, 0xffff_ffff).arbitrary(fc, cx),
    fc.option(lengthOfPrefix.arbitrary(fc, cx)), fc.constantFrom([], ['--connlimit-saddr'], ['--connlimit-daddr']), fc.boolean(),
  ).map(([name, negated, number, mask, side, first]) => {
    const count = [...negated ? ['!'] : [], name, ...number];
    const rest = [...mask === null ? [] : ['--connlimit-mask', ...mask], ...side];
    return first ? [...count, ...rest] : [...rest, ...count];
  }),
  examples: [
    ['-m connlimit --connlimit-above 10 --connlimit-mask 32 --connlimit-saddr', '='],
    ['-m connlimit --connlimit-daddr ! --connlimit-above 0x3 --connlimit-mask 255.255.0.0', '-m connlimit --connlimit-upto 3 --connlimit-mask 16 --connlimit-daddr'],
    ['-m connlimit --connlimit-above 3 --connlimit-mask 255.0.255.0', '-m connlimit --connlimit-above 3 --connlimit-mask 32 --connlimit-saddr'],
    ['-m connlimit --connlimit-upto 1 --connlimit-above 2', undefined],
    ['-m connlimit --connlimit-saddr', undefined],
  ],
}));
