/** What a trace looks like, letter by letter. `UPDATE_GOLDEN=1 npm test` writes the files anew: look at the difference before it is committed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { TrailEntry } from '../../analyzer/netfilter/trail/trail.js';
import { printTrace, type TracedStep } from '../../report/trace.js';

const folder = fileURLToPath(new URL('../../../test/report/golden/', import.meta.url));

function isGolden(t: ExecutionContext, name: string, printed: string): void {
  const file = `${folder}trace-${name}.txt`;
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, printed);
  t.is(printed, readFileSync(file, 'utf8'));
}

const ends = { src: '198.51.100.7', dst: '192.0.2.1', sport: 40000 };

function rule(chain: string, position: number, text: string, verdict: string, more: { table?: string; line?: number; unknown?: string } = {}): TrailEntry {
  const { table = 'filter', line = 10 + position, unknown } = more;
  return { kind: 'rule', ref: `${table}:${chain}:${String(position)}`, table, chain, position, line, text, verdict, ...unknown === undefined ? {} : { unknown } };
}

const forwarded: TracedStep = {
  step: { in: 'eth0', packet: { proto: 'tcp', ...ends, dport: 80 }, advance: 2.5 },
  answer: {
    trail: [
      { kind: 'stage', table: 'raw', hook: 'PREROUTING', state: null },
      { kind: 'policy', table: 'raw', chain: 'PREROUTING', policy: 'ACCEPT' },
      { kind: 'event', text: 'new connection, SYN_SENT' },
      { kind: 'stage', table: 'nat', hook: 'PREROUTING', state: 'NEW' },
      rule('PREROUTING', 2, '-d 192.0.2.1/32 -i eth0 -p tcp -m tcp --dport 80 -m comment --comment "the web server" -j DNAT --to-destination 10.0.0.5:8080', 'ACCEPT', { table: 'nat' }),
      { kind: 'rewrite', what: 'destination 192.0.2.1:80 → 10.0.0.5:8080' },
      { kind: 'event', text: 'routed to eth1' },
      { kind: 'stage', table: 'filter', hook: 'FORWARD', state: 'NEW' },
      rule('FORWARD', 1, '-j web', 'jump web'),
      { kind: 'enter', chain: 'web', goto: false },
      rule('web', 1, '-m set --match-set friends src', 'continue', { unknown: 'no such set is known' }),
      rule('web', 2, '-j RETURN', 'RETURN'),
      { kind: 'leave', chain: 'web' },
      { kind: 'policy', table: 'filter', chain: 'FORWARD', policy: 'ACCEPT' },
    ],
    path: [], verdict: 'forwarded eth1', by: null, ct: null,
    out: [{ proto: 'tcp', ...ends, dst: '10.0.0.5', dport: 8080, flags: 'S', ttl: 63, tos: 0, oif: 'eth1' }],
    conntrack: [{ orig: 'tcp 198.51.100.7:40000>192.0.2.1:80', reply: 'tcp 10.0.0.5:8080>198.51.100.7:40000', status: ['DNAT'], tcp: 'SYN_SENT', timeout: 120, mark: 0, zone: 0 }],
    generated: [], chance: ['the port of SNAT'],
  },
};

const rejected: TracedStep = {
  step: { in: 'eth0', packet: { proto: 'udp', ...ends, dport: 53, payload: 'hello' } },
  answer: {
    trail: [
      { kind: 'stage', table: 'filter', hook: 'INPUT', state: 'NEW' },
      rule('INPUT', 2, '-j refuse', 'jump refuse'),
      { kind: 'enter', chain: 'refuse', goto: false },
      rule('refuse', 3, '-j REJECT --reject-with icmp-port-unreachable', 'DROP'),
      { kind: 'generated', text: 'REJECT answers' },
      { kind: 'stage', table: 'filter', hook: 'OUTPUT', state: 'RELATED' },
      { kind: 'policy', table: 'filter', chain: 'OUTPUT', policy: 'DROP' },
      { kind: 'generated-end' },
      { kind: 'stage', table: 'security', hook: 'INPUT', state: 'NEW' },
      { kind: 'policy', table: 'security', chain: 'INPUT', policy: 'ACCEPT' },
    ],
    path: [], verdict: 'reject icmp 3/3', by: 'filter:refuse:3', out: [], ct: null, conntrack: [], generated: [],
  },
};

test('a trace tells stage by stage what each rule did, and why the packet went where it went', t => {
  isGolden(t, 'forwarded', printTrace([forwarded], { color: false, width: 200 }));
});

test('what the host sends because of a packet is told behind the rule that sends it, and inside of it', t => {
  isGolden(t, 'rejected', printTrace([rejected, forwarded], { color: false, width: 100 }));
});

test('no line is wider than the terminal', t => {
  const text = printTrace([forwarded, rejected], { color: false, width: 60 });
  t.deepEqual(text.split('\n').filter(line => line.length > 60), []);
  isGolden(t, 'narrow', text);
});

test('colours come only where they are asked for', t => {
  t.false(printTrace([forwarded], { color: false, width: 80 }).includes('\u001b'));
  t.true(printTrace([forwarded], { color: true, width: 80 }).includes('\u001b'));
});

test('what comes from a rule file does not speak to the terminal', t => {
  const evil: TracedStep = { ...rejected, answer: { ...rejected.answer, trail: [rule('INPUT', 1, '-m comment --comment "\u001b[2J\u202e" -j DROP', 'DROP')] } };
  const text = printTrace([evil], { color: false, width: 80 });
  t.false(/[\u001b\u202e]/u.test(text));
  t.true(text.includes('\\x1b[2J'));
});
