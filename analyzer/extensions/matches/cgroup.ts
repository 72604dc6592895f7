import { all, atom, not } from '../../packet/constraint.js';
import { integer } from '../../values/number.js';
import { text } from '../../values/text.js';
import { defineMatch, option } from '../define.js';

/**
 * @see cgroup_mt_v2() in net/netfilter/xt_cgroup.c. A packet without a socket never matches, not even negated.
 * The path must exist when the rule is loaded.
 */
export const cgroup = defineMatch('cgroup', () => ({
  doc: 'Matches packets by the control group of the process whose socket they belong to.',
  hooks: ['INPUT', 'OUTPUT', 'POSTROUTING'],
  options: {
    path: option({ names: ['--path'], doc: 'a group of the cgroup2 tree, and all below it', value: text({ max: 511, name: 'path', cut: true }), negatable: true, excludes: ['classid'] }),
    classid: option({ names: ['--cgroup'], doc: 'the number of net_cls', value: integer(0, 0xffff_ffff), negatable: true, excludes: ['path'] }),
  },
  check: given => given.path === undefined && given.classid === undefined ? '--path or --cgroup must be given' : undefined,
  means: given => {
    const one = given.path ?? given.classid;
    const member = atom(`cgroup ${given.path === undefined ? 'classid' : 'path'} ${String(one?.value)}`);
    return one?.negated === true ? all([atom('cgroup socket'), not(member)]) : member;
  },
  matches: () => t => t.unknown('in which control group the owner of a socket is'),
  arbitrary: (fc, cx) => {
    // Only the root is sure to be there.
    const path = fc.constantFrom('/', '//', '').map(word => ['--path', word]);
    const classid = integer(0, 0xffff_ffff).arbitrary(fc, cx).map(words => ['--cgroup', ...words]);
    return fc.tuple(fc.boolean(), fc.oneof(path, classid)).map(([bang, words]) => [...bang ? ['!'] : [], ...words]);
  },
  examples: [
    ['-m cgroup --path "/"', '='],
    ['-m cgroup ! --cgroup 0x100001', '-m cgroup ! --cgroup 1048577'],
    ['-m cgroup --cgroup 1 --path /', undefined],
    ['-m cgroup', undefined],
    ['-m cgroup --cgroup 1', undefined, { chain: 'FORWARD' }],
  ],
}));
