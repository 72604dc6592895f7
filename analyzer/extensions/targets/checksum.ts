import { setTransportChecksum } from '../../packet/rewrite.js';
import { Verdict } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { defineTarget, option } from '../define.js';

/** @see checksum_tg_check() in net/netfilter/xt_CHECKSUM.c, which only warns where the rule is not for one UDP port. */
export const checksum = defineTarget('CHECKSUM', () => ({
  doc: 'Computes a checksum that was left to the network card.',
  effect: 'continue',
  tables: ['mangle'],
  options: {
    fill: option({ names: ['--checksum-fill'], doc: 'fill in the checksum', value: flag, required: true }),
  },
  // Only where it is still to be filled in (CHECKSUM_PARTIAL): then nobody has verified it either.
  apply: () => ({ packet }) => {
    if (packet.isChecksumTrusted) setTransportChecksum(packet);
    return Verdict.Continue;
  },
  examples: [
    ['-j CHECKSUM --checksum-fill', '=', { table: 'mangle', chain: 'POSTROUTING' }],
    ['-p udp -j CHECKSUM --checksum-f', '-p udp -j CHECKSUM --checksum-fill', { table: 'mangle', chain: 'FORWARD' }],
    ['-j CHECKSUM', undefined, { table: 'mangle', chain: 'POSTROUTING' }],
    ['-j CHECKSUM --checksum-fill', undefined],
  ],
}));
