import { all, is, within, type Constraint } from '../packet/constraint.js';
import type { IcmpType } from '../values/icmp-type.js';

/** That a packet has this type, and one of its codes. */
export function icmpMeaning({ type, lowCode, highCode }: IcmpType): Constraint {
  return all([is('icmpType', type), within('icmpCode', lowCode, highCode)]);
}
