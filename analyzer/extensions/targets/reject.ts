import { Verdict } from '../../packet/traversal.js';
import { defaultRejectType, rejectType } from '../../values/reject-type.js';
import { defineTarget, option } from '../define.js';

/** @see reject_tg_check() in net/ipv4/netfilter/ipt_REJECT.c and reject_tg6_check() in net/ipv6/netfilter/ip6t_REJECT.c */
export const reject = defineTarget('REJECT', () => ({
  doc: 'The packet is gone, and its sender gets an ICMP error or a TCP reset.',
  effect: 'reject',
  tables: ['filter'],
  hooks: ['INPUT', 'FORWARD', 'OUTPUT'],
  options: {
    type: option({ names: ['--reject-with'], doc: 'what the sender gets', value: rejectType }),
  },
  check: ({ type }, { protocol }) => type?.value === 'tcp-reset' && (protocol?.number !== 6 || protocol.negated) ? '--reject-with tcp-reset needs -p tcp' : undefined,
  save: ({ type }, { family }) => `--reject-with ${type?.value ?? defaultRejectType(family)}`,
  apply: ({ type }, { family, world }) => {
    const kind = type?.value ?? defaultRejectType(family);
    return t => {
      world.reject(t, kind);
      return Verdict.Drop;
    };
  },
  examples: [
    ['-j REJECT --reject-with icmp-host-prohibited', '='],
    ['-j REJECT', '-j REJECT --reject-with icmp-port-unreachable'],
    ['-j REJECT', '-j REJECT --reject-with icmp6-port-unreachable', { family: 'ipv6' }],
    ['-p tcp -j REJECT --reject-with TCP-RST', '-p tcp -j REJECT --reject-with tcp-reset'],
    ['-j REJECT --reject-with host', '-j REJECT --reject-with icmp-host-unreachable'],
    ['-j REJECT --reject-with tcp-reset', undefined],
    ['-j REJECT --reject-with icmp-no-route', undefined],
  ],
}));
