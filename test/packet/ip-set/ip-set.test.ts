import test from 'ava';
import * as fc from 'fast-check';
import { readIpSets } from '../../../analyzer/packet/ip-set/read-ip-sets.js';
import type { IpSetTable } from '../../../analyzer/packet/ip-set/ip-set-table.js';
import type { SetFlag, SetTest } from '../../../analyzer/packet/ip-sets.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { ipv4, tcp, udp } from '../../netfilter/packet-bytes.js';

interface Clock {
  now: number;
}

function setsOf(text: string, clock: Clock = { now: 0 }): IpSetTable {
  const { sets, problems } = readIpSets(text, { now: () => clock.now });
  if (problems.length > 0) throw new Error(problems.map(one => one.message).join());
  return sets;
}

function isIn(sets: IpSetTable, packet: Packet, flags: string, more: Partial<SetTest> = {}): boolean | undefined {
  return sets.test(packet, { name: 's', flags: flags.split(',') as SetFlag[], ...more });
}

const from = (src: string, dst = '10.0.1.2'): Packet => udp(1000, 53, '', { src, dst });

test('an address is looked up on the side that the rule names', t => {
  const sets = setsOf('create s hash:ip\nadd s 10.0.0.1\n');
  t.deepEqual([isIn(sets, from('10.0.0.1'), 'src'), isIn(sets, from('10.0.0.1'), 'dst'), isIn(sets, from('1.1.1.1', '10.0.0.1'), 'dst')], [true, false, true]);
  t.is(sets.test(from('10.0.0.1'), { name: 'other', flags: ['src'] }), undefined);
});

test('a set of another family, or with more parts than the rule names, takes no packet', t => {
  t.false(isIn(setsOf('create s hash:ip family inet6\nadd s ::1\n'), from('10.0.0.1'), 'src'));
  t.false(isIn(setsOf('create s hash:ip,port\nadd s 10.0.0.1,udp:53\n'), from('10.0.0.1'), 'src'));
});

test('the most specific network decides, and nomatch says no', t => {
  const sets = setsOf('create s hash:net\nadd s 10.0.0.0/8\nadd s 10.1.0.0/16 nomatch\nadd s 10.1.2.0/24\n');
  const answers = ['10.9.9.9', '10.1.9.9', '10.1.2.9', '11.0.0.1'].map(src => isIn(sets, from(src), 'src'));
  t.deepEqual(answers, [true, false, true, false]);
  t.deepEqual(['10.9.9.9', '10.1.9.9'].map(src => isIn(sets, from(src), 'src', { returnNomatch: true })), [false, true]);
});

test('ports come with their protocol; ICMP types stand in their place, fragments have none', t => {
  const sets = setsOf('create s hash:ip,port\nadd s 10.0.0.1,tcp:80-82\nadd s 10.0.0.1,icmp:echo-request\nadd s 10.0.0.1,esp:0\n');
  const src = '10.0.0.1';
  t.true(isIn(sets, tcp({ dport: 81 }, { src }), 'src,dst'));
  t.false(isIn(sets, udp(1, 81, '', { src }), 'src,dst'));
  t.false(isIn(sets, tcp({ dport: 83 }, { src }), 'src,dst'));
  t.true(isIn(sets, ipv4({ src, protocol: 1, payload: [8, 0, 0, 0, 0, 0, 0, 0] }), 'src,dst'));
  t.true(isIn(sets, ipv4({ src, protocol: 50, payload: [1, 2, 3, 4] }), 'src,dst'));
  t.true(isIn(sets, ipv4({ src, protocol: 50, payload: [1, 2, 3, 4], fragment: 5 }), 'src,dst'));
  t.false(isIn(sets, ipv4({ src, protocol: 6, payload: [...tcp({ dport: 80 }).bytes.subarray(20)], fragment: 5 }), 'src,dst'));
  t.false(isIn(sets, ipv4({ src, protocol: 6, payload: [0, 1, 0, 80] }), 'src,dst'));
});

