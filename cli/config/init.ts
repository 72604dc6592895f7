/** `iptables-lint init`: a first configuration, from what the rule files look like. */
import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { acceptsAll } from '../../analyzer/checks/shared/accepting.js';
import { load } from '../../analyzer/model/load.js';
import { isOpaque, type Rule, type Ruleset, type Table } from '../../analyzer/model/ruleset.js';
import { eachSource } from '../inputs.js';
import { findFiles } from '../find-files.js';
import { siblingsAmong } from '../siblings.js';
import { print } from '../streams.js';
import { isThere } from '../is-there.js';
import { say, systemCause, Trouble } from '../trouble.js';
import { visible } from '../../report/visible.js';
import { configNames } from './find-config.js';

/** What was seen in the files. */
interface Seen {
  readonly files: string[];
  /** Interfaces from which INPUT accepts everything. */
  readonly trusted: Set<string>;
}

/** The interface of a rule that accepts all that comes in by it, or leads to a chain that does; undefined for any other rule. */
function admitted(table: Table, rule: Rule): string | undefined {
  const { inInterface, source, destination, protocol, matches } = rule;
  if (!acceptsAll(table, rule) || inInterface === undefined || inInterface.negated || source !== undefined || destination !== undefined || protocol !== undefined) return undefined;
  return matches.some(use => isOpaque(use) || use.definition.name !== 'comment') ? undefined : `${inInterface.value.name}${inInterface.value.prefix ? '+' : ''}`;
}

function look({ tables }: Ruleset, { trusted }: Seen): void {
  const filter = tables.get('filter');
  for (const rule of filter?.chains.get('INPUT')?.rules ?? []) {
    const name = filter === undefined ? undefined : admitted(filter, rule);
    if (name !== undefined && name !== 'lo') trusted.add(name);
  }
}

/** Files of the two families that belong together, IPv4 first. */
function pairs(files: readonly string[]): readonly { readonly ipv4: string; readonly ipv6: string }[] {
  return files.flatMap(ipv4 => files.filter(ipv6 => ipv4.length <= ipv6.length && ipv4 < ipv6 && siblingsAmong([ipv6])(ipv4) !== undefined).map(ipv6 => ({ ipv4, ipv6 })));
}

/** A key with its value, or the key as a comment that shows how it would be written. */
function entry(why: string, said: object, isShown = true): string {
  const lines = stringify(said).trimEnd().split('\n');
  return `# ${why}\n${lines.map(line => isShown ? line : `# ${line}`).join('\n')}\n`;
}

function textOf({ files, trusted }: Seen): string {
  const found = pairs(files);
  return [
    '# yaml-language-server: $schema=https://raw.githubusercontent.com/iptables-lint/iptables-lint/main/docs/iptables-lint.schema.json\n',
    entry('The least severity that makes the exit code 1: error, warning, info or never.', { 'fail-on': 'warning' }),
    entry('Whence this host is managed. Without peers, anybody who can connect will do.', { management: { ports: [22], peers: ['192.0.2.0/24'] } }, false),
    entry(trusted.size === 0 ? 'Interfaces of which everybody is trusted.' : 'Everything that comes in by these is accepted. If that is meant, take the # away.', { 'trusted-interfaces': trusted.size === 0 ? ['wg0'] : [...trusted].sort() }, false),
    found.length === 0
      ? entry('Rules of one host in two files, so that what IPv6 lets in is held against IPv4.', { siblings: [{ ipv4: 'rules.v4', ipv6: 'rules.v6' }] }, false)
      : entry('Rules of one host in two files, so that what IPv6 lets in is held against IPv4.', { siblings: found }),
    entry('What the host is, as `iptables-lint collect --output host.json` wrote it.', { host: 'host.json' }, false),
    entry('Other levels for checks: off, info, warning, error. `iptables-lint checks` lists them.', { checks: { 'redundant-rule': 'warning' } }, false),
    entry('What is different for some files.', { overrides: [{ files: ['gateways/**'], persona: 'auditor' }] }, false),
  ].join('\n');
}

/** The configuration that holds here as long as there is none by the usual name. */
function otherName(): string | undefined {
  return configNames.slice(1).find(name => isThere(name));
}

/** Writes the file and says what it saw, where there are rule files. An existing one stays, unless `force`. */
export async function init(operands: readonly string[], { force = false }: { readonly force?: boolean }): Promise<void> {
  const seen: Seen = { files: [], trusted: new Set() };
  const files = await findFiles(operands.length > 0 ? operands : ['.']);
  await eachSource(files, {}, source => {
    seen.files.push(source.path);
    for (const ruleset of load(source).rulesets) look(ruleset, seen);
  });
  // That there are none was told.
  if (seen.files.length === 0) return;
  const path = configNames[0];
  const other = isThere(path) ? undefined : otherName();
  if (other !== undefined && !force) throw new Trouble(`${other} is there already, and is the configuration; --force writes ${path}, which is then read in its place`);
  try {
    await writeFile(path, textOf(seen), { flag: force ? 'w' : 'wx' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw new Trouble(`${path} is there already; --force writes it anew`);
    throw new Trouble(`cannot write ${path}: ${systemCause(error)}`, { cause: error });
  }
  if (other !== undefined) say(`iptables-lint: ${other} is no longer read: ${path} goes before it\n`);
  await print(visible(`wrote ${path} for ${seen.files.length === 1 ? 'one rule file' : `${String(seen.files.length)} rule files`}: ${pairs(seen.files).length > 0 ? 'pairs of both families are named' : 'no pairs of both families'}, `) + `${visible(seen.trusted.size > 0 ? `${[...seen.trusted].sort().join(', ')} may be trusted` : 'no interface looks trusted')}; each key is explained in it\n`);
}
