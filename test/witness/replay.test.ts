/** The engine's word on witnesses: what holds is confirmed, what does not is caught, and what cannot be played says why. */
import test from 'ava';
import { analyze, confirm } from '../../analyzer/analyze.js';
import { defineCheck, type Report } from '../../analyzer/checks/define-check.js';
import { examine } from '../../analyzer/examine.js';
import { load } from '../../analyzer/model/load.js';
import type { Ruleset } from '../../analyzer/model/ruleset.js';
import type { PacketSample } from '../../analyzer/packet-space/answers.js';
import type { Proposal, Shown } from '../../analyzer/witness/proposal.js';
import { replayAll, type Replay } from '../../analyzer/witness/replay.js';
import { stepOf } from '../../analyzer/witness/step.js';
import { traced } from './as-trace.js';

function filter(...rules: readonly string[]): string {
  return ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT DROP [0:0]', ...rules.map(rule => `-A ${rule}`), 'COMMIT', ''].join('\n');
}

function rulesetOf(text: string): Ruleset {
  const [ruleset] = load({ path: 'rules', text }).rulesets;
  if (ruleset === undefined) throw new Error(text);
  return ruleset;
}

const tcp: PacketSample = { protocol: 6, dport: 22, tcpFlags: 2 };

function oneStep(sample: PacketSample, from: string, shown: Shown, certainty: Proposal['certainty'] = 'certain'): Proposal {
  return { steps: [stepOf(sample, from)], shows: [shown], certainty };
}

function replay(text: string, proposal: Proposal): Replay | undefined {
  return replayAll(rulesetOf(text), [proposal])[0];
}

/** It is confirmed, and as pasted into `trace` it meets the same rules. */
function meets(text: string, proposal: Proposal): readonly (readonly string[])[] | string {
  const answer = replay(text, proposal);
  if (answer?.kind !== 'agrees') return answer === undefined ? 'no answer' : `${answer.kind}: ${answer.why}`;
  const { steps: witness, host } = answer;
  return traced(rulesetOf(text), { witness, ...host === undefined ? {} : { host } }).map(({ path }) => path);
}

const ssh = filter('INPUT -p tcp -m tcp --dport 22 -j ACCEPT');

