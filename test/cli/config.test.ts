import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import Ajv from 'ajv';
import { parse } from 'yaml';
import { checks } from '../../analyzer/checks/index.js';
import { configSchemaText } from '../../scripts/config-schema.js';
import { clean, folderWith, run, withError, withInfo, withWarning } from './run.js';

async function severities(words: readonly string[], cwd: string): Promise<Record<string, string>> {
  const { stdout } = await run(['--format', 'json', ...words], { cwd });
  const { files } = JSON.parse(stdout) as { files: { path: string; findings: { severity: string; check: string }[] }[] };
  return Object.fromEntries(files.map(({ path, findings }) => [path, findings.filter(one => ['host-bits-set', 'unused-chain', 'undefined-chain'].includes(one.check)).map(one => one.severity).join()]));
}

test('levels come from the nearest configuration above, and the command line goes before it', async t => {
  const folder = folderWith(t, { 'iptables-lint.yaml': 'checks: { host-bits-set: error }\n', 'hosts/a.rules': withWarning });
  const cwd = join(folder, 'hosts');
  t.deepEqual(await severities(['a.rules'], cwd), { 'a.rules': 'error' });
  t.deepEqual(await severities(['--check', 'host-bits-set=info', 'a.rules'], cwd), { 'a.rules': 'info' });
  t.deepEqual(await severities(['--no-config', 'a.rules'], cwd), { 'a.rules': 'warning' });
});

test('a configuration builds on others, and says other things of some files', async t => {
  const folder = folderWith(t, {
    'base/common.yaml': 'checks: { host-bits-set: info, unused-chain: error }\noverrides: [{ files: "*.old", checks: { host-bits-set: off } }]\n',
    'iptables-lint.yaml': 'extends: base/common.yaml\nchecks: { host-bits-set: warning }\noverrides:\n  - files: [gateways/**]\n    checks: { host-bits-set: error }\n',
    'a.rules': withWarning, 'gateways/b.rules': withWarning, 'c.rules': withInfo, 'base/x.old': withWarning,
  });
  t.deepEqual(await severities(['a.rules', 'gateways/b.rules', 'c.rules', 'base/x.old'], folder), { 'a.rules': 'warning', 'gateways/b.rules': 'error', 'c.rules': 'error', 'base/x.old': '' });
});

test('fail-on and ignore', async t => {
  const folder = folderWith(t, { 'iptables-lint.yaml': 'fail-on: never\nignore: old/**\n', 'a.rules': withWarning, 'old/b.rules': withWarning });
  t.is((await run(['a.rules'], { cwd: folder })).code, 0);
  t.is((await run(['--fail-on', 'warning', 'a.rules'], { cwd: folder })).code, 1);
  t.deepEqual(Object.keys(await severities(['.'], folder)), ['a.rules']);
  t.deepEqual(Object.keys(await severities(['old/b.rules'], folder)), ['old/b.rules']);
});

test('a glob with ! takes out of what the others match', async t => {
  const files = { 'a.rules': withWarning, 'sub/b.rules': withWarning, 'sub/kept.rules': withWarning };
  const ignoring = folderWith(t, { 'iptables-lint.yaml': 'ignore: ["!sub/kept.rules", "sub/**"]\n', ...files });
  t.deepEqual(Object.keys(await severities(['.'], ignoring)), ['a.rules', 'sub/kept.rules']);
  const overriding = folderWith(t, { 'iptables-lint.yaml': 'overrides: [{ files: ["sub/*", "!sub/kept.rules"], checks: { host-bits-set: error } }]\n', ...files });
  t.deepEqual(await severities(['.'], overriding), { 'a.rules': 'warning', 'sub/b.rules': 'error', 'sub/kept.rules': 'warning' });
  const pattern = folderWith(t, { 'iptables-lint.yaml': 'ignore: "!(sub)/**"\n', ...files, 'other/c.rules': withWarning });
  t.deepEqual(Object.keys(await severities(['sub', 'other'], pattern)), ['sub/b.rules', 'sub/kept.rules']);
});

