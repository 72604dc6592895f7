/** The helper: a small program in C that does what Node cannot, compiled when it is first needed. */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('../../../../test/kernel/harness/helper/', import.meta.url));

/** Without node_modules/.bin, in which a package may well have an `nft` of its own; and a lock of legacy iptables for us alone. */
function environment(number: number): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', XTABLES_LOCKFILE: join(folder(), `lock-${String(process.pid)}-${String(number)}`) };
}

function folder(): string {
  return join(tmpdir(), `iptables-lint-kernel-${String(process.getuid?.() ?? 0)}`);
}

/** Where the compiled helper is. Its name follows from its sources, so that it is compiled once for each state of them. */
function compiled(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(sources).sort()) hash.update(name).update(readFileSync(join(sources, name)));
  const program = join(folder(), `helper-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return program;
  mkdirSync(folder(), { recursive: true, mode: 0o700 });
  const fresh = `${program}.${String(process.pid)}`;
  const { status, stderr } = spawnSync('cc', ['-D_GNU_SOURCE', '-O2', '-Wall', '-pthread', '-o', fresh, join(sources, 'main.c')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the helper does not compile: ${stderr}`);
  renameSync(fresh, program);
  return program;
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

interface Waiting {
  readonly command: string;
  readonly resolve: (words: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}

/** One helper. Commands may be given before earlier ones are answered: they are carried out in order. */
export class Helper {
  readonly number: number;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #waiting: Waiting[] = [];

  constructor(number: number) {
    this.number = number;
    this.#environment = environment(number);
    this.#child = spawn(compiled(), { env: this.#environment });
    createInterface({ input: this.#child.stdout }).on('line', line => this.#answered(line));
    this.#child.stderr.on('data', (text: Buffer) => process.stderr.write(text));
    this.#child.stdin.on('error', () => undefined);
    this.#child.on('exit', () => {
      for (const { command, reject } of this.#waiting.splice(0)) reject(new Error(`the helper ended before it answered: ${command.slice(0, 80)}`));
    });
  }

  #answered(line: string): void {
    const waiting = this.#waiting.shift();
    const [word, ...words] = line.split(' ');
    if (word === 'ok') waiting?.resolve(words);
    else waiting?.reject(new Error(`${line} (${waiting.command.slice(0, 80)})`));
  }

  /** The words of the answer. */
  ask(...words: readonly (string | number)[]): Promise<readonly string[]> {
    const command = words.join(' ');
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, resolve, reject });
      this.#child.stdin.write(`${command}\n`);
    });
  }

  /** Runs a program in the namespace; what it printed. */
  async run(command: readonly string[], input = ''): Promise<string> {
    const [status, stdout, stderr] = await this.ask('exec', hexWord(input), ...command);
    if (status !== '0') throw new Error(`${command.join(' ')}: ${bytesOf(stderr).toString().trim()}`);
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
    rmSync(this.#environment['XTABLES_LOCKFILE'] ?? '', { force: true });
  }
}
