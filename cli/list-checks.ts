/** `iptables-lint checks` */
import pc from 'picocolors';
import { checkKinds, type CheckKind } from '../analyzer/checks/define-check.js';
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
  readonly kind: CheckKind | 'load';
  /** It speaks only where it is asked for by name. */
  readonly off?: true;
}

const listed: readonly Listed[] = [
  ...checks.map(({ name, severity, summary, kind, isOff }): Listed => ({ name, severity, summary, kind, ...isOff === true ? { off: true } : {} })),
  ...Object.entries(loadChecks).map(([name, { severity, summary }]): Listed => ({ name, severity, summary, kind: 'load' })),
];

const headings: Readonly<Record<Listed['kind'], string>> = { ...checkKinds, load: 'Whether they load (found while the file is read)' };

function tableOf(rows: readonly Listed[], color: boolean): string {
  const colors = pc.createColors(color);
  const severityColors = { error: colors.red, warning: colors.yellow, info: colors.cyan };
  const width = Math.max(...listed.map(row => row.name.length));
  return rows.map(row => `  ${colors.bold(row.name.padEnd(width))}  ${row.off === true ? colors.dim('off'.padEnd(7)) : severityColors[row.severity](row.severity.padEnd(7))}  ${row.summary}\n`).join('');
}

export async function listChecks(format: 'table' | 'json', option: boolean | undefined): Promise<void> {
  if (format === 'json') return print(`${JSON.stringify({ schemaVersion: 1, checks: listed }, null, 2)}\n`);
  const color = wantsColor(option, process.stdout);
  const section = ([kind, heading]: readonly [string, string]): string => {
    const rows = listed.filter(row => row.kind === kind);
    return rows.length === 0 ? '' : `${heading}:\n${tableOf(rows, color)}\n`;
  };
  return print(`${Object.entries(headings).map(section).join('')}iptables-lint explain NAME tells more.\n`);
}
