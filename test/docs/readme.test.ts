/** What the README says is run. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'ava';

const readme = readFileSync('README.md', 'utf8');

/** The lines of its shell blocks. */
const commands = [...readme.matchAll(/```sh\n([^`]*)```/gu)].flatMap(match => (match[1] ?? '').trim().split('\n'));

function lint(words: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, ['dist/cli.cjs', ...words], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined } });
}

test('every command for the linter does what it is shown for', t => {
  const own = commands.filter(command => command.startsWith('npx iptables-lint '));
  t.true(own.length >= 5);
  for (const command of own) {
    const { status, stdout, stderr } = lint(words(command).slice(2));
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

/** As a shell does it, for words that are at most in double quotes. */
function words(command: string): readonly string[] {
  return [...command.matchAll(/"([^"]*)"|\S+/gu)].map(match => match[1] ?? match[0]);
}

test('what it shows is what is printed; […] stands for what is left out', t => {
  const blocks = [...readme.matchAll(/```\n\$ iptables-lint (.*)\n([^`]*(?:`(?!``)[^`]*)*)```/gu)];
  t.is(blocks.length, 3);
  for (const [, command = '', shown = ''] of blocks) {
    const { stdout } = lint(words(command));
    const [before = '', after] = shown.split('[…]\n');
    if (after === undefined) t.is(stdout, shown, command);
    else t.true(stdout.startsWith(before) && stdout.endsWith(after), stdout);
  }
});

test('the library does what its example says', t => {
  const [example = ''] = [...readme.matchAll(/```js\n([^`]*)```/gu)].map(match => match[1] ?? '');
  const said = /console\.log\(.*\); \/\/ (.*)/u.exec(example)?.[1];
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', example], { encoding: 'utf8' });
  t.is(stderr, '');
  t.is(stdout.trim(), said ?? '');
});
