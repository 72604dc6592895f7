import { stripVTControlCharacters } from 'node:util';
import test from 'ava';
import type { Finding } from '../../analyzer/finding.js';
import { displayWidth } from '../../report/display-width.js';
import { formatNames, loadFormat, loadStreamed, type FormatName } from '../../report/formats.js';
import { markedSource } from '../../report/frame.js';
import type { Report } from '../../report/report.js';
import { visible } from '../../report/visible.js';
import { describeStep } from '../../report/witness.js';
import { reports } from './example.js';

const style = { color: false, width: 100 };
const all = reports['all'] ?? { files: [], undecided: {} };

async function print(format: FormatName, report: Report, color = false): Promise<string> {
  return (await loadFormat(format))(report, { ...style, color });
}

for (const format of formatNames) {
  test(`${format} lets no control or direction character of a file through`, async t => {
    t.notRegex(await print(format, all), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u);
  });

  test(`${format} leaves the report as it was`, async t => {
    const before = JSON.stringify(all);
    await print(format, all);
    t.is(JSON.stringify(all), before);
  });
}

for (const format of ['pretty', 'full'] as const) {
  test(`${format} says the same in colour`, async t => {
    const colored = await print(format, all, true);
    t.true(colored.includes('\u001b[31m'));
    t.is(stripVTControlCharacters(colored), await print(format, all));
  });
}

test('every finding is in every format, infos too', async t => {
  for (const format of formatNames) {
    const printed = await print(format, all);
    for (const finding of all.files.flatMap(file => file.findings)) t.true(printed.includes(finding.check), `${finding.check} in ${format}`);
  }
});

test('what could not be linted is in every format that programs read', async t => {
  const failures = [{ path: 'hosts/\u001b[31mb.rules', message: 'cannot read hosts/\u001b[31mb.rules: permission denied' }, { path: null, message: 'no rule files in hosts/c' }];
  const report: Report = { files: [{ source: { path: 'a.rules', text: '' }, findings: [] }], undecided: {}, incomplete: 2, failures };
  const forPeople: readonly FormatName[] = ['pretty', 'full', 'compact'];
  for (const format of formatNames) {
    const printed = await print(format, report);
    t.notRegex(printed, /\u001b/u);
    if (forPeople.includes(format)) t.regex(printed, /2 files not linted in full/u, format);
    else for (const words of ['permission denied', 'no rule files in hosts/c']) t.true(printed.includes(words), `${words} in ${format}`);
  }
});

for (const format of ['json', 'ndjson'] as const) {
  test(`${format}: of what is found in a file, no two findings are text at once`, async t => {
    const stream = await loadStreamed(format);
    const checks = /"check": ?"/gu;
    for (const file of all.files) {
      const parts = [...stream?.file(file, false) ?? []].map(part => part.match(checks)?.length ?? 0);
      t.true(parts.every(count => count <= 1));
      t.is(parts.filter(count => count === 1).length, file.findings.length);
    }
  });
}

test('JSON has the keys of the contract in their order, and nothing else', async t => {
  const document = JSON.parse(await print('json', all)) as { files: { findings: object[] }[]; summary: object };
  t.deepEqual(Object.keys(document), ['schemaVersion', 'files', 'summary']);
  t.deepEqual(document.summary, { errors: 3, warnings: 2, infos: 2, undecided: 2, undecidedBy: { 'redundant-rule': 1, 'missing-established-return': 1 }, generated: 12 });
  const keys = ['check', 'severity', 'certainty', 'message', 'line', 'column', 'endLine', 'endColumn', 'rule', 'because', 'witness', 'help'];
  t.deepEqual(document.files[0]?.findings.map(finding => Object.keys(finding)), (all.files[0]?.findings ?? []).map((finding: Finding) => [...keys, ...finding.fix === undefined ? [] : ['fix'], ...finding.owner === undefined ? [] : ['owner']]));
});

test('JSON keeps every character of a message', async t => {
  const document = JSON.parse(await print('json', all)) as { files: { path: string; findings: { message: string }[] }[] };
  t.deepEqual(document.files.map(file => file.path), all.files.map(file => file.source.path));
  t.deepEqual(document.files[0]?.findings.map(finding => finding.message), all.files[0]?.findings.map(finding => finding.message));
});

test('pretty keeps quotes around words', async t => {
  const printed = await print('pretty', all);
  t.true(printed.includes('there is no chain or target `LOGG` in table filter'));
  t.true(printed.includes('don\'t get back'));
});

test('visible() shows what would be hidden, and leaves all other text alone', t => {
  t.is(visible('a\u001b[31m\tb\u007f\u0085\u202e\u2066é日👩'), 'a\\x1b[31m\\x09b\\x7f\\x85\\u202e\\u2066é日👩');
});

test('widths are those of a terminal', t => {
  t.is(displayWidth('plain'), 5);
  t.is(displayWidth('日本'), 4);
  t.is(displayWidth('e\u0301'), 1);
  t.is(displayWidth('👩‍👩‍👧'), 2);
  t.is(displayWidth('🇩🇪'), 2);
  t.is(displayWidth('⚠️'), 2);
  t.is(displayWidth('\u001b[1mbold\u001b[22m'), 4);
});

test('marks stand under the words that they are about, behind wide characters too', t => {
  const text = '日本 LOG';
  const { indent, marks } = markedSource({ path: '', text }, { line: 1, start: 3, end: 6, mark: '^', label: '' }, 80);
  t.deepEqual([indent, marks], [5, 3]);
});

test('a line of any length is cut around the words in question', t => {
  for (const length of [10, 100, 1999, 2001, 100_000]) {
    const text = `${'x'.repeat(length)}WORD${'y'.repeat(length)}`;
    const shown = markedSource({ path: '', text }, { line: 1, start: length, end: length + 4, mark: '^', label: '' }, 60);
    t.is(shown.text.slice(shown.indent, shown.indent + shown.marks), 'WORD');
    t.true(shown.text.length <= 60);
    t.is(shown.text.includes('…'), length > 28);
  }
});

test('a packet is told in one line', t => {
  t.is(
    describeStep({ in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', sport: 40_000, dport: 22 } }),
    'tcp 198.51.100.7:40000 > 192.0.2.1:22 in eth0',
  );
  t.is(describeStep({ in: 'local', packet: { proto: 'icmpv6', dst: 'ff02::1', df: false, ttl: 1 } }), 'icmpv6 * > ff02::1 from this host no df ttl 1');
});
