/** `iptables-lint replay`: what it says of reports that are none. What it does with the others is for the kernel to show: test/kernel/replay.test.ts. */
import test from 'ava';
import { folderWith, run } from './run.js';

const finding = {
  check: 'shadowed-rule', severity: 'error', certainty: 'certain', message: 'no packet', rule: 'filter:INPUT:2', line: 3, column: 1, endLine: 3, endColumn: 9, because: [], witness: null, help: 'delete it',
};

function report(changes: object, ofFinding: object = {}): string {
  return JSON.stringify({ schemaVersion: 1, files: [{ path: 'rules.v4', findings: [{ ...finding, ...ofFinding }] }], summary: { errors: 1, warnings: 0, infos: 0 }, ...changes });
}

const wrong: readonly (readonly [what: string, text: string, message: RegExp])[] = [
  ['another version', report({ schemaVersion: 2 }), /^iptables-lint: report\.json is no report of iptables-lint: schemaVersion must be 1, the version of reports that this program writes, and is 2\n$/u],
  ['something else', '[]', /report\.json is no report of iptables-lint: schemaVersion is missing\n$/u],
  ['a number', '1', /report\.json is no report of iptables-lint: it must be an object, and is 1\n$/u],
  ['no files', report({ files: null }), /: files must be a list, and is null\n$/u],
  ['a finding without its line', report({}, { line: undefined }), /: files\.0\.findings\.0\.line is missing\n$/u],
  ['a packet that cannot be', report({}, { witness: [{ in: 'eth0', packet: { proto: 'tcp', dport: 70_000 } }] }), /: files\.0\.findings\.0\.witness\.0\.packet\.dport must be a whole number from 0 to 65535, and is 70000\n$/u],
  ['an unknown key of a packet', report({}, { witness: [{ in: 'eth0', packet: { proto: 'tcp', dprt: 22 } }] }), /packet\.dprt: unknown key `dprt` in the packet: did you mean `dport`\?\n$/u],
  ['a host that cannot be', report({}, { host: { routes: 'default' } }), /: files\.0\.findings\.0\.host\.routes must be a list, and is "default"\n$/u],
];

for (const [what, text, message] of wrong) {
  test(`${what} is refused with one line, before the kernel is asked for`, async t => {
    const { code, stdout, stderr } = await run(['replay', 'report.json'], { cwd: folderWith(t, { 'report.json': text }) });
    t.is(code, 2);
    t.is(stdout, '');
    t.regex(stderr, message);
    t.is(stderr.trimEnd().split('\n').length, 1);
  });
}

for (const [text, place] of [
  ['no report', '1:2'], ['*filter\n:INPUT ACCEPT\n*filter\n', '1:1'], ['{"a": 1,\n "b": tru}', '2:10'], ['{"a":\n[1, 2,]}', '2:7'], ['undefined', '1:1'], ['{"a": 1} }', '1:10'], ['{"a":\n 1,\n\n', '2:4'],
] as const) {
  test(`what is no JSON is refused with the place from which it is none: ${text}`, async t => {
    const { code, stderr } = await run(['replay', 'report.json'], { cwd: folderWith(t, { 'report.json': text }) });
    t.is(code, 2);
    t.regex(stderr, new RegExp(`--> report\\.json:${place}\n`, 'u'));
    t.regex(stderr, new RegExp(`^iptables-lint: report\\.json is no report: it is not JSON from line ${place.replace(':', ', column ')} on; .*--format json writes a report`, 'mu'));
  });
}

test('a report that is not there is named', async t => {
  const { code, stderr } = await run(['replay', 'none.json'], { cwd: folderWith(t, {}) });
  t.is(code, 2);
  t.is(stderr, 'iptables-lint: cannot read none.json: no such file or directory\n');
});

test('its help says what it needs, and what the exit codes mean', async t => {
  const { code, stdout } = await run(['replay', '--help']);
  t.is(code, 0);
  t.regex(stdout, /It needs Linux, root, a C compiler/u);
  t.regex(stdout, /Exit code: 0 .*; 1 .*; 2 /u);
});
