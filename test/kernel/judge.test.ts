/** What is said of a witness when the kernel has answered. No kernel is asked here: its answers are made up. */
import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import { createHost, type HostSetup } from '../../analyzer/netfilter/engine.js';
import type { ScenarioAnswer, ScenarioStep } from '../../analyzer/netfilter/scenario.js';
import type { Shown } from '../../analyzer/witness/proposal.js';
import { judge, type Case } from '../../kernel/judge.js';

const setup: HostSetup = { interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/32'] }], routes: ['default dev eth0'] };
const packet = { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', sport: 40_000, dport: 22 };
const steps: readonly ScenarioStep[] = [{ in: 'eth0', packet }];
const noon = Date.UTC(2026, 0, 1, 12) / 1000;

function caseOf(rules: readonly string[], shown: Shown): Case {
  const text = ['*filter', ':INPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n');
  const [ruleset] = load({ path: 'rules.v4', text }).rulesets;
  if (ruleset === undefined) throw new Error('no rules');
  return { ruleset, setup, steps, proposal: { steps: [{ in: 'eth0', packet }], shows: [shown], certainty: 'certain' } };
}

/** As the engine has it, where the rules are what they are for the kernel. */
function engineSays({ ruleset }: Case, start = noon): ScenarioAnswer {
  const host = createHost(ruleset, setup, { start });
  return { steps: steps.map(step => host.send(step)) };
}

const drop = '-A INPUT -p tcp -m tcp --dport 22 -j DROP';
const lost: Shown = { at: 'filter:INPUT', fate: 'lost', by: ['filter:INPUT:1'] };

test('what kernel, engine and finding say is confirmed', t => {
  const one = caseOf([drop], lost);
  t.deepEqual(judge(one, engineSays(one), noon), { kernel: 'confirmed' });
});

test('another rule, another verdict or a packet less is a contradiction, and both sides are told', t => {
  const one = caseOf([drop], lost);
  const [step] = engineSays(one).steps;
  if (step === undefined) return t.fail();
  t.deepEqual(judge(one, { steps: [{ ...step, path: ['filter:INPUT:policy'], verdict: 'delivered', by: null }] }, noon), {
    kernel: 'contradicted', reason: 'packet 1: the kernel says delivered, on its way filter:INPUT:policy; expected was drop by filter:INPUT:1, on its way filter:INPUT:1',
  });
  t.is(judge(one, { steps: [{ ...step, path: ['raw:PREROUTING:1', ...step.path] }] }, noon).kernel, 'contradicted');
  t.is(judge(one, { steps: [] }, noon).kernel, 'contradicted');
});

test('where kernel and engine agree, and the finding says otherwise, the finding is wrong', t => {
  const one = caseOf([drop], { ...lost, fate: 'passes', by: [] });
  t.deepEqual(judge(one, engineSays(one), noon), { kernel: 'contradicted', reason: 'the kernel agrees with trace, and not with the finding: packet 1: it is lost by filter:INPUT:1' });
});

test('what only chance decides is not replayed, whatever came of it', t => {
  const one = caseOf(['-A INPUT -m statistic --mode random --probability 0.5 -j DROP'], lost);
  t.deepEqual(judge(one, engineSays(one), noon), { kernel: 'not-replayed', reason: 'only chance decides: statistic --mode random' });
});

test('the kernel knows what nobody can know offline: one way of it is enough', t => {
  const one = caseOf(['-A INPUT -m cpu --cpu 0 -j DROP'], lost);
  const onThisCpu: ScenarioAnswer = { steps: engineSays(caseOf(['-A INPUT -j DROP'], lost)).steps };
  t.deepEqual(judge(one, onThisCpu, noon), { kernel: 'confirmed' });
  const onAnother = judge(one, engineSays(caseOf([], lost)), noon);
  t.deepEqual(onAnother, { kernel: 'not-replayed', reason: 'it hangs on what is not arranged: filter:INPUT:1: which processor handles a packet' });
});

test('a rule for another time of the day is not held against the finding', t => {
  const midnight = '-A INPUT -m time --timestart 00:00 --timestop 00:01 -j DROP';
  const one = caseOf([midnight], lost);
  t.deepEqual(judge(one, engineSays(one), noon), { kernel: 'not-replayed', reason: 'it hangs on the time of the day' });
});
