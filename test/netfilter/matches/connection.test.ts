/** Matches on connections; each answer was seen in a kernel's counters (Linux 6.18). */
import test from 'ava';
import { Connection, ctstatus } from '../../../analyzer/packet/connection.js';
import { ctstates } from '../../../analyzer/packet/constraint.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { ruleOf } from '../compiled.js';
import { fakeWorld } from '../fake-world.js';
import { ipv4, ipv6 } from './hex.js';

const datagram = '03e80050 00080000';

/** A datagram of a connection that is DNATed and has 30 s to live. */
function tracked(): Packet & { readonly connection: Connection } {
  const packet = ipv4(17, datagram);
  const connection = new Connection(
    { src: 0x0a00_0009, dst: 0xc000_0201, protocol: 17, sport: 1000, dport: 80 },
    { src: 0x0a01_0001, dst: 0x0a00_0009, protocol: 17, sport: 8080, dport: 1000 },
  );
  connection.status = ctstatus.CONFIRMED | ctstatus.DST_NAT;
  connection.expires = 30;
  packet.ctstate = ctstates.NEW;
  return Object.assign(packet, { connection });
}

const ask = (rule: string, packet: Packet = tracked()): string => ruleOf(rule)(packet);

test('a packet without a connection is INVALID to --ctstate, and nothing to all else, negated or not', t => {
  const invalid = ipv4(17, datagram);
  t.is(ask('-m conntrack --ctstate INVALID', invalid), 'match');
  t.is(ask('-m state ! --state NEW', invalid), 'match');
  t.is(ask('-m conntrack ! --ctstatus NONE', invalid), 'no match');
  t.is(ask('-m conntrack ! --ctorigsrc 1.2.3.4', invalid), 'no match');
  t.is(ask('-m conntrack --ctstate INVALID --ctorigsrc 1.2.3.4', invalid), 'match');
  t.is(ask('-m connmark ! --mark 1', invalid), 'no match');
  t.is(ask('-m connlabel ! --label 3', invalid), 'match');
  t.is(ask('-m helper ! --helper ftp', invalid), 'match');
  const untracked = ipv4(17, datagram);
  untracked.ctstate = ctstates.UNTRACKED;
  t.is(ask('-m conntrack --ctstate UNTRACKED', untracked), 'match');
  t.is(ask('-m conntrack --ctstate INVALID', untracked), 'no match');
});

test('--ctstatus NONE is no status, so that it never matches', t => {
  t.is(ask('-m conntrack --ctstatus NONE'), 'no match');
  t.is(ask('-m conntrack ! --ctstatus NONE'), 'match');
  t.is(ask('-m conntrack --ctstatus CONFIRMED,ASSURED'), 'match');
});

test('addresses and ports are those of the tuples, and DNAT is seen', t => {
  t.is(ask('-m conntrack --ctstate DNAT'), 'match');
  t.is(ask('-m conntrack --ctstate SNAT'), 'no match');
  t.is(ask('-m conntrack ! --ctstate DNAT'), 'no match');
  t.is(ask('-m conntrack --ctorigdst 192.0.2.0/24 --ctreplsrc 10.1.0.1 --ctreplsrcport 8080'), 'match');
  t.is(ask('-m conntrack ! --ctorigdstport 80'), 'no match');
  t.is(ask('-m conntrack ! --ctreplsrc 10.0.0.0/0'), 'no match');
  t.is(ask('-m conntrack --ctproto 17 --ctdir ORIGINAL'), 'match');
  t.is(ask('-m conntrack --ctdir REPLY'), 'no match');
});

test('--ctexpire counts whole seconds, and none before the connection is confirmed', t => {
  const later = { world: fakeWorld('ipv4', 'legacy', { now: 0.5 }) };
  t.is(ruleOf('-m conntrack --ctexpire 29', later)(tracked()), 'match');
  const fresh = tracked();
  fresh.connection.status = 0;
  t.is(ask('-m conntrack --ctexpire 0', fresh), 'match');
  t.is(ask('-m conntrack --ctexpire 1:', fresh), 'no match');
});

test('connlabel --set sets the label and matches; with `!` it sets it and does not', t => {
  const packet = tracked();
  t.is(ask('-m connlabel --label 3', packet), 'no match');
  t.is(ask('-m connlabel ! --label 3 --set', packet), 'no match');
  t.is(packet.connection.labels, 8n);
  t.is(ask('-m connlabel --label 100 --set', packet), 'match');
  t.is(ask('-m connlabel --label 100', packet), 'match');
});

test('connbytes counts by direction; an average of nothing is 0', t => {
  const packet = tracked();
  t.is(ask('-m connbytes --connbytes 0: --connbytes-mode packets --connbytes-dir both', packet), 'no match', 'nobody counts what this connection carries');
  packet.connection.accounted = true;
  packet.connection.packets[0] = 2n;
  packet.connection.bytes[0] = 56n;
  t.is(ask('-m connbytes --connbytes 2:2 --connbytes-mode packets --connbytes-dir both', packet), 'match');
  t.is(ask('-m connbytes --connbytes 28 --connbytes-mode avgpkt --connbytes-dir original', packet), 'match');
  t.is(ask('-m connbytes --connbytes 0:0 --connbytes-mode avgpkt --connbytes-dir reply', packet), 'match');
  t.is(ask('-m connbytes ! --connbytes 1:27 --connbytes-mode bytes --connbytes-dir original', packet), 'match');
  // `!` is lost where both ends are the same.
  t.is(ask('-m connbytes ! --connbytes 2:2 --connbytes-mode packets --connbytes-dir both', packet), 'match');
});

test('helper asks for the helper of the connection that announced this one; a port behind its name does not matter', t => {
  const packet = tracked();
  const master = tracked().connection;
  master.helper = 'ftp';
  packet.connection.master = master;
  t.is(ask('-m helper --helper ftp', packet), 'match');
  t.is(ask('-m helper --helper ftp-2121', packet), 'match');
  t.is(ask('-m helper --helper ""', packet), 'match');
  t.is(ask('-m helper --helper tftp', packet), 'no match');
  t.is(ask('-m helper --helper ftp'), 'no match');
});

test('cluster finds the node that the kernel finds', t => {
  const nodeOf = (src: number): number => [1, 2, 3, 4, 5].findIndex(node => {
    const packet = tracked();
    packet.connection.original = { ...packet.connection.original, src };
    return ask(`-m cluster --cluster-total-nodes 5 --cluster-local-node ${String(node)} --cluster-hash-seed 0xfeedcafe`, packet) === 'match';
  });
  t.deepEqual(Array.from({ length: 20 }, (_, index) => nodeOf(0x0a00_0000 + index)), [4, 2, 4, 4, 1, 1, 4, 4, 2, 2, 4, 1, 2, 3, 4, 1, 4, 2, 0, 0]);
});

test('of an IPv6 source, cluster hashes the first 32 bits only', t => {
  const world = fakeWorld('ipv6', 'legacy');
  const rule = ruleOf('-m cluster --cluster-total-nodes 5 --cluster-local-node 3 --cluster-hash-seed 0xfeedcafe', { world });
  for (const last of [2n, 3n, 0xffffn]) {
    const packet = ipv6(17, datagram);
    const tuple = { src: (0x2001_0db8n << 96n) + last, dst: 1n, protocol: 17, sport: 1, dport: 2 };
    packet.ctstate = ctstates.NEW;
    packet.connection = new Connection(tuple, tuple);
    t.is(rule(packet), 'match');
  }
});
