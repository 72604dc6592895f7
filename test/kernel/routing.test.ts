/** Addresses, routes, rules and switches drawn at random: our routing sends packets where the kernel's sends them. */
import test from 'ava';
import * as fc from 'fast-check';
import { Interfaces } from '../../analyzer/netfilter/host/interfaces.js';
import type { WordsOrJson } from '../../analyzer/netfilter/host/host.js';
import { Routing } from '../../analyzer/netfilter/host/routing.js';
import { Sysctls } from '../../analyzer/netfilter/host/sysctls.js';
import { printAddress } from '../../analyzer/values/address.js';
import type { Family } from '../../analyzer/values/value.js';
import { address, udp, type Wanted } from '../netfilter/host/packets.js';
import { reasonToSkip } from './real-iptables.js';
import { RealRouting, type RealRoute } from './real-routing.js';

const onKernel = reasonToSkip() === undefined ? test.serial : test.skip;

const names = ['eth0', 'eth1', 'eth2'] as const;
const name = fc.constantFrom(...names);

/** Few of them, so that they meet. */
const hosts: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ['10.0.0.1', '10.0.0.2', '10.0.0.9', '10.0.0.255', '10.0.1.1', '10.0.1.7', '10.0.1.255', '10.1.0.1', '10.1.2.3', '172.16.0.1', '203.0.113.9', '127.0.0.1', '0.0.0.0', '255.255.255.255', '224.0.0.1', '224.0.0.9', '240.0.0.1'],
  ipv6: ['fd00::1', 'fd00::2', 'fd00::9', 'fd00:0:0:1::1', 'fd00:0:0:1::7', 'fd00:1::1', 'fd00:1:2::3', '2001:db8::1', '2001:db8:1::1', 'fd00::'],
};
const own: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ['10.0.0.1/24', '10.0.0.2/24', '10.0.1.1/24', '10.0.1.7/30', '10.1.0.1/16', '172.16.0.1/32', '10.0.0.9/31'],
  ipv6: ['fd00::1/64', 'fd00::2/64', 'fd00:0:0:1::1/64', 'fd00:0:0:1::7/126', 'fd00:1::1/32', '2001:db8::1/128'],
};
const prefixes: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ['default', '10.0.0.0/8', '10.1.0.0/16', '10.0.1.0/24', '10.0.1.0/25', '203.0.113.9/32', '172.16.0.0/12', '10.0.0.9/32'],
  ipv6: ['default', 'fd00::/16', 'fd00:1::/32', 'fd00:0:0:1::/64', '2001:db8::/32', '2001:db8:1::1/128', 'fd00::9/128'],
};

interface Setup {
  readonly addresses: readonly (readonly [name: typeof names[number], address: string])[];
  readonly routes: readonly string[];
  readonly rules: readonly string[];
  readonly sysctls: Readonly<Record<string, number>>;
}

interface Query extends Wanted {
  readonly local: boolean;
  readonly uid: number;
}

function routeWords(family: Family): fc.Arbitrary<string> {
  const hop = fc.tuple(name, fc.option(fc.constantFrom(...hosts[family].slice(0, 6))), fc.boolean())
    .map(([device, via, onlink]) => `${via === null ? '' : `via ${via} `}dev ${device}${onlink && via !== null ? ' onlink' : ''}`);
  const nowhere = fc.constantFrom('blackhole', 'unreachable', 'prohibit', 'throw');
  const table = fc.constantFrom('', '', ' table 100', ' table 200');
  const metric = fc.constantFrom('', '', ' metric 5', ' metric 50');
  const prefix = fc.constantFrom(...prefixes[family]);
  const tos = family === 'ipv4' ? fc.constantFrom('', '', '', ' tos 0x10') : fc.constant('');
  return fc.oneof(
    { weight: 4, arbitrary: fc.tuple(prefix, tos, hop, table, metric).map(([to, kind, by, ...rest]) => `${to}${kind} ${by}${rest.join('')}`) },
    { weight: 1, arbitrary: fc.tuple(nowhere, prefix, table, metric).map(([type, to, ...rest]) => `${type} ${to}${rest.join('')}`) },
    { weight: 1, arbitrary: fc.tuple(prefix, table).map(([to, rest]) => `local ${to === 'default' ? (prefixes[family][5] ?? to) : to} dev lo${rest}`) },
  );
}