test('a packet for the host needs no more than the host that trace assumes', t => {
  const answer = replay(ssh, oneStep(tcp, 'eth0', { at: 'filter:INPUT', fate: 'passes', by: ['filter:INPUT:1'], matches: ['filter:INPUT:1'] }));
  t.deepEqual(answer, {
    kind: 'agrees', host: undefined,
    steps: [{ in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', sport: 40_000, dport: 22, flags: 'S' } }],
  });
});

test('a forwarded packet brings its host: two interfaces, and routes', t => {
  const rules = filter('FORWARD -i eth0 -o wg0 -d 10.1.0.0/16 -j ACCEPT');
  const proposal = oneStep({ ...tcp, in: 'eth0', out: 'wg0', dst: '10.1.0.5' }, 'eth0', { at: 'filter:FORWARD', fate: 'passes', by: ['filter:FORWARD:1'] });
  const answer = replay(rules, proposal);
  t.true(answer?.kind === 'agrees' && answer.host?.routes?.includes('10.1.0.5/32 dev wg0'));
  t.deepEqual(meets(rules, proposal), [['filter:FORWARD:1']]);
});

test('a packet that the host sends leaves by the interface that is meant', t => {
  const rules = filter('OUTPUT -o wg0 -j ACCEPT');
  t.deepEqual(meets(rules, oneStep({ ...tcp, out: 'wg0' }, 'local', { at: 'filter:OUTPUT', fate: 'passes', by: ['filter:OUTPUT:1'] })), [['filter:OUTPUT:1']]);
});

test('what comes in by lo was sent by the host', t => {
  const rules = filter('INPUT -i lo -j ACCEPT', 'OUTPUT -j ACCEPT');
  t.deepEqual(meets(rules, oneStep({ ...tcp, in: 'lo', src: '127.0.0.1', dst: '127.0.0.1' }, 'lo', { at: 'filter:INPUT', by: ['filter:INPUT:1'] })), [['filter:OUTPUT:1', 'filter:INPUT:1']]);
});

test('a reply is sent to what the other side saw, and is known to belong to its flow', t => {
  const rules = `*nat\n-A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n${filter('FORWARD -m conntrack --ctstate ESTABLISHED -j DROP', 'FORWARD -i eth0 -o eth1 -j ACCEPT')}`;
  const first = { ...tcp, src: '10.0.0.7', dst: '198.51.100.80', sport: 40_000, in: 'eth0', out: 'eth1' };
  const back = { protocol: 6, src: first.dst, dst: first.src, sport: 22, dport: 40_000, tcpFlags: 18 };
  const proposal: Proposal = {
    steps: [stepOf(first, 'eth0'), stepOf(back, 'eth1')], certainty: 'certain',
    shows: [{ at: 'filter:FORWARD', fate: 'passes' }, { at: 'filter:FORWARD', fate: 'lost', by: ['filter:FORWARD:1'] }],
  };
  const answer = replay(rules, proposal);
  t.true(answer?.kind === 'agrees' && answer.steps[1]?.packet['dst'] !== '10.0.0.7');
  t.deepEqual(meets(rules, proposal), [['filter:FORWARD:2', 'nat:POSTROUTING:1'], ['filter:FORWARD:1']]);
});

test('nobody replies to a packet that did not arrive', t => {
  const proposal: Proposal = {
    steps: [stepOf(tcp, 'eth0'), stepOf({ protocol: 6, tcpFlags: 18 }, 'local')], certainty: 'certain', shows: [{}, { at: 'filter:OUTPUT', fate: 'lost' }],
  };
  t.like(replay(filter(), proposal), { kind: 'unplayable', why: 'step 2: what it replies to does not arrive: filter:INPUT:policy' });
});

const arranged: Readonly<Record<string, { readonly rule: string; readonly sample: PacketSample; readonly from: string }>> = {
  'an established flow': { rule: 'INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT', sample: { protocol: 6, dport: 22, ctstate: 'ESTABLISHED' }, from: 'eth0' },
  'the answer to a SYN that was sent': { rule: 'INPUT -p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -m conntrack --ctstate ESTABLISHED -j ACCEPT', sample: { protocol: 6, sport: 80, tcpFlags: 18, ctstate: 'ESTABLISHED' }, from: 'eth0' },
  'an echo reply': { rule: 'INPUT -p icmp -m icmp --icmp-type 0 -m conntrack --ctstate ESTABLISHED -j ACCEPT', sample: { protocol: 1, icmpType: 0, icmpCode: 0, ctstate: 'ESTABLISHED' }, from: 'eth0' },
  'a timestamp reply of an odd code': { rule: 'INPUT -p icmp -m icmp --icmp-type 14/2 -m conntrack --ctstate ESTABLISHED -j ACCEPT', sample: { protocol: 1, icmpType: 14, icmpCode: 2, ctstate: 'ESTABLISHED' }, from: 'eth0' },
  'a request that is asked again': { rule: 'INPUT -p icmp -m icmp --icmp-type 17 -m conntrack --ctstate ESTABLISHED -j ACCEPT', sample: { protocol: 1, icmpType: 17, icmpCode: 0, ctstate: 'ESTABLISHED' }, from: 'eth0' },
  'a member of a set': { rule: 'INPUT -m set --match-set friends src -j ACCEPT', sample: { ...tcp, atoms: { 'set friends src': true } }, from: 'eth0' },
  'a user of the host': { rule: 'OUTPUT -m owner --uid-owner 1000 -j ACCEPT', sample: { ...tcp, atoms: { 'owner uid 1000-1000': true } }, from: 'local' },
  'a mark of the sender': { rule: 'OUTPUT -m mark --mark 0x5 -j ACCEPT', sample: { ...tcp, mark: 5 }, from: 'local' },
  'a length': { rule: 'INPUT -m length --length 500 -j ACCEPT', sample: { ...tcp, length: 500 }, from: 'eth0' },
  'a TTL': { rule: 'FORWARD -m ttl --ttl-eq 9 -j ACCEPT', sample: { ...tcp, ttl: 9 }, from: 'eth0' },
};

for (const [name, { rule, sample, from }] of Object.entries(arranged)) {
  test(`the host is made so: ${name}`, t => {
    const [chain = ''] = rule.split(' ');
    const path = meets(filter(rule), oneStep(sample, from, { at: `filter:${chain}`, fate: 'passes', matches: [`filter:${chain}:1`] }));
    t.deepEqual(path, [[`filter:${chain}:1`]]);
  });
}

const wrong: Readonly<Record<string, { readonly shown: Shown; readonly refutes: boolean }>> = {
  'that it is lost, and it passes': { shown: { at: 'filter:INPUT', fate: 'lost' }, refutes: true },
  'that a rule matches, and it does not': { shown: { at: 'filter:INPUT', matches: ['filter:INPUT:2'] }, refutes: true },
  'that a rule does not match, and it does': { shown: { at: 'filter:INPUT', misses: ['filter:INPUT:1'] }, refutes: true },
  'that the policy decides, and a rule does': { shown: { at: 'filter:INPUT', by: ['filter:INPUT:policy'] }, refutes: false },
  'on its whole way': { shown: { fate: 'lost' }, refutes: true },
};

for (const [name, { shown, refutes }] of Object.entries(wrong)) {
  test(`a wrong witness is caught: ${name}`, t => {
    t.like(replay(ssh, oneStep(tcp, 'eth0', shown)), { kind: 'disagrees', refutes });
  });
}

test('a packet that only with a mark from nowhere would pass shows nothing of its whole way', t => {
  const rules = filter('INPUT -m mark --mark 0x63 -j ACCEPT');
  t.like(replay(rules, oneStep({ ...tcp, mark: 0x63 }, 'eth0', { fate: 'passes' })), { kind: 'unplayable', why: 'step 1: it comes with the mark 0, not 99' });
  t.like(replay(rules, oneStep(tcp, 'eth0', { fate: 'passes' })), { kind: 'disagrees', refutes: true });
  t.is(replay(filter('OUTPUT -m mark --mark 0x63 -j ACCEPT'), oneStep({ ...tcp, mark: 0x63 }, 'local', { fate: 'passes' }))?.kind, 'agrees');
});

test('what the host sends because it rejects a packet of its own is not that packet', t => {
  const rules = filter('OUTPUT -p tcp -j REJECT', 'OUTPUT -j ACCEPT', 'INPUT -j ACCEPT');
  t.is(replay(rules, oneStep(tcp, 'local', { at: 'filter:OUTPUT', fate: 'lost', by: ['filter:OUTPUT:1'] }))?.kind, 'agrees');
  t.is(replay(rules, oneStep(tcp, 'local', { at: 'filter:INPUT', fate: 'passes' }))?.kind, 'unplayable');
});

test('a copy that the host sends of a packet is not that packet', t => {
  const rules = `*mangle\n-A PREROUTING -j TEE --gateway 198.51.100.9\nCOMMIT\n${filter('INPUT -j ACCEPT', 'OUTPUT -j ACCEPT')}`;
  t.like(replay(rules, oneStep(tcp, 'eth0', { at: 'filter:OUTPUT' })), { kind: 'unplayable' });
  t.is(replay(rules, oneStep(tcp, 'eth0', { at: 'filter:INPUT', by: ['filter:INPUT:1'] }))?.kind, 'agrees');
});

const unplayable: Readonly<Record<string, { readonly rules: string; readonly sample: PacketSample; readonly why: string }>> = {
  'another table drops it': { rules: `*raw\n-A PREROUTING -j DROP\nCOMMIT\n${ssh}`, sample: tcp, why: 'step 1: it does not come to filter:INPUT: raw:PREROUTING:1' },
  'another table rewrites it': { rules: `*nat\n-A PREROUTING -p tcp -j REDIRECT --to-ports 80\nCOMMIT\n${ssh}`, sample: tcp, why: 'step 1: on its way there a rule rewrites it: destination 192.0.2.1:22 → 192.0.2.1:80' },
  'the kernel takes it for a martian': { rules: ssh, sample: { ...tcp, src: '127.0.0.1' }, why: 'step 1: it does not come to filter:INPUT: kernel: martian' },
  'connection tracking sees it otherwise': { rules: filter('INPUT -m conntrack --ctstate RELATED -j ACCEPT'), sample: { ...tcp, ctstate: 'RELATED' }, why: 'step 1: its state there is NEW, not RELATED' },
  'a mark that nothing sets': { rules: ssh, sample: { ...tcp, mark: 1 }, why: 'step 1: its mark there is 0, not 1' },
  'it hangs on what came before': { rules: filter('INPUT -m recent --rcheck --name x -j ACCEPT', 'INPUT -j DROP'), sample: tcp, why: 'step 1: it does not match filter:INPUT:1, which may hang on' },
  'its headers are longer': { rules: ssh, sample: { ...tcp, length: 10 }, why: 'no packet of its protocol is so short' },
};

for (const [name, { rules, sample, why }] of Object.entries(unplayable)) {
  test(`what cannot be played says why: ${name}`, t => {
    const answer = replay(rules, oneStep(sample, 'eth0', { at: 'filter:INPUT', matches: ['filter:INPUT:1'] }));
    t.is(answer?.kind, 'unplayable');
    t.true(answer?.kind === 'unplayable' && answer.why.startsWith(why), JSON.stringify(answer));
  });
}

test('an address cannot be the host’s and another’s', t => {
  const steps = [stepOf({ ...tcp, src: '10.0.0.1', dst: '10.0.0.2' }, 'eth0'), stepOf({ ...tcp, src: '10.0.0.2', dst: '10.0.0.3' }, 'eth0')];
  t.like(replay(ssh, { steps, shows: [], certainty: 'certain' }), { kind: 'unplayable', why: '10.0.0.2 would have to be in two places' });
});

test('what is possible must be so on one way that the unknown leaves; what is certain, as trace has it', t => {
  const rules = filter('INPUT -m frobnicate --x -j ACCEPT');
  const shown: Shown = { at: 'filter:INPUT', matches: ['filter:INPUT:1'] };
  t.is(replay(rules, oneStep(tcp, 'eth0', shown, 'possible'))?.kind, 'agrees');
  t.is(replay(rules, oneStep(tcp, 'eth0', shown, 'certain'))?.kind, 'unplayable');
});

test('many witnesses share hosts, and each gets the answer that it would get alone', t => {
  const rules = rulesetOf(filter('INPUT -s 10.0.0.0/8 -m limit --limit 1/min --limit-burst 1 -j ACCEPT', 'FORWARD -d 10.0.0.0/8 -j ACCEPT', 'INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT'));
  const proposals = [
    ...['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(src => oneStep({ ...tcp, src }, 'eth0', { at: 'filter:INPUT', by: ['filter:INPUT:1'] })),
    // What was the host's own is somebody else's here, and the same flow is new again.
    oneStep({ ...tcp, dst: '10.0.0.1', out: 'eth1' }, 'eth0', { at: 'filter:FORWARD', by: ['filter:FORWARD:1'] }),
    oneStep({ ...tcp, src: '192.0.2.1', dst: '10.0.0.2', out: 'eth1' }, 'eth0', { at: 'filter:FORWARD', by: ['filter:FORWARD:1'] }),
    oneStep(tcp, 'eth0', { at: 'filter:INPUT', by: ['filter:INPUT:policy'] }), oneStep(tcp, 'eth0', { at: 'filter:INPUT', by: ['filter:INPUT:policy'] }),
  ];
  const together = replayAll(rules, proposals);
  t.deepEqual(together.map(one => one.kind), proposals.map(() => 'agrees'));
  t.deepEqual(together, proposals.map(one => replayAll(rules, [one])[0]));
});

/** A check that reports `report` about INPUT:1, whatever the rules are. */
function claiming(report: Partial<Report>): ReturnType<typeof defineCheck> {
  return defineCheck({
    name: 'claim', kind: 'hygiene', severity: 'error', summary: '', why: '', bad: '', good: '', nearMiss: '',
    * run({ ruleset, rules }) {
      for (const table of ruleset.tables.values()) for (const at of rules(table)) yield { at, message: 'a claim', help: '', ...report };
    },
  });
}

function analyzeClaim(shown: Shown): ReturnType<typeof analyze> {
  return analyze({ path: 'rules', text: ssh }, { checks: [claiming({ witness: [stepOf(tcp, 'eth0')], shows: [shown] })] });
}

test('a finding that the engine confirms has its witness', t => {
  const { findings, internalErrors } = analyzeClaim({ at: 'filter:INPUT', by: ['filter:INPUT:1'] });
  t.deepEqual(findings.map(one => one.witness?.length), [1]);
  t.deepEqual(internalErrors, []);
});

test('a finding that the engine contradicts is not reported, but counted', t => {
  const { findings, internalErrors } = analyzeClaim({ at: 'filter:INPUT', fate: 'lost' });
  t.deepEqual(findings, []);
  t.like(internalErrors[0], { check: 'claim', rule: 'filter:INPUT:1', isWithdrawn: true });
  t.true(internalErrors[0]?.detail.startsWith('step 1: it passes by filter:INPUT:1; [{"in":"eth0"'));
});

test('where only another rule decides, the finding stays without its witness', t => {
  const { findings, internalErrors } = analyzeClaim({ at: 'filter:INPUT', by: ['filter:INPUT:policy'] });
  t.deepEqual(findings.map(one => one.witness), [null]);
  t.like(internalErrors[0], { isWithdrawn: false });
});

test('where a name stands for an address, the finding stays without its witness', t => {
  for (const asked of ['-s db.example.com', '-d db.example.com -p tcp', '-s <ip>', '-p nosuch']) {
    const text = filter(`INPUT ${asked} -j ACCEPT`);
    const { findings, internalErrors } = analyze({ path: 'rules', text });
    t.deepEqual(internalErrors, [], asked);
    t.deepEqual(findings.find(one => one.check === 'missing-established-return')?.witness, null, asked);
  }
});

test('what no kernel takes where it stands proves nothing', t => {
  for (const target of ['TPROXY --on-port 3128', 'DNAT --to-destination 10.0.0.1']) {
    const { internalErrors } = analyze({ path: 'rules', text: filter('INPUT -i lo -j ACCEPT', 'INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', `INPUT -p tcp -j ${target}`, `FORWARD -p tcp -j ${target}`) });
    t.deepEqual(internalErrors, [], target);
  }
});

test('what cannot be played is not printed, and no mistake of ours', t => {
  const { findings, internalErrors } = analyzeClaim({ at: 'nat:PREROUTING' });
  t.deepEqual(findings.map(one => one.witness), [null]);
  t.deepEqual(internalErrors, []);
});

test('a witness that shows nothing in particular is any packet: the engine must only be able to play it', t => {
  t.deepEqual(confirm(examine({ path: 'rules', text: ssh }, { checks: [claiming({ witness: [stepOf({ ...tcp, src: '127.0.0.1' }, 'eth0')] })] })).findings.map(one => one.witness), [null]);
});

test('a shadowed rule shows a packet that it asks for, and who takes it', t => {
  const text = filter('INPUT -i lo -j ACCEPT', 'INPUT -p tcp -m tcp --dport 22 -j ACCEPT', 'INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP', 'OUTPUT -j ACCEPT');
  const [finding] = analyze({ path: 'rules', text }).findings.filter(one => one.check === 'shadowed-rule');
  t.is(finding?.rule, 'filter:INPUT:3');
  t.is(finding?.witness?.[0]?.packet['src'], '203.0.113.7');
  t.deepEqual(traced(rulesetOf(text), finding ?? { witness: [] }).map(({ path }) => path), [['filter:INPUT:2']]);
});
