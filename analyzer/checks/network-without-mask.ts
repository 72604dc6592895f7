import type { Severity } from '../model/diagnostic.js';
import { isUnresolved, type RuleBody } from '../model/ruleset.js';
import { optionSpan } from '../model/spans.js';
import { BuiltInOption } from '../extensions/option-scope.js';
import { isPrivate, publicRanges } from '../packet/address-blocks.js';
import type { Range } from '../packet/constraint.js';
import { printAddressMask, type AddressMask } from '../values/address-mask.js';
import { addressKey, fullMask, printAddress, type Address } from '../values/address.js';
import { defineCheck, type CheckContext, type Report, type RuleInChain } from './define-check.js';
import { networksOf } from './shared/host-networks.js';
import { othersTold, theSame } from './shared/the-same.js';

const sides = ['source', 'destination'] as const;
type Side = typeof sides[number];

const interfaceBits = (1n << 64n) - 1n;

function isWithin(address: Address, { low, high }: Range): boolean {
  return low <= address && address <= high;
}

/** One address that may be a network's own, as nobody has one that ends so: of IPv4 a private one that ends in 0, of IPv6 one that ends in 64 zeros (RFC 4291, 2.6.1). */
function networkNamed(given: RuleBody['source']): AddressMask | undefined {
  if (given === undefined || isUnresolved(given.value)) return undefined;
  const { address, mask } = given.value;
  const isNetwork = typeof address === 'number' ? address % 256 === 0 && isPrivate(address) : (address & interfaceBits) === 0n && (isPrivate(address) || publicRanges.ipv6.some(one => isWithin(address, one)));
  return isNetwork && mask === fullMask(typeof address === 'number' ? 'ipv4' : 'ipv6') ? given.value : undefined;
}

/** Rules that name the same address, in the order in which they stand. */
interface Named {
  readonly value: AddressMask;
  readonly side: Side;
  readonly at: RuleInChain;
  readonly others: RuleInChain[];
}

/** The networks that rules name with their masks, by the key of the address with which they begin. */
function maskedIn(cx: CheckContext): ReadonlyMap<number | string, AddressMask> {
  const found = new Map<number | string, AddressMask>();
  for (const table of cx.ruleset.tables.values()) for (const { rule } of cx.rules(table)) for (const side of sides) {
    const given = rule[side];
    if (given !== undefined && !isUnresolved(given.value) && given.value.mask !== fullMask(cx.ruleset.family)) found.set(addressKey(given.value.address), given.value);
  }
  return found;
}

/** In a network of more than 256 addresses some host may have such an address: outside of 192.168.0.0/16 they are no rarity. */
function severityOf(address: Address, isNamedWithMask: boolean): Severity {
  return isNamedWithMask || typeof address === 'bigint' || address % 65_536 === 0 || address >>> 16 === 0xc0a8 ? 'warning' : 'info';
}

/** How long the prefix mostly is of a network that begins so. */
function usualLength(address: Address): number {
  if (typeof address === 'bigint') return 64;
  if (address % 65_536 !== 0) return 24;
  return address === 0x0a00_0000 ? 8 : address === 0xac10_0000 ? 12 : 16;
}

function report(cx: CheckContext, { value, side, at, others }: Named, masked: AddressMask | undefined, isKnown: boolean): Report {
  const { address } = value;
  const key = side === 'source' ? 's' : 'd';
  const meant = masked === undefined ? `${printAddress(address)}/${String(usualLength(address))}` : printAddressMask(masked);
  return {
    at, span: optionSpan(cx.ruleset, at.rule, option => option.shape instanceof BuiltInOption && option.shape.key === key),
    severity: severityOf(address, isKnown || masked !== undefined), certainty: isKnown ? 'certain' : 'possible', alike: others.length + 1,
    message: `${printAddress(address)} is one address here, a network’s own, which no host has`,
    because: theSame(others.slice(0, othersTold)),
    help: `if the network is meant, say how large it is: -${key} ${meant}`,
  };
}

export const networkWithoutMask = defineCheck({
  name: 'network-without-mask',
  kind: 'hygiene',
  severity: 'warning',
  summary: 'The address of a network stands without its mask, and means one address that no host has',
  why: `\`-s 192.168.1.0\` is not the network 192.168.1.0/24: without a mask it is the one address 192.168.1.0, from which nobody sends,
and so the rule is for nobody; with \`!\` before it, it is for everybody. iptables-save prints it as 192.168.1.0/32. It is told of private IPv4 addresses that end in 0, and of IPv6 addresses that end
in 64 zeros. In a network that is larger than usual some host may have such an address, so it is only possible, and an info where that is not unlikely; where the
interfaces of the host are known, it is certain or not said.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.168.1.0/32 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.168.1.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 203.0.113.0/32 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  * run(cx) {
    const found = new Map<number | string, Named>();
    for (const table of cx.ruleset.tables.values()) for (const at of cx.rules(table)) for (const side of sides) {
      const value = networkNamed(at.rule[side]);
      if (value === undefined) continue;
      const key = addressKey(value.address);
      const known = found.get(key);
      if (known === undefined) found.set(key, { value, side, at, others: [] });
      else known.others.push(at);
    }
    if (found.size === 0) return;
    const masked = maskedIn(cx);
    const networks = networksOf(cx.host, cx.ruleset.family).map(one => one.network).filter(({ low, high }) => low < high);
    for (const [key, named] of found) {
      const { address } = named.value;
      const isNetwork = networks.some(({ low }) => low === address);
      if (isNetwork || !networks.some(one => isWithin(address, one))) yield report(cx, named, masked.get(key), isNetwork);
    }
  },
});
