/**
 * Parsing and model of 100,000 rules, next to `iptables-legacy-restore --test` on the same file:
 * `node build/bench/load.js [rules] [runs]`. Each run is a process of its own, the two take turns, and the best
 * of each counts. Without the rights for a network namespace only our own time is shown.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const library = new URL('../../dist/index.js', import.meta.url).href;

/** A number of 0 … `below` − 1, the same each time. */
function drawer(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

/** A gateway's rules as people have them: block lists, services by port, states, comments. */
function gateway(count: number): string {
  const draw = drawer(12_345);
  const lines = ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]'];
  for (let i = 0; i < count; i++) {
    const address = `${String(10 + draw(5))}.${String(draw(256))}.${String(draw(256))}.${String(draw(256))}`;
    const kind = draw(4);
    if (kind === 0) lines.push(`-A INPUT -s ${address}/32 -j DROP`);
    else if (kind === 1) lines.push(`-A INPUT -s ${address}/32 -p tcp -m tcp --dport ${String(draw(65_536))} -j ACCEPT`);
    else if (kind === 2) lines.push(`-A FORWARD -s ${address}/32 -d 192.168.${String(draw(256))}.0/24 -i eth${String(draw(4))} -p tcp -m tcp --dport ${String(draw(1024))} -m conntrack --ctstate NEW -m comment --comment "rule ${String(i)}" -j ACCEPT`);
    else lines.push(`-A FORWARD -d ${address}/32 -p udp -m udp --dport ${String(draw(65_536))} -j ACCEPT`);
  }
  return [...lines, 'COMMIT', ''].join('\n');
}

/** The plainest rules there are, for which iptables has least to do. */
function blocklist(count: number): string {
  const draw = drawer(99);
  const rules = Array.from({ length: count }, () => `-A INPUT -s ${String(1 + draw(220))}.${String(draw(256))}.${String(draw(256))}.${String(draw(256))}/32 -j DROP`);
  return ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n');
}

function seconds(command: string, words: readonly string[]): number | undefined {
  const start = performance.now();
  const { status } = spawnSync(command, words, { stdio: 'ignore' });
  return status === 0 ? (performance.now() - start) / 1000 : undefined;
}

/** In a process of its own: loads the file, says how much memory it took. */
async function loadHere(file: string): Promise<void> {
  const { load, decodeBytes } = await import(library) as typeof import('../index.js');
  const loaded = load({ path: file, text: decodeBytes(readFileSync(file)) });
  const rules = loaded.rulesets.reduce((sum, ruleset) => sum + [...ruleset.tables.values()].reduce((all, table) => all + [...table.chains.values()].reduce((n, chain) => n + chain.rules.length, 0), 0), 0);
  console.log(`${String(rules)} rules, ${String(loaded.diagnostics.length)} diagnostics, ${String(Math.round(process.resourceUsage().maxRSS / 1024))} MB`);
}

function compare(name: string, text: string, runs: number, folder: string): void {
  const file = join(folder, `${name}.rules`);
  writeFileSync(file, text);
  const self = [fileURLToPath(import.meta.url), '--load', file];
  let ours = Infinity;
  let theirs = Infinity;
  for (let run = 0; run < runs; run++) {
    ours = Math.min(ours, seconds(process.execPath, self) ?? Infinity);
    theirs = Math.min(theirs, seconds('unshare', ['-n', 'iptables-legacy-restore', '--test', file]) ?? Infinity);
  }
  const memory = spawnSync(process.execPath, self, { encoding: 'utf8' }).stdout.trim();
  const ratio = theirs === Infinity ? 'iptables-legacy-restore cannot be asked here' : `iptables-legacy-restore --test ${theirs.toFixed(2)} s: ${(ours / theirs).toFixed(2)}×`;
  console.log(`${name.padEnd(10)} ${ours.toFixed(2)} s (${memory}), ${ratio}`);
}

if (process.argv[2] === '--load') await loadHere(process.argv[3] ?? '');
else {
  const folder = mkdtempSync(join(tmpdir(), 'iptables-lint-'));
  const count = Number(process.argv[2] ?? 100_000);
  const runs = Number(process.argv[3] ?? 5);
  try {
    compare('gateway', gateway(count), runs, folder);
    compare('blocklist', blocklist(count), runs, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
