/** The kernel's switches (`sysctl`) as a host has them. */
import type { Family } from '../../values/value.js';
import { sysctlDefaults } from './sysctl-defaults.js';

/** What a scenario that says nothing means: a router in both families, which looks at no source. */
export const scenarioSysctls: Readonly<Record<string, number>> = {
  'net.ipv4.ip_forward': 1,
  'net.ipv6.conf.all.forwarding': 1,
};

/** Older names and places of the same switch. */
const otherNames: Readonly<Record<string, string>> = {
  'net.nf_conntrack_max': 'net.netfilter.nf_conntrack_max',
  'net.ipv4.conf.all.forwarding': 'net.ipv4.ip_forward',
};

/** `net/ipv4/conf/eth0.5/rp_filter` and `net.ipv4.conf.eth0/5.rp_filter` are one switch; kept in the second form. */
export function canonical(name: string): string {
  const firstSlash = name.indexOf('/');
  const firstDot = name.indexOf('.');
  const isPath = firstSlash !== -1 && (firstDot === -1 || firstSlash < firstDot);
  const dotted = isPath ? name.replace(/[./]/gu, character => character === '.' ? '/' : '.') : name;
  return otherNames[dotted] ?? dotted;
}

/** Writing it sets the switch of every interface too (devinet_sysctl_forward(), addrconf_fixup_forwarding()). */
const global4 = 'net.ipv4.ip_forward', global6 = 'net.ipv6.conf.all.forwarding';
const ownForwarding = /^net\.(ipv[46])\.conf\.(?!all\.).*\.forwarding$/u;

/** What one interface does with IPv4 packets: its own switches put together with those of `all` as the IN_DEV_… macros do (include/linux/inetdevice.h). */
export interface DeviceSwitches4 {
  readonly forwarding: boolean;
  readonly broadcastForwarding: boolean;
  readonly multicastForwarding: boolean;
  /** 0 off, 1 strict, 2 loose. */
  readonly rpFilter: number;
  readonly markInReversePath: boolean;
  readonly acceptLocal: boolean;
  readonly acceptSourceRoute: boolean;
  readonly routeLocalnet: boolean;
  readonly sendRedirects: boolean;
  readonly dropUnicastInLayer2Multicast: boolean;
}

export interface DeviceSwitches6 {
  readonly disabled: boolean;
  readonly forwarding: boolean;
  /** Forwards though `all.forwarding` is off. */
  readonly forceForwarding: boolean;
  readonly dropUnicastInLayer2Multicast: boolean;
  readonly useOutInterfaceAddressesOnly: boolean;
  readonly hopLimit: number;
}

/** All switches of a host. They may change between packets; what follows from them is worked out anew then. */
export class Sysctls {
  readonly #values = new Map<string, number>();
  /** By the names under which they were asked for. */
  readonly #read = new Map<string, number>();
  readonly #devices4 = new Map<string, DeviceSwitches4>();
  readonly #devices6 = new Map<string, DeviceSwitches6>();

  constructor(given: Readonly<Record<string, number | string>> = {}) {
    this.set(given);
  }

  /** Those of all interfaces first: they would undo what is said of one. Values that are not one number are left out. */
  set(given: Readonly<Record<string, number | string>>): void {
    const entries = Object.entries(given).map(([name, value]) => [canonical(name), Number(value)] as const).filter(([, value]) => Number.isFinite(value));
    for (const [name, value] of entries) if (name === global4 || name === global6) this.#setGlobal(name, value);
    for (const [name, value] of entries) if (name !== global4 && name !== global6) this.#values.set(name, value);
    this.#read.clear();
    this.#devices4.clear();
    this.#devices6.clear();
  }

  #setGlobal(name: string, value: number): void {
    const family = name === global4 ? 'ipv4' : 'ipv6';
    for (const other of this.#values.keys()) if (ownForwarding.exec(other)?.[1] === family) this.#values.delete(other);
    this.#values.set(name, value);
  }

  /** Any switch by its name, `net.ipv4.ip_default_ttl`: as it was set, else the kernel's default. */
  get(name: string): number {
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const key = canonical(name);
    const value = this.#values.get(key) ?? sysctlDefaults[key] ?? 0;
    this.#read.set(name, value);
    return value;
  }

  /** A switch of an interface (`conf.eth0.…`), else what new interfaces get by the kernel's default. */
  #own(family: Family, device: string, key: string): number {
    const name = `net.${family}.conf.${device.replaceAll('.', '/')}.${key}`;
    const given = this.#values.get(name);
    if (given !== undefined) return given;
    if (key === 'forwarding') return this.get(family === 'ipv4' ? global4 : global6);
    // Writing it sets those of the interfaces (addrconf_disable_ipv6()).
    if (key === 'disable_ipv6') return this.#all(family, key);
    return sysctlDefaults[`net.${family}.conf.default.${key}`] ?? 0;
  }

  #all(family: Family, key: string): number {
    return this.get(`net.${family}.conf.all.${key}`);
  }

  device4(name: string): DeviceSwitches4 {
    const known = this.#devices4.get(name);
    if (known !== undefined) return known;
    const all = (key: string): number => this.#all('ipv4', key);
    const own = (key: string): number => this.#own('ipv4', name, key);
    const both = (key: string): boolean => all(key) !== 0 && own(key) !== 0;
    const either = (key: string): boolean => all(key) !== 0 || own(key) !== 0;
    const made: DeviceSwitches4 = {
      forwarding: own('forwarding') !== 0,
      broadcastForwarding: both('bc_forwarding'),
      multicastForwarding: both('mc_forwarding'),
      rpFilter: Math.max(all('rp_filter'), own('rp_filter')),
      markInReversePath: either('src_valid_mark'),
      acceptLocal: either('accept_local'),
      acceptSourceRoute: both('accept_source_route'),
      routeLocalnet: either('route_localnet'),
      sendRedirects: either('send_redirects'),
      dropUnicastInLayer2Multicast: either('drop_unicast_in_l2_multicast'),
    };
    this.#devices4.set(name, made);
    return made;
  }

  device6(name: string): DeviceSwitches6 {
    const known = this.#devices6.get(name);
    if (known !== undefined) return known;
    const own = (key: string): number => this.#own('ipv6', name, key);
    const made: DeviceSwitches6 = {
      disabled: own('disable_ipv6') !== 0,
      forwarding: own('forwarding') !== 0,
      forceForwarding: own('force_forwarding') !== 0,
      dropUnicastInLayer2Multicast: own('drop_unicast_in_l2_multicast') !== 0,
      useOutInterfaceAddressesOnly: own('use_oif_addrs_only') !== 0,
      hopLimit: own('hop_limit'),
    };
    this.#devices6.set(name, made);
    return made;
  }
}
