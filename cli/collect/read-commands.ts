/** The commands that a host is read with. None of them changes anything. */

/** Where they are run. */
export type Place = { readonly kind: 'here' } | { readonly kind: 'netns'; readonly name: string } | { readonly kind: 'pid'; readonly pid: number };

export interface ReadCommand {
  readonly words: readonly [string, ...string[]];
  readonly root: boolean;
  /** Only where the file that this reads says that there is something: iptables-save would else load modules. */
  readonly after?: 'legacyTables4' | 'legacyTables6';
}

/** Numbers instead of names (`-N`): the names of tables, groups and protocols are this machine's own. */
const ip = (...words: string[]): readonly [string, ...string[]] => ['ip', '-N', '-j', ...words];

export const readCommands = {
  addresses: { words: ip('-d', 'address'), root: false },
  multicast: { words: ip('maddress'), root: false },
  routes4: { words: ip('-4', 'route', 'show', 'table', 'all'), root: false },
  routes6: { words: ip('-6', 'route', 'show', 'table', 'all'), root: false },
  rules4: { words: ip('-4', 'rule'), root: false },
  rules6: { words: ip('-6', 'rule'), root: false },
  sysctls: { words: ['sysctl', '-a'], root: false },
  nft4: { words: ['iptables-nft-save'], root: true },
  nft6: { words: ['ip6tables-nft-save'], root: true },
  legacyTables4: { words: ['cat', '/proc/net/ip_tables_names'], root: true },
  legacy4: { words: ['iptables-legacy-save'], root: true, after: 'legacyTables4' },
  legacyTables6: { words: ['cat', '/proc/net/ip6_tables_names'], root: true },
  legacy6: { words: ['ip6tables-legacy-save'], root: true, after: 'legacyTables6' },
  ipsets: { words: ['ipset', 'save'], root: true },
  conntrack4: { words: ['conntrack', '-L', '-f', 'ipv4'], root: true },
  conntrack6: { words: ['conntrack', '-L', '-f', 'ipv6'], root: true },
  sockets: { words: ['ss', '-H', '-lntupe'], root: true },
  kernel: { words: ['uname', '-r'], root: false },
  iptables: { words: ['iptables', '--version'], root: false },
  iproute2: { words: ['ip', '-V'], root: false },
} as const satisfies Readonly<Record<string, ReadCommand>>;

export type CommandName = keyof typeof readCommands;

export const commandNames = Object.keys(readCommands) as readonly CommandName[];

/** The whole command line. Programs are those of the machine, also for a container that has none of them: only the network is the other's. */
export function commandLine(words: readonly [string, ...string[]], place: Place): readonly [string, ...string[]] {
  switch (place.kind) {
    case 'here': return words;
    case 'netns': return ['ip', 'netns', 'exec', place.name, ...words];
    case 'pid': return ['nsenter', '-t', String(place.pid), '-n', ...words];
  }
}

/** As one would type it. */
export function typed(words: readonly string[]): string {
  return words.map(word => /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll('\'', '\'\\\'\'')}'`).join(' ');
}

/** What `--dry-run` prints. */
export function dryRun(place: Place): string {
  const isElsewhere = place.kind !== 'here';
  const lines = commandNames.map(name => {
    const { words, root, after }: ReadCommand = readCommands[name];
    const notes = [root || isElsewhere ? 'needs root' : '', after === undefined ? '' : 'only where the file above names a table'].filter(note => note !== '');
    return `${typed(commandLine(words, place))}${notes.length === 0 ? '' : `  # ${notes.join('; ')}`}\n`;
  });
  return lines.join('');
}
