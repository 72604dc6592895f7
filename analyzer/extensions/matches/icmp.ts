import { always, is } from '../../packet/constraint.js';
import { icmpType } from '../../values/icmp-type.js';
import { defineMatch, option } from '../define.js';
import { icmpMeaning } from '../icmp-meaning.js';

/** @see icmp_match() in net/netfilter/xt_tcpudp.c. Type 255 (`any`) is every type; later fragments never match. */
export const icmp = defineMatch('icmp', () => ({
  doc: 'Matches ICMP packets by type and code.',
  families: ['ipv4'],
  protocols: ['icmp'],
  requires: is('fragment', 0),
  header: 8,
  options: {
    type: option({
      names: ['--icmp-type'], doc: 'type, and code where one is given', value: icmpType, negatable: true, required: true,
      means: type => type.type === 255 ? always : icmpMeaning(type),
    }),
  },
  examples: [
    ['-p icmp -m icmp --icmp-type 8', '='],
    ['-p icmp --icmp-type echo-req', '-p icmp -m icmp --icmp-type 8'],
    ['-p icmp ! --icmp-type tos-host-redirect', '-p icmp -m icmp ! --icmp-type 5/3'],
    ['-p icmp --icmp-type 255/3', '-p icmp -m icmp --icmp-type any'],
    ['-p icmp --icmp-type echo', undefined],
    ['-p icmp -m icmp', undefined],
  ],
}));
