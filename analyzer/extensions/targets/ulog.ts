import { integer } from '../../values/number.js';
import { text } from '../../values/text.js';
import { refuse, type Value } from '../../values/value.js';
import { defineTarget, option } from '../define.js';

const prefix: Value<string> = {
  ...text({ min: 1, max: 31, cut: true, name: 'prefix' }),
  parse: (words, cx) => (words[0] ?? '').includes('\n') ? refuse('a prefix cannot have a line end') : text({ min: 1, max: 31, cut: true }).parse(words, cx),
};

/** @see iptables-extensions(8); what is the default is not saved. */
export const ulog = defineTarget('ULOG', () => ({
  doc: 'Hands a copy of the packet to a program that logs (long replaced by NFLOG).',
  effect: 'continue',
  families: ['ipv4'],
  retired: 'Linux has not had ULOG since 3.17; use NFLOG',
  options: {
    prefix: option({ names: ['--ulog-prefix'], doc: 'text in front of the message', value: prefix }),
    group: option({ names: ['--ulog-nlgroup'], doc: 'netlink group', value: integer(1, 32), save: ({ value }) => value === 1 ? '' : `--ulog-nlgroup ${String(value)}` }),
    range: option({ names: ['--ulog-cprange'], doc: 'how many bytes are copied; 0 for all', value: integer(0, Number.MAX_SAFE_INTEGER), save: ({ value }) => value === 0 ? '' : `--ulog-cprange ${String(value % 2 ** 32)}` }),
    threshold: option({ names: ['--ulog-qthreshold'], doc: 'how many packets are collected before they are sent', value: integer(1, 50), save: ({ value }) => value === 1 ? '' : `--ulog-qthreshold ${String(value)}` }),
  },
  examples: [
    ['-j ULOG --ulog-prefix "in: " --ulog-nlgroup 2 --ulog-cprange 48 --ulog-qthreshold 20', '='],
    ['-j ULOG --ulog-cprange 0x30 --ulog-nlgroup 1', '-j ULOG --ulog-cprange 48'],
    ['-j ULOG --ulog-nlgroup 33', undefined],
  ],
}));
