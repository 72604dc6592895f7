/** What runs the linter elsewhere: the real pre-commit, the script of the action, the GitLab job, the problem matcher. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';
import { cli, clean, folderWith, withError, withWarning } from '../cli/run.js';

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

test('the problem matcher reads what --format compact prints', t => {
  const { problemMatcher: [matcher] } = JSON.parse(readFileSync('ci/problem-matcher.json', 'utf8')) as { problemMatcher: { pattern: [{ regexp: string }] }[] };
  const folder = folderWith(t, { 'a.rules': withWarning });
  const { stdout } = sh(`${process.execPath} ${cli} --format compact a.rules`, folder);
  const ofPlugin = 'a.rules:7:1: error: telnet is let in [acme/no-telnet]';
  for (const line of [...stdout.trimEnd().split('\n'), ofPlugin]) t.regex(line, new RegExp(matcher?.pattern[0].regexp ?? '', 'u'));
});

test('the image is small, and does not run as root', t => {
  const lines = readFileSync('Dockerfile', 'utf8').split('\n').filter(line => line !== '' && !line.startsWith('#'));
  const last = lines.slice(lines.findLastIndex(line => line.startsWith('FROM ')));
  t.regex(last[0] ?? '', /alpine/u);
  t.true(last.indexOf('USER node') < last.findIndex(line => line.startsWith('ENTRYPOINT')));
  t.true(last.includes('USER node'));
});