test('bitmaps have a range, and ports of TCP and UDP alone', t => {
  const sets = setsOf('create s bitmap:port range 0-1023\nadd s 53\n');
  t.true(isIn(sets, from('1.1.1.1'), 'dst'));
  t.true(isIn(sets, tcp({ dport: 53 }), 'dst'));
  t.false(isIn(sets, ipv4({ protocol: 132, payload: [0, 1, 0, 53, 0, 0, 0, 0, 0, 0, 0, 0] }), 'dst'));
  const masked = setsOf('create s bitmap:ip range 10.0.0.0/24 netmask 30\nadd s 10.0.0.5\n');
  t.deepEqual(['10.0.0.4', '10.0.0.7', '10.0.0.8', '10.0.1.4'].map(src => isIn(masked, from(src), 'src')), [true, true, false, false]);
});

test('an address without its MAC address takes that of the first packet', t => {
  const clock = { now: 0 };
  const sets = setsOf('create s bitmap:ip,mac range 10.0.0.0/24 timeout 10\nadd s 10.0.0.1\n', clock);
  const packet = (mac: number): Packet => {
    const one = from('10.0.0.1');
    one.sourceMac = Uint8Array.of(2, 0, 0, 0, 0, mac);
    return one;
  };
  clock.now = 100;
  t.true(isIn(sets, packet(1), 'src,src'), 'its time runs only from now on');
  t.false(isIn(sets, packet(2), 'src,src'));
  t.false(isIn(sets, from('10.0.0.1'), 'src,src'), 'a packet without a MAC address');
  clock.now = 111;
  t.false(isIn(sets, packet(1), 'src,src'));
});

test('interfaces: a wildcard stands for names that begin so, and a network that is there for another one ends the search', t => {
  const sets = setsOf('create s hash:net,iface\nadd s 10.0.0.0/8,eth0\nadd s 10.1.0.0/16,eth1\nadd s 0.0.0.0/0,tun wildcard\n');
  const at = (src: string, name: string): boolean | undefined => {
    const packet = from(src);
    packet.in = name;
    return isIn(sets, packet, 'src,src');
  };
  t.deepEqual([at('10.2.0.1', 'eth0'), at('10.1.0.1', 'eth1'), at('10.1.0.1', 'eth0'), at('192.0.2.1', 'tun5'), at('192.0.2.1', 'eth0'), at('10.2.0.1', '')], [true, true, false, true, false, false]);
});

test('elements expire by the clock, and 0 is for ever', t => {
  const clock = { now: 0 };
  const sets = setsOf('create s hash:ip timeout 10\nadd s 10.0.0.1\nadd s 10.0.0.2 timeout 60\nadd s 10.0.0.3 timeout 0\n', clock);
  const alive = (): string => ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(src => isIn(sets, from(src), 'src') === true ? 'y' : 'n').join('');
  clock.now = 10;
  t.is(alive(), 'yyy');
  clock.now = 11;
  t.is(alive(), 'nyy');
  t.regex(sets.save(), /add s 10\.0\.0\.2 timeout 49\nadd s 10\.0\.0\.3 timeout 0\n$/u);
});

test('rules put elements in and take them out', t => {
  const clock = { now: 0 };
  const sets = setsOf('create s hash:ip timeout 5 counters\n', clock);
  t.true(sets.add(from('10.0.0.1'), { name: 's', flags: ['src'] }));
  t.true(isIn(sets, from('10.0.0.1'), 'src'));
  clock.now = 4;
  sets.add(from('10.0.0.1'), { name: 's', flags: ['src'], timeout: 100 });
  clock.now = 6;
  t.false(isIn(sets, from('10.0.0.1'), 'src'), 'without exist, it keeps its time');
  sets.add(from('10.0.0.1'), { name: 's', flags: ['src'] });
  sets.add(from('10.0.0.1'), { name: 's', flags: ['src'], timeout: 100, exist: true });
  clock.now = 50;
  t.true(isIn(sets, from('10.0.0.1'), 'src'));
  t.true(sets.remove(from('10.0.0.1'), { name: 's', flags: ['src'] }));
  t.false(isIn(sets, from('10.0.0.1'), 'src'));
  t.false(sets.add(from('10.0.0.1'), { name: 'other', flags: ['src'] }));
});

