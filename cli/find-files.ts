/** From operands (files, directories, globs, `-`) to the files they name. */
import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { hostFilePatterns, withoutFacts } from './lint/collected.js';
import { standardInput } from './read-source.js';
import { reportTrouble, systemCause, Trouble } from './trouble.js';
import { walk, type Walked, type Wanted } from './walk.js';

/** What is taken for a rule file in a directory. Shown by `--help`; .pre-commit-hooks.yaml says the same. */
export const rulesFilePatterns = ['*.rules', '*.save', '*.v4', '*.v6', '*.fw', '*.ipt', '*iptables*', '*ip6tables*'] as const;

/** Named after iptables, but something else; reports of ours among them, as iptables-lint.sarif. */
export const otherFiles = ['sarif', 'xml', 'tap', 'ndjson', 'tar', 'tgz', 'md', 'txt', 'html', 'pdf', 'png', 'svg', 'gz', 'xz', 'bz2', 'zip', 'bak', 'orig', 'service', 'socket', 'py', 'js', 'ts', 'go', 'c', 'h', 'o', 'so', 'json', 'yaml', 'yml', 'toml', 'log'];

const ignoredFolders = ['**/node_modules', '**/.git'];
const ignoredFiles = otherFiles.flatMap(extension => [`**/*iptables*.${extension}`, `**/*ip6tables*.${extension}`]);

/** How operands are turned into files. */
export interface Finding {
  /** Of those that are found in folders or by globs; what is named is never left out. */
  readonly isIgnored?: (path: string) => boolean;
  /** What is done about what cannot be found or looked at; absent: it is reported. The rest goes on. `path`: what it is about, where that is a file or a folder. */
  readonly onTrouble?: (error: unknown, path: string | null) => void;
  /** Hosts as `collect` wrote them are found in folders as well. */
  readonly hosts?: boolean;
}

/** From where the program runs, and no longer than it must be. */
function below(folder: string, { files, troubles }: Walked): Walked {
  return { files: files.map(file => join(folder, file)), troubles: troubles.map(({ path, trouble }) => ({ path: join(folder, path), trouble })) };
}

function patternsOf(hosts: boolean): readonly string[] {
  return hosts ? [...rulesFilePatterns, ...hostFilePatterns] : rulesFilePatterns;
}

async function wantedInFolders(hosts: boolean): Promise<Wanted> {
  const { default: picomatch } = await import('picomatch');
  const isFile = picomatch(patternsOf(hosts).map(pattern => `**/${pattern}`), { ignore: ignoredFiles });
  const mayHold = picomatch('**', { ignore: ignoredFolders });
  return { isFile: path => isFile(path), mayHold: path => mayHold(path) };
}

/** To make it of its patterns takes milliseconds, and a thousand folders may be named. */
const known = new Map<boolean, Promise<Wanted>>();

async function inDirectory(directory: string, hosts: boolean): Promise<Walked> {
  const wanted = known.get(hosts) ?? wantedInFolders(hosts);
  known.set(hosts, wanted);
  const found = below(directory, walk(directory, await wanted));
  if (found.files.length + found.troubles.length === 0) throw new Trouble(`no rule files in ${directory}: looked for ${patternsOf(hosts).join(' ')}; name other files one by one, or with a glob`);
  return { ...found, files: withoutFacts(found.files) };
}

async function byGlob(pattern: string): Promise<Walked> {
  const { default: picomatch } = await import('picomatch');
  const scanned = picomatch.scan(pattern);
  // Without anything that stands for something else it is the name of a file, with its `\` yet.
  const [base, glob] = scanned.glob === '' ? [dirname(pattern), basename(pattern)] : [scanned.base, scanned.glob];
  const folder = base === '' ? '.' : base.replace(/\\(.)/gu, '$1');
  const isFile = picomatch(glob);
  const mayHold = foldersOf(glob, picomatch);
  const found = below(folder, walk(folder, { isFile: path => isFile(path), mayHold }));
  if (found.files.length + found.troubles.length === 0) throw new Trouble(`no files match ${pattern}; check the pattern, and quote it so that the shell leaves it alone`);
  return found;
}

/** Which folders a glob leads into: name by name, until one may stand for several. */
function foldersOf(glob: string, picomatch: typeof import('picomatch')): Wanted['mayHold'] {
  const { parts = [glob] } = picomatch.scan(glob, { parts: true }) as { readonly parts?: readonly string[] };
  const matchers = parts.map(part => picomatch(part));
  const anything = picomatch('**', { dot: /(?:^|\/)\./u.test(glob) });
  return path => {
    const names = path.split('/');
    for (const [index, name] of names.entries()) {
      const part = parts[index];
      if (part === '**' || part?.includes('/') === true) return anything(names.slice(index).join('/'));
      if (index >= parts.length - 1 || matchers[index]?.(name) !== true) return false;
    }
    return true;
  };
}

function named(path: string): Walked {
  return { files: [path], troubles: [] };
}

async function filesOf(operand: string, hosts: boolean): Promise<Walked> {
  if (operand === standardInput) return named(operand);
  try {
    return statSync(operand).isDirectory() ? await inDirectory(operand, hosts) : named(operand);
  } catch (error) {
    if (error instanceof Trouble) throw error;
    if (/[*?[\]{}]/u.test(operand)) return byGlob(operand);
    return { files: [], troubles: [{ path: operand, trouble: new Trouble(`cannot read ${operand}: ${systemCause(error)}`, { cause: error }) }] };
  }
}

/** The files in the order of the operands, each once, by the name that came first. */
export async function findFiles(operands: readonly string[], { onTrouble = error => { reportTrouble(error); }, isIgnored = () => false, hosts = false }: Finding = {}): Promise<readonly string[]> {
  const files = new Map<string, string>();
  const add = (file: string): void => {
    const whole = file === standardInput ? file : resolve(file);
    if (!files.has(whole)) files.set(whole, file);
  };
  for (const operand of operands) {
    try {
      const found = await filesOf(operand, hosts);
      const isNamed = [...found.files, ...found.troubles.map(({ path }) => path)][0] === operand;
      for (const { path, trouble } of found.troubles) if (isNamed || !isIgnored(path)) onTrouble(trouble, path);
      for (const file of isNamed ? found.files : found.files.filter(one => !isIgnored(one)).toSorted()) add(file);
    } catch (error) {
      onTrouble(error, null);
    }
  }
  return [...files.values()];
}
