import test from 'ava';
import * as fc from 'fast-check';
import { claimsOf } from '../../analyzer/claims.js';
import type { Claim } from '../../analyzer/fuzz/claim.js';
import { fuzz, type FuzzOptions, type Outcome } from '../../analyzer/fuzz/fuzz.js';
import { claimsHold } from '../../analyzer/fuzz/properties/claims-hold.js';
import { properties } from '../../analyzer/fuzz/properties/index.js';
import { seedOf } from '../../analyzer/fuzz/seed.js';
import { placeOf } from '../../analyzer/generate/near/packets-near.js';
import { play } from '../../analyzer/generate/near/play.js';
import { load } from '../../analyzer/model/load.js';
import { emptyRuleset, type Ruleset } from '../../analyzer/model/ruleset.js';
import { runScenario } from '../../analyzer/netfilter/engine.js';
import { cases, textOf, type Case } from './cases.js';

function rulesetOf(text: string): Ruleset {
  return load({ path: 'rules.v4', text }).rulesets[0] ?? emptyRuleset('ipv4');
}

function outcomeOf(one: Case, options: Partial<FuzzOptions> = {}): Outcome {
  const { property, setup, allowed, untrusted } = one;
  const text = textOf(one);
  const wishes = { ...setup === undefined ? {} : { setup }, ...allowed === undefined ? {} : { allowed }, ...untrusted === undefined ? {} : { untrusted } };
  const [outcome] = fuzz(fc, rulesetOf(text), { properties: properties.filter(({ name }) => name === property), runs: 300, seed: seedOf([text]), ...wishes, ...options });
  if (outcome === undefined) throw new Error(`there is no property ${property}`);
  return outcome;
}

for (const one of cases) {
  const { property, what, broken } = one;
  test(`${property} ${broken === undefined ? 'holds where' : 'is broken where'} ${what}`, t => {
    const outcome = outcomeOf(one);
    if (broken === undefined) {
      t.is(outcome.kind, 'held', JSON.stringify(outcome));
      return;
    }
    if (outcome.kind !== 'failed') return t.fail(`it held in ${JSON.stringify(outcome)}`);
    const { scenario } = outcome;
    t.is(scenario.steps.length, broken.steps.length, JSON.stringify(scenario.steps));
    for (const [index, fields] of broken.steps.entries()) t.like(scenario.steps[index]?.packet, fields);
    // What is printed shows by itself what it is said to show.
    t.like(runScenario([rulesetOf(textOf(one))], scenario).steps.at(-1), { verdict: broken.verdict, by: broken.by });
  });
}

test('every property has a rule set that keeps it, and all but that about us one that breaks it', t => {
  const names = (isBroken: boolean): readonly string[] => [...new Set(cases.filter(one => (one.broken !== undefined) === isBroken).map(one => one.property))].sort();
  const all = properties.map(({ name }) => name).sort();
  t.deepEqual(names(false), all);
  t.deepEqual(names(true), all.filter(name => name !== claimsHold.name));
});

test('claims-hold is broken by a packet that matches what is held to be shadowed', t => {
  const rules = (...lines: readonly string[]): Ruleset => rulesetOf(textOf({ property: '', what: '', rules: lines }));
  const live = placeOf(rules('-A INPUT -p udp -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j DROP'));
  const dead = placeOf(rules('-A INPUT -p tcp -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j DROP'));
  const played = play(live, { before: [{ in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: live.terrain.own('eth0')[0] ?? '', dport: 22 } }], flows: [], turns: [] });
  t.is(claimsHold.test(live, {})(played), undefined);
  t.like(claimsHold.test(dead, {})(played), { index: 0 });
});

test('what is claimed is what findings say for certain of all conversations', t => {
  const rules = [
    '-A INPUT -i lo -j ACCEPT', '-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 3306 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 3306 -j DROP',
    '-A OUTPUT -o lo -j ACCEPT',
  ];
  const text = textOf({ property: '', what: '', policies: { INPUT: 'DROP', OUTPUT: 'DROP' }, rules });
  const claims = claimsOf({ path: 'rules.v4', text }, {})('ipv4');
  t.deepEqual(claims.map(({ kind, rule }) => `${kind} ${rule}`).sort(), ['needless filter:INPUT:2', 'never-matched filter:INPUT:4', 'open filter:INPUT:3', 'unanswered filter:INPUT:2', 'unanswered filter:INPUT:3']);
  t.deepEqual(claimsOf({ path: 'rules.v4', text }, {})('ipv6'), []);
});

