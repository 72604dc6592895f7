/** Modules with checks: imported, and held against what a check must be. */
import { access } from 'node:fs/promises';
import * as nodeModule from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import type { Check } from '../analyzer/checks/define-check.js';
import { importModule } from './import-module.js';
import { debug, reportTrouble, systemCause, Trouble } from './trouble.js';
import { checkSchema } from './plugins/check-schema.js';
import { guarded } from './plugins/guarded.js';

/** This program's library, beside the folder of this file, bundled or not; wherever the plugin is: `import … from 'iptables-lint'` in a plugin means this one. */
const library = new URL('../index.js', import.meta.url).href;

const resolver = `export const resolve = (name, cx, next) => name === 'iptables-lint' ? { url: ${JSON.stringify(library)}, shortCircuit: true } : next(name, cx);`;

let isResolving = false;

function resolveLibrary(): void {
  if (!isResolving) nodeModule.register(`data:text/javascript,${encodeURIComponent(resolver)}`);
  isResolving = true;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).split('\n', 1)[0] ?? '';
}

/** ` in line 7`, where the error came from this module; else nothing. Of errors of syntax only Node itself shows the place. */
function lineOf(error: unknown, url: string): string {
  const [, behind = ''] = error instanceof Error ? (error.stack ?? '').split(`${url}:`) : [];
  const [line] = /^\d+/u.exec(behind) ?? [];
  return line === undefined ? '' : ` in line ${line}`;
}

async function imported(path: string): Promise<unknown> {
  try {
    await access(path);
  } catch (error) {
    throw new Trouble(`--plugin ${path}: ${systemCause(error)}`, { cause: error });
  }
  const url = pathToFileURL(resolve(path)).href;
  const unsettled = (): void => { reportTrouble(new Trouble(`--plugin ${path}: it cannot be loaded: it waits for what never comes`)); };
  process.once('exit', unsettled);
  try {
    return (await importModule(url) as { readonly default?: unknown }).default;
  } catch (error) {
    throw new Trouble(`--plugin ${path}: it cannot be loaded${lineOf(error, url)}: ${firstLine(error)}; it must be an ES module, as docs/plugins.md shows${error instanceof Error && error.name === 'SyntaxError' ? `; node ${path} shows where` : ''}`, { cause: error });
  } finally {
    process.off('exit', unsettled);
  }
}

function checkOf(path: string, value: unknown): Check {
  const read = v.safeParse(checkSchema, value, { abortEarly: true });
  if (read.success) return value as Check;
  const [issue] = read.issues;
  const name: unknown = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
  throw new Trouble(`--plugin ${path}: ${typeof name === 'string' ? `the check ${name}` : 'what it exports'} is no check: ${/^(?:must|`)/u.test(issue.message) ? `${v.getDotPath(issue) ?? 'it'} ` : ''}${issue.message}; docs/plugins.md shows one`);
}

async function checksOf(path: string): Promise<readonly Check[]> {
  const value = await imported(path);
  if (value === undefined) throw new Trouble(`--plugin ${path}: it has no default export: write export default defineCheck({…}), or a list of them`);
  return (Array.isArray(value) ? value : [value]).map(one => checkOf(path, one));
}

/**
 * The checks of these files, in their order; the same file twice counts once.
 * @throws {Trouble} where one cannot be loaded, exports something else, or two have a check of one name
 */
export async function loadPlugins(paths: readonly string[]): Promise<readonly Check[]> {
  resolveLibrary();
  const owners = new Map<string, string>();
  const checks: Check[] = [];
  for (const path of new Map(paths.map(one => [resolve(one), one])).values()) {
    for (const check of await checksOf(path)) {
      const other = owners.get(check.name);
      if (other !== undefined) throw new Trouble(`--plugin ${path}: there is a check ${check.name} already, in ${other}: rename one of the two`);
      owners.set(check.name, path);
      debug(() => `plugin ${path}: ${check.name}`);
      checks.push(guarded(check));
    }
  }
  return checks;
}
