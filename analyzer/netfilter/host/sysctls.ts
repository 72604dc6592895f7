/** The kernel's switches (`sysctl`), with their defaults in a fresh network namespace of Linux 6.18. */
import type { Family } from '../../values/value.js';

/** Defaults that are not 0. What is not listed is 0. Sizes that hang on memory are those of a machine with plenty. */
const defaults: Readonly<Record<string, number>> = {
  'net.bridge.bridge-nf-call-arptables': 1,
  'net.bridge.bridge-nf-call-ip6tables': 1,
  'net.bridge.bridge-nf-call-iptables': 1,
  'net.ipv4.conf.all.accept_redirects': 1,
  'net.ipv4.conf.all.secure_redirects': 1,
  'net.ipv4.conf.all.send_redirects': 1,
  'net.ipv4.conf.all.shared_media': 1,
  'net.ipv4.conf.default.accept_redirects': 1,
  'net.ipv4.conf.default.accept_source_route': 1,
  'net.ipv4.conf.default.secure_redirects': 1,
  'net.ipv4.conf.default.send_redirects': 1,
  'net.ipv4.conf.default.shared_media': 1,
  'net.ipv4.fib_multipath_hash_fields': 7,
  'net.ipv4.icmp_echo_ignore_broadcasts': 1,
  'net.ipv4.icmp_ignore_bogus_error_responses': 1,
  'net.ipv4.icmp_msgs_burst': 50,
  'net.ipv4.icmp_msgs_per_sec': 1000,
  'net.ipv4.icmp_ratelimit': 1000,
  'net.ipv4.icmp_ratemask': 6168,
  'net.ipv4.ip_default_ttl': 64,
  'net.ipv4.ip_early_demux': 1,
  'net.ipv4.ipfrag_high_thresh': 4194304,
  'net.ipv4.ipfrag_low_thresh': 3145728,
  'net.ipv4.ipfrag_max_dist': 64,
  'net.ipv4.ipfrag_time': 30,
  'net.ipv4.route.min_adv_mss': 256,
  'net.ipv4.route.min_pmtu': 552,
  'net.ipv4.tcp_sack': 1,
  'net.ipv4.tcp_syncookies': 1,
  'net.ipv4.tcp_timestamps': 1,
  'net.ipv4.tcp_window_scaling': 1,
  'net.ipv6.conf.all.hop_limit': 64,
  'net.ipv6.conf.default.hop_limit': 64,
  'net.ipv6.fib_multipath_hash_fields': 7,
  'net.ipv6.icmp.ratelimit': 100,
  'net.ipv6.ip6frag_high_thresh': 4194304,
  'net.ipv6.ip6frag_low_thresh': 3145728,
  'net.ipv6.ip6frag_time': 60,
  'net.ipv6.max_dst_opts_length': 2147483647,
  'net.ipv6.max_dst_opts_number': 8,
  'net.ipv6.max_hbh_length': 2147483647,
  'net.ipv6.max_hbh_opts_number': 8,
  'net.netfilter.nf_conntrack_buckets': 262144,
  'net.netfilter.nf_conntrack_checksum': 1,
  'net.netfilter.nf_conntrack_events': 2,
  'net.netfilter.nf_conntrack_expect_max': 4096,
  'net.netfilter.nf_conntrack_frag6_high_thresh': 4194304,
  'net.netfilter.nf_conntrack_frag6_low_thresh': 3145728,
  'net.netfilter.nf_conntrack_frag6_timeout': 60,
  'net.netfilter.nf_conntrack_generic_timeout': 600,
  'net.netfilter.nf_conntrack_gre_timeout': 30,
  'net.netfilter.nf_conntrack_gre_timeout_stream': 180,
  'net.netfilter.nf_conntrack_icmp_timeout': 30,
  'net.netfilter.nf_conntrack_icmpv6_timeout': 30,
  'net.netfilter.nf_conntrack_max': 262144,
  'net.netfilter.nf_conntrack_sctp_timeout_closed': 10,
  'net.netfilter.nf_conntrack_sctp_timeout_cookie_echoed': 3,
  'net.netfilter.nf_conntrack_sctp_timeout_cookie_wait': 3,
  'net.netfilter.nf_conntrack_sctp_timeout_established': 210,
  'net.netfilter.nf_conntrack_sctp_timeout_heartbeat_sent': 30,
  'net.netfilter.nf_conntrack_sctp_timeout_shutdown_ack_sent': 3,
  'net.netfilter.nf_conntrack_sctp_timeout_shutdown_recd': 3,
  'net.netfilter.nf_conntrack_sctp_timeout_shutdown_sent': 3,
  'net.netfilter.nf_conntrack_tcp_loose': 1,
  'net.netfilter.nf_conntrack_tcp_max_retrans': 3,
  'net.netfilter.nf_conntrack_tcp_timeout_close': 10,
  'net.netfilter.nf_conntrack_tcp_timeout_close_wait': 60,
  'net.netfilter.nf_conntrack_tcp_timeout_established': 432000,
  'net.netfilter.nf_conntrack_tcp_timeout_fin_wait': 120,
  'net.netfilter.nf_conntrack_tcp_timeout_last_ack': 30,
  'net.netfilter.nf_conntrack_tcp_timeout_max_retrans': 300,
  'net.netfilter.nf_conntrack_tcp_timeout_syn_recv': 60,
  'net.netfilter.nf_conntrack_tcp_timeout_syn_sent': 120,
  'net.netfilter.nf_conntrack_tcp_timeout_time_wait': 120,
  'net.netfilter.nf_conntrack_tcp_timeout_unacknowledged': 300,
  'net.netfilter.nf_conntrack_udp_timeout': 30,
  'net.netfilter.nf_conntrack_udp_timeout_stream': 120,
};

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
function canonical(name: string): string {
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

/** What the kernel sets a switch to, as far as it is known here; else 0. */
export function kernelDefault(name: string): number {
  return defaults[canonical(name)] ?? 0;
}

/** All switches of a host. They may change between packets; what follows from them is worked out anew then. */
export class Sysctls {
  readonly #values = new Map<string, number>();
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
    const key = canonical(name);
    return this.#values.get(key) ?? kernelDefault(key);
  }

  /** A switch of an interface (`conf.eth0.…`), else what new interfaces get by the kernel's default. */
  #own(family: Family, device: string, key: string): number {
    const name = `net.${family}.conf.${device.replaceAll('.', '/')}.${key}`;
    const given = this.#values.get(name);
    if (given !== undefined) return given;
    if (key === 'forwarding') return this.get(family === 'ipv4' ? global4 : global6);
    // Writing it sets those of the interfaces (addrconf_disable_ipv6()).
    if (key === 'disable_ipv6') return this.#all(family, key);
    return defaults[`net.${family}.conf.default.${key}`] ?? 0;
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
