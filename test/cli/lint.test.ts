import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { clean, cli, folderWith, open, run, table, unreadable, withError, withInfo, withWarning } from './run.js';

/** Lines that no rule comes of: an option, an argument, a combination, a list that iptables does not take. */
const misread = Object.fromEntries(['-p tcp --dprot 23', '-p tcp -m tcp --dport 70000', '-s 192.0.2.1 -s 192.0.2.2', `-p tcp -m multiport --dports ${Array.from({ length: 16 }, (_, i) => i + 1).join()}`].map((words, index) => [`misread${String(index)}.rules`, table(`-A INPUT ${words} -j DROP`)]));
/** It is read, and the kernel refuses it. */
const refused = table('-A INPUT -m owner --uid-owner 0 -j DROP');
/** Nothing in it is left out: it has lines that are none for iptables. */
const script = '#!/bin/sh\nport=25\nif [ -e /etc/ssh ]; then echo "ssh"; fi\niptables -A INPUT -s 203.0.113.0/24 -j DROP\n';
const files = { ...misread, 'refused.rules': refused, 'clean.rules': clean, 'script.sh': script, 'skipped.sh': `${script}iptables -A INPUT -p tcp --dport $1 -j DROP\n`, 'error.rules': withError, 'warning.rules': withWarning, 'info.rules': withInfo, 'unreadable.rules': unreadable };
/** What to run, and the exit code that is to come of it, whatever the format. */
const exitCodes: readonly (readonly [options: string, files: readonly string[], code: number])[] = [
  ['', ['clean.rules'], 0],
  ['', ['info.rules'], 0],
  ['', ['warning.rules'], 1],
  ['', ['error.rules'], 1],
  ['', ['unreadable.rules'], 2],
  ['', ['error.rules', 'unreadable.rules', 'clean.rules'], 2],
  ['--fail-on error', ['warning.rules'], 0],
  ['--fail-on error', ['error.rules'], 1],
  ['--fail-on info', ['info.rules'], 1],
  ['--fail-on info', ['clean.rules'], 0],
  ['--fail-on never', ['error.rules'], 0],
  ['--fail-on never', ['unreadable.rules'], 2],
  ...Object.keys(misread).map(file => ['--fail-on never', [file], 2] as const),
  ['--check invalid-value=off', ['misread1.rules'], 2],
  ['--fail-on never', ['script.sh'], 0],
  ['--fail-on never', ['skipped.sh'], 2],
  ['--check skipped-line=off --fail-on never', ['skipped.sh'], 2],
  ['', ['refused.rules'], 1],
  ['--fail-on never', ['refused.rules'], 0],
  ['--max-warnings 1', ['warning.rules'], 0],
  ['--max-warnings 0', ['warning.rules'], 1],
  ['--max-warnings 1 --fail-on error', ['warning.rules', 'warning.rules'], 0],
  ['--max-warnings 0 --fail-on error', ['warning.rules'], 1],
  ['--max-warnings 5', ['error.rules'], 1],
  ['--quiet', ['warning.rules'], 1],
  ['--check host-bits-set=off', ['warning.rules'], 0],
  ['--check host-bits-set=info', ['warning.rules'], 0],
  ['--check host-bits-set=error --fail-on error', ['warning.rules'], 1],
  ['--check unused-chain=warning', ['info.rules'], 1],
  ['--check undefined-chain=off', ['error.rules'], 0],
];

for (const [options, names, code] of exitCodes) {
  test(`exit code ${String(code)}: iptables-lint ${options} ${names.join(' ')}`, async t => {
    const folder = folderWith(t, files);
    for (const format of ['pretty', 'full', 'json']) {
      const words = [...options.split(' ').filter(Boolean), '--format', format, ...names];
      const result = await run(words, { cwd: folder });
      t.is(result.code, code, `${words.join(' ')}\n${result.stdout}${result.stderr}`);
    }
  });
}

test('nothing found is one line on standard output, and no line with --quiet', async t => {
  const folder = folderWith(t, files);
  t.deepEqual(await run(['clean.rules'], { cwd: folder }), { code: 0, stdout: 'no problems in 1 file\n', stderr: '' });
  t.deepEqual(await run(['--quiet', 'clean.rules'], { cwd: folder }), { code: 0, stdout: '', stderr: '' });
});

test('--quiet shows errors only, and says so where there are none', async t => {
  const folder = folderWith(t, files);
  const both = await run(['--quiet', 'error.rules', 'warning.rules'], { cwd: folder });
  t.true(both.stdout.includes('undefined-chain'));
  t.false(both.stdout.includes('host-bits-set'));
  const none = await run(['--quiet', 'warning.rules'], { cwd: folder });
  t.is(none.stdout, '');
  t.regex(none.stderr, /run without --quiet/u);
});

