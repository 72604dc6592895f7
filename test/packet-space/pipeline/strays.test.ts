/** Packets of which no conversation between hosts comes, and others that look like them. */
import test from 'ava';
import { load } from '../../../analyzer/model/load.js';
import { opens, pipeline, reachThrough, replies, type Path, type Pipeline } from '../../../analyzer/packet-space/pipeline/index.js';
import type { Back } from '../../../analyzer/packet-space/pipeline/turn.js';
import { all, always, ctstates, is, masked, type Constraint } from '../../../analyzer/packet/constraint.js';
import type { Family } from '../../../analyzer/values/value.js';

const chainOf: Readonly<Record<Path, string>> = { in: 'INPUT', through: 'FORWARD', out: 'OUTPUT', loop: 'OUTPUT' };

/** A host on which one rule of a path lets something pass, and the way back is open. */
function hostWith(path: Path, rule: string, family: Family = 'ipv4', before = ''): Pipeline {
  const policies = (['INPUT', 'FORWARD', 'OUTPUT'] as const).map(chain => `:${chain} ${chain === chainOf[path] ? 'DROP' : 'ACCEPT'} [0:0]\n`).join('');
  const back = path === 'through' ? '-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n' : '';
  const { rulesets: [ruleset] } = load({ path: 'rules', text: `${before}*filter\n${policies}-A ${chainOf[path]} ${rule} -j ACCEPT\n${back}COMMIT\n` }, { family });
  const found = ruleset === undefined ? undefined : pipeline(ruleset);
  if (found === undefined) throw new Error(`does not load: ${rule}`);
  return found;
}

function ruleOf({ chains }: Pipeline, path: Path): Parameters<typeof replies>[1] {
  return chains.rules.find(one => one.table === 'filter' && one.chain === chainOf[path] && one.position === 1)?.rule;
}

function answered(path: Path, rule: string, family: Family = 'ipv4', back: Back = 'reply'): string {
  const host = hostWith(path, rule, family);
  return replies(host, ruleOf(host, path), { path, back }).kind;
}

/** By path: what only strays have. */
const strays: Readonly<Record<'in' | 'through' | 'out', readonly string[]>> = {
  in: [
    '-s 0.0.0.0/32', '-s 127.0.0.0/8', '-d 127.0.0.1/32', '-s 224.0.0.5/32', '-d 224.0.0.0/4', '-d 239.255.255.250/32 -p udp', '-d 255.255.255.255/32', '-m pkttype --pkt-type broadcast',
    '-m pkttype --pkt-type multicast', '-m addrtype --dst-type MULTICAST', '-m addrtype --dst-type BROADCAST', '-m addrtype --src-type LOCAL', '-m addrtype --dst-type BROADCAST --limit-iface-in',
  ],
  through: ['-s 127.0.0.0/8', '-d 224.0.0.0/4', '-d 255.255.255.255/32', '-m pkttype --pkt-type multicast', '-m addrtype --src-type LOCAL'],
  out: ['-d 127.0.0.0/8', '-s 127.0.0.1/32', '-d 224.0.0.251/32', '-d 255.255.255.255/32', '-m addrtype --dst-type LOCAL', '-m addrtype --dst-type BROADCAST', '-m pkttype --pkt-type broadcast'],
};

/** What hosts have as well. The kernel answers to 0.1.2.3 and 240.0.0.1, as was tried. */
const likely: typeof strays = {
  in: ['-s 0.1.2.3/32', '-s 0.0.0.0/1', '-s 240.0.0.0/4', '-s 169.254.0.0/16', '-d 126.0.0.0/7', '-d 224.0.0.0/3', '-m pkttype --pkt-type unicast', '-m addrtype --dst-type LOCAL', '-m addrtype ! --src-type LOCAL', '-d 192.0.2.255/32'],
  through: ['-d 169.254.0.0/16', '-m addrtype --dst-type UNICAST', '-m addrtype --dst-type LOCAL', '-m pkttype ! --pkt-type multicast'],
  out: ['-d 169.254.169.254/32', '-m addrtype --src-type LOCAL', '-m addrtype ! --dst-type LOCAL', '-d 128.0.0.0/1'],
};

