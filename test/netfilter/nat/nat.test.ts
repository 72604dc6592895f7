import test from 'ava';
import { ctstatus } from '../../../analyzer/packet/connection.js';
import { ctstates } from '../../../analyzer/packet/constraint.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { Verdict } from '../../../analyzer/packet/traversal.js';
import { NatBox, flow, ip, packetOf, ports, to, udp } from './host.js';

const masquerade = to('source', '192.0.2.1');

test('a source is rewritten on the way out and put back in replies, without asking the rules again', t => {
  const box = new NatBox({ POSTROUTING: masquerade });
  t.is(box.forward(udp('10.0.0.5:4000 > 198.51.100.1:80')), '192.0.2.1:4000 > 198.51.100.1:80');
  t.is(box.forward(udp('198.51.100.1:80 > 192.0.2.1:4000')), '198.51.100.1:80 > 10.0.0.5:4000');
  t.is(box.forward(udp('10.0.0.5:4000 > 198.51.100.1:80')), '192.0.2.1:4000 > 198.51.100.1:80');
  t.deepEqual(box.asked, ['PREROUTING', 'POSTROUTING']);
});

test('a second packet that is still NEW skips the nat chains, yet is translated', t => {
  const box = new NatBox({ POSTROUTING: masquerade });
  box.forward(udp('10.0.0.5:4000 > 198.51.100.1:80'));
  const second = udp('10.0.0.5:4000 > 198.51.100.1:80');
  t.is(box.forward(second), '192.0.2.1:4000 > 198.51.100.1:80');
  t.is(second.ctstate, ctstates.NEW);
  t.is(box.asked.length, 2);
});

test('a destination and a source are rewritten together', t => {
  const box = new NatBox({ PREROUTING: to('destination', '192.0.2.9', ports(8080)), POSTROUTING: masquerade });
  const packet = udp('10.0.0.5:4000 > 198.51.100.1:80');
  t.is(box.forward(packet), '192.0.2.1:4000 > 192.0.2.9:8080');
  t.true(packet.connection?.has(ctstatus.SRC_NAT | ctstatus.DST_NAT | ctstatus.SRC_NAT_DONE | ctstatus.DST_NAT_DONE));
  t.is(box.forward(udp('192.0.2.9:8080 > 192.0.2.1:4000')), '198.51.100.1:80 > 10.0.0.5:4000');
});

test('local packets have their destination rewritten in OUTPUT, delivered ones their source in INPUT', t => {
  const box = new NatBox({ OUTPUT: to('destination', '127.0.0.1'), INPUT: to('source', '10.9.9.9') });
  const sent = udp('10.0.0.1:4000 > 198.51.100.1:80');
  box.track(sent);
  t.is(box.pass(sent, 'OUTPUT'), Verdict.Accept);
  t.is(flow(sent), '10.0.0.1:4000 > 127.0.0.1:80');
  const delivered = udp('10.0.0.5:4000 > 10.0.0.1:80');
  box.track(delivered);
  t.is(box.pass(delivered, 'INPUT'), Verdict.Accept);
  t.is(flow(delivered), '10.9.9.9:4000 > 10.0.0.1:80');
});

test('what no rule maps is not changed, and its two sides are decided', t => {
  const box = new NatBox();
  const packet = udp('10.0.0.5:4000 > 198.51.100.1:80');
  t.is(box.forward(packet), '10.0.0.5:4000 > 198.51.100.1:80');
  t.is((packet.connection?.status ?? 0) & ~ctstatus.CONFIRMED, ctstatus.SRC_NAT_DONE | ctstatus.DST_NAT_DONE);
});

test('a source port is rewritten without any SNAT rule where a DNATed flow owns the reply already', t => {
  const box = new NatBox({ PREROUTING: to('destination', '192.0.2.9', ports(80)) });
  t.is(box.forward(udp('10.0.0.5:4000 > 198.51.100.1:80')), '10.0.0.5:4000 > 192.0.2.9:80');
  const second = udp('10.0.0.5:4000 > 198.51.100.2:80');
  const out = box.forward(second);
  t.regex(out, /^10\.0\.0\.5:(?!4000 )\d{4,5} > 192\.0\.2\.9:80$/u);
  t.true(second.connection?.has(ctstatus.SRC_NAT));
  t.deepEqual(box.chances, ['the port that NAT chooses']);
});

test('the same mapping in two zones is not told apart', t => {
  const box = new NatBox({ POSTROUTING: masquerade });
  const [first, second] = [udp('10.0.0.5:4000 > 198.51.100.1:80'), udp('10.0.0.6:4000 > 198.51.100.1:80')];
  box.track(first, 1);
  box.track(second, 2);
  t.is(box.forward(first), '192.0.2.1:4000 > 198.51.100.1:80');
  t.is(box.forward(second), '192.0.2.1:4000 > 198.51.100.1:80');
});

