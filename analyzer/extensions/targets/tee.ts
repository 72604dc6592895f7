import { ctstates } from '../../packet/constraint.js';
import { Verdict } from '../../packet/traversal.js';
import type { Address } from '../../values/address.js';
import { hostAddress } from '../../values/host-address.js';
import { text } from '../../values/text.js';
import { Problem, refuse, type Value } from '../../values/value.js';
import { defineTarget, option } from '../define.js';

/** Any address but the one that is all zero. */
const gateway: Value<Address> = {
  ...hostAddress,
  parse: (words, cx) => {
    const address = hostAddress.parse(words, cx);
    return address instanceof Problem || Number(address) !== 0 ? address : refuse('the gateway cannot be the address that is all zero');
  },
  arbitrary: (fc, cx) => hostAddress.arbitrary(fc, cx).filter(([word]) => word !== '0.0.0.0' && word !== '::'),
};

const oif = text({ max: 15, bare: true, cut: true, name: 'interface' });

/** @see tee_tg_check() in net/netfilter/xt_TEE.c */
export const tee = defineTarget('TEE', () => ({
  doc: 'Sends a copy of the packet to another machine of the network.',
  effect: 'continue',
  options: {
    gateway: option({ names: ['--gateway'], doc: 'the address that gets the copy', value: gateway, required: true }),
    oif: option({ names: ['--oif'], doc: 'the interface through which it goes', value: oif, save: ({ value }) => value === '' ? '' : `--oif ${value}` }),
  },
  // A copy is untracked and sets off no other (nf_dup_ipv4).
  apply: ({ gateway: to, oif: through }) => {
    const interfaceName = through === undefined || through.value === '' ? undefined : through.value;
    return t => {
      const isCopy = t.packet.isGenerated && t.packet.ctstate === ctstates.UNTRACKED;
      if (!isCopy) t.world.duplicate(t, to?.value ?? 0, interfaceName);
      return Verdict.Continue;
    };
  },
  examples: [
    ['-j TEE --gateway 192.0.2.1 --oif eth0', '='],
    ['-j TEE --oif "" --gateway 10.1', '-j TEE --gateway 10.0.0.1'],
    ['-j TEE --gateway 2001:DB8:0::1', '-j TEE --gateway 2001:db8::1', { family: 'ipv6' }],
    ['-j TEE --gateway 0.0.0.0', undefined],
    ['-j TEE --gateway 2001:db8::1', undefined],
    ['-j TEE --oif eth0', undefined],
  ],
}));