function ruleWords(family: Family): fc.Arbitrary<string> {
  const selector = fc.oneof(
    fc.constantFrom(...prefixes[family].slice(1)).map(to => `to ${to}`), fc.constantFrom(...prefixes[family].slice(1)).map(from => `from ${from}`),
    fc.constantFrom('fwmark 1', 'fwmark 0x2/0x3', 'tos 0x10', 'ipproto udp', 'ipproto tcp', 'dport 53', 'sport 1000-2000', 'iif lo'),
    // `ip -6 route get … iif` asks as nobody, packets that come in as root.
    family === 'ipv4' ? fc.constantFrom('uidrange 0-0', 'uidrange 5-9') : fc.constant('oif eth1'),
    name.map(one => `iif ${one}`),
  );
  const action = fc.constantFrom('lookup 100', 'lookup 200', 'lookup main suppress_prefixlength 0', 'lookup main suppress_prefixlength 16', 'prohibit', 'unreachable', 'blackhole', 'goto 32766');
  const not = fc.constantFrom('', '', '', 'not ');
  return fc.tuple(not, fc.uniqueArray(selector, { minLength: 1, maxLength: 2, selector: one => one.split(' ')[0] }), fc.constantFrom('', '', ' pref 7', ' pref 32700'), action)
    .map(([negation, selectors, priority, what]) => `${negation}${selectors.join(' ')}${priority} ${what}`);
}

function sysctls(family: Family): fc.Arbitrary<Readonly<Record<string, number>>> {
  const bit = fc.constantFrom(0, 0, 1);
  if (family === 'ipv6') return fc.constant({ 'net.ipv6.conf.all.forwarding': 1 });
  const own4 = fc.tuple(name, fc.constantFrom('rp_filter', 'accept_local', 'route_localnet', 'forwarding', 'send_redirects', 'bc_forwarding', 'src_valid_mark'), fc.integer({ min: 0, max: 1 }))
    .map(([device, key, value]) => ({ [`net.ipv4.conf.${device}.${key}`]: value }));
  const all = fc.record({ rp_filter: fc.constantFrom(0, 0, 0, 1, 2), accept_local: bit, route_localnet: bit, send_redirects: fc.constantFrom(0, 1), bc_forwarding: bit, src_valid_mark: bit });
  const base = Object.fromEntries(names.flatMap(one => ['rp_filter', 'accept_local', 'route_localnet', 'bc_forwarding', 'src_valid_mark'].map(key => [`net.ipv4.conf.${one}.${key}`, 0])));
  const redirects = Object.fromEntries(names.map(one => [`net.ipv4.conf.${one}.send_redirects`, 1]));
  return fc.tuple(fc.constantFrom(1, 1, 1, 0), all, fc.array(own4, { maxLength: 3 })).map(([forward, globals, owns]) => ({
    'net.ipv4.ip_forward': forward, ...Object.fromEntries(Object.entries(globals).map(([key, value]) => [`net.ipv4.conf.all.${key}`, value])), ...base, ...redirects, ...Object.assign({}, ...owns) as object,
  }));
}

function setup(family: Family): fc.Arbitrary<Setup> {
  return fc.record({
    // In the order of the interfaces: that of addresses and their routes.
    addresses: fc.uniqueArray(fc.tuple(name, fc.constantFrom(...own[family])), { minLength: 1, maxLength: 5, selector: ([, one]) => one }).map(list => [...list].sort(([one], [other]) => one.localeCompare(other))),
    routes: fc.array(routeWords(family), { maxLength: 7 }), rules: fc.array(ruleWords(family), { maxLength: 3 }), sysctls: sysctls(family),
  });
}

function queries(family: Family): fc.Arbitrary<readonly Query[]> {
  const query: fc.Arbitrary<Query> = fc.record({
    local: fc.constantFrom(false, false, false, true), in: name, src: fc.constantFrom(...hosts[family]), dst: fc.constantFrom(...hosts[family]),
    mark: fc.constantFrom(0, 0, 1, 2), tos: fc.constantFrom(0, 0, 0x10), uid: fc.constantFrom(0, 7),
  });
  return fc.array(query, { minLength: 40, maxLength: 40 });
}

function ask({ local, in: device, src, dst, mark = 0, tos = 0, uid }: Query): string {
  const common = `${mark === 0 ? '' : ` mark ${String(mark)}`}${tos === 0 ? '' : ` tos 0x${tos.toString(16)}`} ipproto udp sport 1024 dport 53`;
  return local ? `${dst}${common} uid ${String(uid)}` : `${dst} from ${src} iif ${device}${common}`;
}

