/** `iptables-lint config print|check` */
import { stringify } from 'yaml';
import { isThere } from '../is-there.js';
import type { PluginOptions } from '../options.js';
import { usePlugins } from '../plugins.js';
import { print } from '../streams.js';
import { hostFrom } from '../trace/read-inputs.js';
import { reportTrouble, Trouble } from '../trouble.js';
import { configNames, findConfig } from './find-config.js';
import { configForFile, configuredSibling, hostsOf, isIgnored, pairsOf } from './for-file.js';
import { readConfig, type ConfigLayer } from './read-config.js';

function pathOrNearest(path: string | undefined): string {
  const found = path ?? findConfig();
  if (found === undefined) throw new Trouble(`no configuration: neither here nor in a folder above is an ${configNames[0]}; iptables-lint init writes one`);
  return found;
}

/** What the configuration says of a file that is no key of it. */
function remarks(layers: readonly ConfigLayer[], file: string): string {
  const sibling = configuredSibling(layers, file);
  return `${sibling === undefined ? '' : `# the rules of the other family: ${sibling}\n`}${isIgnored(layers, file) ? '# left alone where it is not named itself (ignore)\n' : ''}`;
}

/** What holds for a file, all layers put together. */
export async function configPrint(file: string | undefined, { config, color, plugin }: { readonly config?: string; readonly color?: boolean } & PluginOptions): Promise<void> {
  await usePlugins(plugin);
  const layers = await readConfig(pathOrNearest(config), color);
  const said = file === undefined ? layers.map(({ path }) => `# ${path}\n`).join('') : `# for ${file}, from ${layers.map(({ path }) => path).join(', ')}\n`;
  const { host, ...rest } = configForFile(layers, file ?? '');
  const failOn = layers.findLast(layer => layer.config['fail-on'] !== undefined)?.config['fail-on'];
  const all = { ...failOn === undefined ? {} : { 'fail-on': failOn }, ...rest, ...host === undefined ? {} : { host } };
  await print(`${said}${file === undefined ? '' : remarks(layers, file)}${Object.keys(all).length === 0 ? '# it says nothing\n' : stringify(all)}`);
}

/** @throws {Trouble} where a host that it names is none, or a file of a pair is not there, or both are one */
async function mustHaveFiles(layer: ConfigLayer): Promise<void> {
  for (const { ipv4, ipv6, at } of pairsOf(layer)) {
    if (ipv4 === ipv6) throw layer.refused('a pair of one file: IPv4 and IPv6 are in two', at);
    for (const [key, path] of Object.entries({ ipv4, ipv6 })) if (!isThere(path)) throw layer.refused(`there is no ${path}`, [...at, key]);
  }

  for (const { path, at } of hostsOf(layer)) {
    await hostFrom(path).catch((error: unknown) => { throw error instanceof Trouble ? layer.refused(error.message, at) : error; });
  }
}

/** Whether configurations, and the hosts that they name, can be read, and their pairs are there; what is wrong is told, with its place. */
export async function configCheck(paths: readonly string[], { color, plugin }: { readonly color?: boolean } & PluginOptions): Promise<void> {
  await usePlugins(plugin);
  for (const path of paths.length > 0 ? paths : [pathOrNearest(undefined)]) {
    try {
      const layers = await readConfig(path, color);
      for (const layer of layers) await mustHaveFiles(layer);
      await print(`${path} is right${layers.length > 1 ? `, with ${String(layers.length - 1)} that it builds on` : ''}\n`);
    } catch (error) {
      reportTrouble(error);
    }
  }
}
