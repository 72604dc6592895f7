/** The host that packets speak of, where nobody describes it. */
import type { Ruleset } from '../../model/ruleset.js';
import type { HostSetup } from '../engine.js';
import type { ScenarioInterface, ScenarioPacket } from '../scenario.js';
import { parseIPv6, printAddress } from '../../values/address.js';
import type { Family } from '../../values/value.js';
import { listenerOf } from '../host/address-kind.js';

export interface AssumedHost {
  readonly setup: HostSetup;
  /** What was assumed, in a sentence. */
  readonly said: string;
}

interface Arrival {
  /** An interface, `local`, or undefined where nothing is said. */
  readonly in: string | undefined;
  readonly packet: ScenarioPacket;
}

const usual = 'eth0';

/** The address that must be the host's: where a packet that arrives goes to (or one by which it is asked for there), or where a packet of its own comes from. */
function ownAddress({ in: from, packet }: Arrival): string | undefined {
  return from === 'local' ? packet.src : packet.dst === undefined ? undefined : askedFor(packet.dst) ?? packet.dst;
}

/** An address that neighbours look for by this group: `fe80::1` by `ff02::1:ff00:1`. Undefined: it is no such group. */
export function askedFor(group: string): string | undefined {
  const address = parseIPv6(group);
  const listener = address === undefined ? undefined : listenerOf(address);
  return listener === undefined ? undefined : printAddress(listener);
}

/**
 * The simplest host that has a part in these packets: what arrives is for it, and what it sends has its address. All
 * addresses are on the interfaces that are named, or on eth0, and the default route leads out of the first.
 */
export function assumedHost(arrivals: readonly Arrival[], family: Family): AssumedHost {
  const onInterface = new Map<string, Set<string>>();
  const bits = family === 'ipv4' ? 32 : 128;
  for (const arrival of [...arrivals].sort((a, b) => Number(a.in === 'local') - Number(b.in === 'local'))) {
    const [first = usual] = onInterface.keys();
    const name = arrival.in === undefined || arrival.in === 'local' || arrival.in === 'lo' ? first : arrival.in;
    const addresses = onInterface.get(name) ?? new Set();
    onInterface.set(name, addresses);
    const own = ownAddress(arrival);
    const isKnown = [...onInterface.values()].some(others => own !== undefined && others.has(own));
    if (own !== undefined && !isKnown && isUnicast(own)) addresses.add(own);
  }
  const interfaces = [...onInterface].map(([name, addresses]): ScenarioInterface => ({ name, addresses: [...addresses].map(address => `${address}/${String(bits)}`) }));
  const said = interfaces.map(({ name, addresses }) => `${addresses.map(address => address.split('/', 1)[0]).join(', ') || 'no address'} on ${name}`).join('; ');
  return { setup: { interfaces, routes: [`default dev ${interfaces[0]?.name ?? usual}`] }, said };
}

/** The interfaces that rules name in full, in the order of the file. */
export function interfacesNamed({ tables }: Ruleset): readonly string[] {
  const names = new Set<string>();
  for (const table of tables.values()) for (const chain of table.chains.values()) for (const { inInterface, outInterface } of chain.rules) {
    for (const one of [inInterface, outInterface]) if (one !== undefined && !one.value.prefix) names.add(one.value.name);
  }
  return [...names];
}

/** Multicast, broadcast and loopback are no addresses of an interface. */
function isUnicast(address: string): boolean {
  const first = Number(address.split('.', 1)[0]);
  return address.includes(':') ? !/^ff|^::1$/iu.test(address) : first < 224 && first !== 127 && first !== 0;
}
