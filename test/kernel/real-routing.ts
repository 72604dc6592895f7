/** The real routing tables, in a network namespace that the test made itself. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Family } from '../../analyzer/values/value.js';

/** What `ip -j route get` says; undefined where there is no way. */
export interface RealRoute {
  readonly type?: string;
  readonly dev?: string;
  readonly gateway?: string;
  readonly prefsrc?: string;
}

const systemPath = { ...process.env, PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

export class RealRouting {
  readonly #name = `ipl-${randomUUID().slice(0, 8)}`;

  /** Each interface is one end of a virtual cable whose other end, `peer-NAME`, is up too and has no address. */
  constructor(interfaces: readonly string[]) {
    execFileSync('ip', ['netns', 'add', this.#name], { env: systemPath });
    this.batch(['link set lo up', ...interfaces.flatMap(name => [`link add ${name} type veth peer name peer-${name}`, `link set ${name} up`, `link set peer-${name} up`])]);
    this.sysctl({ 'net.ipv6.conf.all.accept_dad': 0, ...Object.fromEntries(interfaces.map(name => [`net.ipv6.conf.${name}.accept_dad`, 0])) });
    this.settle();
  }

  #run(command: readonly string[], input = ''): { stdout: string; stderr: string } {
    return spawnSync('ip', ['netns', 'exec', this.#name, ...command], { env: systemPath, input, encoding: 'utf8', timeout: 60_000 });
  }

  /** Carries out words behind `ip`; those that are refused change nothing, and their numbers, from 0, are returned. */
  batch(lines: readonly string[], options: readonly string[] = []): ReadonlySet<number> {
    const { stderr } = this.#run(['ip', ...options, '-force', '-batch', '-'], `${lines.join('\n')}\n`);
    return new Set([...stderr.matchAll(/Command failed -:(\d+)/gu)].map(([, line]) => Number(line) - 1));
  }

  sysctl(values: Readonly<Record<string, number>>): void {
    this.#run(['sysctl', '-q', ...Object.entries(values).map(([name, value]) => `${name}=${String(value)}`)]);
  }

  /** Waits until the links are up, and with them the IPv6 addresses. */
  settle(): void {
    for (let tries = 0; tries < 500; tries++) {
      const links = this.json(['link', 'show', 'up']) as readonly { readonly ifname: string; readonly operstate: string }[];
      const isUp = links.every(({ ifname, operstate }) => ifname === 'lo' || operstate === 'UP');
      if (isUp && this.#run(['ip', '-6', 'address', 'show', 'tentative']).stdout === '') return;
    }
    throw new Error('the links do not come up');
  }

  /** What `ip -j` prints, whatever it is. */
  json(words: readonly string[]): unknown[] {
    return JSON.parse(this.#run(['ip', '-N', '-j', ...words]).stdout) as unknown[];
  }

  /** Answers to `ip route get`, one for each. */
  get(family: Family, queries: readonly string[]): readonly (RealRoute | undefined)[] {
    const option = family === 'ipv4' ? '-4' : '-6';
    const { stdout, stderr } = this.#run(['ip', option, '-j', '-force', '-batch', '-'], `${queries.map(query => `route get ${query}`).join('\n')}\n`);
    const failed = new Set([...stderr.matchAll(/Command failed -:(\d+)/gu)].map(([, line]) => Number(line) - 1));
    const answers = stdout.split('\n').filter(line => line.startsWith('[{')).map(line => (JSON.parse(line) as RealRoute[])[0]);
    return queries.map((_, index) => failed.has(index) ? undefined : answers.shift());
  }

  close(): void {
    execFileSync('ip', ['netns', 'del', this.#name], { env: systemPath });
  }
}
