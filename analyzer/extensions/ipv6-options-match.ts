import { atom } from '../packet/constraint.js';
import { ipv6Options } from '../values/ipv6-options.js';
import { ipv6HeaderLength, ipv6HeaderOrDrop } from '../packet/ipv6-headers.js';
import type { Packet } from '../packet/packet.js';
import type { Predicate } from '../packet/traversal.js';
import { integer } from '../values/number.js';
import { isNumber } from './asks.js';
import { option, type Given, type OptionDefinition } from './define.js';
import type { Ipv6Option } from '../values/ipv6-options.js';
import { max32 } from './save-full-range.js';

export interface HeaderOptions extends Record<string, OptionDefinition<number> | OptionDefinition<readonly Ipv6Option[]>> {
  readonly length: OptionDefinition<number>;
  readonly options: OptionDefinition<readonly Ipv6Option[]>;
}

/** The options of the two matches that look into an IPv6 options header (`hbh_mt6`, net/ipv6/netfilter/ip6t_hbh.c). */
export function headerOptions(name: 'hbh' | 'dst'): HeaderOptions {
  return {
    length: option({ names: [`--${name}-len`], doc: 'length of the header in bytes', value: integer(0, max32), negatable: true, means: length => atom(`${name} length ${String(length)}`) }),
    options: option({ names: [`--${name}-opts`], doc: 'the options it begins with, and their lengths', value: ipv6Options, means: (list, cx) => atom(`${name} options ${ipv6Options.print(list, cx)}`) }),
  };
}

/** Whether the options between bytes `from` and `to` begin with these. The last of them may reach beyond the header. */
function beginsWith(packet: Packet, from: number, to: number, options: readonly Ipv6Option[]): boolean {
  let at = from;
  for (const { type, length } of options) {
    if (at >= to || packet.u8(at) !== type) return false;
    if (type === 0) at += 1;
    else if (at + 2 > to || (length !== undefined && packet.u8(at + 1) !== length)) return false;
    else at += packet.u8(at + 1) + 2;
  }
  return true;
}

interface HeaderGiven {
  readonly length?: Given<number>;
  readonly options?: Given<readonly Ipv6Option[]>;
}

/** What they answer: that the packet has the header, whole, and that it is as the options say. */
export function hasHeader(kind: number): (given: HeaderGiven) => Predicate {
  return ({ length, options }) => t => {
    const at = ipv6HeaderOrDrop(t, kind, 2);
    if (at === undefined) return false;
    const size = ipv6HeaderLength(t.packet, kind, at);
    return isNumber(length, size) && (options === undefined || beginsWith(t.packet, at + 2, at + size, options.value));
  };
}
