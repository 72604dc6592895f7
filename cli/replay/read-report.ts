/** A report as `--format json` prints it, read again. */
import * as v from 'valibot';
import { reportSchema, type JsonReport } from '../../report/report-schema.js';
import { readJson } from '../read-json.js';
import { readSource } from '../read-source.js';
import { Trouble } from '../trouble.js';

export type { JsonFinding, JsonReport } from '../../report/report-schema.js';

function problemOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  return `${path ?? 'it'}${/^(?:must|is) /u.test(issue.message) ? '' : ':'} ${issue.message}`;
}

/** Reads a file, or standard input for `-`. `maxSize` is in megabytes. */
export async function readReport(path: string, maxSize: number | undefined): Promise<JsonReport> {
  const source = await readSource(path, undefined, maxSize);
  const checked = v.safeParse(reportSchema, readJson(source, 'report', { hint: '; iptables-lint FILES --format json writes a report' }), { abortEarly: true });
  if (!checked.success) throw new Trouble(`${source.path} is no report of iptables-lint: ${problemOf(checked.issues[0])}`);
  return checked.output;
}
