/** The network that a server inside is in, and the interface behind which it is: as the host says, or the rules do. */
import { isPrivate } from '../../packet/address-blocks.js';
import type { Range } from '../../packet/constraint.js';
import { isUnresolved, type Rule, type Ruleset } from '../../model/ruleset.js';
import { fullMask, prefixLength, type Address } from '../../values/address.js';
import type { CheckContext } from '../define-check.js';
import { networksOf } from './host-networks.js';
import { virtualNames } from './outside.js';
import { effectOf } from './targets.js';
import { wholeRules } from './whole-rules.js';

export interface InnerNetwork {
  readonly network: Range;
  readonly device: string;
  /** The host said it; else the rules name such a network. */
  readonly isKnown: boolean;
}

/** Shorter prefixes than the first are no one network, longer ones than the second no network. */
const lengths = { ipv4: [16, 30], ipv6: [48, 126] } as const;

function* rulesOf({ tables }: Ruleset): Generator<Rule, void> {
  for (const name of ['nat', 'filter'] as const) {
    const table = tables.get(name);
    if (table !== undefined) yield* wholeRules(table);
  }
}

function sourceOf({ source }: Rule, family: Ruleset['family']): Range | undefined {
  if (source === undefined || source.negated || isUnresolved(source.value) || !isPrivate(source.value.address)) return undefined;
  const { address, mask } = source.value;
  const length = prefixLength(mask) ?? 0;
  const [shortest, longest] = lengths[family];
  if (length < shortest || length > longest) return undefined;
  return typeof address === 'number' ? { low: address, high: address + (0xffff_ffff - Number(mask)) } : { low: address, high: address | (BigInt(fullMask(family)) ^ BigInt(mask)) };
}

const holds = ({ low, high }: Range, address: Address): boolean => low <= address && address <= high;
const isVirtual = (name: string): boolean => name === 'lo' || virtualNames.some(one => name.startsWith(one));

/** Whether a rule is for what goes to an address of a network. */
function goesTo({ destination }: Rule, network: Range): boolean {
  return destination?.negated === false && !isUnresolved(destination.value) && holds(network, destination.value.address);
}

/** By what interface people of a network come: a rule says so, or by which packets go there, or there is no other but those at which packets are translated. */
function deviceOf(ruleset: Ruleset, { low, high }: Range): string | undefined {
  const named = new Set<string>();
  const own = new Set<string>();
  const outside = new Set<string>();
  for (const rule of rulesOf(ruleset)) {
    const source = sourceOf(rule, ruleset.family);
    const { inInterface: from, outInterface: to } = rule;
    for (const one of [from, to]) if (one !== undefined && !one.negated && !one.value.prefix && !isVirtual(one.value.name)) named.add(one.value.name);
    if (from !== undefined && !from.negated && !from.value.prefix && source?.low === low && source.high === high) own.add(from.value.name);
    if (to !== undefined && !to.negated && !to.value.prefix && goesTo(rule, { low, high })) own.add(to.value.name);
    if (effectOf(rule) === 'nat') for (const one of [from, to]) if (one !== undefined && !one.negated) outside.add(one.value.name);
  }
  const [only, ...more] = own.size > 0 ? own : [...named].filter(name => !outside.has(name));
  if (more.length > 0) return undefined;
  return only ?? ['eth1', 'eth0'].find(name => !named.has(name));
}

interface Named extends Range {
  /** Found when it is asked for; undefined where the rules do not show it. */
  readonly device: () => string | undefined;
}

const namedIn = new WeakMap<Ruleset, readonly Named[]>();

/** Private networks from which rules say that packets come, the smallest first. */
function namedNetworks(ruleset: Ruleset): readonly Named[] {
  let named = namedIn.get(ruleset);
  if (named !== undefined) return named;
  const different = new Map<string, Named>();
  for (const rule of rulesOf(ruleset)) {
    const range = sourceOf(rule, ruleset.family);
    const key = `${String(range?.low)} ${String(range?.high)}`;
    if (range === undefined || different.has(key)) continue;
    let device: { readonly name: string | undefined } | undefined;
    different.set(key, { ...range, device: () => (device ??= { name: deviceOf(ruleset, range) }).name });
  }
  named = [...different.values()].sort((a, b) => Number(BigInt(a.high) - BigInt(a.low) - (BigInt(b.high) - BigInt(b.low))));
  namedIn.set(ruleset, named);
  return named;
}

/** Undefined where neither the host nor the rules show in what network an address is. */
export function innerNetwork({ ruleset, host }: Pick<CheckContext, 'ruleset' | 'host'>, address: Address): InnerNetwork | undefined {
  const known = networksOf(host, ruleset.family);
  if (known.length > 0) {
    const one = known.find(({ network }) => network.low !== network.high && holds(network, address));
    return one === undefined ? undefined : { network: one.network, device: one.device, isKnown: true };
  }
  const network = namedNetworks(ruleset).find(one => holds(one, address));
  const device = network?.device();
  return network === undefined || device === undefined ? undefined : { network: { low: network.low, high: network.high }, device, isKnown: false };
}