test('standard input is linted where it is named, and where nothing is', async t => {
  for (const words of [['-'], []]) {
    const { stdout, code } = await run(['--format', 'json', '--stdin-filename', 'from-stdin.v4', ...words], { input: withError });
    const document = JSON.parse(stdout) as { files: { path: string; findings: { check: string }[] }[] };
    t.deepEqual(document.files.map(file => [file.path, file.findings.map(finding => finding.check)]), [['from-stdin.v4', ['undefined-chain']]]);
    t.is(code, 1);
  }
  t.true((await run(['-'], { input: withError })).stdout.includes('<stdin>'));
});

test('a name of standard input tells the family, as that of a file does', async t => {
  const rules = open('-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT');
  t.is((await run(['--fail-on', 'error', '--stdin-filename', 'rules.v6'], { input: rules })).code, 0);
  t.not((await run(['--fail-on', 'error', '--family', 'ipv4'], { input: rules })).code, 0);
});

test('an empty file can be read, and is reported', async t => {
  const { code, stdout, stderr } = await run(['empty.rules'], { cwd: folderWith(t, { 'empty.rules': '' }) });
  t.is(code, 1);
  t.is(stderr, '');
  t.regex(stdout, /empty-file/u);
});

test('a binary file cannot be read', async t => {
  const { code, stdout } = await run(['binary'], { cwd: folderWith(t, { binary: new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0, 27, 200]) }) });
  t.is(code, 2);
  t.regex(stdout, /not a text file/u);
});

test('a file that does not exist is one line on standard error, and the others are linted', async t => {
  const folder = folderWith(t, files);
  const { code, stdout, stderr } = await run(['nowhere.rules', 'warning.rules'], { cwd: folder });
  t.is(code, 2);
  t.true(stdout.includes('host-bits-set'));
  t.is(stderr, 'iptables-lint: cannot read nowhere.rules: no such file or directory\n');
});

test('a directory is searched for rule files, and for nothing else', async t => {
  const folder = folderWith(t, {
    'etc/a.rules': clean, 'etc/iptables/rules.v4': clean, 'etc/iptables/rules.v6': clean, 'etc/sysconfig/ip6tables': clean, 'etc/b.save': clean, 'etc/c.fw': clean,
    'etc/readme.md': '', 'etc/iptables.md': '', 'etc/passwd': '', 'etc/node_modules/x.rules': clean, 'etc/empty/passwd': '',
  });
  const { stdout } = await run(['--format', 'json', 'etc'], { cwd: folder });
  const { files: found } = JSON.parse(stdout) as { files: { path: string }[] };
  t.deepEqual(found.map(file => file.path), ['etc/a.rules', 'etc/b.save', 'etc/c.fw', 'etc/iptables/rules.v4', 'etc/iptables/rules.v6', 'etc/sysconfig/ip6tables']);
  // What an earlier run wrote, named as docs/ci.md and the templates have it.
  await run(['--format', 'sarif=etc/iptables-lint.sarif', '--format', 'junit=etc/iptables-lint.xml', '--format', 'tap=etc/iptables-lint.tap', '--format', 'ndjson=etc/iptables-lint.ndjson', 'etc'], { cwd: folder });
  t.is((await run(['--format', 'json', 'etc'], { cwd: folder })).stdout, stdout);
  const nothing = await run(['etc/empty'], { cwd: folder });
  t.is(nothing.code, 2);
  t.regex(nothing.stderr, /^iptables-lint: no rule files in etc\/empty: looked for \*\.rules/u);
});

test('globs are understood without a shell, and a file that is found twice is linted once', async t => {
  const folder = folderWith(t, { 'x/a.rules': clean, 'x/b.rules': clean, 'x/[c].rules': clean });
  const paths = async (...words: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await run(['--format', 'json', ...words], { cwd: folder });
    return (JSON.parse(stdout) as { files: { path: string }[] }).files.map(file => file.path);
  };
  t.deepEqual(await paths('x/*.rules', 'x/a.rules'), ['x/[c].rules', 'x/a.rules', 'x/b.rules']);
  t.deepEqual(await paths('x/a.rules', './x/a.rules', 'x/../x/a.rules', join(folder, 'x/a.rules')), ['x/a.rules']);
  t.deepEqual(await paths('x/[c].rules'), ['x/[c].rules']);
  t.deepEqual(await paths(join(folder, 'x/{a,b}.rules')), [join(folder, 'x/a.rules'), join(folder, 'x/b.rules')]);
  const nothing = await run(['y/*.rules'], { cwd: folder });
  t.is(nothing.code, 2);
  t.regex(nothing.stderr, /^iptables-lint: no files match y\/\*\.rules/u);
});

