/** The hosts and addresses that generated scenarios are about: few, so that rules and packets meet. */
import type { ScenarioInterface } from '../../netfilter/scenario.js';
import type { Family } from '../../values/value.js';

export interface Places {
  readonly interfaces: readonly ScenarioInterface[];
  readonly defaultRoute: string;
  /** Another way out for packets with a mark. */
  readonly markedRoute: string;
  /** Routes that lead nowhere, or elsewhere. */
  readonly oddRoutes: readonly string[];
  /** The host's own addresses. */
  readonly own: readonly string[];
  /** Peers, and the interface through which they are reached. */
  readonly peers: readonly { readonly address: string; readonly behind: string }[];
  /** Whom DNAT leads to, and where NETMAP does. */
  readonly inside: string;
  readonly insideNetwork: string;
  /** Of peers: first those on the link of eth0, then those on the link of eth1. */
  readonly networks: readonly string[];
  /** What rules name: networks and addresses near those above. */
  readonly named: readonly string[];
  /** Somewhere that nobody speaks of, and on a link where nobody is. */
  readonly elsewhere: readonly string[];
  /** Destinations that are nobody's: broadcast, multicast, unknown. */
  readonly strangeTargets: readonly string[];
  /** Sources that cannot be, or not here. */
  readonly strangeSources: readonly string[];
  readonly ports: readonly number[];
}

const ports = [20, 21, 22, 53, 80, 443, 600, 1023, 1024, 8080, 40_000, 65_535];

export const places: Readonly<Record<Family, Places>> = {
  ipv4: {
    interfaces: [
      { name: 'eth0', addresses: ['192.0.2.1/24', '192.0.2.2/24'], kind: 'ethernet' },
      { name: 'eth1', addresses: ['10.0.0.1/24'], kind: 'ethernet' },
      { name: 'tun0', addresses: ['172.16.0.1/24'], kind: 'tun', mtu: 1400 },
    ],
    defaultRoute: 'default via 192.0.2.254 dev eth0',
    markedRoute: 'default via 10.0.0.254 dev eth1',
    oddRoutes: ['unreachable 203.0.113.0/24', 'blackhole 203.0.113.0/24', 'prohibit 198.51.100.8/32', 'throw 203.0.113.0/24', '198.51.100.8/32 via 10.0.0.254 dev eth1', 'local 203.0.113.5 dev lo'],
    own: ['192.0.2.1', '10.0.0.1', '172.16.0.1', '192.0.2.2'],
    peers: [
      { address: '198.51.100.7', behind: 'eth0' }, { address: '198.51.100.8', behind: 'eth0' }, { address: '192.0.2.9', behind: 'eth0' },
      { address: '10.0.0.5', behind: 'eth1' }, { address: '10.0.0.6', behind: 'eth1' }, { address: '172.16.0.5', behind: 'tun0' },
    ],
    inside: '10.0.0.5',
    insideNetwork: '10.0.0.0/24',
    networks: ['192.0.2.0/24', '10.0.0.0/24'],
    named: ['198.51.100.7', '198.51.100.0/24', '198.51.100.8/31', '192.0.2.0/24', '192.0.2.1', '10.0.0.0/8', '10.0.0.5', '10.0.0.0/30', '0.0.0.0/0', '203.0.113.5', '224.0.0.0/4', '172.16.0.5'],
    elsewhere: ['203.0.113.5', '10.0.0.77'],
    strangeTargets: ['192.0.2.255', '10.0.0.255', '255.255.255.255', '224.0.0.1', '224.0.0.5', '239.1.2.3', '203.0.113.5', '10.0.0.77', '127.0.0.1', '0.0.0.0', '192.0.2.0', '240.0.0.1'],
    strangeSources: ['127.0.0.1', '0.0.0.0', '240.0.0.1', '224.0.0.1', '255.255.255.255', '192.0.2.1', '10.0.0.5', '203.0.113.5', '172.16.0.5'],
    ports,
  },
  ipv6: {
    interfaces: [
      { name: 'eth0', addresses: ['2001:db8:1::1/64'], kind: 'ethernet' },
      { name: 'eth1', addresses: ['2001:db8:2::1/64'], kind: 'ethernet' },
      { name: 'tun0', addresses: ['2001:db8:3::1/64'], kind: 'tun', mtu: 1400 },
    ],
    defaultRoute: 'default via 2001:db8:1::fe dev eth0',
    markedRoute: 'default via 2001:db8:2::fe dev eth1',
    oddRoutes: ['unreachable 2001:db8:77::/48', 'blackhole 2001:db8:77::/48', 'prohibit 2001:db8:9::8/128', 'throw 2001:db8:77::/48', '2001:db8:9::8/128 via 2001:db8:2::fe dev eth1'],
    own: ['2001:db8:1::1', '2001:db8:2::1', '2001:db8:3::1'],
    peers: [
      { address: '2001:db8:9::7', behind: 'eth0' }, { address: '2001:db8:9::8', behind: 'eth0' }, { address: '2001:db8:1::9', behind: 'eth0' },
      { address: '2001:db8:2::5', behind: 'eth1' }, { address: '2001:db8:2::6', behind: 'eth1' }, { address: '2001:db8:3::5', behind: 'tun0' },
    ],
    inside: '2001:db8:2::5',
    insideNetwork: '2001:db8:2::/64',
    networks: ['2001:db8:1::/64', '2001:db8:2::/64'],
    named: ['2001:db8:9::7', '2001:db8:9::/48', '2001:db8:1::/64', '2001:db8:1::1', '2001:db8:2::/64', '2001:db8:2::5', '2001:db8::/32', '::/0', '2001:db8:77::5', 'ff00::/8', '2001:db8:3::5'],
    elsewhere: ['2001:db8:77::5', '2001:db8:2::77'],
    strangeTargets: ['ff02::1', 'ff02::5', 'ff05::2', 'ff01::1', '2001:db8:77::5', '2001:db8:2::77', '::1', 'fe80::9', '2001:db8:1::'],
    strangeSources: ['::1', '::', 'ff02::1', 'fe80::9', '2001:db8:1::1', '2001:db8:2::5', '2001:db8:77::5', '2001:db8:3::5'],
    ports,
  },
};
