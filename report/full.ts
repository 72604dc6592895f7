/** `--format full`: each finding in a frame, with the rules that have a part in it, the packets that show it, and what to do. */
import pc from 'picocolors';
import type { Because, Finding } from '../analyzer/finding.js';
import type { Severity } from '../analyzer/model/diagnostic.js';
import { lineStarts, lineText, positionAt, type SourceText } from '../grammar/source-text.js';
import { frames, type FramePaint, type MarkedLine } from './frame.js';
import { notesOf } from './notes.js';
import { allFindings, countBySeverity, countOf, linkTo, nothingFound, type FileReport, type Format, type Report, type Style } from './report.js';
import { visible } from './visible.js';
import { describeHost, describeStep } from './witness.js';

type Colors = ReturnType<typeof pc.createColors>;

/** More related rules than this are counted, not shown. */
const mostRelated = 8;
const widest = 200;

function severityColor(colors: Colors, severity: Severity): (text: string) => string {
  switch (severity) {
    case 'error': return colors.red;
    case 'warning': return colors.yellow;
    case 'info': return colors.cyan;
  }
}

/** What the finding is about: of more lines only the first is shown. */
function primaryLine(source: SourceText, finding: Finding): MarkedLine {
  const { line, column } = positionAt(source, finding.span.start);
  const start = column - 1;
  const end = Math.min(start + finding.span.end - finding.span.start, lineText(source, line).length);
  return { line, start, end: Math.max(start, end), mark: '^', label: '' };
}

/** The rules that have a part in it, once for each line; what stands on no other line is said in a note. */
function relatedLines(source: SourceText, finding: Finding, primary: number): { lines: readonly MarkedLine[]; notes: readonly string[] } {
  const lines = new Map<number, MarkedLine>();
  const notes: string[] = [];
  const last = lineStarts(source).length;
  for (const [index, because] of finding.because.entries()) {
    if (index >= mostRelated) {
      notes.push(`and ${countOf(finding.because.length - mostRelated, 'more rule')}`);
      break;
    }
    const { line } = because;
    if (line < 1 || line > last || line === primary || lines.has(line)) notes.push(labelOf(because));
    else lines.set(line, { line, ...wholeLine(source, line), mark: '-', label: labelOf(because) });
  }
  return { lines: [...lines.values()], notes };
}

function labelOf({ rule, message }: Because): string {
  return message.includes(rule) ? message : `${rule}: ${message}`;
}

function wholeLine(source: SourceText, line: number): { start: number; end: number } {
  const text = lineText(source, line);
  return { start: text.length - text.trimStart().length, end: text.trimEnd().length };
}

/** The lines behind the frame, each `name: text`. */
function* remarks(finding: Finding, notes: readonly string[]): Generator<readonly [string, string], void> {
  if (finding.rule !== null) yield ['rule', finding.rule];
  if (finding.owner !== undefined) yield ['note', `made by ${finding.owner}`];
  for (const note of notes) yield ['note', note];
  if (finding.certainty === 'possible') yield ['note', 'possible: it depends on what the file does not say'];
  for (const step of finding.witness ?? []) yield ['witness', describeStep(step)];
  if (finding.host !== undefined) yield ['host', describeHost(finding.host)];
  if (finding.help !== '') yield ['help', finding.help];
  if (finding.fix !== undefined) yield ['fix', finding.fix.description];
}

/** One finding, line by line. */
export function* frameFinding(source: SourceText, finding: Finding, style: Style): Generator<string, void> {
  const colors = pc.createColors(style.color);
  const color = severityColor(colors, finding.severity);
  const primary = primaryLine(source, finding);
  const { lines, notes } = relatedLines(source, finding, primary.line);
  const gutter = String(Math.max(primary.line, ...lines.map(one => one.line))).length + 1;
  const blue = (text: string): string => colors.blue(text);
  const paint: FramePaint = { gutter: blue, mark: (text, mark) => (mark === '^' ? color(colors.bold(text)) : blue(text)) };
  const bar = blue(`${' '.repeat(gutter)} |`);

  yield `${color(colors.bold(`${finding.severity}[${linkTo(finding.check, visible(finding.check), style)}]`))}${colors.bold(`: ${visible(finding.message)}`)}`;
  yield `${blue(`${' '.repeat(gutter - 1)} -->`)} ${visible(source.path)}:${String(primary.line)}:${String(primary.start + 1)}`;
  yield bar;
  yield* frames(source, [primary, ...lines], gutter, Math.min(style.width, widest), paint);
  const said = [...remarks(finding, notes)];
  if (said.length > 0) yield bar;
  for (const [name, text] of said) yield `${' '.repeat(gutter)} ${blue('=')} ${colors.bold(`${name}:`)} ${visible(text)}`;
}

function* fileFrames(file: FileReport, style: Style): Generator<string, void> {
  for (const finding of file.findings) {
    yield* frameFinding(file.source, finding, style);
    yield '';
  }
}

/** `2 errors, 1 warning in 3 files` */
function summary(report: Report, colors: Colors): string {
  const counts = countBySeverity(allFindings(report));
  const parts = (['error', 'warning', 'info'] as const)
    .filter(severity => counts[severity] > 0)
    .map(severity => severityColor(colors, severity)(countOf(counts[severity], severity)));
  return parts.length === 0 ? nothingFound(report) : `${parts.join(', ')} in ${countOf(report.files.length, 'file')}`;
}

export const full: Format = (report, style) => {
  const lines = report.files.flatMap(file => [...fileFrames(file, style)]);
  lines.push(summary(report, pc.createColors(style.color)), ...notesOf(report));
  return `${lines.join('\n')}\n`;
};
