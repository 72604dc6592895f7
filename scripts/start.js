/**
 * `npm start` shows what the linter says about an example; `npm start -- FILE` lints FILE.
 * The bundle is made anew each time (it takes a moment), so what runs is always the code as it stands.
 */
import { spawnSync } from 'node:child_process';
import { bundle, root } from './bundle.js';

const example = 'rules-examples/web-server.rules';

function lint(words, folder) {
  const { status } = spawnSync(process.execPath, [`${root}dist/cli.cjs`, ...words], { cwd: folder, stdio: 'inherit' });
  return status ?? 2;
}

await bundle();
const words = process.argv.slice(2);
if (words.length > 0) process.exitCode = lint(words, process.env.INIT_CWD ?? process.cwd());
else {
  console.log(`iptables-lint --format full ${example}\n`);
  const status = lint(['--format', 'full', example], root);
  console.log(`\nThe exit code was ${status}. Lint a file of your own: npm start -- /etc/iptables/rules.v4`);
}