/** In one line, so that a difference can be read. */
function realWords(route: RealRoute | undefined, isLocal: boolean): string {
  if (route === undefined) return 'nowhere';
  const type = route.type === 'anycast' ? 'local' : route.type ?? 'unicast';
  const isNowhere = type === 'unreachable' || type === 'prohibit' || type === 'blackhole';
  if (isNowhere) return 'nowhere';
  // With bc_forwarding a broadcast goes on, by the interface of its network; else it is delivered, by lo.
  const isForwarded = type === 'unicast' || (type === 'broadcast' && route.dev !== 'lo');
  if (!isLocal) return isForwarded ? `out ${route.dev ?? ''} via ${route.gateway ?? '-'}` : type;
  return `out ${route.dev ?? ''} via ${route.gateway ?? '-'} from ${route.prefsrc ?? '-'}`;
}

function ourWords(routing: Routing, query: Query): string {
  if (!query.local) {
    const route = routing.input(udp({ ...query, sport: 1024, dport: 53 }));
    if (route.kind === 'forward') return `out ${route.out} via ${route.via === undefined ? '-' : printAddress(route.via)}`;
    return route.kind === 'drop' ? 'nowhere' : route.kind;
  }
  const { mark = 0, tos = 0, uid, dst } = query;
  const route = routing.output({ dst: address(dst), mark, tos, uid, protocol: 17, sport: 1024, dport: 53 });
  if (route.kind === 'drop') return 'nowhere';
  return `out ${route.out} via ${route.via === undefined ? '-' : printAddress(route.via)} from ${printAddress(route.source)}`;
}

/** Sets the kernel up; the routes and rules that it took are returned. */
function apply(real: RealRouting, { addresses, routes, rules, sysctls: switches }: Setup): { readonly routes: readonly string[]; readonly rules: readonly string[] } {
  real.sysctl(switches);
  real.batch(addresses.map(([device, one]) => `addr add ${one} dev ${device}${one.includes(':') ? ' nodad' : ''}`));
  real.settle();
  const family = addresses[0]?.[1].includes(':') === true ? '-6' : '-4';
  const refusedRoutes = real.batch(routes.map(words => `route add ${words}`), [family]);
  const refusedRules = real.batch(rules.map(words => `rule add ${words}`), [family]);
  return { routes: routes.filter((_, index) => !refusedRoutes.has(index)), rules: rules.filter((_, index) => !refusedRules.has(index)) };
}

function routingOf(family: Family, given: Setup, routes: readonly WordsOrJson[], rules: readonly WordsOrJson[]): Routing {
  const interfaces = names.flatMap(one => [
    { name: one, addresses: given.addresses.filter(([device]) => device === one).map(([, words]) => words) },
    { name: `peer-${one}` },
  ]);
  return new Routing({ family, interfaces: new Interfaces(interfaces), sysctls: new Sysctls(given.sysctls), routes, rules });
}

for (const family of ['ipv4', 'ipv6'] as const) {
  onKernel(`${family} packets go where the kernel sends them`, t => {
    const draws = fc.sample(fc.tuple(setup(family), queries(family)), { seed: 20, numRuns: Number(process.env['IPTABLES_LINT_RUNS'] ?? 12) });
    for (const [drawn, asked] of draws) {
      // The kernel never forgets that there once were rules and local routes of somebody's own.
      const real = new RealRouting(names);
      try {
        const taken = apply(real, drawn);
        const answers = real.get(family, asked.map(one => ask(one))).map((answer, index) => realWords(answer, asked[index]?.local === true));
        const option = family === 'ipv4' ? '-4' : '-6';
        const listed = routingOf(family, drawn, real.json([option, 'route', 'show', 'table', 'all']) as WordsOrJson[], real.json([option, 'rule']) as WordsOrJson[]);
        for (const [how, routing] of [['words', routingOf(family, drawn, taken.routes, taken.rules)], ['listing', listed]] as const) {
          for (const [index, query] of asked.entries()) {
            t.is(ourWords(routing, query), answers[index] ?? '', `${how}: ${ask(query)}\n${JSON.stringify({ ...drawn, ...taken })}`);
          }
        }
        t.deepEqual(listed.problems, []);
      } finally {
        real.close();
      }
    }
  });
}
