/**
 * How long the program takes to start, next to Node itself: `node build/bench/startup.js [runs]`.
 * The runs of all commands take turns, and the best of each counts: the noise of a busy machine only ever adds. The program's code is kept in a folder of
 * these runs alone (see cli/kept-code.ts), so that it counts for nothing what was run before.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const runs = Number(process.argv[2] ?? 20);
const cli = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'iptables-lint-'));
const rules = join(folder, 'rules.v4');

const accepts = Array.from({ length: 50 }, (_, index) => `-A INPUT -s 10.0.${String(index)}.0/24 -p tcp -m tcp --dport ${String(1000 + index)} -j ACCEPT`);
writeFileSync(rules, ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ...accepts, 'COMMIT', ''].join('\n'));

/** `limit`: how many times Node's own start it may take. */
const commands = [
  { name: 'node -e 0', words: ['-e', '0'], limit: Infinity },
  { name: '--version', words: [cli, '--version'], limit: 1.5 },
  { name: '--help', words: [cli, '--help'], limit: Infinity },
  { name: '50 rules', words: [cli, rules], limit: 2 },
  { name: '50 rules, as JSON', words: [cli, '--format', 'json', rules], limit: 2 },
];

function timeOf(words: readonly string[]): number {
  const start = performance.now();
  spawnSync(process.execPath, words, { stdio: 'ignore', env: { ...process.env, XDG_CACHE_HOME: folder } });
  return performance.now() - start;
}

const best = commands.map(() => Infinity);
for (let run = 0; run < runs; run++) {
  for (const [index, { words }] of commands.entries()) best[index] = Math.min(best[index] ?? Infinity, timeOf(words));
}
rmSync(folder, { recursive: true });

const node = best[0] ?? 1;
for (const [index, { name, limit }] of commands.entries()) {
  const time = best[index] ?? 0;
  const verdict = limit === Infinity ? '' : time / node <= limit ? `  within ${String(limit)}×` : `  OVER ${String(limit)}×`;
  console.log(`${name.padEnd(20)} ${time.toFixed(1).padStart(7)} ms  ${(time / node).toFixed(2)}×${verdict}`);
}
