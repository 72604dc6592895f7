/** `--plugin`: checks of the user's own, by the bundled program. */
import { readFileSync, readdirSync } from 'node:fs';
import test from 'ava';
import { clean, folderWith, run, table, withError, withWarning, type Run } from './run.js';

/** A module with a check that reports every rule whose text holds some words; `more` replaces parts of it. */
function plugin(name = 'acme/words', more = '', run = `for (const at of cx.rules(cx.ruleset.tables.get('filter'))) if (at.rule.source !== undefined) yield { at, message: 'it names a source', help: 'say why' };`): string {
  return `export default { name: '${name}', kind: 'hygiene', severity: 'warning', summary: 'Names a source', why: 'Because we say so.', bad: '*filter\\nCOMMIT\\n', good: '*filter\\nCOMMIT\\n', nearMiss: '*filter\\nCOMMIT\\n',
    * run(cx) { ${run} }, ${more} };`;
}

interface Told { readonly check: string; readonly severity: string; readonly message: string }

function findings({ stdout }: Run): readonly Told[] {
  return (JSON.parse(stdout) as { files: { findings: Told[] }[] }).files.flatMap(file => file.findings);
}

const rules = { 'rules.v4': clean, 'own.mjs': plugin() };

test('its findings count, have the level that is wanted, and may be switched off', async t => {
  const cwd = folderWith(t, rules);
  const found = await run(['--plugin', 'own.mjs', '--format', 'json', 'rules.v4'], { cwd });
  t.is(found.stderr, '');
  t.is(found.code, 1);
  t.deepEqual(findings(found).map(({ check, severity }) => `${check} ${severity}`), ['acme/words warning']);
  t.is((await run(['--plugin', 'own.mjs', '--check', 'acme/words=info', 'rules.v4'], { cwd })).code, 0);
  t.is((await run(['--plugin', 'own.mjs', '--check', 'acme/words=off', '--format', 'json', 'rules.v4'], { cwd })).code, 0);
  t.is((await run(['rules.v4'], { cwd })).code, 0);
});

test('the configuration, notes and baselines know its checks', async t => {
  const note = '# iptables-lint-disable-next-line acme/words -- the source is known\n';
  const cwd = folderWith(t, {
    ...rules, 'iptables-lint.yaml': 'checks:\n  acme/words: error\n', 'noted.v4': clean.replace('-A INPUT -s', `${note}-A INPUT -s`),
    'commented.v4': clean.replace('-s 203.0.113.0/24', '-s 203.0.113.0/24 -m comment --comment "lint:off=acme/words known"'),
  });
  const found = await run(['--plugin', 'own.mjs', '--format', 'json', 'rules.v4'], { cwd });
  t.is(found.stderr, '');
  t.deepEqual(findings(found).map(({ severity }) => severity), ['error']);
  for (const noted of ['noted.v4', 'commented.v4']) t.deepEqual(findings(await run(['--plugin', 'own.mjs', '--format', 'json', noted], { cwd })), [], noted);
  await run(['--plugin', 'own.mjs', '--baseline', 'known.json', '--update-baseline', 'rules.v4'], { cwd });
  t.is((await run(['--plugin', 'own.mjs', '--baseline', 'known.json', 'rules.v4'], { cwd })).code, 0);
  t.is((await run(['config', 'check', '--plugin', 'own.mjs'], { cwd })).code, 0);
  const without = await run(['config', 'check'], { cwd });
  t.is(without.code, 2);
  t.regex(without.stderr, /no check acme\/words: say --plugin FILE/u);
});

test('explain, checks and all formats have it', async t => {
  const cwd = folderWith(t, rules);
  t.regex((await run(['explain', 'acme/words', '--plugin', 'own.mjs'], { cwd })).stdout, /Because we say so/u);
  t.regex((await run(['checks', '--plugin', 'own.mjs'], { cwd })).stdout, /acme\/words +warning +Names a source/u);
  for (const format of ['pretty', 'full', 'compact', 'ndjson', 'sarif', 'github', 'gitlab', 'junit', 'checkstyle', 'rdjson', 'tap', 'markdown']) {
    const { stdout, stderr, code } = await run(['--plugin', 'own.mjs', '--format', format, 'rules.v4'], { cwd });
    t.is(stderr, '', format);
    t.is(code, 1, format);
    t.regex(stdout, /acme\/words/u, format);
    t.notRegex(stdout, /docs\/checks\/acme/u, format);
  }
  const { runs: [log] } = JSON.parse((await run(['--plugin', 'own.mjs', '--format', 'sarif', 'rules.v4'], { cwd })).stdout) as { runs: { tool: { driver: { rules: { id: string }[] } }; results: { ruleId: string; ruleIndex: number }[] }[] };
  for (const { ruleId, ruleIndex } of log?.results ?? []) t.is(log?.tool.driver.rules[ruleIndex]?.id, ruleId);
});

