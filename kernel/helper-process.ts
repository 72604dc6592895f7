/** The helper: a small program in C that does what Node cannot, compiled when it is first needed. */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** As far from build/kernel as from dist/chunks. */
const sources = fileURLToPath(new URL('../../kernel/helper/', import.meta.url));

/** Without node_modules/.bin, in which a package may well have an `nft` of its own. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** This machine cannot make or run the helper. */
export class HelperError extends Error {}

let own: string | undefined;

/** Where the compiled helper is, for as long as this process lives. Nobody else can write there: what root runs must not be another's. */
function folder(): string {
  if (own === undefined) {
    const made = own = mkdtempSync(join(tmpdir(), 'iptables-lint-'));
    process.once('exit', () => { rmSync(made, { recursive: true, force: true }); });
  }
  return own;
}

/** With a lock of legacy iptables for us alone. */
function environment(number: number): NodeJS.ProcessEnv {
  return { PATH: systemPath, LC_ALL: 'C', XTABLES_LOCKFILE: join(folder(), `lock-${String(number)}`) };
}

let program: string | undefined;

function compiled(): string {
  if (program !== undefined) return program;
  const made = join(folder(), 'helper');
  const { status, stderr } = spawnSync('cc', ['-D_GNU_SOURCE', '-O2', '-Wall', '-pthread', '-o', made, join(sources, 'main.c')], { encoding: 'utf8', env: { PATH: systemPath, LC_ALL: 'C' } });
  if (status !== 0) throw new HelperError(`cc does not compile the helper, a program of one C file (are the headers of libc and Linux installed?): ${stderr.split('\n').find(line => line.includes('error')) ?? stderr.trim()}`);
  return program = made;
}

/** Bytes as the helper reads and writes them. */
export function hexWord(bytes: Uint8Array | string): string {
  return bytes.length === 0 ? '-' : Buffer.from(bytes as string).toString('hex');
}

export function bytesOf(word: string | undefined): Buffer {
  return word === undefined || word === '-' ? Buffer.alloc(0) : Buffer.from(word, 'hex');
}

/** ENOENT */
const noEntry = '2';
/** Of a program that cannot be run, as in a shell. */
const notFound = '127';

interface Waiting {
  readonly command: string;
  readonly resolve: (words: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}

/** One helper. Commands may be given before earlier ones are answered: they are carried out in order. */
export class Helper {
  readonly number: number;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: Waiting[] = [];
  #failed: Error | undefined;

  constructor(number: number) {
    this.number = number;
    this.#child = spawn(compiled(), { env: environment(number) });
    this.#child.on('error', ({ message }) => { this.#fail(new HelperError(`the helper cannot be run: ${message} (where ${tmpdir()} is mounted noexec, TMPDIR names another folder)`)); });
    createInterface({ input: this.#child.stdout }).on('line', line => this.#answered(line));
    this.#child.stderr.on('data', (text: Buffer) => process.stderr.write(text));
    this.#child.stdin.on('error', () => undefined);
    this.#child.on('exit', () => { this.#fail(new Error('the helper ended before it answered')); });
  }

  #answered(line: string): void {
    const waiting = this.#waiting.shift();
    const [word, ...words] = line.split(' ');
    if (word === 'ok') waiting?.resolve(words);
    else waiting?.reject(new Error(`${line} (${waiting.command.slice(0, 80)})`));
  }

  #fail(error: Error): void {
    this.#failed ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** The words of the answer. */
  ask(...words: readonly (string | number)[]): Promise<readonly string[]> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    const command = words.join(' ');
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, resolve, reject });
      this.#child.stdin.write(`${command}\n`);
    });
  }

  /** Runs a program in the namespace; what it printed. */
  async run(command: readonly string[], input = ''): Promise<string> {
    const [status, stdout, stderr] = await this.ask('exec', hexWord(input), ...command);
    if (status !== '0') throw new Error(`${command.join(' ')}: ${status === notFound ? 'it is not installed' : bytesOf(stderr).toString().trim()}`);
    return bytesOf(stdout).toString();
  }

  /** A netlink request to netfilter; what was answered. Nothing, where the kernel does not have what is asked for. */
  async netlink(socket: 'questions' | 'log', message: Buffer): Promise<Buffer> {
    const [failed, answers] = await this.ask('netlink', socket === 'log' ? 1 : 0, hexWord(message));
    if (failed === noEntry) return Buffer.alloc(0);
    if (failed !== '0') throw new Error(`netlink: error ${failed ?? ''}`);
    return bytesOf(answers);
  }

  get isAlive(): boolean { return this.#child.exitCode === null && this.#child.signalCode === null; }

  /** What waits for an answer fails. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async close(): Promise<void> {
    if (this.isAlive) await new Promise(resolve => {
      this.#child.on('close', resolve);
      this.#child.stdin.end();
    });
  }
}
