import { Verdict } from '../../packet/traversal.js';
import { ip6Prefix, type Ip6Prefix } from '../../values/ip6-prefix.js';
import type { ValueContext } from '../../values/value.js';
import { defineTarget, option, type Given } from '../define.js';
import { prefixTranslation } from '../prefix-translation.js';

/** The prefix `::/0` is not saved, though it must be given: such a rule cannot be restored. */
function savePrefix(name: string): (given: Given<Ip6Prefix>, cx: ValueContext) => string {
  return ({ value }, cx) => value.length === 0 ? '' : `${name} ${ip6Prefix.print(value, cx)}`;
}

/** @see ip6t_npt_checkentry() in net/ipv6/netfilter/ip6t_NPT.c. */
export const dnpt = defineTarget('DNPT', () => ({
  doc: 'Translates the prefix of the destination address without keeping track of connections (RFC 6296).',
  families: ['ipv6'],
  effect: 'continue',
  changes: ['addresses'],
  tables: ['mangle'],
  hooks: ['PREROUTING', 'OUTPUT'],
  options: {
    from: option({ names: ['--src-pfx'], doc: 'the prefix that is replaced', value: ip6Prefix, required: true, save: savePrefix('--src-pfx') }),
    to: option({ names: ['--dst-pfx'], doc: 'the prefix that is put in its place', value: ip6Prefix, required: true, save: savePrefix('--dst-pfx') }),
  },
  // Behind the prefix 16 bits take up what it adds to the checksum.
  rewrites: () => [{ kind: 'unknown', field: 'dst' }],
  apply: ({ from, to }) => from === undefined || to === undefined ? () => Verdict.Continue : prefixTranslation('destination', from.value, to.value),
  examples: [
    ['-j DNPT --src-pfx 2001:db8:1::/48 --dst-pfx fd00:1::/48', '=', { table: 'mangle', chain: 'PREROUTING', family: 'ipv6' }],
    ['-j DNPT --dst-pfx fd00:1::/ffff:ffff:: --src-pfx 2001:0DB8::/0x20', '-j DNPT --src-pfx 2001:db8::/32 --dst-pfx fd00:1::/32', { table: 'mangle', chain: 'PREROUTING', family: 'ipv6' }],
    ['-j DNPT --src-pfx 2001:db8:1::1/48 --dst-pfx fd00:1::/48', undefined, { table: 'mangle', chain: 'PREROUTING', family: 'ipv6' }],
    ['-j DNPT --src-pfx 2001:db8:1::/65 --dst-pfx fd00:1::/48', undefined, { table: 'mangle', chain: 'PREROUTING', family: 'ipv6' }],
    ['-j DNPT --src-pfx 2001:db8:1::/48', undefined, { table: 'mangle', chain: 'PREROUTING', family: 'ipv6' }],
  ],
}));
