/** `--format pretty`: a line for each finding, drawn by eslint-formatter-pretty. */
import { resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import { positionAt } from '../grammar/source-text.js';
import { notesOf } from './notes.js';
import { allFindings, countBySeverity, countOf, docsUrl, linkTo, messageOf, nothingFound, type FileReport, type Format, type Report, type Style } from './report.js';
import { visible } from './visible.js';

/** The formatter takes quotes around words away. These private-use letters go through it in their place. */
const kept = { '`': '\uE000', '\'': '\uE001' } as const;

function keepQuotes(text: string): string {
  return text.replaceAll('`', kept['`']).replaceAll('\'', kept['\'']);
}

function restoreQuotes(text: string, style: Style): string {
  const { bold } = pc.createColors(style.color);
  return text
    .replace(/\uE000([^\uE000\n]*)\uE000/gu, (_, words: string) => bold(`\`${words}\``))
    .replaceAll('\uE000', '`').replaceAll('\uE001', '\'');
}

/** The formatter shows paths relative to the working folder, and links to what it shows: it gets marks instead. */
const pathMark = '\uE002';
const linkMark = encodeURI(pathMark);

/** Paths as the user gave them; links to the whole path. */
function restorePaths(text: string, report: Report): string {
  const path = (index: string): string => report.files[Number(index)]?.source.path ?? '';
  return text
    .replace(new RegExp(`${pathMark}(\\d+)${pathMark}`, 'gu'), (_, index: string) => visible(path(index)))
    .replace(new RegExp(`${linkMark}(\\d+)${linkMark}`, 'gu'), (_, index: string) => encodeURI(resolve(path(index))));
}

type EslintResult = Parameters<typeof import('eslint-formatter-pretty').default>[0][number];

/** One file as ESLint would have it. Infos have no place there. */
function eslintResult({ source, findings }: FileReport, index: number): EslintResult {
  const counts = countBySeverity(findings);
  return {
    filePath: `${pathMark}${String(index)}${pathMark}`,
    messages: findings.filter(finding => finding.severity !== 'info').map(finding => ({
      ruleId: visible(finding.check), message: keepQuotes(visible(messageOf(finding))), severity: finding.severity === 'error' ? 2 : 1,
      ...positionAt(source, finding.span.start),
    })),
    errorCount: counts.error, warningCount: counts.warning,
    fatalErrorCount: 0, fixableErrorCount: 0, fixableWarningCount: 0, suppressedMessages: [], usedDeprecatedRules: [],
  };
}

/** Its colours follow the environment, not us: it is told before it is loaded, and colours are taken away afterwards. */
async function drawn(report: Report, style: Style): Promise<string> {
  if (style.color) {
    delete process.env['NO_COLOR'];
    process.env['FORCE_COLOR'] = '1';
  }
  const { default: format } = await import('eslint-formatter-pretty');
  const rulesMeta = Object.fromEntries(allFindings(report).map(({ check }) => [check, { docs: { url: docsUrl(check) } }]));
  const text = format(report.files.map(eslintResult), { cwd: '.', rulesMeta });
  return restorePaths(restoreQuotes(style.color ? text : stripVTControlCharacters(text), style), report);
}

function* infoLines(file: FileReport, style: Style): Generator<string, void> {
  const infos = file.findings.filter(finding => finding.severity === 'info');
  if (infos.length === 0) return;
  const colors = pc.createColors(style.color);
  yield '';
  yield `  ${colors.underline(visible(file.source.path))}`;
  for (const finding of infos) {
    const { line, column } = positionAt(file.source, finding.span.start);
    yield `  ${colors.blue('ℹ')}  ${colors.dim(`${String(line)}:${String(column)}`)}  ${visible(messageOf(finding))}  ${linkTo(finding.check, colors.dim(visible(finding.check)), style)}`;
  }
}

function infoSection(report: Report, style: Style, infos: number): string {
  const lines = report.files.flatMap(file => [...infoLines(file, style)]);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n\n  ${pc.createColors(style.color).blue(countOf(infos, 'info'))}\n`;
}

export const pretty: Format = async (report, style) => {
  const counts = countBySeverity(allFindings(report));
  const drawing = counts.error + counts.warning > 0 ? await drawn(report, style) : '';
  const text = drawing + infoSection(report, style, counts.info);
  return `${text === '' ? `${nothingFound(report)}\n` : text}${notesOf(report).map(note => `  ${note}\n`).join('')}`;
};
