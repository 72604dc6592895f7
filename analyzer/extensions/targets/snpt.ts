import { Verdict } from '../../packet/traversal.js';
import { ip6Prefix, type Ip6Prefix } from '../../values/ip6-prefix.js';
import { defineTarget, option, type OptionDefinition } from '../define.js';
import { prefixTranslation } from '../prefix-translation.js';

/** `::/0` is not saved. */
function prefix(name: `--${string}`, doc: string): OptionDefinition<Ip6Prefix> {
  return option({ names: [name], doc, value: ip6Prefix, required: true, save: ({ value }, cx) => value.length === 0 ? '' : `${name} ${ip6Prefix.print(value, cx)}` });
}

/** @see ip6t_snpt_tg() in net/ipv6/netfilter/ip6t_NPT.c */
export const snpt = defineTarget('SNPT', () => ({
  doc: 'Exchanges the prefix of the source address, without keeping state.',
  effect: 'continue',
  changes: ['addresses'],
  families: ['ipv6'],
  tables: ['mangle'],
  hooks: ['INPUT', 'POSTROUTING'],
  options: {
    source: prefix('--src-pfx', 'the prefix inside'),
    destination: prefix('--dst-pfx', 'the prefix that takes its place'),
  },
  // Behind the prefix 16 bits take up what it adds to the checksum.
  rewrites: () => [{ kind: 'unknown', field: 'src' }],
  apply: ({ source, destination }) => source === undefined || destination === undefined ? () => Verdict.Continue : prefixTranslation('source', source.value, destination.value),
  examples: [
    ['-j SNPT --src-pfx fd00::/64 --dst-pfx 2001:db8::/48', '=', { family: 'ipv6', table: 'mangle', chain: 'POSTROUTING' }],
    ['-j SNPT --dst-pfx ::/0 --src-pfx FD00::/0x40', '-j SNPT --src-pfx fd00::/64', { family: 'ipv6', table: 'mangle', chain: 'INPUT' }],
    ['-j SNPT --src-pfx fd00::1/64 --dst-pfx 2001:db8::/64', undefined, { family: 'ipv6', table: 'mangle', chain: 'POSTROUTING' }],
    ['-j SNPT --src-pfx fd00::/65 --dst-pfx 2001:db8::/64', undefined, { family: 'ipv6', table: 'mangle', chain: 'POSTROUTING' }],
    ['-j SNPT --src-pfx fd00::/64', undefined, { family: 'ipv6', table: 'mangle', chain: 'POSTROUTING' }],
  ],
}));
