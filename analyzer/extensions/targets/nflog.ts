import { integer } from '../../values/number.js';
import { text } from '../../values/text.js';
import { refuse, type Value, type ValueContext } from '../../values/value.js';
import { defineTarget, option } from '../define.js';

/** The kernel of legacy keeps 63 bytes, that of nft 127; the rest is cut. */
const keeps = ({ backend }: Pick<ValueContext, 'backend'>): number => backend === 'legacy' ? 63 : 127;

const prefix: Value<string> = {
  ...text({ min: 1, max: 127, name: 'prefix' }),
  keeps,
  parse: (words, cx) => (words[0] ?? '').includes('\n')
    ? refuse('a prefix cannot have a line end')
    : text({ min: 1, max: keeps(cx), cut: true }).parse(words, cx),
  arbitrary: (fc, cx) => fc.oneof({ weight: 5, arbitrary: text({ min: 1, max: 63 }).arbitrary(fc, cx) }, fc.integer({ min: 60, max: 130 }).map(length => ['p'.repeat(length)])),
};

/** @see nflog_tg_check() in net/netfilter/xt_NFLOG.c; nft has `--nflog-range` forgotten when it saves. */
export const nflog = defineTarget('NFLOG', () => ({
  doc: 'Hands a copy of the packet to programs that log, over a netlink group.',
  effect: 'continue',
  logs: true,
  options: {
    prefix: option({ names: ['--nflog-prefix'], doc: 'text in front of the message', value: prefix }),
    group: option({ names: ['--nflog-group'], doc: 'netlink group', value: integer(0, 65_535), save: ({ value }) => value === 0 ? '' : `--nflog-group ${String(value)}` }),
    size: option({ names: ['--nflog-size'], doc: 'how many bytes are copied', value: integer(0, 0xffff_ffff) }),
    range: option({
      names: ['--nflog-range'], doc: 'without effect; use --nflog-size', value: integer(0, 0xffff_ffff), excludes: ['size'],
      save: ({ value }, { backend }) => value === 0 || backend === 'nft' ? '' : `--nflog-range ${String(value)}`,
    }),
    threshold: option({ names: ['--nflog-threshold'], doc: 'how many packets are collected before they are sent', value: integer(0, 65_535), save: ({ value }) => value === 0 ? '' : `--nflog-threshold ${String(value)}` }),
  },
  examples: [
    ['-j NFLOG --nflog-prefix "in: " --nflog-group 5 --nflog-size 64 --nflog-threshold 10', '='],
    ['-j NFLOG --nflog-group 0x0a --nflog-prefix in', '-j NFLOG --nflog-prefix in --nflog-group 10'],
    ['-j NFLOG --nflog-group 0', '-j NFLOG'],
    ['-j NFLOG --nflog-size 0', '='],
    ['-j NFLOG --nflog-prefix ""', undefined],
    ['-j NFLOG --nflog-range 7 --nflog-size 3', undefined],
  ],
}));
