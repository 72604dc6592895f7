import { compileConstraint } from '../../packet/compile-constraint.js';
import { all, atom, is, not } from '../../packet/constraint.js';
import { macAddress } from '../../values/mac-address.js';
import { defineMatch, option } from '../define.js';

/** @see mac_mt() in net/netfilter/xt_mac.c. A packet without an Ethernet header never matches, not even negated. */
export const mac = defineMatch('mac', () => ({
  doc: 'Matches packets by the Ethernet address that they come from.',
  hooks: ['PREROUTING', 'INPUT', 'FORWARD'],
  options: {
    source: option({ names: ['--mac-source'], doc: 'Ethernet address of the sender', value: macAddress, negatable: true, required: true }),
  },
  means: ({ source }) => {
    const same = is('srcMac', source?.value ?? 0);
    return source?.negated === true ? all([atom('mac header'), not(same)]) : same;
  },
  matches: ({ source }) => {
    const same = compileConstraint(is('srcMac', source?.value ?? 0), 'ipv4');
    const negated = source?.negated === true;
    return t => t.packet.sourceMac !== undefined && same(t) !== negated;
  },
  examples: [
    ['-m mac --mac-source 42:01:02:03:04:05', '='],
    ['-m mac ! --mac-source A:b:0C:1:2:3', '-m mac ! --mac-source 0a:0b:0c:01:02:03'],
    ['-m mac --mac-source 42:01:02:03:04', undefined],
    ['-m mac --mac-source 42:01:02:03:04:050', undefined],
    ['-m mac --mac-source 42:01:02:03:04:05', undefined, { chain: 'OUTPUT' }],
  ],
}));
