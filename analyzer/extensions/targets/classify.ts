import { Verdict } from '../../packet/traversal.js';
import { classId } from '../../values/class-id.js';
import { defineTarget, option } from '../define.js';

/** @see classify_tg_reg in net/netfilter/xt_CLASSIFY.c: any table, but only where packets leave. */
export const classify = defineTarget('CLASSIFY', () => ({
  doc: 'Puts the packet into a class of traffic control.',
  effect: 'continue',
  hooks: ['FORWARD', 'OUTPUT', 'POSTROUTING'],
  options: {
    class: option({ names: ['--set-class'], doc: 'the class', value: classId, required: true }),
  },
  apply: ({ class: given }) => {
    const { major, minor } = given?.value ?? { major: 0, minor: 0 };
    const priority = ((major << 16) | minor) >>> 0;
    return ({ packet }) => {
      packet.priority = priority;
      return Verdict.Continue;
    };
  },
  examples: [
    ['-j CLASSIFY --set-class 0001:00ff', '=', { table: 'mangle', chain: 'POSTROUTING' }],
    ['-j CLASSIFY --set-class 1:ff', '-j CLASSIFY --set-class 0001:00ff', { table: 'mangle', chain: 'POSTROUTING' }],
    ['-j CLASSIFY --set-class 0x12345:-1', '-j CLASSIFY --set-class 2345:ffff', { chain: 'OUTPUT' }],
    ['-j CLASSIFY --set-class 1', undefined, { table: 'mangle', chain: 'POSTROUTING' }],
    ['-j CLASSIFY --set-class 1:2', undefined, { chain: 'INPUT' }],
  ],
}));
