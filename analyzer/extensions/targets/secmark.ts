import { Verdict } from '../../packet/traversal.js';
import { text } from '../../values/text.js';
import { defineTarget, option } from '../define.js';

/** @see secmark_tg_check() in net/netfilter/xt_SECMARK.c; the context is known only where SELinux is on. */
export const secmark = defineTarget('SECMARK', () => ({
  doc: 'Labels the packet with an SELinux security context.',
  effect: 'continue',
  tables: ['mangle', 'security'],
  needsOnMachine: 'SELinux and a context of its policy',
  options: {
    context: option({ names: ['--selctx'], doc: 'the security context', value: text({ max: 255, bare: true, cut: true, name: 'context' }), required: true }),
  },
  apply: ({ context }) => ({ packet }) => {
    packet.secmark = context?.value ?? '';
    return Verdict.Continue;
  },
  examples: [
    ['-j SECMARK --selctx system_u:object_r:http_packet_t:s0', '=', { table: 'mangle', chain: 'INPUT' }],
    ['-j SECMARK', undefined, { table: 'mangle', chain: 'INPUT' }],
    ['-j SECMARK --selctx system_u:object_r:http_packet_t:s0', undefined],
  ],
}));
