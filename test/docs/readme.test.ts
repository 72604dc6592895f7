/** What the README says is run. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';

const readme = readFileSync('README.md', 'utf8');

/** The lines of its shell blocks. */
const commands = [...readme.matchAll(/```sh\n([^`]*)```/gu)].flatMap(match => (match[1] ?? '').trim().split('\n'));

function lint(words: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, ['dist/cli.js', ...words], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined } });
}

test('every command for the linter does what it is shown for', t => {
  const own = commands.filter(command => command.startsWith('npx iptables-lint '));
  t.true(own.length >= 5);
  for (const command of own) {
    const { status, stdout, stderr } = lint(command.split(' ').slice(2));
    t.is(stderr, '', command);
    t.true(status === 0 || status === 1, command);
    t.true(stdout.length > 0, command);
  }
});

test('the commands for npm are scripts of the package', t => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const own = commands.filter(command => command.startsWith('npm ci && npm '));
  t.deepEqual(own.map(command => command.split(' ').at(-1)), ['start', 'test']);
  for (const name of ['start', 'test', 'docs', 'build']) t.true(name in scripts, name);
});

test('the finding that it shows is the one that is found', t => {
  const shown = /```\n\$ iptables-lint (.*)\n([^`]*)```/u.exec(readme);
  t.is(lint((shown?.[1] ?? '').split(' ')).stdout, shown?.[2] ?? '');
});

test('links lead to files', t => {
  for (const file of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md']) {
    for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)\)/gu)) {
      t.true(existsSync(target), `${file}: ${target}`);
    }
  }
});