/** A rule set, what may be said of it for certain, and what may not. */
const claimed: readonly { readonly what: string; readonly rules: readonly string[]; readonly policies?: Case['policies']; readonly right: Claim; readonly wrong: Claim }[] = [
  {
    what: 'without a rule all fare the same', policies: { INPUT: 'DROP' },
    rules: ['-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'],
    right: { kind: 'needless', check: 'redundant-rule', rule: 'filter:INPUT:1' }, wrong: { kind: 'needless', check: 'redundant-rule', rule: 'filter:INPUT:2' },
  },
  {
    what: 'no answer gets back', policies: { INPUT: 'DROP', OUTPUT: 'DROP' },
    rules: ['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', '-A OUTPUT -p tcp -m tcp --sport 443 -j ACCEPT'],
    right: { kind: 'unanswered', check: 'missing-established-return', rule: 'filter:INPUT:1', protocol: 'tcp' }, wrong: { kind: 'unanswered', check: 'missing-established-return', rule: 'filter:INPUT:2', protocol: 'tcp' },
  },
  {
    what: 'a service is open, and stays so', policies: { INPUT: 'DROP' },
    rules: ['-A INPUT -p tcp -m tcp --dport 3306 -m limit --limit 1/min --limit-burst 1 -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 6379 -m quota --quota 60 -j ACCEPT'],
    right: open('filter:INPUT:1', 3306), wrong: open('filter:INPUT:2', 6379),
  },
  {
    what: 'a rule is never matched',
    rules: ['-A INPUT -p tcp -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j DROP', '-A INPUT -p udp -j DROP'],
    right: { kind: 'never-matched', check: 'shadowed-rule', rule: 'filter:INPUT:2' }, wrong: { kind: 'never-matched', check: 'shadowed-rule', rule: 'filter:INPUT:3' },
  },
];

function open(rule: string, dport: number): Claim {
  const step = { in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', sport: 40_000, dport } };
  return { kind: 'open', check: 'exposed-service', rule, proposal: { steps: [step], shows: [{ at: 'filter:INPUT', fate: 'passes', matches: [rule] }], certainty: 'certain' } };
}

for (const { what, rules, policies = {}, right, wrong } of claimed) {
  test(`claims-hold: ${what}, where that is so, and is broken where it is not`, t => {
    const one: Case = { property: claimsHold.name, what, rules, policies };
    t.is(outcomeOf(one, { claims: [right] }).kind, 'held');
    const outcome = outcomeOf(one, { claims: [wrong] });
    t.is(outcome.kind, 'failed');
    t.true(outcome.kind === 'failed' && outcome.why.includes(wrong.rule) && outcome.why.includes(wrong.check), JSON.stringify(outcome));
  });
}

test('the same seed finds the same, and another seed other conversations', t => {
  const [one] = cases;
  if (one === undefined) return t.fail();
  t.deepEqual(outcomeOf(one), outcomeOf(one));
  const firsts = [1, 2, 3, 4, 5].map(seed => JSON.stringify(outcomeOf(one, { seed })));
  t.true(new Set(firsts).size > 1);
});

test('the path that is printed plays the failure again, and no more', t => {
  for (const one of cases.filter(({ broken }) => broken !== undefined)) {
    const first = outcomeOf(one);
    if (first.kind !== 'failed') return t.fail();
    const again = outcomeOf(one, { path: first.path });
    t.like(again, { kind: 'failed', why: first.why, scenario: first.scenario, shrinks: 0 });
  }
});

test('ports that nobody lists are not asked about', t => {
  const [one] = cases.filter(({ property }) => property === 'new-only-to-listed-ports').map(({ allowed, ...rest }) => rest);
  t.is(one === undefined ? '' : outcomeOf(one).kind, 'skipped');
});
