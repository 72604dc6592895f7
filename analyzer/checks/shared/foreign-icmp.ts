/** Numbers of ICMP types of the other family. */
import { protocolNumber } from '../../packet/protocols.js';
import type { Constraint } from '../../packet/constraint.js';
import type { Family } from '../../values/value.js';
import { rangesOf } from './asked.js';

interface Meant {
  readonly name: string;
  /** Its number in this family. */
  readonly number: number;
}

/** Types that only the other family has by these numbers (those that a family has not are not assigned there), and what they are in this one. @see https://www.iana.org/assignments/icmp-parameters, https://www.iana.org/assignments/icmpv6-parameters */
const foreignTypes: Readonly<Record<Family, ReadonlyMap<number, Meant>>> = {
  ipv4: new Map([
    [128, { name: 'echo request', number: 8 }], [129, { name: 'echo reply', number: 0 }],
    [133, { name: 'router solicitation', number: 10 }], [134, { name: 'router advertisement', number: 9 }], [137, { name: 'redirect', number: 5 }],
  ]),
  ipv6: new Map([
    [0, { name: 'echo reply', number: 129 }], [8, { name: 'echo request', number: 128 }], [5, { name: 'redirect', number: 137 }],
    [9, { name: 'router advertisement', number: 134 }], [10, { name: 'router solicitation', number: 133 }], [11, { name: 'time exceeded', number: 3 }], [12, { name: 'parameter problem', number: 4 }],
  ]),
};

const protocols: Readonly<Record<Family, number>> = { ipv4: protocolNumber.icmp, ipv6: protocolNumber.icmpv6 };

export interface ForeignType extends Meant {
  readonly type: number;
}

/** The type that a rule of this family asks for by the number of the other; undefined where it asks for others as well, or for one that there is. */
export function foreignType(family: Family, asks: Constraint): ForeignType | undefined {
  const [one, ...more] = rangesOf(asks, 'icmpType') ?? [];
  const [protocol] = rangesOf(asks, 'protocol') ?? [];
  if (one === undefined || more.length > 0 || one.low !== one.high || protocol?.low !== protocols[family]) return undefined;
  const type = Number(one.low);
  const meant = foreignTypes[family].get(type);
  return meant === undefined ? undefined : { ...meant, type };
}
