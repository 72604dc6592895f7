/** What every check promises: its bad example yields it, its good ones do not, its page is current. */
import { readFileSync, readdirSync } from 'node:fs';
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { checks } from '../../analyzer/checks/index.js';
import { loadChecks } from '../../analyzer/model/load-checks.js';
import { testCheck } from '../../analyzer/test-check.js';
import { checkPages } from '../../scripts/check-pages.js';

for (const check of checks) {
  test(`${check.name}: the bad example yields it, the good one and the near miss do not`, t => {
    t.deepEqual(testCheck(check), []);
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
