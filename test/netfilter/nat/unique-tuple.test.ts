import test from 'ava';
import { TcpFlow } from '../../../analyzer/netfilter/conntrack/tcp-flow.js';
import { TcpState } from '../../../analyzer/netfilter/conntrack/tcp-states.js';
import { ctstatus, type Connection } from '../../../analyzer/packet/connection.js';
import { NatBox, packetOf, ports, to, udp } from './host.js';

const one = to('source', '192.0.2.1');

function sourcePort(flow: string): number {
  return Number(/:(\d+) > /u.exec(flow)?.[1]);
}

for (const [port, low, high] of [[100, 1, 511], [511, 1, 511], [512, 600, 1023], [1023, 600, 1023], [1024, 1024, 65_535], [40_000, 1024, 65_535]] as const) {
  test(`of two clients with source port ${String(port)} the second gets one between ${String(low)} and ${String(high)}`, t => {
    const box = new NatBox({ POSTROUTING: one });
    t.is(sourcePort(box.forward(udp(`10.0.0.5:${String(port)} > 198.51.100.1:80`))), port);
    const second = sourcePort(box.forward(udp(`10.0.0.6:${String(port)} > 198.51.100.1:80`)));
    t.true(second >= low && second <= high && second !== port, String(second));
  });
}

test('two clients may share a port towards different servers', t => {
  const box = new NatBox({ POSTROUTING: one });
  t.is(sourcePort(box.forward(udp('10.0.0.5:4000 > 198.51.100.1:80'))), 4000);
  t.is(sourcePort(box.forward(udp('10.0.0.6:4000 > 198.51.100.2:80'))), 4000);
  t.deepEqual(box.chances, []);
});

test('a client that got another port keeps it towards the next server', t => {
  const box = new NatBox({ POSTROUTING: one });
  box.forward(udp('10.0.0.5:4000 > 198.51.100.1:80'));
  const got = sourcePort(box.forward(udp('10.0.0.6:4000 > 198.51.100.1:80')));
  t.is(sourcePort(box.forward(udp('10.0.0.6:4000 > 198.51.100.2:80'))), got);
});

test('pings from two hosts with the same id get different ones', t => {
  const box = new NatBox({ POSTROUTING: one });
  const ping = (src: string): string => box.forward(packetOf({ proto: 'icmp', src, dst: '198.51.100.1', id: 77 }));
  t.is(sourcePort(ping('10.0.0.5')), 77);
  t.not(sourcePort(ping('10.0.0.6')), 77);
});

test('a range of ports is used up, and then packets are dropped', t => {
  const box = new NatBox({ POSTROUTING: { ...one, ...ports(5000, 5001) } });
  const outs = [5, 6, 7].map(host => box.forward(udp(`10.0.0.${String(host)}:4000 > 198.51.100.1:80`)));
  t.deepEqual(outs.map(sourcePort).slice(0, 2).sort((a, b) => a - b), [5000, 5001]);
  t.is(outs[2], 'dropped');
});

test('a single port that is taken is given all the same, and the packet dropped', t => {
  const box = new NatBox({ POSTROUTING: { ...one, ...ports(5000) } });
  t.is(box.forward(udp('10.0.0.5:4000 > 198.51.100.1:80')), '192.0.2.1:5000 > 198.51.100.1:80');
  t.is(box.forward(udp('10.0.0.6:4000 > 198.51.100.1:80')), 'dropped');
  t.deepEqual(box.chances, []);
});

// The addresses below are what Linux 6.18 chose.
test('an address of a range is chosen from both addresses, as Linux chooses it', t => {
  const box = new NatBox({ POSTROUTING: to('source', '192.0.2.50-192.0.2.60') });
  const outs = [5, 6, 7, 8].map(host => box.forward(udp(`10.0.0.${String(host)}:4000 > 198.51.100.1:80`)).split(':')[0]);
  t.deepEqual(outs, ['192.0.2.55', '192.0.2.57', '192.0.2.59', '192.0.2.50']);
  t.is(new NatBox(box.rules).forward(udp('10.0.0.5:4001 > 198.51.100.5:80')), '192.0.2.54:4001 > 198.51.100.5:80');
  t.deepEqual(box.chances, []);
});

test('with --persistent the destination does not count', t => {
  const rules = { POSTROUTING: to('source', '192.0.2.50-192.0.2.60', { persistent: true }) };
  const outs = [5, 6, 7, 8].map(host => new NatBox(rules).forward(udp(`10.0.0.${String(host)}:4000 > 198.51.100.1:80`)).split(':')[0]);
  t.deepEqual(outs, ['192.0.2.59', '192.0.2.50', '192.0.2.50', '192.0.2.54']);
});

test('a destination is chosen from a range in the same way', t => {
  const outs = [5, 6, 7, 8].map(host => new NatBox({ PREROUTING: to('destination', '192.0.2.50-192.0.2.60') }).forward(udp(`10.0.0.5:4000 > 198.51.100.${String(host)}:80`)));
  t.deepEqual(outs.map(out => out.split(' > ')[1]), ['192.0.2.54:80', '192.0.2.51:80', '192.0.2.57:80', '192.0.2.52:80']);
});

