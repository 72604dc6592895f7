import type { NatRange as NatMapping } from '../packet/traversal.js';
import type { NatPorts, NatRange } from '../values/nat-range.js';
import type { Given } from './define.js';

/** The options that the NAT targets have in common; each has some of them. */
interface NatOptions {
  readonly to?: Given<NatRange>;
  readonly ports?: Given<NatPorts>;
  readonly random?: Given<true>;
  readonly fully?: Given<true>;
  readonly persistent?: Given<true>;
}

/** What a rule's options ask of NAT: worked out once, when the rule is compiled. */
export function natMapping(side: NatMapping['side'], { to, ports, random, fully, persistent }: NatOptions): NatMapping {
  const addresses = to?.value.addresses;
  const range = ports?.value ?? to?.value.ports;
  return {
    side,
    ...addresses === undefined ? {} : { minAddress: addresses.low, maxAddress: addresses.high },
    ...range === undefined ? {} : { minPort: range.low, maxPort: range.high },
    ...range?.base === undefined ? {} : { basePort: range.base },
    ...random === undefined ? {} : { random: true },
    ...fully === undefined ? {} : { randomFully: true },
    ...persistent === undefined ? {} : { persistent: true },
  };
}
