import { always, atom, type Constraint } from '../../packet/constraint.js';
import { allOf } from '../../packet/predicates.js';
import type { Predicate } from '../../packet/traversal.js';
import { nameMask, type NameMask } from '../../values/name-mask.js';
import { asks } from '../asks.js';
import { defineMatch, option, type Hook } from '../define.js';

const group = nameMask('device group', '/etc/iproute2/group', new Map([['default', 0]]));

/** Bits of the group that the mask lacks are not looked at. */
function meaning(side: 'in' | 'out', { value, mask }: NameMask): Constraint {
  return mask === 0 ? always : atom(`devgroup ${side} ${String((value & mask) >>> 0)}/${String(mask)}`);
}

function isInGroup(side: 'in' | 'out', { value, mask }: NameMask): Predicate {
  return t => ((t.world.interfaceGroup(t.packet[side]) ^ value) & mask) === 0;
}

const incoming: readonly Hook[] = ['PREROUTING', 'INPUT', 'FORWARD'];
const outgoing: readonly Hook[] = ['FORWARD', 'OUTPUT', 'POSTROUTING'];

/** @see devgroup_mt() and devgroup_mt_checkentry() in net/netfilter/xt_devgroup.c */
export const devgroup = defineMatch('devgroup', () => ({
  doc: 'Matches packets by the group of the interface that they come in or go out through.',
  options: {
    src: option({ names: ['--src-group'], doc: 'group of the incoming interface', value: group, negatable: true, means: value => meaning('in', value) }),
    dst: option({ names: ['--dst-group'], doc: 'group of the outgoing interface', value: group, negatable: true, means: value => meaning('out', value) }),
  },
  hooks: given => given.src === undefined ? outgoing : given.dst === undefined ? incoming : ['FORWARD'],
  check: given => given.src === undefined && given.dst === undefined ? '--src-group or --dst-group must be given' : undefined,
  matches: ({ src, dst }) => allOf([asks(src, value => isInGroup('in', value)), asks(dst, value => isInGroup('out', value))]),
  examples: [
    ['-m devgroup --src-group 0x2', '='],
    ['-m devgroup ! --src-group 0', '-m devgroup ! --src-group default'],
    ['-m devgroup --src-group 010/0x0f', '-m devgroup --src-group 0x8/0xf'],
    ['-m devgroup --src-group default/1', undefined],
    ['-m devgroup --dst-group 1', undefined],
  ],
}));
