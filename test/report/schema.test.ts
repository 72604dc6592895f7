/** The published JSON schemas of reports: current, and true of what is printed. */
import { readFileSync, readdirSync } from 'node:fs';
import test from 'ava';
import { Ajv, type ValidateFunction } from 'ajv';
import { analyze } from '../../analyzer/analyze.js';
import type { HostDescription } from '../../analyzer/netfilter/host/host.js';
import { setupOf } from '../../analyzer/netfilter/scenario/host-setup.js';
import { loadFormat } from '../../report/formats.js';
import type { FileReport, Report } from '../../report/report.js';
import { reportSchemas } from '../../scripts/report-schema.js';
import { folderWith, run, unreadable, withError } from '../cli/run.js';
import { reports } from './example.js';

type Schema = Readonly<Record<string, unknown>>;

/** The same, where no key may be there that it does not name: so none is printed that is not written down. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema as Schema).map(([key, value]) => [key, key === 'properties' || key === '$defs' ? Object.fromEntries(Object.entries(value as Schema).map(([name, one]) => [name, strict(one)])) : strict(value)]);
  return { ...Object.fromEntries(entries) as Schema, ...'properties' in schema ? { additionalProperties: false } : {} };
}

function compiled(file: string): ValidateFunction {
  const schema = JSON.parse(reportSchemas().get(file) ?? '') as Schema;
  return new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(strict(schema) as Schema);
}

const [isReport, isLine] = [compiled('report.schema.json'), compiled('report-line.schema.json')];

function wrong(json: string): string {
  return isReport(JSON.parse(json)) ? '' : JSON.stringify(isReport.errors?.slice(0, 3));
}

function wrongLines(text: string): string {
  return text.trimEnd().split('\n').map(line => isLine(JSON.parse(line)) ? '' : `${line}: ${JSON.stringify(isLine.errors?.slice(0, 3))}`).join('');
}

async function print(format: 'json' | 'ndjson', report: Report): Promise<string> {
  return (await loadFormat(format))(report, { color: false, width: 100 });
}

/** Every example, with the host that stands beside it. */
function examples(): readonly FileReport[] {
  const folder = 'rules-examples/';
  return readdirSync(folder).filter(name => name.endsWith('.rules')).map(name => {
    const beside = readdirSync(folder).includes(name.replace('.rules', '.host.json')) ? JSON.parse(readFileSync(`${folder}${name.replace('.rules', '.host.json')}`, 'utf8')) as HostDescription : undefined;
    const { source, findings, suppressed } = analyze({ path: name, text: readFileSync(`${folder}${name}`, 'utf8') }, { persona: 'auditor', ...beside === undefined ? {} : { host: family => setupOf(beside, family) } });
    return { source, findings, suppressed };
  });
}

test('the schemas in docs/ are current', t => {
  for (const [file, text] of reportSchemas()) t.is(readFileSync(`docs/${file}`, 'utf8'), text, `${file}: run npm run docs`);
});

test('reports made by hand, and those of all examples, are as the schemas say, and hold nothing else', async t => {
  const real: Report = { files: examples(), undecided: { 'shadowed-rule': 3 }, internalErrors: 1, generated: 2 };
  t.true(real.files.flatMap(file => file.findings).length > 50);
  for (const [name, report] of Object.entries({ ...reports, real })) {
    t.is(wrong(await print('json', report)), '', name);
    t.is(wrongLines(await print('ndjson', report)), '', name);
  }
});

test('so are those that the program prints, of damaged files too', async t => {
  const cwd = folderWith(t, { 'a.v4': withError, 'b.v4': unreadable, 'c.v4': '# iptables-lint-disable-file undefined-chain -- known\n'.concat(withError) });
  for (const words of [['a.v4', 'b.v4'], ['a.v4', 'none.v4'], ['--show-suppressed', 'c.v4']]) {
    t.is(wrong((await run(['--format', 'json', ...words], { cwd })).stdout), '', words.join(' '));
    t.is(wrongLines((await run(['--format', 'ndjson', ...words], { cwd })).stdout), '', words.join(' '));
  }
});

test('what is no report is refused', t => {
  const right = JSON.parse(readFileSync('test/report/golden/all.json.txt', 'utf8')) as { files: { findings: object[] }[] };
  t.true(isReport(right));
  for (const change of [{ severity: 'loud' }, { line: '3' }, { line: -1 }, { witness: [{ in: 'eth0', packet: { dport: 22 } }] }, { because: undefined }]) {
    const [file, ...files] = right.files;
    const changed: unknown = JSON.parse(JSON.stringify({ ...right, files: [{ ...file, findings: file?.findings.map(one => ({ ...one, ...change })) }, ...files] }));
    t.false(isReport(changed), JSON.stringify(change));
  }
});
