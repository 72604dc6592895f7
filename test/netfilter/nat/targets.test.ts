import test from 'ava';
import { load } from '../../../analyzer/model/load.js';
import { sumOf } from '../../../analyzer/packet/checksum.js';
import type { Packet } from '../../../analyzer/packet/packet.js';
import { pseudoHeaderSum } from '../../../analyzer/packet/rewrite.js';
import { Verdict, type Action, type HookName, type World } from '../../../analyzer/packet/traversal.js';
import { printAddress } from '../../../analyzer/values/address.js';
import type { Family } from '../../../analyzer/values/value.js';
import { fakeTraversal, fakeWorld } from '../fake-world.js';
import { NatBox, flow, ip, packetOf, udp } from './host.js';

/** The target of the one rule of a chain. */
function actionOf(line: string, table: string, hook: HookName, world: World): Action {
  const { rulesets } = load({ path: 'rules', text: `*${table}\n-A ${hook} ${line}\nCOMMIT\n` }, { family: world.family, backend: world.backend });
  const target = [...rulesets[0]?.tables.values() ?? []][0]?.chains.get(hook)?.rules[0]?.target;
  const { apply } = target?.kind === 'extension' ? target.use.definition : {};
  if (apply === undefined || target?.kind !== 'extension') throw new Error(`no target in ${line}`);
  return apply(target.use.given, { family: world.family, backend: world.backend, table, world, ordered: [], protocol: undefined });
}

interface Place {
  readonly hook?: Exclude<HookName, 'FORWARD'>;
  readonly box?: NatBox;
  readonly world?: Partial<World>;
}

/** What a nat rule makes of the first packet of a connection; `dropped` where it drops it. */
function translated(line: string, packet: Packet, { hook = 'PREROUTING', box = new NatBox(), world = {} }: Place = {}): string {
  const host = fakeWorld(packet.family, 'legacy', { nat: (t, range) => box.nat.setup(t.packet, range, hook), ...world });
  const action = actionOf(line, 'nat', hook, host);
  box.track(packet);
  packet.in = 'eth0';
  packet.out = 'eth1';
  const verdict = box.nat.hook(packet, hook, () => action(fakeTraversal(packet, host, hook)));
  return verdict === Verdict.Accept ? flow(packet) : 'dropped';
}

const packet = (): Packet => udp('10.0.0.5:4000 > 198.51.100.1:80');

test('DNAT', t => {
  t.is(translated('-j DNAT --to-destination 192.0.2.9', packet()), '10.0.0.5:4000 > 192.0.2.9:80');
  t.is(translated('-p udp -j DNAT --to-destination 192.0.2.9:8080', packet()), '10.0.0.5:4000 > 192.0.2.9:8080');
  t.is(translated('-p udp -j DNAT --to-destination :8080', packet(), { hook: 'OUTPUT' }), '10.0.0.5:4000 > 198.51.100.1:8080');
  t.is(translated('-p udp -j DNAT --to-destination 192.0.2.9:8000-8010/75', packet()), '10.0.0.5:4000 > 192.0.2.9:8005');
  t.is(translated('-j DNAT --to-destination 192.0.2.50-192.0.2.60 --persistent', packet()), '10.0.0.5:4000 > 192.0.2.59:80');
  t.is(translated('-p udp -j DNAT --to-destination [fd00::9]:53', udp('fd00::5:4000 > 2001:db8::1:80')), 'fd00::5:4000 > fd00::9:53');
});

test('SNAT', t => {
  t.is(translated('-j SNAT --to-source 192.0.2.1', packet(), { hook: 'POSTROUTING' }), '192.0.2.1:4000 > 198.51.100.1:80');
  t.is(translated('-p udp -j SNAT --to-source 192.0.2.1:7000', packet(), { hook: 'INPUT' }), '192.0.2.1:7000 > 198.51.100.1:80');
});

test('SNAT draws a port with --random and --random-fully, and says so', t => {
  for (const flag of ['--random', '--random-fully']) {
    const box = new NatBox();
    t.notRegex(translated(`-j SNAT --to-source 192.0.2.1 ${flag}`, packet(), { hook: 'POSTROUTING', box }), /:4000 /u);
    t.is(box.chances.length, 1);
  }
});

test('MASQUERADE takes an address of the interface by which the packet leaves', t => {
  const world: Partial<World> = { sourceAddress: (name, destination) => name === 'eth1' && destination === ip('198.51.100.1') ? ip('192.0.2.1') : undefined };
  const first = packet();
  t.is(translated('-j MASQUERADE', first, { hook: 'POSTROUTING', world }), '192.0.2.1:4000 > 198.51.100.1:80');
  t.is(first.connection?.masqueradeInterface, 'eth1');
  t.is(translated('-p udp -j MASQUERADE --to-ports 5000', packet(), { hook: 'POSTROUTING', world }), '192.0.2.1:5000 > 198.51.100.1:80');
});

test('MASQUERADE drops what leaves by an interface without an address', t => {
  t.is(translated('-j MASQUERADE', packet(), { hook: 'POSTROUTING' }), 'dropped');
});

test('MASQUERADE leaves alone who has no address yet', t => {
  t.is(translated('-j MASQUERADE', udp('0.0.0.0:68 > 198.51.100.1:67'), { hook: 'POSTROUTING' }), '0.0.0.0:68 > 198.51.100.1:67');
});

test('REDIRECT takes the first address of the incoming interface, whatever the destination', t => {
  const world: Partial<World> = { interfaceAddresses: name => name === 'eth0' ? ['10.0.0.1', '10.9.0.2'].map(ip) : [] };
  t.is(translated('-p udp -j REDIRECT --to-ports 9999', udp('10.0.0.5:4000 > 10.9.0.2:80'), { world }), '10.0.0.5:4000 > 10.0.0.1:9999');
  t.is(translated('-j REDIRECT', packet(), { world: { interfaceAddresses: () => [] } }), 'dropped');
});

