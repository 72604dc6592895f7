import { flag } from '../../values/flag.js';
import { parseInteger } from '../../values/number.js';
import { text } from '../../values/text.js';
import { refuse, type Value } from '../../values/value.js';
import { defineTarget, option } from '../define.js';

/** Anything that begins with `inf` is for ever, kept as −1; saved as a signed number. */
const delay: Value<number> = {
  syntax: 'milliseconds|inf',
  words: 1,
  parse: ([word = '']) => {
    if (word.toLowerCase().startsWith('inf')) return -1;
    const value = parseInteger(word, 0, 0xffff_ffff);
    return value === undefined ? refuse(`\`${word}\` is neither a number of milliseconds nor inf`) : value | 0;
  },
  print: String,
  arbitrary: fc => fc.oneof(fc.constantFrom('inf', 'INFinite', '0', '0x10'), fc.integer({ min: 0, max: 0xffff_ffff }).map(String)).map(word => [word]),
};

/** @see libxt_LED.c. A delay of `inf` is saved as −1, which cannot be restored. */
export const led = defineTarget('LED', () => ({
  doc: 'Makes a light of the machine flash.',
  effect: 'continue',
  needsOnMachine: 'a kernel with LED triggers (CONFIG_NETFILTER_XT_TARGET_LED), which few machines have',
  options: {
    id: option({
      names: ['--led-trigger-id'], doc: 'the name of the trigger', required: true, value: text({ max: 16, name: 'name' }),
      save: ({ value }) => `--led-trigger-id "${value.replace(/["\\]/gu, '\\$&')}"`,
    }),
    delay: option({ names: ['--led-delay'], doc: 'how long the light stays on', value: delay, save: ({ value }) => value === 0 ? '' : `--led-delay ${String(value)}` }),
    blink: option({ names: ['--led-always-blink'], doc: 'flash even if the light is on', value: flag }),
  },
  examples: [
    ['-j LED --led-trigger-id "ssh" --led-delay 1000', '='],
    ['-j LED --led-always-blink --led-delay INF --led-trigger-id ssh', '-j LED --led-trigger-id "ssh" --led-delay -1 --led-always-blink'],
    ['-j LED --led-trigger-id 12345678901234567', undefined],
    ['-j LED --led-delay 1000', undefined],
  ],
}));
