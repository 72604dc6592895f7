import { Verdict } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { integer } from '../../values/number.js';
import { queueRange } from '../../values/queue-range.js';
import { defineTarget, option } from '../define.js';

/** @see nfqueue_tg_check() in net/netfilter/xt_NFQUEUE.c. Without a program that listens, `--queue-bypass` accepts what would be dropped. */
export const nfqueue = defineTarget('NFQUEUE', () => ({
  doc: 'Hands the packet to a program in user space, which decides about it.',
  effect: given => given.bypass === undefined ? 'queue' : 'unknown',
  options: {
    num: option({ names: ['--queue-num'], doc: 'the queue', value: integer(0, 65_535), excludes: ['balance'] }),
    balance: option({ names: ['--queue-balance'], doc: 'connections are spread over these queues', value: queueRange, excludes: ['num'] }),
    bypass: option({ names: ['--queue-bypass'], doc: 'where nobody listens, the packet is accepted', value: flag }),
    fanout: option({ names: ['--queue-cpu-fanout'], doc: 'the queue is chosen by CPU', value: flag, needs: ['balance'] }),
  },
  save: ({ num, balance, bypass, fanout }, cx) => [
    balance === undefined ? `--queue-num ${String(num?.value ?? 0)}` : `--queue-balance ${queueRange.print(balance.value, cx)}`,
    ...bypass === undefined ? [] : ['--queue-bypass'],
    ...fanout === undefined ? [] : ['--queue-cpu-fanout'],
  ].join(' '),
  // Nobody listens on a host of which nothing is known but its rules.
  apply: ({ bypass }) => t => {
    t.note(bypass === undefined ? 'NFQUEUE: nobody listens, and so the packet is dropped; a program might have decided otherwise' : 'NFQUEUE: nobody listens, and --queue-bypass accepts the packet');
    return bypass === undefined ? Verdict.Queue : Verdict.Accept;
  },
  examples: [
    ['-j NFQUEUE --queue-num 5 --queue-bypass', '='],
    ['-j NFQUEUE', '-j NFQUEUE --queue-num 0'],
    ['-j NFQUEUE --queue-cpu-fanout --queue-balance 3:', '-j NFQUEUE --queue-balance 3:65535 --queue-cpu-fanout'],
    ['-j NFQUEUE --queue-balance 0:65535', undefined],
    ['-j NFQUEUE --queue-balance 5', undefined],
    ['-j NFQUEUE --queue-num 1 --queue-cpu-fanout', undefined],
  ],
}));