test('the verdict of the chain ends the way of a new packet, and nothing is decided', t => {
  const box = new NatBox({ PREROUTING: Verdict.Drop });
  const packet = udp('10.0.0.5:4000 > 198.51.100.1:80');
  t.is(box.forward(packet), 'dropped');
  t.is(packet.connection?.status, 0);
});

test('packets without a connection pass untouched', t => {
  const box = new NatBox({ PREROUTING: Verdict.Drop, POSTROUTING: masquerade });
  const packet = udp('10.0.0.5:4000 > 198.51.100.1:80');
  t.is(box.pass(packet, 'PREROUTING'), Verdict.Accept);
  t.is(box.pass(packet, 'POSTROUTING'), Verdict.Accept);
  t.is(flow(packet), '10.0.0.5:4000 > 198.51.100.1:80');
  t.deepEqual(box.asked, []);
});

test('a masqueraded connection ends when it would leave by another interface', t => {
  const box = new NatBox({ POSTROUTING: masquerade });
  const first = udp('10.0.0.5:4000 > 198.51.100.1:80');
  box.forward(first, 'eth1');
  if (first.connection !== undefined) first.connection.masqueradeInterface = 'eth1';
  t.is(box.forward(udp('198.51.100.1:80 > 192.0.2.1:4000'), 'eth0'), '198.51.100.1:80 > 10.0.0.5:4000');
  t.is(box.forward(udp('10.0.0.5:4000 > 198.51.100.1:80'), 'eth2'), 'dropped');
  t.is(box.connections.all.length, 0);
  t.is(box.forward(udp('10.0.0.5:4000 > 198.51.100.1:80'), 'eth2'), '192.0.2.1:4000 > 198.51.100.1:80');
});

test('a whole network is mapped host by host, either way and in both families', t => {
  const box = new NatBox({
    PREROUTING: { side: 'destination', minAddress: ip('10.1.0.0'), netmapMask: ip('255.255.0.0') },
    POSTROUTING: { side: 'source', minAddress: ip('192.0.2.128'), netmapMask: ip('255.255.255.128') },
  });
  t.is(box.forward(udp('10.0.0.5:4000 > 198.51.200.7:80')), '192.0.2.133:4000 > 10.1.200.7:80');
  const six = new NatBox({ PREROUTING: { side: 'destination', minAddress: ip('fd00:1::'), netmapMask: ip('ffff:ffff:ffff:ffff::') } });
  t.is(six.forward(udp('fd00:a::5:4000 > 2001:db8::77:80')), 'fd00:a::5:4000 > fd00:1::77:80');
});

test('a connection that is decided before its first hook skips the chains, as one that a helper expected', t => {
  const box = new NatBox({ PREROUTING: to('destination', '10.0.0.9'), POSTROUTING: masquerade });
  const packet = udp('203.0.113.7:4001 > 192.0.2.1:5000');
  const connection = box.track(packet);
  if (connection === undefined) return;
  t.is(box.nat.setupConnection(connection, to('source', '203.0.113.7')), Verdict.Accept);
  t.is(box.nat.setupConnection(connection, to('destination', '10.0.0.77', ports(6000))), Verdict.Accept);
  t.is(box.forward(packet), '203.0.113.7:4001 > 10.0.0.77:6000');
  t.deepEqual(box.asked, []);
  t.is(box.nat.setupConnection(connection, to('source', '10.9.9.9')), Verdict.Accept);
  t.is(box.forward(udp('203.0.113.7:4001 > 192.0.2.1:5000')), '203.0.113.7:4001 > 10.0.0.77:6000');
});

test('a connection that was there before is translated, and its source is kept for the next one', t => {
  const box = new NatBox({ POSTROUTING: to('source', '192.0.2.50-192.0.2.60') });
  const before = udp('10.0.0.5:4000 > 198.51.100.1:80');
  const connection = box.track(before);
  if (connection === undefined) return;
  connection.reply = { ...connection.reply, dst: ip('192.0.2.60'), dport: 777 };
  box.nat.adopt(connection);
  box.confirm(before);
  t.is(box.forward(udp('10.0.0.5:4000 > 198.51.100.1:80')), '192.0.2.60:777 > 198.51.100.1:80');
  t.is(box.forward(udp('10.0.0.5:4000 > 198.51.100.2:80')), '192.0.2.60:777 > 198.51.100.2:80');
});

test('a header that is cut off cannot be translated: the packet is dropped', t => {
  const box = new NatBox({ POSTROUTING: masquerade });
  const short = packetOf({ proto: 'gre', src: '10.0.0.5', dst: '198.51.100.1', rest_hex: '00000800' });
  t.is(box.forward(short), 'dropped');
  const long = packetOf({ proto: 'gre', src: '10.0.0.6', dst: '198.51.100.1', rest_hex: '0000080061626364' });
  t.is(box.forward(long), '192.0.2.1:0 > 198.51.100.1:0');
  t.is(box.forward(new Packet('ipv4', packetOf({ proto: 99, src: '10.0.0.5', dst: '198.51.100.1', rest_hex: '' }).bytes)), '192.0.2.1:0 > 198.51.100.1:0');
});