const mistakes: readonly (readonly [words: string, says: RegExp])[] = [
  ['--frmat json', /unknown option '--frmat' \(Did you mean --format\?\); see iptables-lint --help/u],
  ['--format xml', /there is no format xml: choose one of pretty, full, compact, json/u],
  ['--format jsn', /did you mean `json`/u],
  ['--format json=x.txt --format tap=./x.txt', /two formats go to x\.txt; write each to a file of its own/u],
  ['--format json --format sarif', /json and sarif both go to standard output; write one to a file, as in --format sarif=report\.sarif/u],
  ['--format sarif=', /name the file, as in --format sarif=report\.sarif/u],
  ['--max-warnings some', /It must be a number/u],
  ['--check shadow-rule=off', /there is no check shadow-rule: did you mean `shadowed-rule`\?/u],
  ['--check shadowed-rule', /write --check shadowed-rule=LEVEL with one of off, info, warning, error/u],
  ['--check shadowed-rule=loud', /with one of off, info, warning, error/u],
  ['explain shadow-rule', /did you mean `shadowed-rule`\?/u],
  ['explain', /missing required argument 'check'/u],
  ['--baseline a.json --baseline=b.json', /--baseline: it is given twice, and only one can hold; see iptables-lint --help/u],
  ['--fix --fix=unsafe', /--fix: it is given twice/u],
  ['--config a.yaml --no-config', /--config and --no-config: only one can hold/u],
  ['trace --host a.json --host b.json', /--host: it is given twice.* iptables-lint trace --help/u],
  ['config print --config a.yaml --config b.yaml', /--config: it is given twice/u],
  ['fmt --check --write', /cannot be used with/u],
];

for (const [words, says] of mistakes) {
  test(`one line says what is wrong with: iptables-lint ${words}`, async t => {
    const { code, stdout, stderr } = await run(words.split(' '), { input: clean });
    t.is(code, 2);
    t.is(stdout, '');
    t.regex(stderr, says);
    t.regex(stderr, /^iptables-lint: [^\n]+\n$/u);
  });
}

test('a stack trace is for those who ask for it', async t => {
  const { stderr } = await run(['nowhere'], { env: { IPTABLES_LINT_DEBUG: '1' } });
  t.regex(stderr, /\n {4}at /u);
});

test('paths and rules cannot speak to the terminal', async t => {
  const folder = folderWith(t, { 'a\u001b[31mb.rules': table('-A INPUT -p tcp -m tcp --dport 23 -j "\u001b[2J\u202eX"') });
  for (const format of ['pretty', 'full', 'json']) {
    const { stdout, stderr } = await run(['--format', format, 'a\u001b[31mb.rules', 'no\u001b[31mfile'], { cwd: folder });
    t.notRegex(stdout + stderr, /[\u001b\u202e]/u);
    t.true(stderr.includes('no\\x1b[31mfile'));
  }
});

