/** `iptables-lint checks` */
import pc from 'picocolors';
import { checkKinds, type CheckKind } from '../analyzer/checks/define-check.js';
import type { Severity } from '../analyzer/model/diagnostic.js';
import { loadChecks } from '../analyzer/model/load-checks.js';
import { knownChecks } from './check-names.js';
import { wantsColor } from './color.js';
import { usePlugins } from './plugins.js';
import { print, stdout } from './streams.js';

interface Listed {
  readonly name: string;
  readonly severity: Severity;
  readonly summary: string;
  /** `load`: found while the file is read. */
  readonly kind: CheckKind | 'load';
  /** It speaks only where it is asked for by name. */
  readonly off?: true;
}

const listed = (): readonly Listed[] => [
  ...knownChecks().map(({ name, severity, summary, kind, isOff }): Listed => ({ name, severity, summary, kind, ...isOff === true ? { off: true } : {} })),
  ...Object.entries(loadChecks).map(([name, { severity, summary }]): Listed => ({ name, severity, summary, kind: 'load' })),
];

const headings: Readonly<Record<Listed['kind'], string>> = { ...checkKinds, load: 'Whether they load (found while the file is read)' };

function tableOf(rows: readonly Listed[], width: number, color: boolean): string {
  const colors = pc.createColors(color);
  const severityColors = { error: colors.red, warning: colors.yellow, info: colors.cyan };
  return rows.map(row => `  ${colors.bold(row.name.padEnd(width))}  ${row.off === true ? colors.dim('off'.padEnd(7)) : severityColors[row.severity](row.severity.padEnd(7))}  ${row.summary}\n`).join('');
}

export async function listChecks({ format, color: option, plugin }: { readonly format: 'table' | 'json'; readonly color?: boolean; readonly plugin?: readonly string[] }): Promise<void> {
  await usePlugins(plugin);
  const all = listed();
  if (format === 'json') return print(`${JSON.stringify({ schemaVersion: 1, checks: all }, null, 2)}\n`);
  const color = wantsColor(option, stdout());
  const width = Math.max(...all.map(row => row.name.length));
  const section = ([kind, heading]: readonly [string, string]): string => {
    const rows = all.filter(row => row.kind === kind);
    return rows.length === 0 ? '' : `${heading}:\n${tableOf(rows, width, color)}\n`;
  };
  return print(`${Object.entries(headings).map(section).join('')}iptables-lint explain NAME tells more.\n`);
}