test('what a rule puts into a set of networks is as long as the longest there', t => {
  const sets = setsOf('create s hash:net\nadd s 192.0.2.0/24\n');
  sets.add(from('10.0.0.1'), { name: 's', flags: ['src'] });
  t.regex(sets.save(), /add s 10\.0\.0\.0\/24\n/u);
});

test('counters move with each packet, before they are asked', t => {
  const sets = setsOf('create s hash:ip counters\nadd s 10.0.0.1 packets 5 bytes 100\n');
  const packets = (compare: 'eq' | 'lt', value: bigint, more = {}): boolean | undefined => isIn(sets, from('10.0.0.1'), 'src', { packets: { compare, value }, ...more });
  t.true(packets('eq', 6n));
  t.true(packets('eq', 6n, { keepCounters: true }));
  t.false(packets('lt', 7n));
  t.regex(sets.save(), /packets 7 bytes 156/u);
});

test('an element that a rule puts in again starts to count anew', t => {
  const sets = setsOf('create s hash:ip counters\nadd s 10.0.0.1 packets 5 bytes 100\n');
  sets.add(from('10.0.0.1'), { name: 's', flags: ['src'] });
  t.regex(sets.save(), /packets 5 bytes 100/u);
  sets.add(from('10.0.0.1'), { name: 's', flags: ['src'], exist: true });
  t.regex(sets.save(), /packets 1 bytes 28/u);
});

test('a full set takes no more, unless forceadd makes room', t => {
  const full = setsOf('create s hash:ip maxelem 1\nadd s 10.0.0.1\n');
  full.add(from('10.0.0.2'), { name: 's', flags: ['src'] });
  t.false(isIn(full, from('10.0.0.2'), 'src'));
  const forced = setsOf('create s hash:ip maxelem 1 forceadd\nadd s 10.0.0.1\n');
  forced.add(from('10.0.0.2'), { name: 's', flags: ['src'] });
  t.deepEqual([isIn(forced, from('10.0.0.1'), 'src'), isIn(forced, from('10.0.0.2'), 'src')], [false, true]);
});

test('a list asks its sets in turn, and adds to the first that takes it', t => {
  const sets = setsOf('create a hash:ip counters\ncreate b hash:net\ncreate s list:set counters\nadd a 10.0.0.1\nadd b 10.1.0.0/16\nadd s b\nadd s a before b\n');
  t.deepEqual(['10.0.0.1', '10.1.2.3', '10.2.0.1'].map(src => isIn(sets, from(src), 'src')), [true, true, false]);
  sets.add(from('10.0.0.1'), { name: 's', flags: ['src'] });
  t.regex(sets.save(), /add b 10\.0\.0\.0\/16/u, 'the first set has it already');
  isIn(sets, from('10.0.0.1'), 'src', { keepSubcounters: true });
  t.regex(sets.save(), /add a 10\.0\.0\.1 packets 1 bytes 28/u);
  t.regex(sets.save(), /add s a packets 2/u);
});

test('an element says what mark and priority a packet gets', t => {
  const sets = setsOf('create s hash:ip skbinfo\nadd s 10.0.0.1 skbmark 0x11/0xff skbprio 1:a skbqueue 3\nadd s 10.0.0.2\n');
  const info = (src: string): unknown => sets.info(from(src), { name: 's', flags: ['src'] });
  t.deepEqual(info('10.0.0.1'), { mark: { value: 0x11, mask: 0xff }, priority: 0x1000a, queue: 3 });
  t.deepEqual(info('10.0.0.2'), {});
  t.is(info('10.0.0.3'), undefined);
});

const wrong: readonly (readonly [line: string, message: RegExp])[] = [
  ['create', /name and a type/u], ['create s hash:foo', /no type/u], ['create s hash:ip bogus 1', /no option/u], ['create s hash:ip netmask 33', /prefix length/u],
  ['create s bitmap:ip', /needs a range/u], ['create s bitmap:ip range 10.0.0.0/8', /more than 65536/u], ['create s hash:net netmask 24', /no option/u],
  ['create good hash:ip', /already/u], ['add none 1.2.3.4', /no set none/u], ['add good', /missing/u], ['add good 1.2.3.4 timeout 5', /without timeouts/u],
  ['add good 1.2.3.4,80', /not an element/u], ['add good 0.0.0.0', /zero/u], ['add good 10.0.0.0/8', /too many/u], ['add good 1.2.3.4 nomatch', /no option/u],
  ['add good 1.2.3.4 skbmark 5', /without skbinfo/u], ['add nets 0.0.0.0/0', /prefix length 0/u], ['add nets 1.2.3.4 comment "x"', /without comments/u], ['frobnicate x', /no command/u],
];