test('colour is as the option says, then FORCE_COLOR, then NO_COLOR; a pipe has none', async t => {
  const isColored = async (words: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> => {
    const { stdout, stderr } = await run([...words, '-'], { input: withError, env });
    t.is(stderr, '');
    return stdout.includes('\u001b[');
  };
  for (const format of ['pretty', 'full']) {
    const words = ['--format', format];
    t.false(await isColored(words, {}));
    t.true(await isColored([...words, '--color'], { NO_COLOR: '1' }));
    t.false(await isColored([...words, '--no-color'], { FORCE_COLOR: '1' }));
    t.true(await isColored(words, { FORCE_COLOR: '1' }));
    t.false(await isColored(words, { FORCE_COLOR: '0' }));
    t.false(await isColored(words, { NO_COLOR: '1' }));
  }
});

test('a reader that goes away ends the program without a word', async t => {
  const folder = folderWith(t, { 'many.rules': table(...Array.from({ length: 3000 }, () => '-A INPUT -j NOWHERE')) });
  const child = spawn(process.execPath, [cli, '--format', 'json', 'many.rules'], { cwd: folder });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  child.stdout.once('data', () => { child.stdout.destroy(); });
  const ended = await new Promise(resolve => child.on('close', (code, killedBy) => { resolve([code, killedBy]); }));
  t.deepEqual(ended, [2, null], 'what is not written is not done: 0 would say that nothing was found');
  t.notRegex(stderr, /EPIPE|Error/u);
});

(existsSync('/dev/full') ? test : test.skip)('output that cannot be written is a job not done, and one line', t => {
  for (const words of [['--format', 'json', '-'], ['--help'], ['--version'], ['checks']]) {
    const { status, stderr } = spawnSync('sh', ['-c', 'exec "$@" > /dev/full', 'sh', process.execPath, cli, ...words], { encoding: 'utf8', input: clean });
    t.deepEqual([status, stderr], [2, 'iptables-lint: cannot write to standard output: no space left on the device\n'], words.join(' '));
  }
});

test('a report does not overwrite what is linted, by whatever name', async t => {
  const cwd = folderWith(t, { 'rules/a.rules': withWarning });
  symlinkSync('rules/a.rules', join(cwd, 'link'));
  for (const words of [['--format', 'json=rules/a.rules', 'rules'], ['--format', 'ndjson=link', 'rules/a.rules'], ['fuzz', '--output', 'rules/../rules/a.rules', 'link']]) {
    const { code, stderr } = await run(words, { cwd });
    t.is(code, 2);
    t.regex(stderr, /would overwrite .*name another file/u, words.join(' '));
  }
  t.is(readFileSync(join(cwd, 'rules/a.rules'), 'utf8'), withWarning);
});

test('nor what is read beside it', async t => {
  const files = {
    'a.rules': withWarning, 'host.json': '{}', 'other.json': '{}', 'over.json': '{}', 'known.json': '{"schemaVersion": 1, "files": {}}', 'own.mjs': 'export default [];\n',
    'base.yaml': 'fail-on: never\n', 'iptables-lint.yaml': 'extends: base.yaml\nhost: other.json\noverrides: [{ files: b.rules, host: over.json }]\n',
  };
  const cwd = folderWith(t, files);
  const runs: readonly (readonly string[])[] = [
    ...Object.keys(files).map(name => ['--format', `json=${name}`, '--baseline', 'known.json', '--plugin', 'own.mjs', 'a.rules']),
    ['--no-config', '--host', 'other.json', '--format', 'json=other.json', 'a.rules'],
    ['fuzz', '--host', 'other.json', '--output', 'other.json', 'a.rules'],
  ];
  for (const words of runs) t.regex((await run(words, { cwd })).stderr, /would overwrite .*name another file/u, words.join(' '));
  for (const [name, text] of Object.entries(files)) t.is(readFileSync(join(cwd, name), 'utf8'), text, name);
});

test('a long output into a pipe is complete', async t => {
  const folder = folderWith(t, { 'many.rules': table(...Array.from({ length: 900 }, (_, port) => `-A INPUT -p tcp -m tcp --dport ${String(port)} -j NOWHERE`)) });
  const { stdout } = await run(['--format', 'json', 'many.rules'], { cwd: folder });
  const document = JSON.parse(stdout) as { files: { findings: { check: string }[] }[] };
  t.is(document.files[0]?.findings.filter(one => one.check === 'undefined-chain').length, 900);
});

test('more problems than anybody can read are counted', async t => {
  const folder = folderWith(t, { 'many.rules': table(...Array.from({ length: 1500 }, () => '-A INPUT --nothing')) });
  const { stderr } = await run(['many.rules'], { cwd: folder });
  t.is(stderr, 'iptables-lint: many.rules: 500 more problems not shown; repair the first ones and run again\n');
});

test('formats go where they are sent, each with all findings, and the exit code is that of one', async t => {
  const folder = folderWith(t, { 'a.rules': withError });
  const { code, stdout, stderr } = await run(['--format', 'json=report=1.json', '--format', 'compact', '--format', 'sarif=out.sarif', 'a.rules'], { cwd: folder });
  t.is(code, 1);
  t.is(stderr, '');
  t.regex(stdout, /^a\.rules:5:.*\[undefined-chain\]\n$/u);
  for (const file of ['report=1.json', 'out.sarif']) t.true(readFileSync(join(folder, file), 'utf8').includes('undefined-chain'), file);
});

test('a report that cannot be written is no success', async t => {
  const folder = folderWith(t, { 'a.rules': clean });
  const { code, stderr } = await run(['--format', 'json=no/such/folder.json', 'a.rules'], { cwd: folder });
  t.is(code, 2);
  t.regex(stderr, /cannot write no\/such\/folder\.json: no such file or directory/u);
});
