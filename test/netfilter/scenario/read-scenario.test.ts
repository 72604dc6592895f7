import test from 'ava';
import fc from 'fast-check';
import { sysctlDefaults } from '../../../analyzer/netfilter/host/sysctl-defaults.js';
import { sysctlProblem } from '../../../analyzer/netfilter/host/sysctl-names.js';
import { readScenario } from '../../../analyzer/netfilter/scenario/read-scenario.js';

/** Each problem, and the words that it marks. */
function problems(text: string): readonly (readonly [string, string])[] {
  return readScenario(text).problems.map(({ message, span }) => [message, text.slice(span.start, span.end)]);
}

const packet = '{proto: tcp, src: 192.0.2.9, dst: 192.0.2.1, dport: 22}';

test('YAML and JSON say the same', t => {
  const yaml = readScenario(`family: ipv4\ninterfaces:\n  - name: eth0\n    addresses: [192.0.2.1/24]\n    mac: 02:00:00:00:00:01\nsteps:\n  - in: eth0\n    packet: {proto: tcp, src: 192.0.2.9, dst: 192.0.2.1, mark: 0x1f}\n    advance: 2.5\n`);
  const json = readScenario('{"family":"ipv4","interfaces":[{"name":"eth0","addresses":["192.0.2.1/24"],"mac":"02:00:00:00:00:01"}],\n\t"steps":[{"in":"eth0","packet":{"proto":"tcp","src":"192.0.2.9","dst":"192.0.2.1","mark":31},"advance":2.5}]}');
  t.deepEqual(yaml.problems, []);
  t.deepEqual(yaml, json);
});

test('a key that does not exist is marked, with the one that was meant', t => {
  t.deepEqual(problems(`steps:\n  - in: eth0\n    packet: {proto: tcp, src: 192.0.2.9, dst: 192.0.2.1, tttl: 3}\n`), [['unknown key `tttl` in the packet: did you mean `ttl`?', 'tttl']]);
  t.deepEqual(problems(`rulez: x\nsteps: []\n`), [['unknown key `rulez` in the scenario: did you mean `rules`?', 'rulez']]);
});

test('a sysctl that does not exist is marked, with the one that was meant', t => {
  const told = (name: string): readonly (readonly [string, string])[] => problems(`sysctls: {${name}: 1}\nsteps: []\n`);
  t.deepEqual(told('net.ipv4.ip_forwad'), [['there is no sysctl `net.ipv4.ip_forwad`: did you mean `net.ipv4.ip_forward`?', 'net.ipv4.ip_forwad']]);
  t.deepEqual(told('net.ipv4.conf.eth0.rp_fliter'), [['there is no sysctl `net.ipv4.conf.eth0.rp_fliter`: did you mean `net.ipv4.conf.eth0.rp_filter`?', 'net.ipv4.conf.eth0.rp_fliter']]);
  t.deepEqual(told('net.ipv4.conf.eth0.5.rp_filter').map(([message]) => message), ['there is no sysctl `net.ipv4.conf.eth0.5.rp_filter`: of an interface with a dot in its name, write `net.ipv4.conf.eth0/5.rp_filter`']);
  t.deepEqual(told('nonsense').map(([message]) => message), ['there is no sysctl `nonsense`']);
  t.is(problems(`steps:\n  - in: eth0\n    sysctls: {net.ipv4.ip_forwad: 0}\n    packet: ${packet}\n`).length, 1, 'of a step as well');
  for (const name of ['net/ipv4/conf/eth0.5/rp_filter', 'net.ipv6.conf.all.forwarding', 'net.nf_conntrack_max', 'net.netfilter.nf_conntrack_tcp_loose', 'net.core.somaxconn', 'kernel.panic', 'net.ipv4.vs.conntrack']) t.deepEqual(told(name), [], name);
});

test('a sysctl of a module, or of an older kernel, is one', t => {
  for (const name of ['net.netfilter.nf_flowtable_tcp_timeout', 'net.ipv4.netfilter.ip_conntrack_max', 'net.ipv4.tcp_tw_recycle', 'net.ipv6.conf.eth0.stable_secret']) t.is(sysctlProblem(name), undefined, name);
});

test('every sysctl of which the default is known has a name that can be', t => {
  for (const name of Object.keys(sysctlDefaults)) t.is(sysctlProblem(name), undefined);
});

test('a value of the wrong type or range is marked, and its name is said', t => {
  t.deepEqual(problems(`steps:\n  - in: eth0\n    packet: {proto: tcpp, src: 192.0.2.9, dst: 192.0.2.1, ttl: 300, rest_hex: 0800, df: yes}\n`), [
    ['`tcpp` is not a protocol: did you mean `tcp`?', 'tcpp'],
    ['`steps[0].packet.rest_hex` must be text, and is 800: put it in quotes', '0800'],
    ['`steps[0].packet.ttl` must be a whole number from 0 to 255, and is 300', '300'],
    ['`steps[0].packet.df` must be true or false, and is "yes"', 'yes'],
  ]);
});

test('what is missing is said where it is missing', t => {
  t.deepEqual(problems(`steps:\n  - packet: ${packet}\n`).map(([message]) => message), ['the step lacks `in`']);
  t.deepEqual(problems('family: ipv4\n').map(([message]) => message), ['the scenario lacks `steps`']);
  const two = `steps:\n  - packet: ${packet}\n  - {in: eth0}\n`;
  t.deepEqual(readScenario(two).problems.map(({ message, span }) => [message, span.start]), [['the step lacks `in`', two.indexOf('packet')], ['the step lacks `packet`', two.indexOf('{in')]]);
  t.deepEqual(problems('').map(([message]) => message), ['the scenario must be an object, and is nothing']);
});

test('a packet that cannot be is found before anything is sent', t => {
  t.deepEqual(problems('steps:\n  - in: eth0\n    packet: {proto: udp, src: 192.0.2.9}\n'), [['step 1: the packet has no `dst`', 'packet']]);
  t.deepEqual(problems('family: ipv6\nsteps:\n  - in: eth0\n    packet: {proto: udp, src: 192.0.2.9, dst: "::1"}\n')[0]?.[0], 'step 1: `src`: `192.0.2.9` is an IPv4 address in an IPv6 rule set');
});

test('a quoted packet is held against the same keys', t => {
  t.deepEqual(problems('steps:\n  - in: eth0\n    packet: {proto: icmp, src: 192.0.2.9, dst: 192.0.2.1, type: 3, quote: {proto: udp, spotr: 3}}\n'), [['unknown key `spotr` in the packet', 'spotr']]);
});

test('bombs are refused: aliases of aliases, and nesting without end', t => {
  const aliases = ['a: &a [x, x, x, x, x, x, x, x, x, x]', ...[...'bcdefghi'].map((name, index) => `${name}: &${name} [${Array<string>(10).fill(`*${'abcdefghi'[index] ?? ''}`).join(', ')}]`)].join('\n');
  t.is(readScenario(aliases).scenario, undefined);
  t.is(readScenario('['.repeat(50_000)).scenario, undefined);
});

test('no text at all makes it throw', t => {
  fc.assert(fc.property(fc.oneof(fc.string({ maxLength: 60 }), fc.json(), fc.string({ maxLength: 20 }).map(text => `steps:\n  - ${text}`)), text => {
    t.notThrows(() => readScenario(text));
  }), { numRuns: 400 });
});
