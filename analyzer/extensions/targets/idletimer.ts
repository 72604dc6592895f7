import { flag } from '../../values/flag.js';
import { integer } from '../../values/number.js';
import { text } from '../../values/text.js';
import { defineTarget, option } from '../define.js';

/** In milliseconds it must be less than INT_MAX. */
const seconds = integer(1, 2_147_482);
const label = text({ max: 27, cut: true, bare: true, name: 'label' });
/** The label becomes a file in sysfs, where these are taken. */
const taken = new Set(['.', '..', 'power', 'subsystem', 'uevent']);

/** @see idletimer_tg_helper() in net/netfilter/xt_IDLETIMER.c; a label is saved without quotes whatever is in it. */
export const idletimer = defineTarget('IDLETIMER', () => ({
  doc: 'Starts a timer anew with each packet and tells user space when it has run out.',
  effect: 'continue',
  options: {
    timeout: option({ names: ['--timeout'], doc: 'seconds without a packet until the timer runs out', value: seconds, required: true }),
    label: option({ names: ['--label'], doc: 'the name of the timer, of which 27 bytes are kept', value: label, required: true }),
    alarm: option({ names: ['--alarm'], doc: 'run on while the machine sleeps', value: flag }),
  },
  check: ({ label: given }) => {
    const name = given?.value ?? '';
    if (name === '') return 'the label is empty';
    if (name.includes('/')) return 'the label must not contain a slash';
    return taken.has(name) ? `the label must not be \`${name}\`` : undefined;
  },
  // Timers of one label are shared by all rules, and must be of one kind.
  arbitrary: (fc, cx) => fc.tuple(
    seconds.arbitrary(fc, cx),
    fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom('a', 'X', '0', '9', '_', '-', '.', ' ', '"', '\'', '\\') }).map(name => `t${name}`),
    fc.boolean(),
    fc.boolean(),
  ).map(([[timeout = ''], name, alarm, labelFirst]) => {
    const both = [['--timeout', timeout], ['--label', alarm ? `alarm-${name}` : name]];
    return [...(labelFirst ? both.reverse() : both).flat(), ...alarm ? ['--alarm'] : []];
  }),
  examples: [
    ['-j IDLETIMER --timeout 30 --label wifi', '='],
    ['-j IDLETIMER --alarm --label phone --timeout 0x10', '-j IDLETIMER --timeout 16 --label phone --alarm'],
    ['-j IDLETIMER --timeout 30 --label 1234567890123456789012345678', '-j IDLETIMER --timeout 30 --label 123456789012345678901234567'],
    ['-j IDLETIMER --timeout 0 --label wifi', undefined],
    ['-j IDLETIMER --timeout 2147483 --label wifi', undefined],
    ['-j IDLETIMER --timeout 30 --label a/b', undefined],
  ],
}));
