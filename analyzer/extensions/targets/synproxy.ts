import { flag } from '../../values/flag.js';
import { integer } from '../../values/number.js';
import { defineTarget, option } from '../define.js';
import { synproxyTarget } from '../synproxy-target.js';

/** @see synproxy_tg4() in net/ipv4/netfilter/ipt_SYNPROXY.c. Values of 32 bits are read, and cut to 8 and 16. */
export const synproxy = defineTarget('SYNPROXY', () => ({
  doc: 'Answers the first packets of a TCP connection itself, and only then lets the server see it.',
  effect: 'unknown',
  tracks: true,
  protocols: ['tcp'],
  hooks: ['INPUT', 'FORWARD'],
  options: {
    sack: option({ names: ['--sack-perm'], doc: 'offer selective acknowledgement', value: flag }),
    timestamp: option({ names: ['--timestamp'], doc: 'offer timestamps', value: flag }),
    wscale: option({ names: ['--wscale'], doc: 'window scaling of the server', value: integer(0, 0xffff_ffff), save: ({ value }) => `--wscale ${String(value & 0xff)}` }),
    mss: option({ names: ['--mss'], doc: 'maximum segment size of the server', value: integer(0, 0xffff_ffff), save: ({ value }) => `--mss ${String(value & 0xffff)}` }),
    ecn: option({ names: ['--ecn'], doc: 'offer explicit congestion notification', value: flag }),
  },
  apply: () => synproxyTarget,
  examples: [
    ['-p tcp -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460 --ecn', '='],
    ['-p tcp -j SYNPROXY', '='],
    ['-p tcp -j SYNPROXY --mss 70000 --wscale 0x107', '-p tcp -j SYNPROXY --wscale 7 --mss 4464'],
    ['-j SYNPROXY --mss 1460', undefined],
    ['! -p tcp -j SYNPROXY --mss 1460', undefined],
  ],
}));
