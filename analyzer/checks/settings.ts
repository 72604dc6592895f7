/** What a host may need to send. `replies`: what answers the services that INPUT offers. */
export const neededServices = ['loopback', 'neighbour-discovery', 'dns-udp', 'dns-tcp', 'http', 'https', 'ntp', 'dhcp', 'dhcpv6', 'smtp', 'ping', 'replies'] as const;

/** What the user says about a host that no rule says. Checks read it; every key has a default. */
export interface Settings {
  /** TCP ports by which the host is managed: whoever manages it must get in there. */
  readonly managementPorts: readonly number[];
  /** Whence it is managed, as addresses or networks of either family (`192.0.2.0/24`). None: from anywhere. */
  readonly managementPeers: readonly string[];
  /** Interfaces of which everybody is trusted, as rules name them (`eth1`, `wg+`); `lo` always is. */
  readonly trustedInterfaces: readonly string[];
  /** What the host must be able to send, of `neededServices`. Absent: all of it. */
  readonly neededServices?: readonly string[];
  /** How many flows the kernel tracks at most (net.netfilter.nf_conntrack_max). */
  readonly conntrackMax: number;
}

/** What holds where the user says nothing. */
export const defaultSettings: Settings = { managementPorts: [22], managementPeers: [], trustedInterfaces: [], conntrackMax: 262_144 };
