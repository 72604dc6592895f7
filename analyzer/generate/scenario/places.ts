/** The hosts and addresses that generated scenarios are about: few, so that rules and packets meet. */
import type { ScenarioInterface } from '../../netfilter/scenario.js';
import type { Family } from '../../values/value.js';

export interface Places {
  readonly interfaces: readonly ScenarioInterface[];
  readonly routes: readonly string[];
  /** The host's own addresses. */
  readonly own: readonly string[];
  /** Peers, and the interface through which they are reached. */
  readonly peers: readonly { readonly address: string; readonly behind: string }[];
  /** What rules name: networks and addresses near those above. */
  readonly named: readonly string[];
  readonly ports: readonly number[];
}

const ports = [20, 21, 22, 53, 80, 443, 600, 1023, 1024, 8080, 40_000, 65_535];

export const places: Readonly<Record<Family, Places>> = {
  ipv4: {
    interfaces: [
      { name: 'eth0', addresses: ['192.0.2.1/24'], kind: 'ethernet' },
      { name: 'eth1', addresses: ['10.0.0.1/24'], kind: 'ethernet' },
    ],
    routes: ['default via 192.0.2.254 dev eth0'],
    own: ['192.0.2.1', '10.0.0.1'],
    peers: [
      { address: '198.51.100.7', behind: 'eth0' }, { address: '198.51.100.8', behind: 'eth0' }, { address: '192.0.2.9', behind: 'eth0' },
      { address: '10.0.0.5', behind: 'eth1' }, { address: '10.0.0.6', behind: 'eth1' },
    ],
    named: ['198.51.100.7', '198.51.100.0/24', '198.51.100.8/31', '192.0.2.0/24', '192.0.2.1', '10.0.0.0/8', '10.0.0.5', '10.0.0.0/30', '0.0.0.0/0', '203.0.113.5'],
    ports,
  },
  ipv6: {
    interfaces: [
      { name: 'eth0', addresses: ['2001:db8:1::1/64'], kind: 'ethernet' },
      { name: 'eth1', addresses: ['2001:db8:2::1/64'], kind: 'ethernet' },
    ],
    routes: ['default via 2001:db8:1::fe dev eth0'],
    own: ['2001:db8:1::1', '2001:db8:2::1'],
    peers: [
      { address: '2001:db8:9::7', behind: 'eth0' }, { address: '2001:db8:9::8', behind: 'eth0' }, { address: '2001:db8:1::9', behind: 'eth0' },
      { address: '2001:db8:2::5', behind: 'eth1' }, { address: '2001:db8:2::6', behind: 'eth1' },
    ],
    named: ['2001:db8:9::7', '2001:db8:9::/48', '2001:db8:1::/64', '2001:db8:1::1', '2001:db8:2::/64', '2001:db8:2::5', '2001:db8::/32', '::/0', '2001:db8:77::5'],
    ports,
  },
};
