import { is } from '../../packet/constraint.js';
import { keyword } from '../../values/keyword.js';
import { defineMatch, option } from '../define.js';

/** PACKET_… of linux/if_packet.h. */
const type = keyword({ unicast: 0, broadcast: 1, multicast: 2, otherhost: 3, bcast: 1, mcast: 2, host: 0 }, { name: 'packet type', ignoreCase: true });

/** @see pkttype_mt() in net/netfilter/xt_pkttype.c. What the machine sends to itself counts as multicast or broadcast. */
export const pkttype = defineMatch('pkttype', () => ({
  doc: 'Matches packets by whom the link layer sent them to: this machine, all or a group.',
  options: {
    type: option({ names: ['--pkt-type'], doc: 'type of the packet', value: type, negatable: true, required: true, means: value => is('pkttype', value) }),
  },
  examples: [
    ['-m pkttype --pkt-type unicast', '='],
    ['-m pkttype ! --pkt-type MCast', '-m pkttype ! --pkt-type multicast'],
    ['-m pkttype --pkt-type host', '-m pkttype --pkt-type unicast'],
    ['-m pkttype --pkt-type 0', undefined],
    ['-m pkttype', undefined],
  ],
}));