test('IPv6 ranges are chosen from word by word and never left', t => {
  const seen = new Set<string>();
  for (let host = 1; host < 60; host++) {
    const out = new NatBox({ POSTROUTING: to('source', '2001:db8::1:ffff-2001:db8::3:2') }).forward(udp(`fd00::${host.toString(16)}:4000 > 2001:db8:ffff::1:80`));
    const last = /^2001:db8::(\d):([0-9a-f]+):4000/u.exec(out);
    t.truthy(last, out);
    const value = parseInt(last?.[1] ?? '', 16) * 0x1_0000 + parseInt(last?.[2] ?? '', 16);
    t.true(value >= 0x1_ffff && value <= 0x3_0002, out);
    seen.add(out);
  }
  t.true(seen.size > 20);
});

test('a range of destination ports is given out from its beginning, and kept where the port lies in it', t => {
  const box = new NatBox({ PREROUTING: to('destination', '192.0.2.9', ports(8000, 8010)) });
  const outs = [1, 2, 3].map(host => box.forward(udp(`10.0.0.5:4000 > 198.51.100.${String(host)}:80`)));
  t.deepEqual(outs.map(out => out.split(' > ')[1]), ['192.0.2.9:8000', '192.0.2.9:8001', '192.0.2.9:8002']);
  t.is(box.forward(udp('10.0.0.5:4001 > 198.51.100.1:8005')), '10.0.0.5:4001 > 192.0.2.9:8005');
  t.deepEqual(box.chances, []);
});

test('with --random the destination port is drawn', t => {
  const box = new NatBox({ PREROUTING: to('destination', '192.0.2.9', { ...ports(8000, 8010), random: true }) });
  t.regex(box.forward(udp('10.0.0.5:4000 > 198.51.100.1:8005')), /192\.0\.2\.9:80(?:0\d|10)$/u);
  t.is(box.chances.length, 1);
});

test('a shifted range maps port by port, around its ends too', t => {
  const rules = { PREROUTING: to('destination', '192.0.2.9', { ...ports(8000, 8010), basePort: 70 }) };
  const port = (dport: number): string | undefined => new NatBox(rules).forward(udp(`10.0.0.5:4000 > 198.51.100.1:${String(dport)}`)).split(' > ')[1];
  t.deepEqual([70, 80, 60, 100].map(port), ['192.0.2.9:8000', '192.0.2.9:8010', '192.0.2.9:8010', '192.0.2.9:8008']);
});

test('ports alone leave the address, an address alone leaves the port', t => {
  t.is(new NatBox({ PREROUTING: to('destination', '', ports(8080)) }).forward(udp('10.0.0.5:4000 > 198.51.100.1:80')), '10.0.0.5:4000 > 198.51.100.1:8080');
  t.is(new NatBox({ PREROUTING: to('destination', '192.0.2.9') }).forward(udp('10.0.0.5:4000 > 198.51.100.1:80')), '10.0.0.5:4000 > 192.0.2.9:80');
});

test('protocols without ports have their addresses rewritten only', t => {
  const box = new NatBox({ PREROUTING: to('destination', '192.0.2.9', ports(8080)), POSTROUTING: one });
  t.is(box.forward(packetOf({ proto: 'esp', src: '10.0.0.5', dst: '198.51.100.1', rest_hex: '0000000100000002' })), '192.0.2.1:0 > 192.0.2.9:0');
  t.is(box.forward(packetOf({ proto: 'dccp', src: '10.0.0.5', dst: '198.51.100.1', sport: 4000, dport: 80 })), '192.0.2.1:0 > 192.0.2.9:0');
});

function withTcp(connection: Connection | undefined, state: number, end: number): void {
  if (connection === undefined) return;
  const flow = new TcpFlow();
  flow.state = state;
  flow.seen[0].end = end;
  connection.protocolState = flow;
}

test('a closed connection makes way for a new one behind the same port, if the new one is further on', t => {
  for (const [end, expected] of [[2000, '192.0.2.1:5000 > 198.51.100.1:80'], [900, 'dropped']] as const) {
    const box = new NatBox({ POSTROUTING: { ...one, ...ports(5000, 5000), random: true } });
    const old = packetOf({ proto: 'tcp', src: '10.0.0.5', sport: 4000, dst: '198.51.100.1', dport: 80 });
    box.forward(old);
    withTcp(old.connection, TcpState.TimeWait, 1000);
    const fresh = packetOf({ proto: 'tcp', src: '10.0.0.6', sport: 4000, dst: '198.51.100.1', dport: 80 });
    withTcp(box.track(fresh), TcpState.SynSent, end);
    t.is(box.forward(fresh), expected);
  }
});

test('mappings of connections that are gone are forgotten', t => {
  const box = new NatBox({ POSTROUTING: one });
  const packet = udp('10.0.0.5:4000 > 198.51.100.1:80');
  box.forward(packet);
  const other = sourcePort(box.forward(udp('10.0.0.6:4000 > 198.51.100.1:80')));
  box.connections.all.length = 0;
  const again = udp('10.0.0.6:4000 > 198.51.100.1:80');
  t.is(sourcePort(box.forward(again)), 4000);
  t.not(other, 4000);
  t.false(again.connection?.has(ctstatus.DST_NAT));
});
