/** Reads a configuration, and those that it builds on. Nothing in it is executed. */
import { dirname, resolve } from 'node:path';
import { readYaml, type YamlPath } from '../../analyzer/model/read-yaml.js';
import type { SourceText } from '../../grammar/source-text.js';
import { readSource } from '../read-source.js';
import { problemFrames, type Problem } from '../tell-problems.js';
import { Trouble } from '../trouble.js';
import { configSchema, type Config } from './schema.js';

/** What one file says; its paths and globs are meant from its own folder. */
export interface ConfigLayer {
  readonly path: string;
  readonly folder: string;
  readonly config: Config;
  /** To be thrown where something that it names, at this path in it, is wrong. */
  readonly refused: (message: string, at: YamlPath) => Trouble;
}

/** More files than this build on each other by mistake. */
const mostLayers = 50;

/** What is wrong with the source, and where. */
function refusal(source: SourceText, problems: readonly Problem[], color: boolean | undefined): Trouble {
  return new Trouble(`${source.path} is no configuration: repair the errors above first; docs/config.md has all keys`, { frame: problemFrames(source, problems, color) });
}

/** `above`: what builds on it, by their whole paths. */
async function layersOf(source: SourceText, color: boolean | undefined, above: readonly string[]): Promise<readonly ConfigLayer[]> {
  const read = readYaml(configSchema, source.text);
  if (read.kind === 'wrong') throw refusal(source, read.problems, color);
  const refused = (message: string, at: YamlPath): Trouble => refusal(source, [{ message, span: read.spanAt(at) }], color);
  const layer = { path: source.path, folder: dirname(source.path), config: read.value, refused };
  const here = [...above, source.path];
  const layers: ConfigLayer[] = [];
  for (const [index, base] of (layer.config.extends ?? []).entries()) {
    const path = resolve(layer.folder, base);
    const at = ['extends', index];
    if (here.includes(path)) throw refused(`it builds on itself: ${[...here, path].join(' extends ')}`, at);
    if (here.length > mostLayers) throw refused('too many files build on each other', at);
    const below = await readSource(path).catch((error: unknown) => { throw error instanceof Trouble ? refused(error.message, at) : error; });
    layers.push(...await layersOf(below, color, here));
  }
  return [...layers, layer];
}

/**
 * The layers of a configuration, those that are built on first.
 * @throws Trouble where a file cannot be read, is wrong, or builds on itself.
 */
export async function readConfig(path: string, color?: boolean): Promise<readonly ConfigLayer[]> {
  return layersOf(await readSource(resolve(path)), color, []);
}
