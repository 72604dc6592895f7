import test from 'ava';
import { converse } from '../../../analyzer/netfilter/scenario/conversation.js';
import type { DetailedStep } from '../../../analyzer/netfilter/engine.js';
import type { ScenarioStep } from '../../../analyzer/netfilter/scenario.js';
import { allWays } from '../../../analyzer/netfilter/scenario/ways.js';

const nothing = { path: [], by: null, out: [], ct: null, conntrack: [], generated: [], trail: [] };
const opening = { in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', dport: 80 } };

/** A router that translates 192.0.2.1:80 to 10.0.0.5:8080 and, if it works, back. */
function router({ translatesBack = true, drops = (): boolean => false } = {}): { readonly steps: ScenarioStep[]; readonly send: (step: ScenarioStep) => DetailedStep } {
  const steps: ScenarioStep[] = [];
  return {
    steps, send: step => {
      steps.push(step);
      const { packet } = step;
      if (drops()) return { ...nothing, verdict: 'drop', by: 'filter:FORWARD:policy' };
      return step.in === 'eth0'
        ? { ...nothing, verdict: 'forwarded eth1', out: [{ ...packet, dst: '10.0.0.5', dport: 8080, oif: 'eth1' }] }
        : { ...nothing, verdict: 'forwarded eth0', out: [{ ...packet, ...translatesBack ? { src: '192.0.2.1', sport: 80 } : {}, oif: 'eth0' }] };
    },
  };
}

test('the server answers what it saw, from where it is', t => {
  const { steps, send } = router();
  const { isWhole, said, exchanges } = converse(send, opening);
  t.true(isWhole);
  t.is(said, 'the conversation is whole: all 10 packets arrived');
  t.is(exchanges.length, 10);
  const [syn, answer] = steps;
  t.like(syn, { in: 'eth0', packet: { src: '198.51.100.7', sport: 40000, dst: '192.0.2.1', dport: 80, flags: 'S' } });
  t.like(answer, { in: 'eth1', packet: { src: '10.0.0.5', sport: 8080, dst: '198.51.100.7', dport: 40000, flags: 'SA', ack: 1001 } });
});

test('it breaks at the packet that does not arrive, and says who took it', t => {
  let sent = 0;
  const { send } = router({ drops: () => ++sent === 2 });
  const { isWhole, said, exchanges } = converse(send, opening);
  t.false(isWhole);
  t.is(said, 'the conversation breaks at packet 2 of 10, the server\'s SYN/ACK: it is dropped by the policy of filter FORWARD');
  t.is(exchanges.length, 2);
});

test('an answer from an address that was not asked does not count', t => {
  t.is(converse(router({ translatesBack: false }).send, opening).said,
    'the conversation breaks at packet 2 of 10, the server\'s SYN/ACK: it comes from 10.0.0.5:8080 for 198.51.100.7:40000, and the client waits for one from 192.0.2.1:80 for 198.51.100.7:40000');
});

test('where the packet is delivered to the host itself, the host answers what its process got', t => {
  const steps: ScenarioStep[] = [];
  converse(step => {
    steps.push(step);
    if (step.in === 'local') return { ...nothing, verdict: 'sent eth0', out: [{ ...step.packet, sport: 53, oif: 'eth0' }] };
    return { ...nothing, verdict: 'delivered', arrived: { ...step.packet, dport: 5353 } };
  }, { in: 'eth0', packet: { proto: 'udp', src: '198.51.100.7', dst: '192.0.2.1', dport: 53 } });
  t.like(steps[1], { in: 'local', packet: { src: '192.0.2.1', sport: 5353, dst: '198.51.100.7', dport: 40000 } });
  t.is(steps.length, 2);
});

test('a ping is answered with its id', t => {
  const { steps, send } = router();
  converse(send, { in: 'eth0', packet: { proto: 'icmp', src: '198.51.100.7', dst: '192.0.2.1', id: 77 } });
  t.like(steps[1], { packet: { type: 0, id: 77 } });
});

test('the settings of the opening are those of the client, and time passes once', t => {
  const { steps, send } = router();
  converse(send, { ...opening, advance: 5, packet: { ...opening.packet, ttl: 9 } });
  t.deepEqual(steps.map(step => [step.advance, step.packet.ttl]).slice(0, 3), [[5, 9], [undefined, undefined], [undefined, 9]]);
});

/** A way through rules of which each may match or not: a drop where the last does. */
function answerFor(count: number) {
  return (decisions: readonly boolean[]) => {
    const unknown = Array.from({ length: count }, (_, index) => ({ rule: `filter:INPUT:${String(index + 1)}`, why: 'nobody knows', assumed: decisions[index] === true ? 'match' as const : 'skip' as const }));
    const taken = unknown.findIndex(({ assumed }) => assumed === 'match');
    const met = taken === -1 ? unknown : unknown.slice(0, taken + 1);
    return { steps: [{ ...nothing, verdict: taken === -1 ? 'delivered' : 'drop', by: taken === -1 ? null : `filter:INPUT:${String(taken + 1)}`, unknown: met }] };
  };
}

test('all ways are told: each unknown rule may match, or not', t => {
  const { ways, isCut } = allWays(answerFor(3));
  t.false(isCut);
  t.deepEqual(ways.map(({ answer }) => answer.steps[0]?.by ?? 'nobody').sort(), ['filter:INPUT:1', 'filter:INPUT:2', 'filter:INPUT:3', 'nobody']);
});

test('there is an end to it, and that is said', t => {
  const { ways, isCut } = allWays(answerFor(100), 10);
  t.true(isCut);
  t.is(ways.length, 10);
});
