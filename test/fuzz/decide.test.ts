import test from 'ava';
import * as fc from 'fast-check';
import { confirm } from '../../analyzer/analyze.js';
import { defineCheck, type Check } from '../../analyzer/checks/define-check.js';
import { decidePossible } from '../../analyzer/decide.js';
import { examine } from '../../analyzer/examine.js';
import type { Finding } from '../../analyzer/finding.js';
import type { Shown } from '../../analyzer/witness/proposal.js';

/** A check that calls it possible that a SYN for this port fares so. */
function says(dport: number, shown: Shown): Check {
  const fixture = '*filter\nCOMMIT\n';
  return defineCheck({
    name: 'said', kind: 'exposure', severity: 'info', summary: 'said', why: 'said', bad: fixture, good: fixture, nearMiss: fixture,
    * run() {
      yield { message: 'said', certainty: 'possible', help: '', witness: [{ in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', sport: 40_000, dport } }], shows: [shown] };
    },
  });
}

function decidedOf(rules: readonly string[], check: Check): Finding | undefined {
  const text = ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n');
  const [finding] = confirm(decidePossible(fc, examine({ path: 'rules.v4', text }, { checks: [check] }))).findings.filter(one => one.check === 'said');
  return finding;
}

const ports = (finding: Finding | undefined): readonly unknown[] => finding?.witness?.map(({ packet }) => packet['dport']) ?? [];

test('a port that opens to those who knock is open for certain, and the knock is the witness', t => {
  const finding = decidedOf([
    '-A INPUT -m recent --rcheck --seconds 30 --name second --rsource -p tcp -m tcp --dport 22 -j ACCEPT',
    '-A INPUT -p udp -m udp --dport 9133 -m recent --rcheck --seconds 10 --name first --rsource -m recent --set --name second --rsource',
    '-A INPUT -p tcp -m tcp --dport 7411 -m recent --set --name first --rsource',
  ], says(22, { at: 'filter:INPUT', fate: 'passes', matches: ['filter:INPUT:1'] }));
  t.is(finding?.certainty, 'certain');
  t.deepEqual(ports(finding), [7411, 9133, 22]);
});

test('a limit that others use up drops for certain', t => {
  const finding = decidedOf(['-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 1/hour --limit-burst 3 -j ACCEPT'], says(22, { at: 'filter:INPUT', fate: 'lost', by: ['filter:INPUT:policy'] }));
  t.is(finding?.certainty, 'certain');
  t.is(finding?.witness?.length, 4);
});

test('what hangs on something that nobody can know stays possible', t => {
  const finding = decidedOf(['-A INPUT -p tcp -m tcp --dport 22 -m frobnicate -j ACCEPT'], says(22, { at: 'filter:INPUT', fate: 'passes', matches: ['filter:INPUT:1'] }));
  t.is(finding?.certainty, 'possible');
});

test('what no conversation shows stays possible', t => {
  const finding = decidedOf(['-A INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --name never --rsource -j ACCEPT'], says(22, { at: 'filter:INPUT', fate: 'passes', matches: ['filter:INPUT:1'] }));
  t.is(finding?.certainty, 'possible');
});

test('a rule that is shadowed, and whose counter says otherwise, stays in doubt', t => {
  const text = ['*filter', ':INPUT DROP [0:0]', '-A INPUT -p tcp -j ACCEPT', '[7:420] -A INPUT -p tcp -m tcp --dport 22 -j DROP', 'COMMIT', ''].join('\n');
  const { findings } = confirm(decidePossible(fc, examine({ path: 'rules.v4', text })));
  t.deepEqual(findings.filter(({ check }) => check === 'shadowed-rule').map(({ certainty }) => certainty), ['possible']);
});
