/** From operands (files, directories, globs, `-`) to the files they name. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hostFilePatterns, withoutFacts } from './lint/collected.js';
import { standardInput } from './read-source.js';
import { reportTrouble, systemCause, Trouble } from './trouble.js';

/** What is taken for a rule file in a directory. Shown by `--help`. */
export const rulesFilePatterns = ['*.rules', '*.save', '*.v4', '*.v6', '*.fw', '*.ipt', '*iptables*', '*ip6tables*'] as const;

/** Named after iptables, but something else. */
const otherFiles = ['md', 'txt', 'html', 'pdf', 'png', 'svg', 'gz', 'xz', 'bz2', 'zip', 'bak', 'orig', 'service', 'socket', 'py', 'js', 'ts', 'go', 'c', 'h', 'o', 'so', 'json', 'yaml', 'yml', 'toml', 'log'];

const ignored = ['**/node_modules/**', '**/.git/**', ...otherFiles.map(extension => `**/*iptables*.${extension}`), ...otherFiles.map(extension => `**/*ip6tables*.${extension}`)];

/** How operands are turned into files. */
export interface Finding {
  /** Of those that are found in folders or by globs; what is named is never left out. */
  readonly isIgnored?: (path: string) => boolean;
  /** What is done about what cannot be found; absent: it is reported. The rest goes on. */
  readonly onTrouble?: (error: unknown) => void;
  /** Hosts as `collect` wrote them are found in folders as well. */
  readonly hosts?: boolean;
}

async function inDirectory(directory: string, hosts: boolean): Promise<readonly string[]> {
  const { glob } = await import('tinyglobby');
  const patterns = hosts ? [...rulesFilePatterns, ...hostFilePatterns] : rulesFilePatterns;
  const found = await glob(patterns.map(pattern => `**/${pattern}`), { cwd: directory, ignore: ignored, expandDirectories: false });
  if (found.length === 0) throw new Trouble(`no rule files in ${directory}: looked for ${patterns.join(' ')}; name other files one by one, or with a glob`);
  return withoutFacts(found.map(file => join(directory, file)));
}

async function byGlob(pattern: string): Promise<readonly string[]> {
  const { glob } = await import('tinyglobby');
  const found = await glob(pattern, { expandDirectories: false, absolute: pattern.startsWith('/') });
  if (found.length === 0) throw new Trouble(`no files match ${pattern}; check the pattern, and quote it so that the shell leaves it alone`);
  return found;
}

async function filesOf(operand: string, { isIgnored = () => false, hosts = false }: Finding): Promise<readonly string[]> {
  if (operand === standardInput) return [operand];
  try {
    return (await stat(operand)).isDirectory() ? (await inDirectory(operand, hosts)).filter(file => !isIgnored(file)).toSorted() : [operand];
  } catch (error) {
    if (error instanceof Trouble) throw error;
    if (/[*?[\]{}]/u.test(operand)) return (await byGlob(operand)).filter(file => !isIgnored(file)).toSorted();
    throw new Trouble(`cannot read ${operand}: ${systemCause(error)}`, { cause: error });
  }
}

/** The files in the order of the operands, each once. */
export async function findFiles(operands: readonly string[], finding: Finding = {}): Promise<readonly string[]> {
  const { onTrouble = reportTrouble } = finding;
  const files = new Set<string>();
  for (const operand of operands) {
    try {
      for (const file of await filesOf(operand, finding)) files.add(file);
    } catch (error) {
      onTrouble(error);
    }
  }
  return [...files];
}
