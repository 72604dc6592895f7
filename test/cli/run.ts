/** Runs the program as it is published, as a process of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

export const cli = fileURLToPath(new URL('../../../dist/cli.cjs', import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** The environment of the tests, without what would colour the output. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { FORCE_COLOR, NO_COLOR, IPTABLES_LINT_DEBUG, ...rest } = process.env;
  return rest;
}

export function run(words: readonly string[], { input = '', cwd, env = {} }: RunOptions = {}): Promise<Run> {
  const child = spawn(process.execPath, [cli, ...words], { cwd, env: { ...plainEnvironment(), ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  child.stdin.on('error', () => { /* it did not want any */ });
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', code => { resolve({ code, stdout, stderr }); });
  });
}

/** A folder with these files, deleted when the test is over. */
export function folderWith(t: ExecutionContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'iptables-lint-test-'));
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }); });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** What every host's INPUT ends in that lets nobody in by default. */
const rest = ['-i lo', '-m conntrack --ctstate RELATED,ESTABLISHED', '-p tcp -m tcp --dport 22 -m conntrack --ctstate NEW'].map(words => `-A INPUT ${words} -j ACCEPT`);

/** A table that lets in what these rules leave. */
export function open(...rules: readonly string[]): string {
  return ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n');
}

/** A table of which nothing else is to be said. */
export function table(...rules: readonly string[]): string {
  return open(...rules, ...rest, '-A INPUT -j DROP');
}

/** Nothing to find. */
export const clean = table('-A INPUT -s 203.0.113.0/24 -j DROP');
/** One error (`undefined-chain`), and nothing else. */
export const withError = table('-A INPUT -p tcp -m tcp --dport 23 -j NOWHERE');
/** One warning (`host-bits-set`), and nothing else. */
export const withWarning = table('-A INPUT -s 192.0.2.1/24 -j DROP');
/** One info (`unused-chain`), and nothing else. */
export const withInfo = table().replace('COMMIT', ':unused - [0:0]\n-A unused -j DROP\nCOMMIT');
/** A line that is no rule at all. */
export const unreadable = table('-A INPUT -p tcp --dprot 23 -j DROP');
