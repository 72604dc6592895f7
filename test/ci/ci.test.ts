/** What runs the linter elsewhere: the real pre-commit, the script of the action, the GitLab job, the problem matcher. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';
import { otherFiles, rulesFilePatterns } from '../../cli/find-files.js';
import { cli, clean, folderWith, withError, withInfo, withWarning } from '../cli/run.js';

const root = process.cwd();

function sh(command: string, cwd: string, env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
  const { FORCE_COLOR, ...plain } = process.env;
  return spawnSync('bash', ['-c', command], { cwd, encoding: 'utf8', env: { ...plain, ...env }, timeout: 540_000 });
}

/** CI has it, and is not to skip. */
const hasPreCommit = process.env['IPTABLES_LINT_KERNEL'] === 'required' || sh('command -v pre-commit && command -v git', root).status === 0;

/** This package as it would be cloned: what is published, and the hooks; without what building it takes, which CI has done already. */
function hookRepository(t: ExecutionContext): string {
  const { devDependencies, scripts, ...published } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, unknown>;
  const folder = folderWith(t, { 'package.json': JSON.stringify(published) });
  cpSync('dist', join(folder, 'dist'), { recursive: true, filter: path => !path.endsWith('.map') });
  for (const file of ['.pre-commit-hooks.yaml', '.npmrc']) cpSync(file, join(folder, file));
  commitAll(folder);
  return folder;
}

function commitAll(folder: string): void {
  const { status, stderr } = sh('git init -q . && git add -A && git -c user.name=Test -c user.email=test@example.org commit -qm all', folder);
  if (status !== 0) throw new Error(stderr);
}

(hasPreCommit ? test : test.skip)('pre-commit installs the hooks, and they find what is wrong', t => {
  t.timeout(600_000);
  const folder = folderWith(t, { 'right.rules': clean, 'wrong.rules': withError, 'hosts/iptables-lint.yaml': 'cheks: {}\n', 'readme.md': 'iptables' });
  commitAll(folder);
  const { stdout, stderr } = sh(`pre-commit try-repo ${hookRepository(t)} --all-files --verbose`, folder, { PRE_COMMIT_HOME: folderWith(t, {}) });
  const ofHook = (id: string): string => stdout.split(/(?=^iptables-lint)/mu).find(part => part.includes(`hook id: ${id}\n`)) ?? '';
  t.regex(ofHook('iptables-lint'), /Failed[^]*exit code: 1[^]*NOWHERE/u, `${stdout}\n${stderr}`);
  t.regex(ofHook('iptables-lint-fmt'), /Passed|Failed/u);
  t.regex(ofHook('iptables-lint-config'), /Failed[^]*exit code: 2[^]*did you mean `checks`/u);
  t.false(stdout.includes('readme.md'));
});

interface Action {
  readonly inputs: Record<string, object>;
  readonly runs: { readonly using: string; readonly steps: readonly [{ readonly env: Record<string, string>; readonly run: string }] };
}

function runAction(t: ExecutionContext, inputs: Readonly<Record<string, string>>): { readonly code: number | null; readonly stdout: string; readonly file: (name: string) => string } {
  const folder = folderWith(t, { 'a.rules': withWarning, 'b.rules': withError, 'out.txt': '', 'summary.md': '' });
  const { runs: { steps: [{ env, run }] } } = parse(readFileSync('action.yml', 'utf8')) as Action;
  const given = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace(/\$\{\{ inputs\.([a-z-]+) \}\}/u, (_, input: string) => inputs[input] ?? '').replace('${{ github.action_path }}', root)]));
  const { status, stdout } = sh(run, folder, { ...given, GITHUB_OUTPUT: join(folder, 'out.txt'), GITHUB_STEP_SUMMARY: join(folder, 'summary.md') });
  return { code: status, stdout, file: name => readFileSync(join(folder, name), 'utf8') };
}

test('the action annotates the lines, sums up, writes SARIF, and fails as the linter does', t => {
  const { code, stdout, file } = runAction(t, { files: 'a.rules b.rules', sarif: 'out.sarif' });
  t.is(code, 1);
  t.regex(stdout, /^::error file=b\.rules,line=5,.*title=undefined-chain::/mu);
  t.regex(stdout, /^::warning file=a\.rules,line=5,.*title=host-bits-set::/mu);
  t.is(file('out.txt'), 'exit-code=1\n');
  t.regex(file('summary.md'), /undefined-chain/u);
  t.true(file('out.sarif').includes('"2.1.0"'));
});

test('the action passes its inputs on, and nothing of them to a shell', t => {
  const { code } = runAction(t, { 'files': 'a.rules', 'fail-on': 'error', 'args': '--check unused-chain=off' });
  t.is(code, 0);
  const hostile = runAction(t, { files: 'a.rules; touch hacked $(touch hacked) `touch hacked`', args: '' });
  t.is(hostile.code, 2);
  t.throws(() => hostile.file('hacked'));
});

