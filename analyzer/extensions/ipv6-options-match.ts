import { atom } from '../packet/constraint.js';
import { ipv6Options } from '../values/ipv6-options.js';
import { integer } from '../values/number.js';
import { option, type OptionDefinition } from './define.js';
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