test('that all files are left alone is said', async t => {
  const folder = folderWith(t, { 'iptables-lint.yaml': 'ignore: "**"\n', 'a.rules': withWarning, 'b.rules': withWarning });
  t.deepEqual(await run(['.', '*.rules'], { cwd: folder }), { code: 0, stdout: '', stderr: 'iptables-lint: nothing is linted: 2 files left alone, as the configuration says under ignore\n' });
  t.is((await run(['.', 'a.rules', '--fail-on', 'never'], { cwd: folder })).stderr, '');
});

const wrong: readonly (readonly [text: string, message: RegExp])[] = [
  ['cheks: {}\n', /unknown key `cheks` in the configuration: did you mean `checks`\?[^]*iptables-lint\.yaml:1:1[^]*\^{5}/u],
  ['checks:\n  shadowed-rul: off\n', /there is no check shadowed-rul: did you mean `shadowed-rule`\?[^]*:2:3/u],
  ['checks: { shadowed-rule: loud }\n', /`loud` is no level: one of off, info, warning, error/u],
  ['checks:\n  <<: {shadowed-rule: off}\n', /`checks\.<<` must be one of off, info, warning, error, and is an object[^]*:2:3/u],
  ['checks: &c\n  unused-chain: *c\n', /`checks\.unused-chain` must be one of off, info, warning, error, and is an object/u],
  ['management: { peers: [192.0.2.0/33] }\n', /192\.0\.2\.0\/33` is no address and no network/u],
  ['management: { ports: [70000] }\n', /`management\.ports\[0\]` must be a whole number from 0 to 65535/u],
  ['overrides: [{ checks: {} }]\n', /the override lacks `files`[^]*:1:13/u],
  ['siblings:\n  - {ipv4: a, ipv6: b}\n  - {ipv4: c}\n', /a pair of files lacks `ipv6`[^]*:3:5/u],
  ['checks: [\n', /iptables-lint\.yaml:2:1/u],
  ['extends: iptables-lint.yaml\n', /builds on itself[^]*iptables-lint\.yaml:1:10/u],
  ['fail-on: never\nextends:\n  - nowhere.yaml\n', /cannot read .*nowhere\.yaml: no such file[^]*iptables-lint\.yaml:3:5/u],
  ['[]\n', /the configuration must be an object, and is a list[^]*:1:1/u],
  ['persona: auditor\nchecks: []\n', /`checks` must be an object of checks and their levels, and is a list[^]*:2:1/u],
  ['overrides: [{ files: a, management: [] }]\n', /`management` must be an object, and is a list[^]*:1:25/u],
  ['checks: {__proto__: off}\n', /no key can be called `__proto__`[^]*:1:10/u],
  ['~\n', /the configuration must be an object, and is null[^]*:1:1/u],
  ['trusted-interfaces: [wg+, eth0.100, a-name-that-is-too-long]\n', /`trusted-interfaces\[2\]` must be the name of an interface[^]*:1:37/u],
  ['persona: auditor\nignore: *none\n', /Unresolved alias[^]*:2:9/u],
  ['persona: auditor\nignore: ["!a.rules"]\n', /`ignore` must have a glob without `!` as well[^]*:2:1/u],
  ['overrides: [{ files: "!a.rules" }]\n', /`overrides\[0\]\.files` must have a glob without `!` as well[^]*:1:22/u],
  ['checks: {}\n---\nchecks: {}\n', /more than one document[^]*:2:1/u],
];

for (const [text, message] of wrong) {
  test(`config check says what is wrong, and linting ends with 2: ${text.trim()}`, async t => {
    const folder = folderWith(t, { 'iptables-lint.yaml': text, 'a.rules': clean });
    const { code, stderr } = await run(['config', 'check'], { cwd: folder });
    t.is(code, 2);
    t.regex(stderr, message);
    t.is((await run(['a.rules'], { cwd: folder })).code, 2);
  });
}

test('config check reads the hosts that are named', async t => {
  const folder = folderWith(t, {
    'none.yaml': 'persona: auditor\nhost: none.json\n', 'wrong.yaml': 'overrides:\n  - files: a.rules\n    host: wrong.json\n', 'above.yaml': 'extends: none.yaml\n', 'right.yaml': 'host: host.json\n',
    'wrong.json': '{"interfaces": 5}', 'host.json': '{}',
  });
  const check = (...words: readonly string[]): ReturnType<typeof run> => run(['config', 'check', ...words], { cwd: folder });
  t.regex((await check('none.yaml')).stderr, /cannot read .*none\.json: no such file[^]*none\.yaml:2:7\n/u);
  t.regex((await check('wrong.yaml')).stderr, /wrong\.json is no host file: line 1, column 16: `interfaces` must be a list[^]*wrong\.yaml:3:11\n/u);
  const { code, stdout, stderr } = await check('above.yaml', 'right.yaml');
  t.deepEqual([code, stdout], [2, 'right.yaml is right\n']);
  t.regex(stderr, /none\.yaml:2:7\n/u);
});

test('config check wants both files of a pair', async t => {
  const folder = folderWith(t, { 'none.yaml': 'siblings:\n  - { ipv4: a, ipv6: b }\n', 'one.yaml': 'siblings: [{ ipv4: a, ipv6: a }]\n', 'right.yaml': 'siblings: [{ ipv4: a, ipv6: c }]\n', a: clean, c: clean });
  const check = async (name: string): Promise<string> => (await run(['config', 'check', name], { cwd: folder })).stderr;
  t.regex(await check('none.yaml'), /there is no .*\/b\n[^]*none\.yaml:2:22\n/u);
  t.regex(await check('one.yaml'), /a pair of one file[^]*one\.yaml:1:12\n/u);
  t.is(await check('right.yaml'), '');
});

test('config print names the other file of a pair, of the nearest configuration that has one, and says what is left alone', async t => {
  const folder = folderWith(t, { 'base.yaml': 'siblings: [{ ipv4: a, ipv6: b }]\n', 'iptables-lint.yaml': 'extends: base.yaml\nignore: b\nsiblings: [{ ipv4: a, ipv6: c }]\n', a: clean, b: clean, c: clean });
  const print = async (name: string): Promise<readonly string[]> => (await run(['config', 'print', name], { cwd: folder })).stdout.split('\n').slice(1, -2).map(line => line.replace(/[^ ]*\//u, ''));
  t.deepEqual(await print('a'), ['# the rules of the other family: c']);
  t.deepEqual(await print('b'), ['# the rules of the other family: a', '# left alone where it is not named itself (ignore)']);
});

test('config print shows what holds for a file', async t => {
  const folder = folderWith(t, { 'iptables-lint.yaml': 'persona: auditor\noverrides: [{ files: "*.v4", checks: { unused-chain: off } }]\n' });
  const { code, stdout } = await run(['config', 'print', 'rules.v4'], { cwd: folder });
  t.is(code, 0);
  t.deepEqual(parse(stdout), { persona: 'auditor', checks: { 'unused-chain': 'off' } });
  const none = await run(['config', 'print'], { cwd: folderWith(t, {}) });
  t.is(none.code, 2);
  t.regex(none.stderr, /iptables-lint init writes one/u);
});

test('init writes a configuration that is right, from what it sees, and never over another', async t => {
  const folder = folderWith(t, { 'rules.v4': clean.replace('COMMIT', '-A INPUT -i wg0 -j ACCEPT\nCOMMIT'), 'rules.v6': clean, 'error.rules': withError });
  const { code, stdout } = await run(['init'], { cwd: folder });
  t.is(code, 0);
  t.regex(stdout, /3 rule files.*wg0/u);
  const text = readFileSync(join(folder, 'iptables-lint.yaml'), 'utf8');
  t.regex(text, /# trusted-interfaces:\n# {3}- wg0/u);
  t.deepEqual((parse(text) as { siblings: object }).siblings, [{ ipv4: 'rules.v4', ipv6: 'rules.v6' }]);
  t.is((await run(['config', 'check'], { cwd: folder })).code, 0);
  t.is((await run(['init'], { cwd: folder })).code, 2);
  t.is((await run(['init', '--force'], { cwd: folder })).code, 0);
});

test('init takes a configuration by its other names for one', async t => {
  for (const name of ['iptables-lint.yml', '.iptables-lint.yaml']) {
    const cwd = folderWith(t, { [name]: 'persona: auditor\n', 'a.rules': clean });
    const { code, stdout, stderr } = await run(['init'], { cwd });
    t.deepEqual([code, stdout], [2, '']);
    t.true(stderr.includes(`${name} is there already`), stderr);
    t.false(readdirSync(cwd).includes('iptables-lint.yaml'));
    t.regex((await run(['init', '--force'], { cwd })).stderr, new RegExp(`${name} is no longer read`, 'u'));
    t.deepEqual([(await run(['init', '--force'], { cwd })).stderr, (await run(['init'], { cwd })).code], ['', 2]);
  }
});

test('init writes nothing where it finds no rules', async t => {
  const cwd = folderWith(t, { 'readme.md': '' });
  for (const words of [['init'], ['init', 'nosuch.rules']]) {
    const { code, stdout } = await run(words, { cwd });
    t.deepEqual([code, stdout], [2, '']);
  }
  t.deepEqual(readdirSync(cwd), ['readme.md']);
});

test('init sees whom a chain lets in that accepts all', async t => {
  const folder = folderWith(t, { 'a.rules': clean.replace('COMMIT', ':lan - [0:0]\n-A INPUT -i br-lan -j lan\n-A lan -j ACCEPT\nCOMMIT') });
  t.regex((await run(['init'], { cwd: folder })).stdout, /br-lan may be trusted/u);
});

test('every key that init shows as a comment is right too', async t => {
  const folder = folderWith(t, { 'a.rules': clean, 'host.json': '{}' });
  await run(['init'], { cwd: folder });
  const text = readFileSync(join(folder, 'iptables-lint.yaml'), 'utf8').replace(/^# (?!yaml-lang)(?=[ a-z-]+:|[ -]+)/gmu, '');
  for (const [name, is] of [['iptables-lint.yaml', text], ['rules.v4', clean], ['rules.v6', clean]] as const) writeFileSync(join(folder, name), is);
  const { code, stderr } = await run(['config', 'check'], { cwd: folder });
  t.is(code, 0, stderr);
});

test('the schema for editors is current, and takes what docs/config.md shows', t => {
  t.is(readFileSync('docs/iptables-lint.schema.json', 'utf8'), configSchemaText(), 'run npm run docs');
  const page = readFileSync('docs/config.md', 'utf8');
  const shown = parse(/```yaml\n([^]*?)```/u.exec(page)?.[1] ?? '') as object;
  const schema = JSON.parse(configSchemaText()) as { $schema?: string; properties: Record<string, object> };
  const ajv = new Ajv.default({ strict: false });
  const { $schema, ...plain } = schema;
  const { checks: levels, ...rest } = shown as { checks: Record<string, string> };
  t.true(ajv.validate(plain, rest), JSON.stringify(ajv.errors));
  t.true(Object.keys(levels).length > 0);
  t.false(ajv.validate(plain, { checks: { nonsense: 'off' } }));
  t.true(checks.every(({ name }) => configSchemaText().includes(`"${name}"`)));
});

test('docs/config.md has every key', t => {
  const { properties } = JSON.parse(configSchemaText()) as { properties: Record<string, object> };
  const page = readFileSync('docs/config.md', 'utf8');
  for (const key of Object.keys(properties)) if (key !== '$schema') t.true(page.includes(`\`${key}\``), key);
});
