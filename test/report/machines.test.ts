/** Formats that programs read, held against what those programs take. */
import { createRequire } from 'node:module';
import test from 'ava';
import Ajv from 'ajv-draft-04';
import formats from 'ajv-formats';
import { XMLParser } from 'fast-xml-parser';
import { SyntaxValidator } from 'fast-xml-validator';
import type { Log } from 'sarif';
import { parseAllDocuments } from 'yaml';
import { analyze } from '../../analyzer/analyze.js';
import type { Finding } from '../../analyzer/finding.js';
import { fingerprintsOf } from '../../report/fingerprint.js';
import { loadFormat, type FormatName } from '../../report/formats.js';
import type { FileReport, Report } from '../../report/report.js';
import { reports } from './example.js';

const require = createRequire(import.meta.url);
const all = reports['all'] ?? { files: [], undecided: {} };

async function print(format: FormatName, report: Report): Promise<string> {
  return (await loadFormat(format))(report, { color: false, width: 100 });
}

/** A report about rules, by the checks themselves. */
function lint(text: string, path = 'rules.v4'): FileReport {
  const { source, findings, loaded } = analyze({ path, text });
  return { source, findings, rulesets: loaded.rulesets };
}

const shadowed = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP
COMMIT
`;

const ajv = new Ajv.default({ strict: false, allErrors: true, unicodeRegExp: false });
formats.default(ajv);
const isSarif = ajv.compile(require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json') as object);

for (const [name, report] of Object.entries({ ...reports, real: { files: [lint(shadowed)], undecided: {}, version: '1.2.3' } })) {
  test(`SARIF of the report "${name}" is as its schema says`, async t => {
    t.true(isSarif(JSON.parse(await print('sarif', report))), JSON.stringify(isSarif.errors, null, 2));
  });
}

async function sarifRun(report: Report): Promise<Log['runs'][number]> {
  const [run] = (JSON.parse(await print('sarif', report)) as Log).runs;
  if (run === undefined) throw new Error('no run');
  return run;
}

test('SARIF has the causes, the packets that show it, and a fingerprint', async t => {
  const { results = [] } = await sarifRun({ files: [lint(shadowed)], undecided: {} });
  const broken = results.find(one => one.ruleId === 'missing-established-return');
  t.true((broken?.relatedLocations ?? []).length > 0);
  const flow = broken?.codeFlows?.[0]?.threadFlows[0]?.locations ?? [];
  t.true(flow.some(one => one.location?.message?.text?.startsWith('tcp ') === true));
  t.regex(broken?.partialFingerprints?.['iptablesLintFinding/v1'] ?? '', /^[0-9a-f]{32}$/u);
});

test('SARIF leaves findings out only where code scanning would refuse it, the least severe first, and says so', async t => {
  const [one] = lint(shadowed).findings;
  if (one === undefined) throw new Error('no finding');
  const many = Array.from({ length: 25_010 }, (_, index): Finding => ({ ...one, severity: index < 15 ? 'info' : 'error' }));
  const told: string[] = [];
  const run = await sarifRun({ files: [{ ...lint(shadowed), findings: many }], undecided: {}, tell: message => told.push(message) });
  t.is(run.results?.length, 25_000);
  t.is(run.results?.filter(result => result.level === 'note').length, 5);
  t.regex(told.join(), /10 of 25010 findings/u);
  t.regex(run.invocations?.[0]?.toolExecutionNotifications?.[0]?.message.text ?? '', /10 of 25010 findings/u);
});

for (const format of ['junit', 'checkstyle'] as const) {
  for (const [name, report] of Object.entries(reports)) {
    test(`${format} of the report "${name}" is well-formed XML`, async t => {
      t.is(SyntaxValidator.validate(await print(format, report)), true);
    });
  }
}

test('SARIF says that a run failed of which files were not linted in full, and why', async t => {
  const { invocations } = await sarifRun(reports['failed'] ?? all);
  t.is(invocations?.[0]?.executionSuccessful, false);
  t.deepEqual(invocations?.[0]?.toolExecutionNotifications?.map(({ level, locations }) => [level, locations?.length ?? 0]), [['error', 1], ['error', 0]]);
  t.is((await sarifRun({ ...all, incomplete: 1 })).invocations?.[0]?.executionSuccessful, false);
  t.is((await sarifRun(all)).invocations?.[0]?.executionSuccessful, true);
});

test('XML has no character that it may not have', async t => {
  const text = '*filter\n-A INPUT -j NO\ufffeSUCH\uffff\nCOMMIT\n';
  for (const format of ['junit', 'checkstyle'] as const) {
    const printed = await print(format, { files: [lint(text, 'a\uffff.rules')], undecided: {} });
    t.notRegex(printed, /[\ufffe\uffff]/u);
    t.true(printed.includes('NO\\ufffeSUCH\\uffff'), printed);
  }
});

test('junit counts its cases and failures as they are', async t => {
  interface Suite { readonly '@tests': string; readonly '@failures': string; readonly testcase: readonly { readonly failure?: unknown }[] }
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@', isArray: name => name === 'testcase' || name === 'testsuite' });
  const { testsuites } = parser.parse(await print('junit', all)) as { testsuites: { '@tests': string; '@failures': string; testsuite: readonly Suite[] } };
  for (const suite of testsuites.testsuite) {
    t.is(Number(suite['@tests']), suite.testcase.length);
    t.is(Number(suite['@failures']), suite.testcase.filter(one => one.failure !== undefined).length);
  }
  const failed = parser.parse(await print('junit', reports['failed'] ?? all)) as { testsuites: { '@errors': string; '@tests': string } };
  t.deepEqual([failed.testsuites['@errors'], failed.testsuites['@tests']], ['2', '3']);
  t.is(Number(testsuites['@failures']), all.files.flatMap(file => file.findings).filter(one => one.severity !== 'info').length);
});

test('TAP has as many points as it plans, and its blocks are YAML', async t => {
  const text = await print('tap', all);
  const points = text.match(/^(?:not )?ok \d+ - /gmu) ?? [];
  t.regex(text, new RegExp(`^TAP version 14\n1\\.\\.${String(points.length)}\n`, 'u'));
  for (const [, block = ''] of text.matchAll(/^ {2}---\n((?: {2}.*\n)*?) {2}\.\.\.\n/gmu)) t.deepEqual(parseAllDocuments(block).flatMap(one => one.errors), []);
});

test('ndjson has a finding a line, and the summary last', async t => {
  const lines = (await print('ndjson', all)).trimEnd().split('\n').map(line => JSON.parse(line) as { readonly path?: string; readonly summary?: object });
  t.is(lines.length, all.files.flatMap(file => file.findings).length + 1);
  t.true(lines.slice(0, -1).every(one => one.path !== undefined));
  t.truthy(lines.at(-1)?.summary);
});

test('rdjson counts columns in bytes', async t => {
  const text = '*filter\n-A INPUT -m comment --comment "日本" -m frob -j ACCEPT\nCOMMIT\n';
  const { diagnostics } = JSON.parse(await print('rdjson', { files: [lint(text)], undecided: {} })) as { diagnostics: readonly { code: { value: string }; location: { range: { start: { column: number } } } }[] };
  const at = diagnostics.find(one => one.code.value === 'unknown-extension')?.location.range.start.column;
  const line = text.split('\n')[1] ?? '';
  t.is(at, Buffer.byteLength(line.slice(0, line.indexOf('frob'))) + 1);
});

test('gitlab gives every finding a name of its own', async t => {
  const issues = JSON.parse(await print('gitlab', all)) as { fingerprint: string; location: { path: string; lines: { begin: number } } }[];
  t.is(new Set(issues.map(one => one.fingerprint)).size, issues.length);
});

test('a finding keeps its fingerprint when lines move, and a second like it does not take it', t => {
  const moved = lint(shadowed.replace('-A INPUT -p tcp', '# a word\n-A INPUT -p udp -m udp --dport 514 -j ACCEPT\n-A INPUT -p tcp'));
  t.true(fingerprintsOf(lint(shadowed)).every(one => fingerprintsOf(moved).includes(one)));
  const twice = lint(shadowed.replace('COMMIT', '-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP\nCOMMIT'));
  t.is(new Set(fingerprintsOf(twice)).size, twice.findings.length);
  const counted = lint(shadowed.replace('-A INPUT -s', '[5:300] -A INPUT -s'));
  t.deepEqual(fingerprintsOf(counted), fingerprintsOf(lint(shadowed)));
  const explained = lint(shadowed.replace('-j DROP', '-m comment --comment "ticket 7" -j DROP'));
  t.deepEqual(fingerprintsOf(explained), fingerprintsOf(lint(shadowed)), 'what a rule does is what it was');
});
