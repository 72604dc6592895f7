/** The last part of `npm run check:package`: installs the packed package into an empty folder, and runs it from there. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { root } from './bundle.js';

const folder = mkdtempSync(join(tmpdir(), 'iptables-lint-package-'));

function run(program, words, cwd) {
  return execFileSync(program, words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], shell: process.platform === 'win32' });
}

function expect(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what}: expected ${expected}, got ${actual}`);
  console.log(`✔ ${what}`);
}

const program = `import { analyze } from 'iptables-lint';
const { findings } = analyze({ path: 'rules', text: '*filter\\n-A INPUT -j NOWHERE\\nCOMMIT\\n' });
console.log(findings.find(one => one.severity === 'error').check);
`;

const traced = `import { createHost, load, parsePacketWords } from 'iptables-lint';
const [ruleset] = load({ path: 'rules', text: '*filter\\n-A INPUT -p tcp --dport 22 -j DROP\\nCOMMIT\\n' }).rulesets;
const host = createHost(ruleset, { interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }] });
const { family, ...step } = parsePacketWords('tcp 192.0.2.7:40000 > 192.0.2.1:22 in eth0');
console.log(host.send(step).by);
`;

try {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const tarball = resolve(process.argv[2]);
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', tarball], folder);
  expect('npx iptables-lint --version', run('npx', ['--no-install', 'iptables-lint', '--version'], folder).trim(), version);
  writeFileSync(join(folder, 'use.js'), program);
  expect('import { analyze }', run(process.execPath, ['use.js'], folder).trim(), 'undefined-chain');
  writeFileSync(join(folder, 'trace.js'), traced);
  expect('the helper of replay', existsSync(join(folder, 'node_modules/iptables-lint/kernel/helper/main.c')), true);
  expect('import { createHost }', run(process.execPath, ['trace.js'], folder).trim(), 'filter:INPUT:1');
} finally {
  rmSync(folder, { recursive: true });
}