test('a line that is wrong is said, with its number, and the others count', t => {
  for (const [line, message] of wrong) {
    const { sets, problems } = readIpSets(`create good hash:ip\ncreate nets hash:net\n${line}\nadd good 10.0.0.9\n`, { now: () => 0 });
    t.is(problems.length, 1, line);
    t.is(problems[0]?.line, 3);
    t.regex(problems[0]?.message ?? '', message);
    t.true(sets.test(from('10.0.0.9'), { name: 'good', flags: ['src'] }), line);
  }
});

const saved = `create a hash:ip family inet hashsize 1024 maxelem 10 netmask 24 timeout 60 counters comment skbinfo bucketsize 12 initval 0x4dbf1070
add a 10.1.2.0 timeout 6 packets 5 bytes 9 comment "hello w" skbmark 0x11/0xff skbprio 1:2 skbqueue 3
create b hash:net family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1d8ca162
add b 2001:db8::/32 nomatch
add b 2001:db8::1
create c hash:ip,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xe9edc49b netmask 24
add c 10.0.0.0,gre:0
add c 10.0.0.0,icmp:200/4
add c 10.0.0.0,icmp:fragmentation-needed
add c 10.0.0.0,tcp:90
create d bitmap:ip range 10.0.0.0-10.0.0.255 netmask 30
add d 10.0.0.4
create e bitmap:ip,mac range 10.0.0.0-10.0.0.255 timeout 10
add e 10.0.0.4 timeout 10
add e 10.0.0.5,AA:BB:CC:DD:EE:FF timeout 9
create f bitmap:port range 0-1023
add f 80
create g hash:net,iface family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x5d92e525
add g 10.0.0.0/8,physdev:eth1
add g 0.0.0.0/0,eth wildcard
create h hash:net,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xc7f3543c
add h 10.0.0.0/24,udp:53 nomatch
create i hash:ip,port,net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xdbec47ab
add i 10.0.0.1,tcp:80,10.2.0.0/16
create j hash:ip,port,ip family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0xcf8c081c
add j ::1,ipv6-icmp:echo-request,2001:db8::2
create l hash:ip family inet hashsize 1024 maxelem 65536 bitmask 255.0.255.0 bucketsize 12 initval 0x26929d9c
add l 10.0.2.0
create k list:set size 4 timeout 0 counters
add k a timeout 0 packets 0 bytes 0
add k c timeout 0 packets 0 bytes 0
`;

test('what ipset saved is saved again as it was', t => {
  t.is(setsOf(saved).save(), saved);
});

test('tens of thousands of networks are read and looked up', t => {
  const lines = ['create s hash:net maxelem 100000'];
  for (let index = 0; index < 30_000; index++) lines.push(`add s 10.${String(index >> 8)}.${String(index & 255)}.0/${String(24 + index % 3)}`);
  const sets = setsOf(lines.join('\n'));
  t.true(isIn(sets, from('10.5.6.1'), 'src'));
  t.false(isIn(sets, from('11.5.6.1'), 'src'));
});

test('no packet makes a set throw', t => {
  const sets = setsOf(saved);
  const names = [...sets.sets()].map(({ header }) => header.name);
  const flag = fc.constantFrom<SetFlag>('src', 'dst');
  fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), fc.boolean(), fc.constantFrom(...names), fc.array(flag, { minLength: 1, maxLength: 6 }), (bytes, six, name, flags) => {
    if (bytes.length > 0) bytes[0] = six ? 0x60 : 0x45;
    const packet = new Packet(six ? 'ipv6' : 'ipv4', bytes);
    packet.in = 'eth0';
    sets.add(packet, { name, flags });
    t.is(typeof sets.test(packet, { name, flags }), 'boolean');
    sets.remove(packet, { name, flags });
  }), { numRuns: 500 });
});
