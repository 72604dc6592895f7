/**
 * How many hosts of 300 rules are linted in a second, and in how much memory: `node build/bench/hosts.js [--hosts N] [--jobs N]`, after a build.
 * A tenth of them comes first: where memory is flat, ten times as many hosts need no more. The rate is that without what one start of Node takes.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { hostOf } from './fleet.js';

const cli = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));
/** Written by the process as it ends: its peak of memory with all threads, in kilobytes, and its processor time in microseconds. */
const probe = 'data:text/javascript,' + encodeURIComponent('import{writeSync}from"node:fs";import{isMainThread}from"node:worker_threads";if(isMainThread)process.on("exit",()=>{const u=process.resourceUsage();writeSync(3,u.maxRSS+" "+(u.userCPUTime+u.systemCPUTime))})');

function write(folder: string, count: number): void {
  for (let number = 0; number < count; number++) {
    const { name, rules } = hostOf(number);
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'rules.v4'), rules);
  }
}

async function lint(folder: string, jobs: string): Promise<{ readonly seconds: number; readonly megabytes: number; readonly cpu: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, ['--import', probe, cli, '--jobs', jobs, '--format', 'ndjson', folder], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  let told = '';
  child.stdio[3]?.on('data', (data: Buffer) => { told += data.toString(); });
  await new Promise(resolve => child.on('close', resolve));
  const [kilobytes = 0, microseconds = 0] = told.split(' ').map(Number);
  return { seconds: (performance.now() - start) / 1000, megabytes: kilobytes / 1024, cpu: microseconds / 1e6 };
}

function bareNode(): number {
  const start = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  return (performance.now() - start) / 1000;
}

const { values } = parseArgs({ options: { hosts: { type: 'string', default: '2000' }, jobs: { type: 'string', default: '2' } } });
const folder = mkdtempSync(join(tmpdir(), 'iptables-lint-'));
try {
  const node = bareNode();
  console.log(`node -e 0: ${node.toFixed(2)} s`);
  for (const count of [Math.ceil(Number(values.hosts) / 10), Number(values.hosts)]) {
    write(folder, count);
    const { seconds, megabytes, cpu } = await lint(folder, values.jobs);
    console.log(`${String(count).padStart(6)} hosts, ${values.jobs} threads: ${seconds.toFixed(1)} s, ${(count / (seconds - node)).toFixed(1)} hosts/s, cpu ${cpu.toFixed(1)} s (${(1000 * cpu / count).toFixed(0)} ms a host), ${megabytes.toFixed(0)} MB`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
