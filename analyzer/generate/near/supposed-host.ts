/** A host on which a rule set makes sense, where nobody describes one: with the interfaces, networks and addresses that the rules name. */
import type { HostSetup } from '../../netfilter/engine.js';
import { bitsOf, contains } from '../../netfilter/host/prefix.js';
import type { Prefix } from '../../netfilter/host/route.js';
import { isUnresolved, type Rule, type Ruleset } from '../../model/ruleset.js';
import { prefixLength, printAddress, type Address } from '../../values/address.js';
import type { Family } from '../../values/value.js';

/** Rules that are looked at, interfaces and networks that the host gets: more make no better host. */
const most = { rules: 5000, interfaces: 12, networks: 100 };

interface Network extends Prefix {
  readonly device: string;
}

function* rulesOf({ tables }: Ruleset): Generator<{ readonly rule: Rule; readonly chain: string }, void> {
  let left = most.rules;
  for (const table of tables.values()) for (const chain of table.chains.values()) for (const rule of chain.rules) {
    if (left-- <= 0) return;
    yield { rule, chain: chain.name };
  }
}

/** The network that is asked for, unless it is everything, or many. */
function prefixIn(given: Rule['source'], family: Family): Prefix | undefined {
  if (given === undefined || given.negated || isUnresolved(given.value)) return undefined;
  const { address, mask } = given.value;
  const length = prefixLength(mask);
  return length === undefined || length === 0 || !isUnicast(address, family) ? undefined : { address, length };
}

/** Neither of a group, nor loopback, nor nobody's. */
function isUnicast(address: Address, family: Family): boolean {
  const first = Number(family === 'ipv4' ? BigInt(address) >> 24n : BigInt(address) >> 120n);
  return family === 'ipv4' ? first > 0 && first < 224 && first !== 127 : first !== 0 && first !== 0xff && first !== 0xfe;
}

function named(given: Rule['inInterface'], negated = false): string | undefined {
  if (given?.negated !== negated || given.value.name === 'lo' || given.value.name === '') return undefined;
  return given.value.prefix ? `${given.value.name}0` : given.value.name;
}

/** Rules that name a network and an interface say where the network is; `! -o` of a rule of nat too: what comes from there leaves elsewhere. */
function networksIn(ruleset: Ruleset): readonly Network[] {
  const found = new Map<string, Network>();
  const add = (prefix: Prefix | undefined, device: string | undefined): void => {
    const key = prefix === undefined ? '' : `${String(prefix.address)}/${String(prefix.length)}`;
    if (prefix !== undefined && device !== undefined && !found.has(key) && found.size < most.networks) found.set(key, { ...prefix, device });
  };
  for (const { rule, chain } of rulesOf(ruleset)) {
    add(prefixIn(rule.source, ruleset.family), named(rule.inInterface) ?? (chain === 'POSTROUTING' ? named(rule.outInterface, true) : undefined));
    if (chain !== 'INPUT') add(prefixIn(rule.destination, ruleset.family), named(rule.outInterface));
  }
  return [...found.values()];
}

const ownSides: Readonly<Record<string, 'source' | 'destination'>> = { INPUT: 'destination', OUTPUT: 'source', PREROUTING: 'destination' };

/** Hardly anybody's own: that by which all of a network are meant. */
function isBroadcast(address: Address): boolean {
  return typeof address === 'number' && address % 256 === 255;
}

/** Addresses that are the host's own: packets for them come to INPUT, or packets from them to OUTPUT. */
function ownIn(ruleset: Ruleset, networks: readonly Network[]): readonly (readonly [Address, string | undefined])[] {
  const bits = bitsOf(ruleset.family);
  const remote = new Set(networks.filter(one => one.length === bits).map(one => one.address));
  const own = new Map<Address, string | undefined>();
  for (const { rule, chain } of rulesOf(ruleset)) {
    const side = ownSides[chain];
    const prefix = side === undefined ? undefined : prefixIn(rule[side], ruleset.family);
    if (prefix?.length === bits && !remote.has(prefix.address) && !isBroadcast(prefix.address) && own.size < most.networks) own.set(prefix.address, own.get(prefix.address) ?? (chain === 'OUTPUT' ? named(rule.outInterface) : named(rule.inInterface)));
  }
  return [...own];
}

/** Those that rules name, and at least two. */
function deviceNames(ruleset: Ruleset): readonly string[] {
  const all = [...rulesOf(ruleset)].flatMap(({ rule: { inInterface, outInterface } }) => [inInterface, outInterface].flatMap(one => named(one) ?? named(one, true) ?? []));
  const names = [...new Set(all)].slice(0, most.interfaces);
  return [...names, ...['eth0', 'eth1'].filter(name => !names.includes(name))].slice(0, Math.max(2, names.length));
}

/** An address of the host in the network, unless it is too small for two. */
function addressIn({ address, length }: Prefix, family: Family): string | undefined {
  if (length > bitsOf(family) - 2) return undefined;
  return `${printAddress(typeof address === 'bigint' ? address + 1n : address + 1)}/${String(length)}`;
}

function spare(family: Family, index: number): string {
  return family === 'ipv4' ? `198.18.${String(index)}.1/24` : `2001:db8:18:${index.toString(16)}::1/64`;
}

/** The host: each interface with an address in its first network, the others routed; the default route leads out of the first interface without a network. */
export function supposedHost(ruleset: Ruleset): HostSetup {
  const { family } = ruleset;
  const networks = networksIn(ruleset);
  const names = deviceNames(ruleset);
  const outside = names.find(name => !networks.some(one => one.device === name)) ?? names[0] ?? 'eth0';
  const own = ownIn(ruleset, networks);
  const interfaces = names.map((name, index) => {
    const inside = networks.filter(one => one.device === name).map(one => addressIn(one, family)).find(one => one !== undefined);
    const mine = own.filter(([address, device]) => (device ?? networks.find(one => contains(one, address, family))?.device ?? outside) === name).map(([address]) => printAddress(address));
    const usual = inside ?? spare(family, index);
    return { name, addresses: [...mine.map(one => `${one}/${String(bitsOf(family))}`), ...mine.includes(usual.split('/', 1)[0] ?? '') ? [] : [usual]] };
  });
  const routes = networks.filter(one => names.includes(one.device)).map(({ address, length, device }) => `${printAddress(address)}/${String(length)} dev ${device}`);
  return { interfaces, routes: [`default dev ${outside}`, ...routes] };
}