for (const path of ['in', 'through', 'out'] as const) {
  test(`of what no host has no conversation comes, path ${path}`, t => {
    for (const rule of strays[path]) for (const back of ['reply', 'anyone', 'error', 'again'] as const) t.is(answered(path, rule, 'ipv4', back), 'unreached', `${rule} ${back}`);
    for (const rule of likely[path]) t.is(answered(path, rule), 'always', rule);
  });
}

test('the same in IPv6', t => {
  for (const rule of ['-s ::1/128', '-d ::1/128', '-s ::/128', '-d ff02::fb/128', '-s ff00::/8', '-m addrtype --dst-type MULTICAST']) t.is(answered('in', rule, 'ipv6'), 'unreached', rule);
  for (const rule of ['-s ::2/128', '-s fe80::/10', '-d fe00::/7', '-s ::/127', '-m addrtype --dst-type ANYCAST']) t.is(answered('in', rule, 'ipv6'), 'always', rule);
});

test('on lo, loopback addresses are like any other, and groups are not', t => {
  for (const rule of ['-s 127.0.0.0/8', '-d 127.0.0.0/8', '-m addrtype --dst-type LOCAL']) t.is(answered('loop', rule), 'sometimes', rule);
  t.is(answered('loop', '-d 224.0.0.0/4'), 'unreached');
});

test('what this host sends to itself may be sent elsewhere by nat, and is a conversation then', t => {
  const nat = '*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A OUTPUT -d 127.0.0.1/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.5:80\n-A POSTROUTING -s 127.0.0.1/32 -j MASQUERADE\nCOMMIT\n';
  const host = hostWith('out', '-d 10.0.0.5/32 -p tcp -m tcp --dport 80', 'ipv4', nat);
  const local = all([is('src', 0x7f00_0001), is('dst', 0x7f00_0001), is('protocol', 6)]);
  t.is(replies(host, ruleOf(host, 'out'), { path: 'out', packets: local }).kind, 'always');
  const stays = hostWith('out', '-d 127.0.0.0/8', 'ipv4', nat);
  t.is(replies(stays, ruleOf(stays, 'out'), { path: 'out' }).kind, 'unreached');
  const byName = hostWith('out', '-d 127.0.0.0/8 ! -o lo', 'ipv4', nat);
  t.is(replies(byName, ruleOf(byName, 'out'), { path: 'out' }).kind, 'unreached');
});

test('an error from nowhere does not come in, so that a rule for it lets none in', t => {
  const error = (rule: string): string => {
    const host = hostWith('in', rule);
    return replies(host, undefined, { path: 'out', back: 'error' }).kind;
  };
  for (const rule of ['-s 0.0.0.0/32', '-s 127.0.0.0/8', '-s 224.0.0.0/4', '-m pkttype --pkt-type multicast', '-m addrtype --src-type LOCAL']) t.is(error(rule), 'never', rule);
  for (const rule of ['-s 192.0.2.0/24', '-m addrtype --dst-type LOCAL']) t.is(error(rule), 'sometimes', rule);
  t.is(error('-m pkttype --pkt-type unicast'), 'always');
});

test('whether a connection can begin is asked of hosts; whether any packet passes, of all', t => {
  const tcp: Constraint = all([is('protocol', 6), masked('tcpFlags', 2, 63), is('ctstate', ctstates.NEW)]);
  const some = hostWith('out', '-d 127.0.0.0/8');
  t.is(opens(some, 'out', tcp).kind, 'no');
  t.is(opens(hostWith('out', '-d 10.0.0.0/8'), 'out', tcp).kind, 'yes');
  const rule = ruleOf(some, 'out');
  if (rule === undefined) return void t.fail();
  t.is(reachThrough(some, rule, { packets: always, path: 'out' }).kind, 'live');
  t.is(reachThrough(some, rule, { packets: always, path: 'out', first: true }).kind, 'dead');
});