test('every input of the action is used', t => {
  const { inputs, runs: { steps: [{ env }] } } = parse(readFileSync('action.yml', 'utf8')) as Action;
  for (const name of Object.keys(inputs)) t.true(Object.values(env).includes(`\${{ inputs.${name} }}`), name);
});

test('the job for GitLab writes the reports that it names', t => {
  const { 'iptables-lint': job } = parse(readFileSync('ci/gitlab.yml', 'utf8')) as { 'iptables-lint': { script: readonly string[]; artifacts: { reports: Record<string, string> } } };
  const folder = folderWith(t, { 'a.rules': withError });
  const { status } = sh(job.script.join('\n').replace('npx --yes iptables-lint', `${process.execPath} ${cli}`), folder, { IPTABLES_LINT_FILES: '.', IPTABLES_LINT_ARGS: '' });
  t.is(status, 1);
  for (const report of Object.values(job.artifacts.reports)) t.true(existsSync(join(folder, report)), report);
});

interface Hook {
  readonly id: string;
  readonly files: string;
  readonly exclude?: string;
}

test('pre-commit lints the files that are found in a folder', t => {
  const hook = (parse(readFileSync('.pre-commit-hooks.yaml', 'utf8')) as readonly Hook[]).find(({ id }) => id === 'iptables-lint');
  const endings = [...rulesFilePatterns.map(pattern => pattern.replaceAll('*', '')), ...otherFiles.map(extension => `.${extension}`), '', '.sh', '-save', '.conf'];
  const stems = ['web', 'iptables', 'ip6tables', 'myiptables', 'iptables.web', 'deep/iptables', 'iptables.d/web', 'iptables.js/web', '.hidden/iptables', '.iptables', 'node_modules/iptables', 'my_node_modules/iptables'];
  const names = [...new Set(stems.flatMap(stem => endings.map(ending => `${stem}${ending}`)))].filter(name => !stems.some(stem => stem.startsWith(`${name}/`)));
  const { stdout } = sh(`${process.execPath} ${cli} --format json --no-config .`, folderWith(t, Object.fromEntries(names.map(name => [name, clean]))));
  const found = (JSON.parse(stdout) as { readonly files: readonly { readonly path: string }[] }).files.map(({ path }) => path);
  const given = names.filter(name => new RegExp(hook?.files ?? '', 'u').test(name) && !new RegExp(hook?.exclude ?? '', 'u').test(name));
  t.deepEqual(found.toSorted(), given.toSorted());
  for (const name of ['iptables', 'myiptables', 'deep/iptables.sh', 'iptables.js/web.v4', 'my_node_modules/iptables']) t.true(found.includes(name), name);
  for (const name of ['iptables.bak', 'iptables.md', '.hidden/iptables', 'node_modules/iptables']) t.false(found.includes(name), name);
});

interface Pattern {
  readonly regexp: string;
  readonly severity?: number;
  readonly message: number;
  readonly code: number;
}

interface Matcher {
  readonly owner: string;
  readonly severity?: string;
  readonly pattern: readonly [Pattern];
}

/** What the runner of GitHub makes of a line: of a severity that it does not know it makes nothing. */
function annotationsOf(line: string): readonly string[] {
  const { problemMatcher } = JSON.parse(readFileSync('ci/problem-matcher.json', 'utf8')) as { readonly problemMatcher: readonly Matcher[] };
  return problemMatcher.flatMap(({ severity: all = 'error', pattern: [{ regexp, severity, message, code }] }) => {
    const groups = new RegExp(regexp, 'u').exec(line);
    const level = (severity === undefined ? undefined : groups?.[severity]) ?? all;
    return groups === null || !['error', 'warning', 'notice'].includes(level) ? [] : [`${level} ${groups[code] ?? ''} ${groups[message] ?? ''}`];
  });
}

test('the problem matchers read what --format compact prints, infos too', t => {
  const folder = folderWith(t, { 'a.rules': withWarning, 'b.rules': withError, 'c.rules': withInfo });
  const { stdout } = sh(`${process.execPath} ${cli} --format compact .`, folder);
  const said = stdout.trimEnd().split('\n').map(line => annotationsOf(line).map(one => one.split(' ').slice(0, 2).join(' ')));
  t.deepEqual(said, [['warning host-bits-set'], ['error undefined-chain'], ['notice unused-chain']]);
  t.deepEqual(annotationsOf('a.rules:7:1: error: telnet is let in [acme/no-telnet]'), ['error acme/no-telnet telnet is let in']);
});

test('the image is small, and does not run as root', t => {
  const lines = readFileSync('Dockerfile', 'utf8').split('\n').filter(line => line !== '' && !line.startsWith('#'));
  const last = lines.slice(lines.findLastIndex(line => line.startsWith('FROM ')));
  t.regex(last[0] ?? '', /alpine/u);
  t.true(last.indexOf('USER node') < last.findIndex(line => line.startsWith('ENTRYPOINT')));
  t.true(last.includes('USER node'));
});
