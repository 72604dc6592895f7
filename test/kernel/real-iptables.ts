/** The real iptables, in a network namespace that the test made itself. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Backend, Family } from '../../analyzer/values/value.js';

const programs = {
  ipv4: { legacy: 'iptables-legacy', nft: 'iptables-nft' },
  ipv6: { legacy: 'ip6tables-legacy', nft: 'ip6tables-nft' },
} as const;

/** Sets that rules under test may name: what `ipset save` would print. */
const sets = `create web hash:ip
create web6 hash:ip family inet6
create nets hash:net
create nets6 hash:net family inet6
create hostport hash:ip,port
create hostport6 hash:ip,port family inet6
create ifaces hash:net,iface
create mixed list:set
create ports bitmap:port range 0-65535
`;

/** Without node_modules/.bin, in which a package may well have an `nft` of its own. */
const systemPath = { ...process.env, PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

export interface LoadResult {
  readonly accepted: boolean;
  /** What iptables printed when it refused. */
  readonly message: string;
  /** Lines of `iptables-save` without its comments. */
  readonly saved: readonly string[];
}

/** The reason is passed on, but where the kernel tests must not be skipped (`IPTABLES_LINT_KERNEL=required`, as in CI): there it is thrown. */
export function unlessRequired(reason: string | undefined): string | undefined {
  if (reason !== undefined && process.env['IPTABLES_LINT_KERNEL'] === 'required') throw new Error(`the kernel tests are required here, but: ${reason}`);
  return reason;
}

/** Why the kernel cannot be asked on this machine; undefined where it can. */
export function reasonToSkip(): string | undefined {
  return unlessRequired(findReason());
}

function findReason(): string | undefined {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root';
  for (const program of ['ip', 'ipset', 'iptables-legacy-restore', 'iptables-nft-restore']) {
    if (spawnSync('sh', ['-c', `command -v ${program}`], { env: systemPath }).status !== 0) return `${program} is not installed`;
  }
  return spawnSync('unshare', ['-n', 'true']).status === 0 ? undefined : 'no right to make a network namespace';
}

/** What a shell script prints in a network namespace of its own. */
export function inNamespace(script: string): string {
  const { stdout, stderr, status } = spawnSync('unshare', ['-n', 'sh'], { input: script, encoding: 'utf8', env: systemPath, timeout: 120_000 });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** A namespace of its own, with nothing in it but the sets. Call `close` when done. */
export class RealIptables {
  readonly #name = `ipl-${randomUUID().slice(0, 8)}`;

  constructor() {
    this.#open();
  }

  #open(): void {
    execFileSync('ip', ['netns', 'add', this.#name], { env: systemPath });
    this.#run(['ipset', 'restore'], sets);
  }

  #run(command: readonly string[], input = ''): { status: number; stdout: string; stderr: string } {
    const result = spawnSync('ip', ['netns', 'exec', this.#name, ...command], { env: systemPath, input, encoding: 'utf8', maxBuffer: 1 << 28, timeout: 120_000 });
    return { status: result.status ?? -1, stdout: result.stdout, stderr: result.stderr };
  }

  /** Loads `text` and returns what is saved afterwards; the namespace's rules of that backend are replaced. */
  load(text: string, family: Family, backend: Backend): LoadResult {
    const program = programs[family][backend];
    if (backend === 'nft') this.#run(['nft', 'flush', 'ruleset']);
    const restored = this.#run([`${program}-restore`], text);
    if (restored.status !== 0) return { accepted: false, message: restored.stderr.trim(), saved: [] };
    const saved = this.#run([`${program}-save`]);
    return { accepted: true, message: restored.stderr.trim(), saved: saved.stdout.split('\n').filter(line => line !== '' && !line.startsWith('#')) };
  }

  /** As `load`, with no table and no object left from before. */
  loadFresh(text: string, family: Family, backend: Backend): LoadResult {
    this.close();
    this.#open();
    return this.load(text, family, backend);
  }

  close(): void {
    execFileSync('ip', ['netns', 'del', this.#name], { env: systemPath });
  }
}
