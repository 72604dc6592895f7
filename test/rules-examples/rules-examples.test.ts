/** Rule sets that look like real servers: each yields the findings that stand beside it, and no others. `UPDATE_EXPECTED=1` writes those anew. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { checks } from '../../analyzer/checks/index.js';

interface Expected {
  readonly findings: readonly { readonly check: string; readonly rule: string | null }[];
}

const folder = 'rules-examples';
const names = readdirSync(folder).filter(name => /\.(?:rules|sh|txt)$/u.test(name));

function key({ check, rule }: { readonly check: string; readonly rule: string | null }): string {
  return `${check} ${rule ?? '(file)'}`;
}

for (const name of names) {
  test(name, t => {
    const expected = `${folder}/${name.replace(/\.[^.]+$/u, '.expected.json')}`;
    const { findings } = JSON.parse(readFileSync(expected, 'utf8')) as Expected;
    const analysis = analyze({ path: `${folder}/${name}`, text: readFileSync(`${folder}/${name}`, 'utf8') });
    if (process.env['UPDATE_EXPECTED'] !== undefined) writeFileSync(expected, `${JSON.stringify({ findings: analysis.findings.map(({ check, rule }) => ({ check, rule })) }, null, 2)}\n`);
    else t.deepEqual(analysis.findings.map(key).sort(), findings.map(key).sort());
    t.is(analysis.undecided, 0);
  });
}

test('there are at least 20 of them, and every check fires in one', t => {
  t.true(names.length >= 20);
  const fired = new Set(names.flatMap(name => analyze({ path: name, text: readFileSync(`${folder}/${name}`, 'utf8') }).findings.map(one => one.check)));
  t.deepEqual(checks.map(check => check.name).filter(name => !fired.has(name)), []);
});
