/** Worlds, and copies of them with something changed. */
import * as fc from 'fast-check';
import { worlds, type World } from './worlds.js';

export interface Mutant {
  readonly a: string;
  readonly b: string;
  readonly path: World['path'];
}

type Change = (lines: string[], at: number) => void;

/** The next rule of the same chain, or -1. */
function following(lines: readonly string[], at: number): number {
  const chain = lines[at]?.split(' ', 2).join(' ') ?? '';
  return lines.findIndex((line, i) => i > at && line.startsWith(`${chain} `));
}

const changes: readonly Change[] = [
  (lines, at) => { lines.splice(at, 1); },
  (lines, at) => {
    const next = following(lines, at);
    const [one, other] = [lines[at], lines[next]];
    if (one === undefined || other === undefined) return;
    lines[at] = other;
    lines[next] = one;
  },
  (lines, at) => { lines[at] = lines[at]?.replace(/-j (ACCEPT|DROP)$/u, (_, verdict) => verdict === 'DROP' ? '-j ACCEPT' : '-j DROP') ?? ''; },
  (lines, at) => { lines[at] = lines[at]?.replace(/(--to-(?:destination|source) 10\.0\.0\.)1$/u, '$12').replace('-j DROP', '-j REJECT') ?? ''; },
  (lines, at) => { lines[at] = lines[at]?.replace('-j RETURN', '-j ACCEPT').replace('0x1/0x1', '0x2/0x2') ?? ''; },
  (lines, at) => { lines.splice(at, 0, lines[at] ?? ''); },
  (lines, at) => { lines[at] = (lines[at] ?? '').replace(/(?: !)? -s \S+/u, ''); },
];

/** nat knows no DROP, raw no REJECT. */
function isLegal(text: string): boolean {
  const table = (name: string): string => text.split(`*${name}\n`)[1]?.split('COMMIT')[0] ?? '';
  return !/-j (?:DROP|REJECT)/u.test(table('nat')) && !`${table('raw')}${table('mangle')}`.includes('-j REJECT');
}

const hooks: Readonly<Record<World['path'], RegExp>> = { in: /^-A (PREROUTING|INPUT|u)/u, through: /^-A (PREROUTING|FORWARD|POSTROUTING|u)/u, out: /^-A (OUTPUT|POSTROUTING|u)/u, loop: /^-A (OUTPUT|POSTROUTING|PREROUTING|INPUT|u)/u };

function mutated(text: string, path: World['path'], picks: readonly (readonly [number, number])[]): string {
  const lines = text.split('\n');
  for (const [kind, place] of picks) {
    const rules = lines.flatMap((line, i) => hooks[path].test(line) ? [i] : []);
    const at = rules[place % Math.max(1, rules.length)];
    const before = [...lines];
    if (at !== undefined) changes[kind % changes.length]?.(lines, at);
    if (!isLegal(lines.join('\n'))) lines.splice(0, lines.length, ...before);
  }
  return lines.join('\n');
}

const words = (...some: readonly string[]): fc.Arbitrary<string> => fc.constantFrom('', '', ...some.map(one => ` ${one}`));

function tinyRule(chain: string, asks: readonly fc.Arbitrary<string>[], targets: readonly string[]): fc.Arbitrary<string> {
  return fc.tuple(fc.tuple(...asks), fc.constantFrom(...targets)).map(([parts, target]) => `-A ${chain}${parts.join('')}${target}`);
}

/** So few values that all packets can be looked at: forwarded, in two or three tables. */
const tinies: fc.Arbitrary<World> = fc.constantFrom('filter', 'nat', 'mark').chain(kind => {
  const source = words('-s 10.0.0.1/32', '! -s 10.0.0.1/32', '-s 10.0.0.0/30');
  const other = kind === 'nat' ? words('-d 10.0.0.1/32', '-d 10.0.0.2/32') : kind === 'mark' ? words('-m mark --mark 0x1/0x1', '-m mark ! --mark 0x1/0x1') : words('-p tcp', '! -p tcp');
  const soft = kind === 'filter' ? words('-m limit --limit 1/sec', '-m conntrack --ctstate NEW') : fc.constant('');
  const rules = (chain: string, targets: readonly string[], maxLength: number): fc.Arbitrary<string[]> => fc.array(tinyRule(chain, [source, other, soft], targets), { maxLength });
  const filter = fc.tuple(rules('FORWARD', [' -j ACCEPT', ' -j DROP', ' -j REJECT', ' -j REJECT --reject-with icmp-host-prohibited', ' -j u1', ' -g u1'], 5), rules('u1', [' -j ACCEPT', ' -j DROP', ' -j RETURN'], 3));
  const before = kind === 'nat' ? rules('PREROUTING', [' -j DNAT --to-destination 10.0.0.1', ' -j DNAT --to-destination 10.0.0.2', ' -j ACCEPT'], 3) : kind === 'mark' ? rules('PREROUTING', [' -j MARK --set-xmark 0x1/0x1', ' -j MARK --set-xmark 0x0/0x1', ' -j DROP', ' -j RETURN'], 3) : fc.constant([]);
  return fc.tuple(before, filter, fc.constantFrom('ACCEPT', 'DROP')).map(([first, [forward, below], policy]): World => ({
    path: 'through',
    text: [...first.length === 0 ? [] : [kind === 'nat' ? '*nat' : '*mangle', ':PREROUTING ACCEPT [0:0]', ...first, 'COMMIT'], '*filter', `:FORWARD ${policy} [0:0]`, ':u1 - [0:0]', ...forward, ...below, 'COMMIT', ''].join('\n'),
  }));
});

/** Worlds of all sizes. */
export const allWorlds: fc.Arbitrary<World> = fc.oneof({ weight: 4, arbitrary: tinies }, { weight: 1, arbitrary: worlds });

export const mutants: fc.Arbitrary<Mutant> = fc.tuple(allWorlds, fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([{ text, path }, picks, policy]) => ({ a: text, b: mutated(policy && picks.length === 3 ? text.replace(':FORWARD DROP', ':FORWARD ACCEPT') : text, path, picks), path }));
