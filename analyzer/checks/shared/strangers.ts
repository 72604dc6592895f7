/** Packets that anybody on the internet can send. */
import { publicRanges } from '../../packet/address-blocks.js';
import { all, always, any, ctstates, is, masked, oneOf, type Constraint } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import { isUnresolved, type Rule, type Ruleset } from '../../model/ruleset.js';
import type { AddressMask } from '../../values/address-mask.js';
import { parseAddress, prefixLength, type Address } from '../../values/address.js';
import { Problem, type Family } from '../../values/value.js';
import { fromOneToOne } from './between-hosts.js';
import { fromOutside, type Facts } from './outside.js';

/** People anywhere: of documentation networks where these will do, else from all over the world. */
const people: Readonly<Record<Family, readonly Address[]>> = {
  ipv4: parsed('ipv4', ['198.51.100.7', '203.0.113.7', '23.45.67.89', '93.184.216.34', '151.67.89.12', '210.98.76.54']),
  ipv6: parsed('ipv6', ['2001:db8:1::7', '2003:de:17::7', '2400:cb00::7', '2607:f8b0::7', '2a02:26f0::7']),
};

/** An address of this host, where any will do. */
const usualHost = { ipv4: parsed('ipv4', ['192.0.2.1']), ipv6: parsed('ipv6', ['2001:db8::1']) };

/** Addresses as one writes them. */
export function parsed(family: Family, texts: readonly string[]): readonly Address[] {
  return texts.flatMap(text => {
    const address = parseAddress(text, family);
    return address instanceof Problem ? [] : [address];
  });
}

/** Whose packets come by a router: nobody names its address. */
const router = 0x02_00_5e_10_20_30;

/** Longer prefixes than these are somebody's network, not a part of the world. */
const widest: Readonly<Record<Family, number>> = { ipv4: 8, ipv6: 16 };

interface Known {
  /** Those of whose networks no rule says anything: they have no privilege, and are on no list. */
  readonly people: readonly Address[];
  /** Some rule parts the world, so that they need not all fare alike. */
  readonly isParted: boolean;
}

const known = new WeakMap<Ruleset, Known>();

function holds({ address, mask }: AddressMask, person: Address): boolean {
  return typeof person === 'number' ? ((person ^ Number(address)) & Number(mask)) === 0 : ((person ^ BigInt(address)) & BigInt(mask)) === 0n;
}

function knownOf(ruleset: Ruleset): Known {
  const before = known.get(ruleset);
  if (before !== undefined) return before;
  let left = people[ruleset.family];
  let isParted = false;
  for (const table of ruleset.tables.values()) for (const chain of table.chains.values()) for (const { source } of chain.rules) {
    if (source === undefined || isUnresolved(source.value)) continue;
    const { value } = source;
    const met = left.filter(person => holds(value, person));
    if (met.length === 0 || met.length === people[ruleset.family].length) continue;
    if ((prefixLength(value.mask) ?? 128) > widest[ruleset.family]) left = left.filter(person => !met.includes(person));
    else isParted = true;
  }
  const found = { people: left, isParted };
  known.set(ruleset, found);
  return found;
}

/**
 * Whether a packet is a stranger's, from outside, to a public address. A stranger is somebody on the internet whose network no rule names. Never
 * where the rules name everybody who was thought of.
 */
export function fromStrangers(cx: Facts, by: Constraint = fromOutside(cx)): Constraint {
  const { ruleset } = cx;
  const { people: everybody } = knownOf(ruleset);
  const toPublic: Constraint = { kind: 'within', field: 'dst', ranges: publicRanges[ruleset.family] };
  // What a person would choose comes first, and so it is what is shown.
  return all([any([all([oneOf('src', everybody.slice(0, 1)), oneOf('dst', usualHost[ruleset.family])]), toPublic]), fromAnybody(cx, by)]);
}

/** Addresses of people whose networks no rule names, as many as need not all fare alike. */
export function strangerAddresses(ruleset: Ruleset): readonly Address[] {
  const { people: everybody, isParted } = knownOf(ruleset);
  return isParted ? everybody : everybody.slice(0, 1);
}

/** Whether a packet is a stranger's, from outside, wherever it goes: nat may have written that already. */
export function fromAnybody(cx: Facts, by: Constraint = fromOutside(cx)): Constraint {
  return all([oneOf('src', strangerAddresses(cx.ruleset)), by, fromOneToOne(cx.ruleset, false), is('fragment', 0), is('mark', 0), is('connmark', 0), is('srcMac', router)]);
}

/** First packets of strangers; by another interface than those outside where one is said. */
export function strangers(cx: Facts, by?: Constraint): Constraint {
  return all([fromStrangers(cx, by), is('ctstate', ctstates.NEW)]);
}

/** Whether a rule is for those of a named network only: no stranger matches it. Quick, and sometimes wrong about who does. */
export function isForSomebody({ source }: Rule): boolean {
  if (source === undefined || source.negated || isUnresolved(source.value)) return false;
  return (prefixLength(source.value.mask) ?? 0) > widest[typeof source.value.mask === 'number' ? 'ipv4' : 'ipv6'];
}

/** A first packet to one of the ports; where none are said, to any. */
export function firstTo(protocol: 'tcp' | 'udp', ports?: readonly number[]): Constraint {
  return all([is('protocol', protocolNumber[protocol]), ports === undefined ? always : oneOf('dport', ports), ...protocol === 'tcp' ? [masked('tcpFlags', 2, 63)] : []]);
}
