/** What the formats print, letter by letter. `UPDATE_GOLDEN=1 npm test` writes the files anew: look at the difference before it is committed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { formatNames, loadFormat } from '../../report/formats.js';
import { reports } from './example.js';

const folder = fileURLToPath(new URL('../../../test/report/golden/', import.meta.url));

interface Sarif {
  readonly runs: readonly { readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } }; readonly results: readonly { readonly ruleId: string; readonly ruleIndex: number }[] }[];
}

/** SARIF lists every check that there is: here only those that have a result, so that a new check is no matter of the format. */
function withUsedRules(text: string): string {
  const { runs, ...log } = JSON.parse(text) as Sarif;
  const kept = runs.map(({ tool: { driver }, results, ...run }) => {
    const used = driver.rules.filter(({ id }) => results.some(({ ruleId }) => ruleId === id)).sort((a, b) => a.id < b.id ? -1 : 1);
    return { ...run, tool: { driver: { ...driver, rules: used } }, results: results.map(one => ({ ...one, ruleIndex: used.findIndex(({ id }) => id === driver.rules[one.ruleIndex]?.id) })) };
  });
  return `${JSON.stringify({ ...log, runs: kept }, null, 2)}\n`;
}

for (const format of formatNames) {
  for (const [name, report] of Object.entries(reports)) {
    test(`${format} prints the report "${name}" as in its golden file`, async t => {
      const print = await loadFormat(format);
      const text = await print(report, { color: false, width: 100 });
      const printed = format === 'sarif' ? withUsedRules(text) : text;
      const file = `${folder}${name}.${format}.txt`;
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, printed);
      t.is(printed, readFileSync(file, 'utf8'));
    });
  }
}
