/** The README's way from nothing to CI, each command run in an empty folder, with the package as it would be published. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { folderWith } from '../cli/run.js';
import { root } from './stranger.js';

const [section = ''] = /^## From nothing to CI\n[^]*?(?=^## )/mu.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
const commands = (/```bash\n([^`]*)```/u.exec(section)?.[1] ?? '').trim().split('\n').map(line => line.replace(/\s+#.*$/u, ''));

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function shell(command: string, cwd: string): Ran {
  const { FORCE_COLOR, NODE_OPTIONS, ...env } = process.env;
  return spawnSync('sh', ['-c', command], { cwd, encoding: 'utf8', env: { ...env, NO_COLOR: '1', npm_config_prefer_offline: 'true', npm_config_ignore_scripts: 'true', npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false' } });
}

test.serial('at most five commands lead from nothing to a finding, a configuration and CI', t => {
  t.timeout(600_000);
  t.true(commands.length >= 4 && commands.length <= 5);
  const folder = folderWith(t, { 'package.json': '{"private":true}' });
  const packed = shell(`npm pack --silent --pack-destination '${folder}'`, root);
  t.is(packed.status, 0, packed.stderr);
  const tarball = join(folder, packed.stdout.trim());
  copyFileSync(join(root, 'rules-examples/database-server.rules'), join(folder, 'rules.v4'));

  const [install = '', lint = '', init = '', check = '', ci = ''] = commands;
  t.is(install, 'npm install --save-dev iptables-lint');
  const installed = shell(install.replace('iptables-lint', `'${tarball}'`), folder);
  t.is(installed.status, 0, installed.stderr);

  const first = shell(lint, folder);
  t.is(first.status, 1, first.stderr);
  t.regex(first.stdout, /error\[missing-established-return\]/u);
  t.is(shell(init, folder).status, 0);
  t.true(existsSync(join(folder, 'iptables-lint.yaml')));
  t.regex(shell(check, folder).stdout, /iptables-lint\.yaml is right/u);
  const inCi = shell(ci, folder);
  t.is(inCi.status, 1, inCi.stderr);
  t.regex(inCi.stdout, /^::error file=rules\.v4,line=11/mu);
});
