import { atom } from '../../packet/constraint.js';
import { defineMatch } from '../define.js';

const ipv6 = { family: 'ipv6' } as const;

/** What stands in the Ethernet header of loopback. */
const noAddress = [0, 0, 0, 0, 0, 0];
/** The bit of an address that an interface identifier has inverted. */
const universal = 2;

/** @see eui64_mt6() in net/ipv6/netfilter/ip6t_eui64.c */
export const eui64 = defineMatch('eui64', () => ({
  doc: 'Matches packets whose IPv6 source address is made of their Ethernet source address.',
  families: ['ipv6'],
  hooks: ['PREROUTING', 'INPUT', 'FORWARD'],
  requires: atom('eui64'),
  options: {},
  matches: () => ({ packet }) => {
    const mac = packet.sourceMac ?? (packet.in === 'lo' ? noAddress : undefined);
    if (mac === undefined) return false;
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac;
    const high = (((a ^ universal) << 24) | (b << 16) | (c << 8) | 0xff) >>> 0;
    const low = ((0xfe << 24) | (d << 16) | (e << 8) | f) >>> 0;
    return packet.u32(16) === high && packet.u32(20) === low;
  },
  examples: [
    ['-m eui64', '=', ipv6],
    ['-m eui64', '=', { family: 'ipv6', chain: 'FORWARD' }],
    ['-m eui64', undefined, { family: 'ipv6', chain: 'OUTPUT' }],
  ],
}));
