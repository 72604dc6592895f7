/** Rule sets of gateways, with nat, raw and mangle beside filter: what one table lets through another may drop or rewrite. */
import * as fc from 'fast-check';

const sometimes = (...words: readonly string[]): fc.Arbitrary<string> => fc.oneof({ weight: 2, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom(...words) });

const rarely = (...words: readonly string[]): fc.Arbitrary<string> => fc.oneof({ weight: 8, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom(...words) });

const targets: Readonly<Record<string, readonly string[]>> = {
  filter: ['ACCEPT', 'ACCEPT', 'DROP', 'DROP', 'REJECT', 'RETURN', 'own'],
  raw: ['DROP', 'ACCEPT', 'CT --notrack'],
  mangle: ['MARK --set-xmark 0x1/0xffffffff', 'DROP', 'ACCEPT'],
  'nat PREROUTING': ['DNAT --to-destination 10.0.0.9:80', 'REDIRECT --to-ports 8080', 'ACCEPT'],
  'nat POSTROUTING': ['MASQUERADE', 'SNAT --to-source 192.0.2.9', 'ACCEPT'],
};

const protocols = ['-p tcp -m tcp --dport 22', '-p tcp -m multiport --dports 22,80,1000:2000', '-p udp -m udp --dport 53', '-p tcp', '-p icmp -m icmp --icmp-type 8', '-p tcp -m tcp --tcp-flags SYN,ACK SYN', '! -p tcp'];

/** Which interfaces a packet has at a chain; in `own`, which several hooks call, none is asked for. */
const directions: Readonly<Record<string, readonly ('-i' | '-o')[]>> = { INPUT: ['-i'], PREROUTING: ['-i'], FORWARD: ['-i', '-o'], OUTPUT: ['-o'], POSTROUTING: ['-o'], own: [] };

function rule(table: string, chain: string): fc.Arbitrary<string> {
  const interfaces = (directions[chain] ?? []).map(option => sometimes(`${option} eth0`, `${option} eth1`, `! ${option} eth0`, `${option} wg+`, `${option} lo`));
  const given = (targets[table] ?? targets[`${table} ${chain}`] ?? []).filter(one => chain !== 'own' || one !== 'own');
  return fc.tuple(
    sometimes('-s 10.0.0.0/8', '-s 10.1.0.0/16', '! -s 192.168.0.0/16', '-s 198.51.100.0/24'), sometimes('-d 10.0.0.0/8', '-d 192.0.2.1/32', '! -d 10.0.0.0/8'),
    ...interfaces, sometimes(...protocols),
    table === 'raw' ? fc.constant('') : sometimes('-m conntrack --ctstate NEW', '-m conntrack --ctstate RELATED,ESTABLISHED', '-m conntrack ! --ctstate NEW', '-m conntrack --ctstate ESTABLISHED'),
    rarely('-m limit --limit 5/min', '-m addrtype --dst-type LOCAL', '-m mark --mark 0x1', '-m set --match-set bl src', '-m length --length 100:200', '-m ttl --ttl-lt 10', '-m recent --name x --rcheck', '-m frobnicate --x'),
    fc.constantFrom(...given).map(target => `-j ${target}`),
  ).map(words => [`-A ${chain}`, ...words].filter(word => word !== '').join(' '));
}

function table(name: string, chains: readonly string[], size: number, head: readonly string[] = []): fc.Arbitrary<string> {
  return fc.tuple(...chains.map(chain => fc.array(rule(name, chain), { maxLength: size })))
    .map(lists => [`*${name}`, ...head, ...lists.flat(), 'COMMIT', ''].join('\n'));
}

const none = fc.constant('');
const policy = fc.constantFrom('ACCEPT', 'DROP');

/** Texts for `iptables-restore`. */
export const gateways: fc.Arbitrary<string> = fc.tuple(
  fc.oneof(none, none, table('raw', ['PREROUTING'], 3)), fc.oneof(none, none, table('mangle', ['PREROUTING'], 3)), fc.oneof(none, table('nat', ['PREROUTING', 'POSTROUTING'], 3)),
  fc.tuple(policy, policy, policy).chain(([input, forward, output]) => table('filter', ['INPUT', 'FORWARD', 'OUTPUT', 'own'], 7, [`:INPUT ${input} [0:0]`, `:FORWARD ${forward} [0:0]`, `:OUTPUT ${output} [0:0]`, ':own - [0:0]'])),
).map(tables => tables.join(''));
