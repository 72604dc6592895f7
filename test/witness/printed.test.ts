/** How witnesses, their hosts and our own mistakes are printed. */
import { stripVTControlCharacters } from 'node:util';
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { full } from '../../report/full.js';
import { internalErrorLine } from '../../report/internal-error.js';
import { json } from '../../report/json.js';
import type { Report } from '../../report/report.js';

const style = { color: false, width: 100 };

const rules = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -i eth0 -o eth1 -j ACCEPT
-A FORWARD -d 10.0.0.0/8 -i eth0 -o eth1 -p tcp -j DROP
-A FORWARD -i eth1 -o eth0 -j ACCEPT
COMMIT
`;

function reportOf(text: string, internalErrors = 0): Report {
  const { source, findings } = analyze({ path: 'rules', text });
  return { files: [{ source, findings: findings.filter(one => one.check === 'shadowed-rule') }], undecided: {}, internalErrors };
}

test('as JSON, a forwarded witness stands beside the host that it needs: with it, it is a scenario', async t => {
  const { files: [file] } = JSON.parse(await json(reportOf(rules), style)) as { readonly files: readonly { readonly findings: readonly Record<string, unknown>[] }[] };
  t.like(file?.findings[0], {
    witness: [{ in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '10.0.0.1', sport: 40_000, dport: 22, flags: 'S' } }],
    host: { routes: ['default dev eth0', '10.0.0.1/32 dev eth1'] },
  });
});

test('as JSON, there is no host where any will do', async t => {
  const text = await json(reportOf(rules.replaceAll(/-o eth\d /gu, '').replaceAll('-A FORWARD', '-A INPUT')), style);
  t.true(text.includes('"witness": ['));
  t.false(text.includes('"host"'));
});

test('in full, the host is a line', async t => {
  const lines = stripVTControlCharacters(await full(reportOf(rules), style)).split('\n');
  t.deepEqual(lines.filter(line => /= (?:witness|host):/u.test(line)).map(line => line.trim().replaceAll(/203\.0\.113\.\d+/gu, 'SPARE')), [
    '= witness: tcp 198.51.100.7:40000 > 10.0.0.1:22 in eth0 flags S',
    '= host: eth0 with SPARE/32; eth1 with SPARE/32; route default dev eth0; route 10.0.0.1/32 dev eth1',
  ]);
});

test('mistakes of ours are in the summary of JSON, where there are any', async t => {
  t.true((await json(reportOf(rules, 2), style)).includes('"internalErrors": 2'));
  t.false((await json(reportOf(rules), style)).includes('internalErrors'));
});

test('a mistake of ours is one line, with the packets for those who look for it', t => {
  const error = { check: 'shadowed-rule', rule: 'filter:INPUT:2', detail: 'step 1: it passes', isWithdrawn: true };
  t.is(internalErrorLine('rules.v4', error, false), 'rules.v4: internal error: the witness of shadowed-rule about filter:INPUT:2 does not hold, so the finding is left out; please report it; --debug shows more');
  t.is(internalErrorLine('r\u001b', { ...error, rule: null, isWithdrawn: false }, true), 'r\\x1b: internal error: the witness of shadowed-rule does not hold, so the witness is left out; please report it (step 1: it passes)');
});
