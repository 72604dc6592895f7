/** A host as packets see it: which addresses are its own, and behind which interface the others are. */
import type { HostSetup } from '../../netfilter/engine.js';
import { contains, readAddress } from '../../netfilter/host/prefix.js';
import { ownAddresses, waysOf, type Way } from '../../netfilter/scenario/arrival.js';
import { clientsOf } from '../../packet-space/preferences.js';
import { printAddress, type Address } from '../../values/address.js';
import type { Family } from '../../values/value.js';

/** Hosts of a network that are drawn where no rule names one. */
const hostNumbers = [10, 20, 77];

export class Terrain {
  readonly family: Family;
  readonly setup: HostSetup;
  /** Without `lo`; at least one. */
  readonly interfaces: readonly string[];
  readonly #own: ReadonlyMap<string, readonly string[]>;
  readonly #ways: readonly Way[];
  readonly #behind = new Map<string, readonly string[]>();

  constructor(family: Family, setup: HostSetup) {
    this.family = family;
    this.setup = setup;
    const devices = (setup.interfaces ?? []).filter(({ name }) => name !== 'lo');
    this.interfaces = devices.length === 0 ? ['eth0'] : devices.map(({ name }) => name);
    this.#own = new Map(devices.map(one => [one.name, ownAddresses(one, family).map(printAddress)]));
    this.#ways = waysOf(family, setup);
  }

  /** All addresses of the host but loopback's; those of `device` first. */
  own(device: string): readonly string[] {
    const all = [...this.#own.values()].flat();
    return [...this.#own.get(device) ?? [], ...all.filter(one => this.#own.get(device)?.includes(one) !== true)];
  }

  /** `local`, or the interface that leads to the address; undefined: none does. */
  wayTo(address: string): string | undefined {
    if ([...this.#own.values()].some(own => own.includes(address))) return 'local';
    const number = readAddress(address, this.family);
    return number === undefined ? undefined : this.#ways.find(({ prefix }) => contains(prefix, number, this.family))?.device;
  }

  /** Addresses of others that are reached by the interface; at least one, though maybe by another interface. */
  behind(device: string): readonly string[] {
    const known = this.#behind.get(device);
    if (known !== undefined) return known;
    const near = this.#ways.filter(way => way.device === device && way.prefix.length > 0).flatMap(({ prefix: { address } }) => hostNumbers.map(number => plus(address, number)));
    const far = clientsOf(this.family).map(one => printAddress(one));
    const found = [...near, ...far].filter(one => this.wayTo(one) === device);
    const behind = found.length === 0 ? far.slice(0, 1) : found;
    this.#behind.set(device, behind);
    return behind;
  }
}

/** The host of this number in the network. */
function plus(address: Address, number: number): string {
  return printAddress(typeof address === 'bigint' ? address + BigInt(number) : (address + number) % 2 ** 32);
}
