import { flag } from '../../values/flag.js';
import { syslogLevel, warningLevel } from '../../values/syslog-level.js';
import { text } from '../../values/text.js';
import { defineTarget, option } from '../define.js';

/** @see log_tg_check() in net/netfilter/xt_LOG.c. A longer prefix is cut (libxt_LOG.c). */
export const log = defineTarget('LOG', () => ({
  doc: 'Writes the packet’s headers to the kernel log.',
  effect: 'continue',
  logs: true,
  options: {
    prefix: option({ names: ['--log-prefix'], doc: 'text in front, of which 29 bytes are kept', value: text({ min: 1, max: 29, cut: true, name: 'prefix' }) }),
    level: option({
      names: ['--log-level'], doc: 'the priority', value: syslogLevel,
      save: ({ value }) => value === warningLevel ? '' : `--log-level ${String(value)}`,
    }),
    tcpSequence: option({ names: ['--log-tcp-sequence'], doc: 'TCP sequence numbers too, which any reader of the log could abuse', value: flag }),
    tcpOptions: option({ names: ['--log-tcp-options'], doc: 'TCP options too', value: flag }),
    ipOptions: option({ names: ['--log-ip-options'], doc: 'IP options too', value: flag }),
    uid: option({ names: ['--log-uid'], doc: 'the user whose process sent it', value: flag }),
    macDecode: option({ names: ['--log-macdecode'], doc: 'Ethernet addresses in readable form', value: flag }),
  },
  examples: [
    ['-j LOG', '='],
    ['-j LOG --log-uid --log-level info --log-prefix "drop: "', '-j LOG --log-prefix "drop: " --log-level 6 --log-uid'],
    ['-j LOG --log-level warning', '-j LOG'],
    ['-j LOG --log-prefix 123456789012345678901234567890', '-j LOG --log-prefix 12345678901234567890123456789'],
    ['-j LOG --log-level err', undefined],
    ['-j LOG --log-prefix ""', undefined],
  ],
}));
