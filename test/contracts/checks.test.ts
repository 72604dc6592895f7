/** What every check promises: its bad example yields it, its good ones do not, its page is current. */
import { readFileSync, readdirSync } from 'node:fs';
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import type { Check, Example } from '../../analyzer/checks/define-check.js';
import { checks } from '../../analyzer/checks/index.js';
import { inputOfExample } from '../../analyzer/examine.js';
import type { Finding } from '../../analyzer/finding.js';
import { loadChecks } from '../../analyzer/model/load-checks.js';
import { checkPages } from '../../scripts/check-pages.js';

function findingsOf(check: Check, example: string | Example): readonly Finding[] {
  const analysis = analyze(...inputOfExample(example, check.isOff === true ? { severities: { [check.name]: check.severity } } : {}));
  return analysis.findings;
}

function loud(findings: readonly Finding[]): readonly string[] {
  return findings.filter(one => one.severity !== 'info').map(one => `${one.check}: ${one.message}`);
}

for (const check of checks) {
  test(`${check.name}: the bad example yields it, and nothing else that is a warning or an error`, t => {
    const findings = findingsOf(check, check.bad);
    const own = findings.filter(one => one.check === check.name);
    t.true(own.length > 0);
    t.deepEqual(loud(findings.filter(one => one.check !== check.name)), []);
    for (const finding of own) t.true(finding.help.length > 0);
  });

  test(`${check.name}: the good example yields nothing of it, and no warning or error at all`, t => {
    const findings = findingsOf(check, check.good);
    t.deepEqual(findings.filter(one => one.check === check.name).map(one => one.message), []);
    t.deepEqual(loud(findings), []);
  });

  test(`${check.name}: the near miss yields nothing of it`, t => {
    t.deepEqual(findingsOf(check, check.nearMiss).filter(one => one.check === check.name).map(one => one.message), []);
  });
}

for (const [name, { bad, severity }] of Object.entries(loadChecks)) {
  test(`${name}: the example yields this finding`, t => {
    const found = analyze({ path: 'bad.rules', text: bad }).findings.filter(one => one.check === name);
    t.deepEqual([...new Set(found.map(one => one.severity))], [severity]);
  });
}

test('every check has its page, every page its check, and all are current', t => {
  const pages = checkPages();
  const files = readdirSync('docs/checks').sort();
  t.deepEqual(files, [...pages.keys()].sort());
  for (const [file, text] of pages) t.is(readFileSync(`docs/checks/${file}`, 'utf8'), text, `${file}: run npm run docs`);
});
