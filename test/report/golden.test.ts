/** What the formats print, letter by letter. `UPDATE_GOLDEN=1 npm test` writes the files anew: look at the difference before it is committed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { formatNames, loadFormat } from '../../report/formats.js';
import { reports } from './example.js';

const folder = fileURLToPath(new URL('../../../test/report/golden/', import.meta.url));

for (const format of formatNames) {
  for (const [name, report] of Object.entries(reports)) {
    test(`${format} prints the report "${name}" as in its golden file`, async t => {
      const print = await loadFormat(format);
      const printed = await print(report, { color: false, width: 100 });
      const file = `${folder}${name}.${format}.txt`;
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, printed);
      t.is(printed, readFileSync(file, 'utf8'));
    });
  }
}
