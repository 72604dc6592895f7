/** `--format sarif`: SARIF 2.1.0 (OASIS), as GitHub code scanning and many others take it. */
import { gzipSync } from 'node:zlib';
import type { Location, Log, Notification, ReportingDescriptor, Result, ThreadFlowLocation } from 'sarif';
import { pathToFileURL } from 'node:url';
import { isAbsolute } from 'node:path';
import { checks } from '../analyzer/checks/index.js';
import type { Finding } from '../analyzer/finding.js';
import type { Severity } from '../analyzer/model/diagnostic.js';
import { loadChecks } from '../analyzer/model/load-checks.js';
import type { SourceText, Span } from '../grammar/source-text.js';
import { fingerprintsOf } from './fingerprint.js';
import { placeOf } from './place.js';
import { leftOutOf } from './notes.js';
import { docsUrl, type DescribedCheck, type Failure, type FileReport, type Format, type Report } from './report.js';
import { relativePath } from './relative-path.js';
import { visible, visibleJson } from './visible.js';
import { describeHost, describeStep } from './witness.js';

/** What GitHub takes: results of a run, and bytes of the file when compressed. */
const most = { results: 25_000, bytes: 10_000_000 };

const levels = { error: 'error', warning: 'warning', info: 'note' } as const satisfies Record<Severity, string>;
const rank: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

function descriptor({ name, summary, why, severity }: DescribedCheck): ReportingDescriptor {
  const page = docsUrl(name);
  return {
    id: name, name, shortDescription: { text: summary }, fullDescription: { text: why },
    ...page === undefined ? {} : { help: { text: why, markdown: `${why}\n\n[More, with examples](${page})` }, helpUri: page },
    defaultConfiguration: { level: levels[severity] },
  };
}

/** Every check, in an order that stays. */
function descriptors({ pluginChecks = [] }: Report): readonly ReportingDescriptor[] {
  return [...checks, ...Object.entries(loadChecks).map(([name, check]) => ({ name, ...check })), ...pluginChecks].map(descriptor);
}

function uriOf(path: string): string {
  const short = relativePath(path);
  return isAbsolute(short) ? pathToFileURL(short).href : short.split(/[\\/]/u).map(encodeURIComponent).join('/');
}

function physical(source: SourceText, span: Span): Location {
  const { line, column, endLine, endColumn } = placeOf(source, span);
  return { physicalLocation: { artifactLocation: { uri: uriOf(source.path) }, region: { startLine: line, startColumn: column, endLine, endColumn } } };
}

function related(source: SourceText, { because }: Finding): Location[] {
  return because.filter(({ line }) => line > 0).map(({ line, rule, message }, index) => ({
    id: index + 1, message: { text: visible(`${rule}: ${message}`) },
    physicalLocation: { artifactLocation: { uri: uriOf(source.path) }, region: { startLine: line } },
  }));
}

/** The packets that show it, in order, each at the rule that the finding is about. */
function steps(source: SourceText, { span, witness, host }: Finding): ThreadFlowLocation[] {
  const location = physical(source, span);
  const said = [...host === undefined ? [] : [`a host with ${describeHost(host)}`], ...(witness ?? []).map(describeStep)];
  return said.map((text, index) => ({ executionOrder: index + 1, location: { ...location, message: { text: visible(text) } } }));
}

function resultOf(source: SourceText, finding: Finding, fingerprint: string, ruleIndex: number): Result {
  const { check, severity, certainty, message, span, rule, help, fix, because, witness, suppressed } = finding;
  const text = visible(`${message}${certainty === 'possible' ? ' (possible)' : ''}${help === '' ? '' : `. What to do: ${help}`}`);
  return {
    ruleId: check, ruleIndex, level: levels[severity], message: { text },
    locations: [{ ...physical(source, span), ...rule === null ? {} : { logicalLocations: [{ fullyQualifiedName: rule, kind: 'rule' }] } }],
    partialFingerprints: { 'iptablesLintFinding/v1': fingerprint },
    ...because.length === 0 ? {} : { relatedLocations: related(source, finding) },
    ...witness === null || witness.length === 0 ? {} : { codeFlows: [{ message: { text: 'Packets that show it' }, threadFlows: [{ locations: steps(source, finding) }] }] },
    ...fix === undefined ? {} : { fixes: [{ description: { text: fix.description }, artifactChanges: [{ artifactLocation: { uri: uriOf(source.path) }, replacements: fix.edits.map(({ span: { start, end }, text: own }) => ({ deletedRegion: { charOffset: start, charLength: end - start }, insertedContent: { text: own } })) }] }] },
    ...suppressed === undefined ? {} : { suppressions: [{ kind: 'inSource', justification: visible(suppressed.reason) }] },
    properties: { certainty },
  };
}

function results({ files }: Report, rules: readonly ReportingDescriptor[]): readonly Result[] {
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  const ofFile = (file: FileReport): readonly { finding: Finding; result: Result }[] => {
    const findings = [...file.findings, ...file.suppressed ?? []];
    const fingerprints = fingerprintsOf({ ...file, findings });
    return findings.map((finding, index) => ({ finding, result: resultOf(file.source, finding, fingerprints[index] ?? '', indexes.get(finding.check) ?? -1) }));
  };
  // Should some have to be left out, these are not the errors.
  return files.flatMap(ofFile).sort((a, b) => rank[a.finding.severity] - rank[b.finding.severity]).map(({ result }) => result);
}

function notLinted({ path, message }: Failure): Notification {
  return { level: 'error', message: { text: visible(message) }, ...path === null ? {} : { locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(path) } } }] } };
}

function document(report: Report, rules: readonly ReportingDescriptor[], all: readonly Result[], count: number): string {
  const left = all.length - count;
  const words = `${String(left)} of ${String(all.length)} findings are not in this file: code scanning takes no more than ${String(most.results)} results and ${String(most.bytes / 1_000_000)} MB compressed. Other formats have all of them.`;
  const notifications: Notification[] = [...(report.failures ?? []).map(notLinted), ...leftOutOf(report).map(text => ({ level: 'note' as const, message: { text } })), ...left === 0 ? [] : [{ level: 'warning' as const, message: { text: words } }]];
  const log: Log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0',
    runs: [{
      tool: { driver: { name: 'iptables-lint', informationUri: 'https://github.com/iptables-lint/iptables-lint', ...report.version === undefined ? {} : { version: report.version }, rules: [...rules] } },
      columnKind: 'utf16CodeUnits',
      invocations: [{ executionSuccessful: (report.internalErrors ?? 0) + (report.incomplete ?? 0) === 0, ...notifications.length === 0 ? {} : { toolExecutionNotifications: notifications } }],
      results: all.slice(0, count),
    }],
  };
  return `${visibleJson(JSON.stringify(log, null, 2))}\n`;
}

export const sarif: Format = report => {
  const rules = descriptors(report);
  const all = results(report, rules);
  let count = Math.min(all.length, most.results);
  let text = document(report, rules, all, count);
  for (let size = gzipSync(text).length; size > most.bytes && count > 0; size = gzipSync(text).length) {
    count = Math.floor(count * Math.min(0.95, most.bytes / size));
    text = document(report, rules, all, count);
  }
  if (count < all.length) report.tell?.(`${String(all.length - count)} of ${String(all.length)} findings are left out of the SARIF file, which code scanning would refuse otherwise; other formats have all of them`);
  return text;
};
