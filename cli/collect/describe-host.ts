/** What the commands printed, as a host file. */
import type { HostDescription, HostInterface, HostRuleSet, PerFamily } from '../../analyzer/netfilter/host/host.js';
import { readInterfaces } from './read-interfaces.js';
import { readSockets } from './read-sockets.js';
import type { CommandName } from './read-commands.js';

/** By command; what failed or was not run is not there. */
export type Printed = ReadonlyMap<CommandName, string>;

function readJson(text: string): unknown {
  // `ip` prints nothing where there is nothing.
  return text.trim() === '' ? [] : JSON.parse(text);
}

function list(text: string | undefined): readonly Readonly<Record<string, unknown>>[] | undefined {
  const json = text === undefined ? undefined : readJson(text);
  return Array.isArray(json) ? json as Readonly<Record<string, unknown>>[] : undefined;
}

function perFamily<T>(ipv4: T | undefined, ipv6: T | undefined): PerFamily<T> {
  return { ...ipv4 !== undefined && { ipv4 }, ...ipv6 !== undefined && { ipv6 } };
}

/** Those that are one number, without what concerns neighbours and TCP's memory; `stable_secret` and keys are none. */
export function readSysctls(text: string): Readonly<Record<string, number>> {
  const entries = [...text.matchAll(/^(net\.(?:ipv4|ipv6|netfilter|bridge)\.\S+) = (-?\d+)$/gmu)];
  return Object.fromEntries(entries.filter(([, name = '']) => !name.includes('.neigh.')).map(([, name = '', value]) => [name, Number(value)]));
}

const ruleSetKeys = [['ipv4', 'nft', 'nft4'], ['ipv6', 'nft', 'nft6'], ['ipv4', 'legacy', 'legacy4'], ['ipv6', 'legacy', 'legacy6']] as const;

function ruleSetsOf(printed: Printed): readonly HostRuleSet[] {
  return ruleSetKeys.map(([family, backend, key]) => ({ family, backend, text: printed.get(key) ?? '' })).filter(({ text }) => /^\*/mu.test(text));
}

function interfacesOf(printed: Printed): readonly HostInterface[] | undefined {
  const addresses = printed.get('addresses');
  return addresses === undefined ? undefined : readInterfaces(readJson(addresses), readJson(printed.get('multicast') ?? ''));
}

function versionsOf(printed: Printed): NonNullable<HostDescription['versions']> {
  const kernel = printed.get('kernel')?.trim();
  const iptables = /v([\d.]+.*)/u.exec(printed.get('iptables') ?? '')?.[1]?.trim();
  const iproute2 = /iproute2-(\S+?),?\s/u.exec(`${printed.get('iproute2') ?? ''} `)?.[1];
  return { ...kernel !== undefined && { kernel }, ...iptables !== undefined && { iptables }, ...iproute2 !== undefined && { iproute2 } };
}

/** @param problems what could not be read, and why */
export function describeHost(printed: Printed, now: Date, problems: readonly string[]): HostDescription {
  const interfaces = interfacesOf(printed), sysctls = printed.get('sysctls'), ipsets = printed.get('ipsets'), sockets = printed.get('sockets');
  return {
    collected: now.toISOString(),
    timeZoneOffset: -now.getTimezoneOffset() * 60,
    versions: versionsOf(printed),
    ...interfaces !== undefined && { interfaces },
    routes: perFamily(list(printed.get('routes4')), list(printed.get('routes6'))),
    rules: perFamily(list(printed.get('rules4')), list(printed.get('rules6'))),
    ...sysctls !== undefined && { sysctls: readSysctls(sysctls) },
    ruleSets: ruleSetsOf(printed),
    ...ipsets !== undefined && { ipsets },
    conntrack: perFamily(printed.get('conntrack4'), printed.get('conntrack6')),
    ...sockets !== undefined && { sockets: readSockets(sockets) },
    ...problems.length > 0 && { problems },
  };
}
