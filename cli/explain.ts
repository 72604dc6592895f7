/** `iptables-lint explain CHECK` */
import pc from 'picocolors';
import { exampleOf, type Example } from '../analyzer/checks/define-check.js';
import { analyzeWithoutWitnesses, inputOfExample } from '../analyzer/examine.js';
import type { Severity } from '../analyzer/model/diagnostic.js';
import { loadChecks } from '../analyzer/model/load-checks.js';
import { docsUrl } from '../report/report.js';
import { visible } from '../report/visible.js';
import { knownChecks, unknownCheck } from './check-names.js';
import { wantsColor, widthOf } from './color.js';
import { usePlugins } from './plugins.js';
import { print, stdout } from './streams.js';
import { wrap } from './wrap.js';

/** What there is to say about a check. A finding of loading has no good example: what is right is all the rest. */
interface Explained {
  readonly name: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly why: string;
  readonly bad: string | Example;
  readonly good?: string | Example;
  readonly nearMiss?: string | Example;
}

const explained = (): readonly Explained[] => [...knownChecks(), ...Object.entries(loadChecks).map(([name, check]): Explained => ({ name, ...check }))];

function example(one: string | Example): string {
  return exampleOf(one).rules.trimEnd().split('\n').map(line => `  ${visible(line)}`).join('\n');
}

/** What the findings of the bad example themselves say to do. */
function helpOf({ name, bad }: Explained): string {
  const { findings } = analyzeWithoutWitnesses(...inputOfExample(bad, { checks: knownChecks().filter(check => check.name === name), severities: { [name]: 'info' } }));
  return findings.find(finding => finding.check === name)?.help ?? '';
}

function* sections(check: Explained, width: number, color: boolean): Generator<string, void> {
  const colors = pc.createColors(color);
  const severityColor = { error: colors.red, warning: colors.yellow, info: colors.cyan }[check.severity];
  yield `${severityColor(colors.bold(`${check.severity}[${check.name}]`))}${colors.bold(`: ${check.summary}`)}`;
  for (const paragraph of check.why.split(/\n\s*\n/u)) yield wrap(paragraph, width);
  yield `${colors.bold(colors.red('Bad:'))}\n${example(check.bad)}`;
  if (check.good !== undefined) yield `${colors.bold(colors.green('Good:'))}\n${example(check.good)}`;
  if (check.nearMiss !== undefined) yield `${colors.bold(colors.green('Also good:'))}\n${example(check.nearMiss)}`;
  const help = helpOf(check);
  if (help !== '') yield `${colors.bold('What to do about the bad one:')} ${visible(help)}`;
  const page = docsUrl(check.name);
  yield colors.dim(`Another level: --check ${check.name}=off|info|warning|error${page === undefined ? '' : `\nMore: ${page}`}`);
}

export async function explain(name: string, { color, plugin }: { readonly color?: boolean; readonly plugin?: readonly string[] }): Promise<void> {
  await usePlugins(plugin);
  const check = explained().find(one => one.name === name);
  if (check === undefined) throw unknownCheck(name);
  const width = Math.min(widthOf(stdout()), 100);
  await print(`${[...sections(check, width, wantsColor(color, stdout()))].join('\n\n')}\n`);
}
