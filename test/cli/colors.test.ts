/** Colours and links: for people who can see them, in all formats for people, and never into a file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { folderWith, run, withError } from './run.js';

const formats = ['pretty', 'full', 'compact'] as const;
const escape = '\u001B';
const link = `${escape}]8;;https://github.com/iptables-lint/iptables-lint/blob/main/docs/checks/undefined-chain.md`;

async function printed(t: Parameters<typeof folderWith>[0], format: string, env: NodeJS.ProcessEnv, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(['--format', format, ...words, 'a.v4'], { cwd: folderWith(t, { 'a.v4': withError }), env });
  t.is(code, 1);
  t.is(stderr, '');
  return stdout;
}

for (const format of formats) {
  test(`${format}: no escape code where nobody looks, nor where nobody wants one`, async t => {
    for (const env of [{}, { NO_COLOR: '1' }, { FORCE_COLOR: '0' }, { FORCE_COLOR: '0', FORCE_HYPERLINK: '1' }, { NO_COLOR: '1', FORCE_HYPERLINK: '1' }]) t.false((await printed(t, format, env)).includes(escape), JSON.stringify(env));
    t.false((await printed(t, format, { FORCE_COLOR: '1' }, '--no-color')).includes(escape));
  });
}

for (const format of ['pretty', 'full']) {
  test(`${format}: colours where they are forced; NO_COLOR says less than FORCE_COLOR, which says less than an option`, async t => {
    for (const env of [{ FORCE_COLOR: '1' }, { FORCE_COLOR: '1', NO_COLOR: '1' }]) t.true((await printed(t, format, env)).includes(`${escape}[`), JSON.stringify(env));
    t.true((await printed(t, format, { NO_COLOR: '1' }, '--color')).includes(`${escape}[`));
  });

  test(`${format}: the name of a check is a link to its page, where the terminal has links`, async t => {
    t.true((await printed(t, format, { FORCE_COLOR: '1', FORCE_HYPERLINK: '1' })).includes(link));
    t.false((await printed(t, format, { FORCE_COLOR: '1' })).includes(`${escape}]8`));
    t.false((await printed(t, format, { FORCE_COLOR: '1', FORCE_HYPERLINK: '0' })).includes(`${escape}]8`));
  });
}

test('programs and files get none, whatever is forced', async t => {
  const env = { FORCE_COLOR: '1', FORCE_HYPERLINK: '1' };
  for (const format of ['json', 'ndjson', 'sarif', 'github', 'gitlab', 'junit', 'checkstyle', 'rdjson', 'tap', 'markdown']) t.false((await printed(t, format, env)).includes(escape), format);
  const cwd = folderWith(t, { 'a.v4': withError });
  for (const format of formats) {
    await run(['--format', `${format}=out.txt`, 'a.v4'], { cwd, env });
    t.false(readFileSync(join(cwd, 'out.txt'), 'utf8').includes(escape), format);
  }
});