test('what cannot be loaded ends the run, with a sentence that says why', async t => {
  const files: Readonly<Record<string, readonly [string, RegExp]>> = {
    'syntax.mjs': ['\nexport default {};;;)', /syntax\.mjs: it cannot be loaded: SyntaxError: .*docs\/plugins\.md shows; node syntax\.mjs shows where/u],
    'throws.mjs': ['\n\nthrow new Error("not today");', /cannot be loaded in line 3: Error: not today/u],
    'empty.mjs': ['export const check = 1;', /no default export/u],
    'number.mjs': ['export default 7;', /what it exports is no check: the check must be an object, and is 7;/u],
    'name.mjs': [plugin('words'), /the check words is no check: name .*two words with a slash/u],
    'level.mjs': [plugin().replace(`'warning'`, `'loud'`), /severity `loud` is no severity/u],
    'key.mjs': [plugin('acme/words', 'fixes: 1'), /unknown key `fixes`/u],
    'twice.mjs': [`${plugin().replace('export default', 'const one =')} export default [one, { ...one }];`, /there is a check acme\/words already/u],
  };
  const cwd = folderWith(t, { 'rules.v4': withError, ...Object.fromEntries(Object.entries(files).map(([name, [text]]) => [name, text])) });
  for (const [name, [, expected]] of Object.entries(files)) {
    const { code, stdout, stderr } = await run(['--plugin', name, 'rules.v4'], { cwd });
    t.is(code, 2, name);
    t.is(stdout, '', name);
    t.regex(stderr, expected, name);
    t.is(stderr.trimEnd().split('\n').length, 1, name);
  }
  t.regex((await run(['--plugin', 'absent.mjs', 'rules.v4'], { cwd })).stderr, /--plugin absent\.mjs: no such file/u);
});