test('REDIRECT of a local packet goes to loopback', t => {
  t.is(translated('-j REDIRECT', packet(), { hook: 'OUTPUT' }), '10.0.0.5:4000 > 127.0.0.1:80');
  t.is(translated('-j REDIRECT', udp('fd00::5:4000 > 2001:db8::1:80'), { hook: 'OUTPUT' }), 'fd00::5:4000 > ::1:80');
});

test('REDIRECT of a packet to a link-local address needs a link-local one', t => {
  const world: Partial<World> = { interfaceAddresses: () => ['::ffff:1.2.3.4', 'fd00:a::2', 'fe80::1'].map(ip) };
  t.is(translated('-j REDIRECT', udp('fd00::5:4000 > 2001:db8::1:80'), { world }), 'fd00::5:4000 > fd00:a::2:80');
  for (const destination of ['fe80::9', 'ff02::1']) t.is(translated('-j REDIRECT', udp(`fe80::5:4000 > ${destination}:80`), { world }), 'fe80::5:4000 > fe80::1:80');
  t.is(translated('-j REDIRECT', udp('fe80::5:4000 > ff05::1:80'), { world }), 'dropped');
});

test('NETMAP keeps the host', t => {
  t.is(translated('-j NETMAP --to 10.1.2.3/16', packet()), '10.0.0.5:4000 > 10.1.100.1:80');
  t.is(translated('-j NETMAP --to 172.16.0.0/12', packet(), { hook: 'POSTROUTING' }), '172.16.0.5:4000 > 198.51.100.1:80');
  t.is(translated('-j NETMAP --to fd00:7::/64', udp('fd00::5:4000 > 2001:db8::1:80'), { hook: 'OUTPUT' }), 'fd00::5:4000 > fd00:7::1:80');
});

/** What DNPT or SNPT makes of a packet. */
function prefixed(line: string, six: Packet): { readonly verdict: Verdict; readonly src: string; readonly dst: string } {
  const hook = line.includes('DNPT') ? 'PREROUTING' : 'POSTROUTING';
  const family: Family = 'ipv6';
  const world = fakeWorld(family, 'legacy');
  const verdict = actionOf(line, 'mangle', hook, world)(fakeTraversal(six, world, hook));
  return { verdict, src: printAddress(six.src), dst: printAddress(six.dst) };
}

// The addresses on the right are what Linux 6.18 made of those on the left.
for (const [prefixes, before, after] of [
  ['--src-pfx fd00:1::/48 --dst-pfx 2001:db8:5::/48', 'fd00:1::5', '2001:db8:5:cf43::5'],
  ['--src-pfx fd00:1::/48 --dst-pfx 2001:db8:5::/48', 'fd00:1:0:ffff::5', '2001:db8:5:cf43::5'],
  ['--src-pfx fd00:1::/48 --dst-pfx 2001:db8:5::/48', 'fd00:1:0:1::5', '2001:db8:5:cf44::5'],
  ['--src-pfx fd00:2::/64 --dst-pfx 2001:db8:7:10::/60', 'fd00:2::1', '2001:db8:7:10:cf32::1'],
  ['--src-pfx fd00:2::/64 --dst-pfx 2001:db8:7:10::/60', 'fd00:2::ffff:1:2:3', '2001:db8:7:10:ffff:cf33:2:3'],
  ['--src-pfx fd00:2::/64 --dst-pfx 2001:db8:7:10::/60', 'fd00:2::ffff:ffff:0:5', '2001:db8:7:10:ffff:ffff:cf32:5'],
] as const) {
  test(`DNPT ${prefixes} makes ${before} ${after}`, t => {
    t.like(prefixed(`-j DNPT ${prefixes}`, udp(`fd00:a::5:4000 > ${before}:80`)), { verdict: Verdict.Continue, src: 'fd00:a::5', dst: after });
    t.like(prefixed(`-j SNPT ${prefixes}`, udp(`${before}:4000 > fd00:a::5:80`)), { verdict: Verdict.Continue, src: after, dst: 'fd00:a::5' });
  });
}

test('prefix translation leaves checksums right', t => {
  const six = udp('fd00:a::5:4000 > fd00:1::5:80');
  prefixed('-j DNPT --src-pfx fd00:1::/48 --dst-pfx 2001:db8:5::/48', six);
  t.is(sumOf(six.bytes, 40, six.bytes.length, pseudoHeaderSum(six, 17, six.transportLength)), 0xffff);
});

test('an address in which nothing can take up the difference is dropped', t => {
  t.is(prefixed('-j DNPT --src-pfx fd00:2::/64 --dst-pfx 2001:db8:7:10::/60', udp('fd00:a::5:4000 > fd00:2::ffff:ffff:ffff:ffff:80')).verdict, Verdict.Drop);
});

test('prefix translation looks into ICMPv6 errors', t => {
  const quote = { proto: 'udp', src: 'fd00:1::77', dst: 'fd00:a::5', sport: 4000, dport: 80, payload: 'hello' };
  const six = packetOf({ proto: 'icmpv6', src: 'fd00:a::5', dst: 'fd00:1::5', type: 1, code: 4, quote }, 'ipv6');
  t.is(prefixed('-j DNPT --src-pfx fd00:1::/48 --dst-pfx 2001:db8:5::/48', six).dst, '2001:db8:5:cf43::5');
  t.is(printAddress(six.u128(48 + 8)), '2001:db8:5:cf43::77');
  t.is(sumOf(six.bytes, 40, six.bytes.length, pseudoHeaderSum(six, 58, six.transportLength)), 0xffff);
});
