/** Runs a command that reads. */
import { execFile, type ExecFileException } from 'node:child_process';

export interface Ran {
  readonly stdout: string;
  /** Why it failed, in one line; undefined where it did not. */
  readonly trouble: string | undefined;
}

/** Where administrators' programs are, which the path of others may lack. */
const path = [process.env['PATH'] ?? '', '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':');

const limits = { maxBuffer: 1 << 29, timeout: 60_000 } as const;

function troubleOf(error: ExecFileException, stderr: string): string {
  if (error.code === 'ENOENT') return 'it is not installed';
  if (error.killed === true) return `it took more than ${String(limits.timeout / 1000)} seconds`;
  const [line = ''] = stderr.split('\n').filter(one => one.trim() !== '');
  return line === '' ? `it ended with ${String(error.code ?? 'an error')}` : line.trim();
}

/** In English, and without a shell. */
export function runCommand([program, ...words]: readonly [string, ...string[]]): Promise<Ran> {
  const environment = { ...process.env, PATH: path, LC_ALL: 'C' };
  return new Promise(resolve => {
    execFile(program, words, { ...limits, encoding: 'utf8', env: environment }, (error, stdout, stderr) => {
      resolve({ stdout, trouble: error === null ? undefined : troubleOf(error, stderr) });
    });
  });
}
