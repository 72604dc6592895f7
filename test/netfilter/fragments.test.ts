/** What the kernel does to fragments: all cases were seen on Linux 6.18. */
import test from 'ava';
import * as fc from 'fast-check';
import { Defragmenter, exceedsMtu, refragment } from '../../analyzer/netfilter/fragments/fragments.js';
import { sysctlDefaults } from '../../analyzer/netfilter/host/sysctl-defaults.js';
import { sumOf } from '../../analyzer/packet/checksum.js';
import { Packet } from '../../analyzer/packet/packet.js';
import type { Family } from '../../analyzer/values/value.js';
import { ipv4, ipv6, long, tcp, udp, word, type IpFields } from './packet-bytes.js';

class Host {
  now = 0;
  readonly family: Family;
  readonly #sysctls: Readonly<Record<string, number>>;
  constructor(family: Family = 'ipv4', sysctls: Readonly<Record<string, number>> = {}) {
    this.family = family;
    this.#sysctls = { ...sysctlDefaults, ...sysctls };
  }

  sysctl(name: string): number { return this.#sysctls[name] ?? 0; }
}

/** Payload of a UDP datagram of so many bytes, header included. */
function datagram(size: number): number[] {
  const packet = udp(1111, 2222, Array.from({ length: size - 8 }, (_, index) => index % 200));
  return [...packet.bytes.subarray(20)];
}

/** Fragments of the sizes; `fields` says what is special about each. */
function fragments(sizes: readonly number[], fields: (index: number) => IpFields = () => ({})): Packet[] {
  const payload = datagram(sizes.reduce((sum, size) => sum + size, 0));
  let offset = 0;
  return sizes.map((size, index) => {
    const { fragment = 0, ...rest } = fields(index);
    const flags = fragment | (index === sizes.length - 1 ? 0 : 0x2000);
    const packet = ipv4({ payload: payload.slice(offset, offset + size), fragment: (offset >> 3) | flags, ...rest });
    offset += size;
    return packet;
  });
}

function fragments6(sizes: readonly number[], id = 1, before: readonly number[] = []): Packet[] {
  const payload = datagram(sizes.reduce((sum, size) => sum + size, 0));
  let offset = 0;
  return sizes.map((size, index) => {
    const header = [17, 0, ...word(offset | (index === sizes.length - 1 ? 0 : 1)), ...long(id)];
    const packet = ipv6({ protocol: before.length > 0 ? 60 : 44, payload: [...before, ...header, ...payload.slice(offset, offset + size)] });
    offset += size;
    return packet;
  });
}

function gather(packets: readonly Packet[], host = new Host()): (Packet | 'held' | 'drop')[] {
  const defragmenter = new Defragmenter(host);
  return packets.map(packet => defragmenter.add(packet, 'PREROUTING'));
}

/** The packet that comes of it in the end. */
function whole(packets: readonly Packet[], host = new Host()): Packet {
  const last = gather(packets, host).at(-1);
  if (!(last instanceof Packet)) throw new Error(`no packet but ${String(last)}`);
  return last;
}

function sent(packet: Packet, mtu = 1500): Packet[] {
  const pieces = refragment(packet, mtu, 0x01020304);
  if (pieces === 'too big') throw new Error('too big');
  return [...pieces];
}

/** Length, offset and flags of what is sent. */
function shapes(packets: readonly Packet[]): string[] {
  return packets.map(packet => `${String(packet.length)}@${String(packet.fragmentOffset)}${packet.moreFragments ? ' MF' : ''}${packet.dontFragment ? ' DF' : ''}`);
}

test('fragments are held until all are there, in whatever order they come', t => {
  const [first, second, third] = fragments([800, 16, 24]) as [Packet, Packet, Packet];
  const answers = gather([third, second, first]);
  t.deepEqual(answers.slice(0, 2), ['held', 'held']);
  const packet = whole([third, second, first]);
  t.deepEqual([...packet.bytes.subarray(20)], datagram(840));
  t.is(packet.length, 860);
  t.false(packet.isFragment);
  t.is(sumOf(packet.bytes, 0, 20), 0xffff);
  t.is(packet.largestFragment, 820);
});

test('what was put together leaves in the same pieces, in order, where they fit', t => {
  t.deepEqual(shapes(sent(whole(fragments([8, 16, 24])))), ['28@0 MF', '36@8 MF', '44@24']);
  t.deepEqual(shapes(sent(whole(fragments([800, 16, 24]).reverse()))), ['820@0 MF', '36@800 MF', '44@816']);
  t.deepEqual(shapes(sent(whole(fragments([800, 800])), 700)), ['700@0 MF', '700@680 MF', '260@1360']);
});

test('a whole packet that is too large is cut, its options that are not to be copied blanked in later pieces', t => {
  const packet = ipv4({ payload: datagram(1400), options: [0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 1] });
  const pieces = sent(packet, 700);
  t.deepEqual(shapes(pieces), ['696@0 MF', '696@664 MF', '104@1328']);
  t.deepEqual([...pieces[1]?.bytes.subarray(20, 32) ?? []], [0x94, 4, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
  t.true(pieces.every(piece => sumOf(piece.bytes, 0, 32) === 0xffff));
});

test('DF survives where the largest fragment had it, and is lost when it leaves in its old pieces', t => {
  const all = whole(fragments([24, 24, 16], () => ({ fragment: 0x4000 })));
  t.true(all.dontFragment);
  t.deepEqual(shapes(sent(all)), ['44@0 MF', '44@24 MF', '36@48']);
  t.true(whole(fragments([48, 24], index => ({ fragment: index === 0 ? 0x4000 : 0 }))).dontFragment);
  t.false(whole(fragments([48, 24], index => ({ fragment: index === 1 ? 0x4000 : 0 }))).dontFragment);
});

test('a router refuses what had DF and was larger than the way out', t => {
  const packet = whole(fragments([800, 800], () => ({ fragment: 0x4000 })));
  t.true(exceedsMtu(packet, 700));
  t.is(refragment(packet, 700), 'too big');
  t.false(exceedsMtu(packet, 1500));
  const mixed = whole(fragments([800, 80], index => ({ fragment: index === 1 ? 0x4000 : 0 })));
  t.false(exceedsMtu(mixed, 700));
  t.deepEqual(shapes(sent(mixed, 700)), ['700@0 MF', '220@680']);
  t.true(exceedsMtu(ipv4({ payload: datagram(1000), fragment: 0x4000 }), 700));
  t.is(refragment(ipv4({ payload: datagram(1000), fragment: 0x4000 }), 700), 'too big');
});

test('congestion marks are joined, and a mix with not-ECT is dropped', t => {
  t.is(whole(fragments([24, 24], index => ({ tos: index === 0 ? 2 : 3 }))).tos, 3);
  t.deepEqual(gather(fragments([24, 24], index => ({ tos: index === 0 ? 0 : 3 }))), ['held', 'drop']);
  t.is(whole(fragments([24, 24], index => ({ tos: index === 0 ? 0x10 : 0x20 }))).tos, 0x10);
});

test('duplicates are dropped and the first is kept; an overlap spoils the whole', t => {
  const [first, second, third] = fragments([24, 24, 24]) as [Packet, Packet, Packet];
  t.deepEqual(gather([first, first, second, second]), ['held', 'drop', 'held', 'drop']);
  const altered = second.copyBytes();
  altered.bytes[30] = 0x58;
  t.is(whole([first, altered, second, third]).bytes[54], 0x58);
  const [, longer] = fragments([24, 40, 8]) as [Packet, Packet, Packet];
  t.deepEqual(gather([first, longer, second]), ['held', 'held', 'drop']);
  t.deepEqual(gather([first, second, longer, third]), ['held', 'held', 'drop', 'held']);
});

test('a piece within a run that came in order is a duplicate', t => {
  const [first, second, third] = fragments([16, 8, 8]) as [Packet, Packet, Packet];
  const [, across] = fragments([8, 16, 8]) as [Packet, Packet, Packet];
  t.is(whole([first, second, across, third]).length, 52);
});

test('a middle fragment of odd length loses its last bytes', t => {
  t.deepEqual(shapes(sent(whole(fragments([24, 23, 8]).map((packet, index) => index < 2 ? packet : ipv4({ payload: packet.bytes.subarray(20), fragment: 5 }))))), ['44@0 MF', '36@24 MF', '28@40']);
});

test('contradicting ends, empty fragments and datagrams beyond 65535 bytes spoil the whole', t => {
  const [first, last] = fragments([8, 8]) as [Packet, Packet];
  const [, other] = fragments([8, 16]) as [Packet, Packet];
  t.deepEqual(gather([last, other, first]), ['held', 'drop', 'held']);
  t.deepEqual(gather([ipv4({ fragment: 0x2000 }), first]), ['drop', 'held']);
  const pieces = Array.from({ length: 50 }, (_, index) => ipv4({ payload: new Array<number>(1296).fill(0), fragment: 0x2000 | index * 162 }));
  const tail = ipv4({ payload: new Array<number>(1400).fill(0), fragment: 8100 });
  t.is(gather([...pieces, tail]).at(-1), 'drop');
});

test('source, destination, protocol, identification, hook and zone keep datagrams apart', t => {
  const defragmenter = new Defragmenter(new Host());
  const [first, last] = fragments([8, 8]) as [Packet, Packet];
  t.is(defragmenter.add(first, 'PREROUTING'), 'held');
  const others = [{ src: '10.0.0.3' }, { dst: '10.0.1.3' }, { protocol: 132 }, { id: 2 }];
  for (const fields of others) t.is(defragmenter.add(fragments([8, 8], () => fields)[1] as Packet, 'PREROUTING'), 'held');
  t.is(defragmenter.add(last.copyBytes(), 'OUTPUT'), 'held');
  t.is(defragmenter.add(last.copyBytes(), 'PREROUTING', 7), 'held');
  t.true(defragmenter.add(last, 'PREROUTING') instanceof Packet);
});

test('after 30 seconds the first fragment is given back, and the rest must begin anew', t => {
  const host = new Host();
  const defragmenter = new Defragmenter(host);
  const [first, last] = fragments([8, 8]) as [Packet, Packet];
  defragmenter.add(first, 'PREROUTING');
  host.now = 29.9;
  t.deepEqual(defragmenter.expire(), []);
  host.now = 30;
  t.deepEqual(defragmenter.expire(), [first]);
  t.is(defragmenter.add(last, 'PREROUTING'), 'held');
  t.is(defragmenter.count, 1);
});

test('a source that sends too much else meanwhile loses what it began', t => {
  const defragmenter = new Defragmenter(new Host());
  const [first, last] = fragments([8, 8]) as [Packet, Packet];
  defragmenter.add(first, 'PREROUTING');
  for (let id = 100; id < 165; id++) defragmenter.add(fragments([8, 8], () => ({ id }))[0] as Packet, 'PREROUTING');
  t.is(defragmenter.add(last, 'PREROUTING'), 'held');
  t.is(defragmenter.add(first.copyBytes(), 'PREROUTING') instanceof Packet, true);
});

test('no more is held than the high threshold', t => {
  const defragmenter = new Defragmenter(new Host('ipv4', { 'net.ipv4.ipfrag_high_thresh': 100_000, 'net.ipv4.ipfrag_max_dist': 0 }));
  const answers = new Set(Array.from({ length: 1000 }, (_, id) => defragmenter.add(fragments([8, 8], () => ({ id }))[0] as Packet, 'PREROUTING')));
  t.deepEqual([...answers], ['held', 'drop']);
  t.true(defragmenter.memory < 110_000);
});

test('whole packets, tracked ones and untracked ones pass as they are', t => {
  const defragmenter = new Defragmenter(new Host());
  const packet = udp(1, 2, 'x');
  t.is(defragmenter.add(packet, 'PREROUTING'), packet);
  const untracked = fragments([8, 8])[0] as Packet;
  untracked.ctstate = 4;
  t.is(defragmenter.add(untracked, 'OUTPUT'), untracked);
});

const host6 = (): Host => new Host('ipv6');

test('IPv6 loses its fragment header, and gets a new one with another identification', t => {
  const packet = whole(fragments6([8, 16, 24]), host6());
  t.is(packet.protocol, 17);
  t.deepEqual([...packet.bytes.subarray(40)], datagram(48));
  const pieces = sent(packet);
  t.deepEqual(pieces.map(piece => piece.length), [56, 64, 72]);
  t.deepEqual([...pieces[1]?.bytes.subarray(40, 48) ?? []], [17, 0, 0, 9, 1, 2, 3, 4]);
});

test('IPv6 headers before the fragment header stay before it', t => {
  const packet = whole(fragments6([24, 24], 1, [44, 0, 1, 4, 0, 0, 0, 0]), host6());
  t.deepEqual([...packet.bytes.subarray(40, 48)], [17, 0, 1, 4, 0, 0, 0, 0]);
  const [, second] = sent(packet);
  t.deepEqual([...second?.bytes.subarray(40, 56) ?? []], [44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 24, 1, 2, 3, 4]);
});

test('an IPv6 fragment that is the whole packet loses its header for good', t => {
  const packet = whole(fragments6([24]), host6());
  t.deepEqual(sent(packet), [packet]);
  t.is(packet.length, 64);
});

test('IPv6: a duplicate counts as held, an overlap spoils the whole, a contradicting end only itself', t => {
  const [first, second, third] = fragments6([24, 24, 24]) as [Packet, Packet, Packet];
  t.deepEqual(gather([first, first], host6()), ['held', 'held']);
  const [, longer] = fragments6([24, 40, 8]) as [Packet, Packet, Packet];
  t.deepEqual(gather([first, longer, second, third], host6()), ['held', 'held', 'held', 'drop']);
  const [begin, end] = fragments6([8, 8]) as [Packet, Packet];
  const [, farther] = fragments6([8, 16]) as [Packet, Packet];
  const packet = whole([end, farther, begin], host6());
  t.deepEqual(sent(packet), [packet]);
});

test('IPv6: a middle fragment of odd length goes on as it is, and so does a first one without its headers', t => {
  const [first, odd, last] = fragments6([24, 23, 8]) as [Packet, Packet, Packet];
  t.deepEqual(gather([first, odd, last], host6()), ['held', odd, 'held']);
  const segment = tcp({}, {}, 'ipv6').bytes.subarray(40);
  const cut = ipv6({ protocol: 44, payload: [6, 0, 0, 1, 0, 0, 0, 9, ...segment.subarray(0, 16)] });
  t.deepEqual(gather([cut], host6()), [cut]);
});

test('IPv6: nobody on the way cuts a packet, and pieces too large for the way out are refused', t => {
  const packet = ipv6({ payload: datagram(1400) });
  t.true(exceedsMtu(packet, 1280));
  t.is(refragment(packet, 1280), 'too big');
  const large = whole(fragments6([1440, 800]), host6());
  t.true(exceedsMtu(large, 1280));
  t.is(refragment(large, 1280), 'too big');
  t.deepEqual(sent(whole(fragments6([1200, 800]), host6()), 1280).map(piece => piece.length), [1248, 848]);
});

test('changed on the way, a packet is cut anew', t => {
  const packet = whole(fragments([800, 80]));
  packet.fragmentSizes = [];
  t.deepEqual(shapes(sent(packet)), ['820@0 MF', '100@800']);
});

test('any cut of any datagram is put together again', t => {
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 });
  fc.assert(fc.property(cuts, fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), fc.boolean(), (sizes, order, isV4) => {
    const bytes = sizes.map(size => size * 8);
    const packets = isV4 ? fragments(bytes) : fragments6(bytes);
    const shuffled = packets.map((packet, index) => ({ packet, key: order[index] ?? 0 })).sort((a, b) => a.key - b.key).map(({ packet }) => packet);
    const answers = gather(shuffled, isV4 ? new Host() : host6());
    const last = answers.at(-1);
    t.true(last instanceof Packet);
    if (last instanceof Packet) t.deepEqual([...last.bytes.subarray(isV4 ? 20 : 40)], datagram(bytes.reduce((sum, size) => sum + size, 0)));
  }), { seed: 3, numRuns: 200 });
});

test('random bytes never throw, and leave nothing behind for ever', t => {
  for (const family of ['ipv4', 'ipv6'] as const) {
    const host = new Host(family);
    const defragmenter = new Defragmenter(host);
    const head = family === 'ipv4' ? [0x45, 0, 0, 60, 0, 1, 0x20, 0, 64, 17] : [0x60, 0, 0, 0, 0, 20, 44, 64];
    fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), fc.integer({ min: 0, max: 1600 }), (bytes, isLikely, mtu) => {
      if (isLikely) bytes.set(head.slice(0, bytes.length));
      if (isLikely && bytes.length > 60) { if (family === 'ipv4') bytes[3] = bytes.length; else bytes[5] = bytes.length - 40; }
      const answer = defragmenter.add(new Packet(family, bytes), 'PREROUTING');
      if (answer instanceof Packet) {
        exceedsMtu(answer, mtu);
        refragment(answer, mtu, 1);
      }
      host.now += 0.01;
    }), { seed: 4, numRuns: 5000 });
    host.now += 100;
    defragmenter.expire();
    t.is(defragmenter.count, 0);
    t.is(defragmenter.memory, 0);
  }
});
