/** Reads a configuration, and those that it builds on. Nothing in it is executed. */
import { dirname, resolve } from 'node:path';
import { readYaml } from '../../analyzer/model/read-yaml.js';
import { readSource } from '../read-source.js';
import { tellProblems } from '../tell-problems.js';
import { Trouble } from '../trouble.js';
import { configSchema, type Config } from './schema.js';

/** What one file says; its paths and globs are meant from its own folder. */
export interface ConfigLayer {
  readonly path: string;
  readonly folder: string;
  readonly config: Config;
}

/** More files than this build on each other by mistake. */
const mostLayers = 50;

async function readLayer(path: string, color: boolean | undefined): Promise<ConfigLayer> {
  const source = await readSource(path);
  const read = readYaml(configSchema, source.text);
  if (read.kind === 'read') return { path, folder: dirname(path), config: read.value };
  tellProblems(source, read.problems, color);
  throw new Trouble(`${path} is no configuration: repair the errors above first; docs/config.md has all keys`);
}

/**
 * The layers of a configuration, those that are built on first.
 * @throws Trouble where a file cannot be read, is wrong (which is told on stderr, with the place), or builds on itself.
 */
export async function readConfig(path: string, color?: boolean, above: readonly string[] = []): Promise<readonly ConfigLayer[]> {
  const absolute = resolve(path);
  if (above.includes(absolute)) throw new Trouble(`${path} builds on itself: ${[...above, absolute].join(' extends ')}`);
  if (above.length > mostLayers) throw new Trouble(`${path}: too many files build on each other`);
  const layer = await readLayer(absolute, color);
  const layers: ConfigLayer[] = [];
  for (const base of layer.config.extends ?? []) layers.push(...await readConfig(resolve(layer.folder, base), color, [...above, absolute]));
  return [...layers, layer];
}
