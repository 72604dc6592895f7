/** The table: what is in it, for how long, and in which zone. */
import test from 'ava';
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { ctstatus } from '../../../analyzer/packet/connection.js';
import { client, Lab, server } from './lab.js';

function udp(sport: number, more: Partial<ScenarioPacket> = {}): ScenarioPacket {
  return { proto: 'udp', src: client, dst: server, sport, dport: 53, ...more };
}

function zone(id: number | 'mark', direction: 'both' | 'original' | 'reply' = 'both'): { readonly template: { readonly zone: { readonly id: number | 'mark'; readonly direction: 'both' | 'original' | 'reply' } } } {
  return { template: { zone: { id, direction } } };
}

test('a flow that is dropped before it is confirmed leaves nothing behind', t => {
  const lab = new Lab();
  t.is(lab.send(udp(1), { lost: true }), 'NEW ORIGINAL');
  t.is(lab.conntrack.count, 0);
});

test('NOTRACK leaves a packet UNTRACKED; a packet that has its connection keeps it', t => {
  const lab = new Lab();
  t.is(lab.send(udp(1), { template: { notrack: true } }), 'UNTRACKED');
  const looped = lab.build(udp(2));
  lab.pass(looped, { hook: 'OUTPUT' });
  t.is(lab.pass(looped), 'NEW ORIGINAL');
  t.is(lab.conntrack.count, 1);
});

test('the same tuple in two zones is two flows', t => {
  const lab = new Lab();
  t.is(lab.send(udp(1), zone(5)), 'NEW ORIGINAL');
  t.is(lab.send(udp(1)), 'NEW ORIGINAL');
  const marked = lab.build(udp(1));
  marked.mark = 5;
  t.is(lab.pass(marked, zone('mark')), 'NEW ORIGINAL');
  t.is(lab.conntrack.count, 2);
});

test('a zone of the original direction alone is met by answers in zone 0', t => {
  const lab = new Lab();
  lab.send(udp(1), zone(5, 'original'));
  t.is(lab.send({ ...udp(1), src: server, dst: client, sport: 53, dport: 1 }), 'ESTABLISHED REPLY');
});

test('two flows that differ in their original zone alone clash', t => {
  const lab = new Lab();
  lab.send(udp(1), zone(5, 'original'));
  t.is(lab.send(udp(1), zone(6, 'original')), 'NEW ORIGINAL, dropped');
});

test('two packets that open one flow at once become one', t => {
  const lab = new Lab();
  const first = lab.build(udp(1)), second = lab.build(udp(1));
  lab.conntrack.track(first, 'PREROUTING', undefined);
  lab.conntrack.track(second, 'PREROUTING', undefined);
  lab.conntrack.confirm(first);
  t.is(lab.conntrack.confirm(second), 1);
  t.is(second.connection, first.connection);
});

test('of two TCP packets that do the same, the second is dropped', t => {
  const lab = new Lab();
  const syn = { proto: 'tcp', src: client, dst: server, sport: 1, dport: 2 } as const;
  const first = lab.build(syn), second = lab.build(syn);
  lab.conntrack.track(first, 'PREROUTING', undefined);
  lab.conntrack.track(second, 'PREROUTING', undefined);
  lab.conntrack.confirm(first);
  t.is(lab.conntrack.confirm(second), 2);
});

test('a full table drops what is NEW and lets known flows pass', t => {
  const lab = new Lab('ipv4', { max: 2 });
  lab.send(udp(1));
  lab.send(udp(2));
  t.is(lab.send(udp(3)), 'dropped');
  t.is(lab.send(udp(1)), 'NEW ORIGINAL');
  lab.now = 31;
  t.is(lab.send(udp(3)), 'NEW ORIGINAL');
});

test('a large full table gives up flows that are not assured', t => {
  const lab = new Lab('ipv4', { max: 64, buckets: 64 });
  for (let port = 1; port <= 1000; port++) {
    lab.chance = (port % 64) / 64;
    lab.send(udp(port));
  }
  t.true(lab.conntrack.count <= 64);
  t.true([...lab.conntrack.connections()].some(({ original }) => original.sport > 500));
});

test('assured flows are not given up', t => {
  const lab = new Lab('ipv4', { max: 64, buckets: 64 });
  for (let port = 1; port <= 64; port++) lab.send(udp(port));
  for (const connection of lab.conntrack.connections()) connection.status |= ctstatus.ASSURED;
  t.is(lab.send(udp(65)), 'dropped');
});

test('packets and bytes are counted where accounting was on when the flow began', t => {
  const lab = new Lab();
  lab.send(udp(1));
  lab.sysctls['net.netfilter.nf_conntrack_acct'] = 1;
  lab.send(udp(1, { payload: 'xx' }));
  lab.send(udp(2, { payload: 'xx' }));
  lab.send(udp(2, { payload: 'xxxx' }));
  t.deepEqual(Array.from(lab.conntrack.connections(), ({ packets, bytes }) => [packets, bytes]), [[[0n, 0n], [0n, 0n]], [[2n, 0n], [62n, 0n]]]);
});

test('whoever keeps expectations makes a new flow RELATED', t => {
  const lab = new Lab();
  lab.conntrack.onNew = (_packet, connection) => {
    connection.status |= ctstatus.EXPECTED;
    return true;
  };
  t.is(lab.send(udp(1), { template: { helper: 'tftp' } }), 'RELATED ORIGINAL');
  t.is([...lab.conntrack.connections()][0]?.helper, '');
});

test('a template gives its helper; a timeout policy is not known, and that is said', t => {
  const lab = new Lab();
  lab.send(udp(1), { template: { helper: 'tftp', timeoutPolicy: 'short' } });
  t.is([...lab.conntrack.connections()][0]?.helper, 'tftp');
  t.regex(lab.notes[0] ?? '', /short/u);
});

test('a reply tuple is taken by another flow in its zone, not by the flow itself', t => {
  const lab = new Lab();
  const packet = lab.build(udp(1)), other = lab.build(udp(2));
  lab.pass(packet);
  lab.conntrack.track(other, 'PREROUTING', undefined);
  const mine = packet.connection, theirs = other.connection;
  if (mine === undefined || theirs === undefined) return t.fail();
  t.true(lab.conntrack.isTaken(mine.reply, theirs));
  t.false(lab.conntrack.isTaken(mine.reply, mine));
  t.false(lab.conntrack.isTaken(theirs.reply, theirs));
  theirs.zones = [9, 9];
  t.false(lab.conntrack.isTaken(mine.reply, theirs));
});

test('expired entries are collected: a long run of short flows keeps the table small', t => {
  const lab = new Lab();
  const packet = lab.build(udp(1));
  let largest = 0;
  for (let run = 0; run < 200_000; run++) {
    packet.bytes[20] = run >>> 8;
    packet.bytes[21] = run;
    packet.bytes[15] = run >>> 16;
    packet.bytes[26] = packet.bytes[27] = 0; // no checksum
    packet.connection = undefined;
    packet.ctstate = -1;
    lab.now += 0.01;
    lab.pass(packet);
    largest = Math.max(largest, lab.conntrack.count);
  }
  t.true(largest < 10_000, String(largest));
});

test('IPv6 flows are found like those of IPv4', t => {
  const lab = new Lab('ipv6');
  t.is(lab.send(udp(1, { src: 'fd00::1', dst: 'fd00::2' })), 'NEW ORIGINAL');
  t.is(lab.send({ proto: 'udp', src: 'fd00::2', dst: 'fd00::1', sport: 53, dport: 1 }), 'ESTABLISHED REPLY');
});