test('a check that throws, or reports nonsense, costs its own findings about that file and no others', async t => {
  const thrown = `if (cx.ruleset.tables.get('filter').chains.get('INPUT').rules.length > 4) { yield { message: 'x', help: '' }; throw new Error('lost \\u001b[31mits way'); } yield { message: 'fine', help: '' };`;
  const cwd = folderWith(t, {
    'large.v4': withWarning, 'small.v4': table(), 'throws.mjs': plugin('acme/throws', '', thrown), 'nonsense.mjs': plugin('acme/nonsense', '', `yield { message: 5 };`),
    'witness.mjs': plugin('acme/witness', '', `yield { message: 'm', help: 'h', witness: [{ in: 'eth0', packet: { proto: 'tcp', dport: 'x' } }], shows: [{}] };`),
    'asks.mjs': plugin('acme/asks', `asks() { throw new Error('no question'); }`),
  });
  const thrower = await run(['--plugin', 'throws.mjs', '--format', 'json', 'large.v4', 'small.v4'], { cwd });
  t.is(thrower.code, 2);
  t.deepEqual(findings(thrower).map(({ check, message }) => check === 'acme/throws' ? message : check), ['host-bits-set', 'fine']);
  t.regex(thrower.stderr, /^iptables-lint: large\.v4: internal error: the check acme\/throws failed with Error: lost \\x1b\[31mits way, so its findings are left out/u);
  t.is(thrower.stderr.trimEnd().split('\n').length, 1);
  for (const [name, expected] of [['nonsense', /message must be text/u], ['witness', /witness\.0\.packet\.dport must be a whole number/u], ['asks', /no question/u]] as const) {
    const { code, stderr } = await run(['--plugin', `${name}.mjs`, 'large.v4'], { cwd });
    t.is(code, 2, name);
    t.regex(stderr, expected, name);
  }
});

test('plugins and packages are loaded in the first run, and in the next, with the code that the first has kept', async t => {
  t.timeout(600_000);
  const cwd = folderWith(t, rules);
  for (const which of ['first', 'second']) {
    const env = { XDG_CACHE_HOME: cwd };
    t.regex((await run(['checks', '--plugin', 'own.mjs'], { cwd, env })).stdout, /acme\/words/u, which);
    t.is((await run(['fuzz', '--runs', '1', 'rules.v4'], { cwd, env })).stderr, '', which);
  }
});

test('a configuration cannot load one', async t => {
  const evil = `import { writeFileSync } from 'node:fs'; writeFileSync('ran', ''); ${plugin()}`;
  for (const text of ['plugin: own.mjs\n', 'plugins: [own.mjs]\n', 'overrides:\n  - files: "*"\n    plugin: own.mjs\n']) {
    const cwd = folderWith(t, { ...rules, 'own.mjs': evil, 'iptables-lint.yaml': text });
    const { code, stderr } = await run(['rules.v4'], { cwd });
    t.is(code, 2);
    t.regex(stderr, /no configuration can load a plugin: it is a program/u);
    t.false(readdirSync(cwd).includes('ran'));
  }
});

test('the library that a plugin imports works on what the program hands it: all checks, as a plugin, find what they find', async t => {
  t.timeout(600_000);
  const cwd = folderWith(t, { 'all.mjs': `import { checks } from 'iptables-lint';\nexport default checks.map(check => ({ ...check, name: 'copy/' + check.name }));` });
  const files = readdirSync('rules-examples').filter(name => name.endsWith('.rules')).sort().map(name => `${process.cwd()}/rules-examples/${name}`);
  t.true(files.length > 5);
  const found = findings(await run(['--plugin', 'all.mjs', '--persona', 'auditor', '--format', 'json', ...files], { cwd }));
  const copies = found.filter(({ check }) => check.startsWith('copy/')).map(({ check, ...rest }) => ({ check: check.slice('copy/'.length), ...rest }));
  const names = new Set(copies.map(({ check }) => check));
  t.deepEqual(copies, found.filter(({ check }) => names.has(check)));
  t.true(names.size > 30);
  t.true(readFileSync(files[0] ?? '', 'utf8').length > 0);
});

test('what it throws when nobody waits for it is no finding', async t => {
  const cwd = folderWith(t, { 'rules.v4': clean, 'late.mjs': plugin('acme/late', '', "queueMicrotask(() => { throw new Error('too late'); });") });
  const { code, stderr } = await run(['--plugin', 'late.mjs', 'rules.v4'], { cwd });
  t.is(code, 2);
  t.regex(stderr, /^iptables-lint: [^\n]*too late[^\n]*\n$/u);
});

test('one that ends the program, or never comes to an end of loading, is told by its name', async t => {
  const exit = "import { exit } from 'node:process';\n";
  const cwd = folderWith(t, {
    'rules.v4': withWarning, 'loads.mjs': `process.exit(0);\n${plugin()}`, 'imports.mjs': `${exit}exit();\n${plugin()}`, 'waits.mjs': `await new Promise(() => {});\n${plugin()}`,
    'checks.mjs': plugin('acme/exits', '', 'process.exit(0);'), 'late.mjs': `${exit}${plugin('acme/late', '', 'queueMicrotask(() => exit(0));')}`,
  });
  const expected = {
    'loads.mjs': /^iptables-lint: --plugin loads\.mjs: it cannot be loaded in line 1: Error: process\.exit was called/u,
    'imports.mjs': /^iptables-lint: --plugin imports\.mjs: it cannot be loaded in line 2: Error: process\.exit was called/u,
    'waits.mjs': /^iptables-lint: --plugin waits\.mjs: it cannot be loaded: it waits for what never comes\n$/u,
    'checks.mjs': /the check acme\/exits failed with Error: process\.exit was called in file:.*checks\.mjs:2:/u,
    'late.mjs': /process\.exit was called in file:.*late\.mjs:3:/u,
  };
  for (const [name, words] of Object.entries(expected)) {
    for (const option of [[], ['--fix-dry-run']]) {
      const { code, stderr } = await run([...option, '--plugin', name, 'rules.v4'], { cwd });
      t.is(code, 2, name);
      t.regex(stderr, words, name);
    }
  }
  // What other checks found is told all the same.
  t.regex((await run(['--plugin', 'checks.mjs', 'rules.v4'], { cwd })).stdout, /host-bits-set/u);
});
