import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { run } from './run.js';

const rules = '*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j DROP\nCOMMIT\n';

/** A cache folder of its own, and a lint that uses it. */
function withCache(t: ExecutionContext): { readonly place: string; readonly folder: string; readonly lint: () => Promise<string> } {
  t.timeout(600_000);
  const cache = mkdtempSync(join(tmpdir(), 'iptables-lint-'));
  t.teardown(() => { rmSync(cache, { recursive: true, force: true }); });
  const lint = async (): Promise<string> => {
    const { code, stdout, stderr } = await run(['--no-config', '--format', 'json', '-'], { input: rules, env: { XDG_CACHE_HOME: cache } });
    t.is(stderr, '');
    t.is(code, 1);
    return stdout;
  };
  return { folder: join(cache, 'iptables-lint'), place: join(cache, 'iptables-lint', 'code'), lint };
}

test('compiled code is kept for the user alone, in one file, and answers stay the same', async t => {
  const { folder, place, lint } = withCache(t);
  const first = await lint();
  t.true(first.includes('"shadowed-rule"'));
  t.deepEqual(readdirSync(folder), ['code']);
  if (process.platform !== 'win32') t.is(statSync(place).mode & 0o777, 0o600);
  const kept = readFileSync(place);
  t.is(await lint(), first);
  t.true(readFileSync(place).equals(kept));
});

test('what a command needs is kept when it is first run, though another was run before', async t => {
  const { folder, place, lint } = withCache(t);
  await run(['checks'], { env: { XDG_CACHE_HOME: join(folder, '..') } });
  const few = statSync(place).size;
  const first = await lint();
  const more = statSync(place).size;
  t.true(more > 1.1 * few, `${String(few)} and ${String(more)}`);
  t.is(await lint(), first);
  t.is(statSync(place).size, more);
});

test('kept code that is damaged, cut off or of another program is not used, and made anew', async t => {
  const { place, lint } = withCache(t);
  const first = await lint();
  const kept = readFileSync(place);
  const damaged = Buffer.from(kept);
  damaged.fill(0x5a, 5000, 5040);
  const other = Buffer.from(kept);
  other.write('program-OTHER000.cjs', 0, 'latin1');
  for (const wrong of [damaged, kept.subarray(0, kept.length >> 1), other, Buffer.alloc(0)]) {
    writeFileSync(place, wrong);
    t.is(await lint(), first);
    t.is(readFileSync(place).toString('latin1', 0, 20), kept.toString('latin1', 0, 20));
    t.false(readFileSync(place).equals(wrong));
  }
});

test('kept code that others can write to is not used', async t => {
  if (process.platform === 'win32') {
    t.pass('there are no such modes');
    return;
  }
  const { place, lint } = withCache(t);
  const first = await lint();
  chmodSync(place, 0o666);
  t.is(await lint(), first);
  t.is(statSync(place).mode & 0o777, 0o600);
});

test('where nothing can be kept, nothing is said of it', async t => {
  t.timeout(600_000);
  const { code, stderr } = await run(['--no-config', '-'], { input: rules, env: { XDG_CACHE_HOME: '/nowhere/at/all' } });
  t.is(code, 1);
  t.is(stderr, '');
});
