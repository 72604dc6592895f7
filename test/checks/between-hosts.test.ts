/** Rules for groups, for broadcasts and for this host alone: they let no conversation with another host begin, so that nothing is told of them, and nothing hidden by them. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import type { Family } from '../../analyzer/values/value.js';

const known = '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';

interface Policies {
  readonly output: 'ACCEPT' | 'DROP';
  readonly family?: Family;
}

function told({ output, family = 'ipv4' }: Policies, ...rules: readonly string[]): string[] {
  const text = ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', `:OUTPUT ${output} [0:0]`, '-A INPUT -i lo -j ACCEPT', '-A OUTPUT -o lo -j ACCEPT', ...rules, 'COMMIT', ''].join('\n');
  const { findings, internalErrors } = analyze({ path: 'hosts.rules', text }, { family });
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings.map(({ check, rule }) => `${check} ${rule ?? ''}`.trim());
}

const ssh = ['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A OUTPUT -p tcp -m tcp --sport 22 -j ACCEPT'];

const input = [
  '-s 127.0.0.0/8', '-d 127.0.0.1/32', '-s 0.0.0.0/32', '-d 224.0.0.0/4', '-d 224.0.1.1/32 -p udp -m udp --dport 123', '-d 255.255.255.255/32', '-m pkttype --pkt-type multicast', '-m pkttype --pkt-type broadcast',
  '-m addrtype --dst-type MULTICAST', '-m addrtype --dst-type BROADCAST', '-m addrtype --src-type LOCAL',
];
const output = ['-d 127.0.0.0/8', '-s 127.0.0.1/32 -p tcp', '-d 224.0.0.0/4', '-d 255.255.255.255/32', '-m addrtype --dst-type LOCAL', '-m addrtype --dst-type BROADCAST', '-m pkttype --pkt-type multicast'];

test('nobody waits for answers to what is for a group, or for this host alone', t => {
  const lost = (rule: string): boolean => told({ output: 'DROP' }, ...ssh, rule).some(one => one.startsWith('missing-established-return'));
  for (const rule of input) t.false(lost(`-A INPUT ${rule} -j ACCEPT`), rule);
  for (const rule of output) t.false(lost(`-A OUTPUT ${rule} -j ACCEPT`), rule);
  for (const rule of ['-s 169.254.0.0/16', '-s 240.0.0.0/4', '-m addrtype --dst-type LOCAL', '-m pkttype --pkt-type unicast']) t.true(lost(`-A INPUT ${rule} -j ACCEPT`), rule);
  for (const rule of ['-d 169.254.169.254/32', '-m addrtype --src-type LOCAL']) t.true(lost(`-A OUTPUT ${rule} -j ACCEPT`), rule);
});

test('the same in IPv6', t => {
  const own = ['-A INPUT -p ipv6-icmp -j ACCEPT', '-A OUTPUT -p ipv6-icmp -j ACCEPT', ...ssh];
  const lost = (rule: string): boolean => told({ output: 'DROP', family: 'ipv6' }, ...own, rule).some(one => one.startsWith('missing-established-return'));
  for (const rule of ['-s ::1/128', '-d ff00::/8', '-d ff02::fb/128 -p udp -m udp --dport 5353', '-s ::/128', '-m addrtype --dst-type MULTICAST']) t.false(lost(`-A INPUT ${rule} -j ACCEPT`), rule);
  t.true(lost('-A INPUT -s fe80::/10 -j ACCEPT'));
});

test('what lets errors in from nowhere does not hide that those of routers are dropped', t => {
  for (const rule of input) t.true(told({ output: 'DROP' }, ...ssh, `-A INPUT ${rule} -j ACCEPT`).some(one => one.startsWith('icmp-errors-dropped')), rule);
  t.false(told({ output: 'DROP' }, ...ssh, '-A INPUT -d 192.0.2.0/24 -p icmp -j ACCEPT').some(one => one.startsWith('icmp-errors-dropped')));
});

test('what lets out to a group, or to this host, does not hide what cannot get out', t => {
  const rules = [`-A INPUT ${known}`, `-A OUTPUT ${known}`];
  for (const rule of ['-d 10.9.9.9/32 -p tcp -m tcp --dport 5432', ...output]) t.true(told({ output: 'DROP' }, ...rules, `-A OUTPUT ${rule} -j ACCEPT`).includes('output-drop-breakage'), rule);
  t.false(told({ output: 'DROP' }, ...rules, '-A OUTPUT -d 10.0.0.0/8 -j ACCEPT').includes('output-drop-breakage'));
});

test('what lets the host itself to port 22 is not there to manage it from elsewhere', t => {
  const web = '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT';
  const severity = (rule: string): string | undefined => {
    const text = `*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT ${known}\n${web}\n${rule}\nCOMMIT\n`;
    return analyze({ path: 'hosts.rules', text }).findings.find(({ check }) => check === 'lockout')?.severity;
  };
  t.is(severity('-A INPUT -s 127.0.0.1/32 -p tcp -m tcp --dport 22 -j ACCEPT'), 'info');
  t.is(severity('-A INPUT -s 192.0.2.7/32 -p tcp -m tcp --dport 22 -j ACCEPT'), undefined);
});

test('who is on the internet reaches nothing by a rule for broadcasts', t => {
  const open = (rule: string): boolean => told({ output: 'ACCEPT' }, `-A INPUT ${known}`, `-A INPUT ${rule} -p udp -m udp --dport 161 -j ACCEPT`).some(one => one.startsWith('exposed-service'));
  for (const rule of input.filter(one => !one.includes('-p '))) t.false(open(rule), rule);
  t.true(open('-m pkttype --pkt-type unicast'));
  t.true(open('-m addrtype --dst-type LOCAL'));
});
