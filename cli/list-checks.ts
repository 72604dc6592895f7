/** `iptables-lint checks` */
import pc from 'picocolors';
import { checks } from '../analyzer/checks/index.js';
import type { Severity } from '../analyzer/model/diagnostic.js';
import { loadChecks } from '../analyzer/model/load-checks.js';
import { wantsColor } from './color.js';
import { print } from './streams.js';

interface Listed {
  readonly name: string;
  readonly severity: Severity;
  readonly summary: string;
  /** `load`: found while the file is read. */
  readonly kind: 'check' | 'load';
}

const listed: readonly Listed[] = [
  ...checks.map(({ name, severity, summary }): Listed => ({ name, severity, summary, kind: 'check' })),
  ...Object.entries(loadChecks).map(([name, { severity, summary }]): Listed => ({ name, severity, summary, kind: 'load' })),
];

function tableOf(rows: readonly Listed[], color: boolean): string {
  const colors = pc.createColors(color);
  const severityColors = { error: colors.red, warning: colors.yellow, info: colors.cyan };
  const width = Math.max(...listed.map(row => row.name.length));
  return rows.map(row => `  ${colors.bold(row.name.padEnd(width))}  ${severityColors[row.severity](row.severity.padEnd(7))}  ${row.summary}\n`).join('');
}

export async function listChecks(format: 'table' | 'json', option: boolean | undefined): Promise<void> {
  if (format === 'json') return print(`${JSON.stringify({ schemaVersion: 1, checks: listed }, null, 2)}\n`);
  const color = wantsColor(option, process.stdout);
  const of = (kind: Listed['kind']): string => tableOf(listed.filter(row => row.kind === kind), color);
  return print(`What the rules do:\n${of('check')}\nWhether they load (found while the file is read):\n${of('load')}\niptables-lint explain NAME tells more.\n`);
}
