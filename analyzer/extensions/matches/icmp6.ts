import { is } from '../../packet/constraint.js';
import { icmpv6Type } from '../../values/icmp-type.js';
import { defineMatch, option } from '../define.js';
import { icmpMeaning } from '../icmp-meaning.js';

const ipv6 = { family: 'ipv6' } as const;

/** @see icmp6_match() in net/netfilter/xt_tcpudp.c. There is no `any` here; later fragments never match. */
export const icmp6 = defineMatch('icmp6', () => ({
  doc: 'Matches ICMPv6 packets by type and code.',
  families: ['ipv6'],
  protocols: ['icmpv6'],
  requires: is('fragment', 0),
  header: 8,
  options: {
    type: option({
      names: ['--icmpv6-type'], doc: 'type, and code where one is given', value: icmpv6Type, negatable: true, required: true,
      means: icmpMeaning,
    }),
  },
  examples: [
    ['-p ipv6-icmp -m icmp6 --icmpv6-type 135', '=', ipv6],
    ['-p icmpv6 --icmpv6-type neighbor-s', '-p ipv6-icmp -m icmp6 --icmpv6-type 135', ipv6],
    ['-p icmpv6 -m icmpv6 ! --icmpv6-type 3/0:1', '-p ipv6-icmp -m icmp6 ! --icmpv6-type 3/0', ipv6],
    ['-p icmpv6 --icmpv6-type any', undefined, ipv6],
    ['-p icmpv6 --icmpv6-type 3:4', undefined, ipv6],
  ],
}));
