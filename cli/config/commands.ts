/** `iptables-lint config print|check` */
import { stringify } from 'yaml';
import type { PluginOptions } from '../options.js';
import { usePlugins } from '../plugins.js';
import { print } from '../streams.js';
import { hostFrom } from '../trace/read-inputs.js';
import { reportTrouble, Trouble } from '../trouble.js';
import { configNames, findConfig } from './find-config.js';
import { configForFile, hostsOf } from './for-file.js';
import { readConfig, type ConfigLayer } from './read-config.js';

function pathOrNearest(path: string | undefined): string {
  const found = path ?? findConfig();
  if (found === undefined) throw new Trouble(`no configuration: neither here nor in a folder above is an ${configNames[0]}; iptables-lint init writes one`);
  return found;
}

/** What holds for a file, all layers put together. */
export async function configPrint(file: string | undefined, { config, color, plugin }: { readonly config?: string; readonly color?: boolean } & PluginOptions): Promise<void> {
  await usePlugins(plugin);
  const layers = await readConfig(pathOrNearest(config), color);
  const said = file === undefined ? layers.map(({ path }) => `# ${path}\n`).join('') : `# for ${file}, from ${layers.map(({ path }) => path).join(', ')}\n`;
  const { host, ...rest } = configForFile(layers, file ?? '');
  const failOn = layers.findLast(layer => layer.config['fail-on'] !== undefined)?.config['fail-on'];
  const all = { ...failOn === undefined ? {} : { 'fail-on': failOn }, ...rest, ...host === undefined ? {} : { host } };
  await print(`${said}${Object.keys(all).length === 0 ? '# it says nothing\n' : stringify(all)}`);
}

/** @throws {Trouble} where a host that it names is none */
async function mustHaveHosts(layer: ConfigLayer): Promise<void> {
  for (const { path, at } of hostsOf(layer)) {
    await hostFrom(path).catch((error: unknown) => { throw error instanceof Trouble ? layer.refused(error.message, at) : error; });
  }
}

/** Whether configurations, and the hosts that they name, can be read; what is wrong is told, with its place. */
export async function configCheck(paths: readonly string[], { color, plugin }: { readonly color?: boolean } & PluginOptions): Promise<void> {
  await usePlugins(plugin);
  for (const path of paths.length > 0 ? paths : [pathOrNearest(undefined)]) {
    try {
      const layers = await readConfig(path, color);
      for (const layer of layers) await mustHaveHosts(layer);
      await print(`${path} is right${layers.length > 1 ? `, with ${String(layers.length - 1)} that it builds on` : ''}\n`);
    } catch (error) {
      reportTrouble(error);
    }
  }
}
