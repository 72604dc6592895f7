/** How each file is to be linted: what the configuration says of it, and over that what the command line says. */
import { resolve } from 'node:path';
import { hostBeside, hostOf, siblingOf } from './analysis-options.js';
import { parseCheckLevels } from './check-names.js';
import { findConfig } from './config/find-config.js';
import type { ConfigLayer } from './config/read-config.js';
import type { LintSettings } from './lint/linted.js';
import { loadOptions, type LintOptions } from './options.js';
import { usePlugins } from './plugins.js';
import { Recent } from './recent.js';
import type { SiblingOf } from './siblings.js';
import { debug } from './trouble.js';
import type { FailLevel } from './words.js';

export interface LintPlan {
  readonly failOn: FailLevel;
  /** Files that are named to be read, beside those that are linted. */
  readonly inputs: readonly string[];
  /** Whether a file that was found in a folder is left alone. */
  readonly isIgnored: (path: string) => boolean;
  /** For a file with this path; `siblings` knows all that are linted, among which may be the other half of its host. */
  readonly settingsFor: (path: string, siblings: SiblingOf) => Promise<LintSettings>;
}

type HostOption = Pick<LintSettings, 'host'>;

/** So many hosts are kept: one that is given for many files is read once. */
const mostHosts = 16;

function hosts(): (path: string | undefined) => Promise<HostOption> {
  const read = new Recent<string | undefined, Promise<HostOption>>(mostHosts);
  return path => read.get(path, () => hostOf(path));
}

/** What the command line says of all files. */
function said({ persona, plugin, showGenerated, suppressions }: LintOptions): LintSettings {
  return { ...plugin === undefined ? {} : { plugins: plugin }, ...persona === undefined ? {} : { persona }, showGenerated, suppressions };
}

function filesIn({ host, plugin = [], baseline }: LintOptions): readonly string[] {
  return [host, ...plugin, baseline].filter(one => one !== undefined);
}

/** Without a configuration: the command line alone. */
function plainPlan(options: LintOptions): LintPlan {
  const severities = parseCheckLevels(options.check);
  const hostAt = hosts();
  return {
    failOn: options.failOn ?? 'warning',
    inputs: filesIn(options),
    isIgnored: () => false,
    settingsFor: async (path, siblings) => ({
      ...loadOptions(options), ...await hostAt(options.host ?? hostBeside(path)), ...await siblingOf(path, siblings, options.maxSize), severities, ...said(options),
    }),
  };
}

async function configuredPlan(layers: readonly ConfigLayer[], options: LintOptions): Promise<LintPlan> {
  const { configForFile, configuredSibling, filesOf, isIgnored, settingsOf } = await import('./config/for-file.js');
  const severities = parseCheckLevels(options.check);
  const hostAt = hosts();
  return {
    failOn: options.failOn ?? layers.findLast(({ config }) => config['fail-on'] !== undefined)?.config['fail-on'] ?? 'warning',
    inputs: [...filesIn(options), ...layers.flatMap(filesOf)],
    isIgnored: path => {
      const ignored = isIgnored(layers, path);
      if (ignored) debug(() => `${path}: left alone, as the configuration says`);
      return ignored;
    },
    settingsFor: async (path, siblings) => {
      const config = configForFile(layers, path);
      const { input = config.input, family = config.family, backend = config.backend, persona = config.persona, host = config.host } = options;
      return {
        ...loadOptions({ ...options, ...input && { input }, ...family && { family }, ...backend && { backend } }),
        ...await hostAt(host ?? hostBeside(path)), ...await siblingOf(path, siblings, options.maxSize, configuredSibling(layers, resolve(path))),
        severities: { ...config.checks, ...severities }, settings: settingsOf(config), requireReason: config['require-reason'], ...said({ ...options, ...persona && { persona } }),
      };
    },
  };
}

/** Loads the plugins, and reads the configuration that holds here, if there is one. */
export async function lintPlan(options: LintOptions): Promise<LintPlan> {
  await usePlugins(options.plugin);
  const path = options.config === false ? undefined : typeof options.config === 'string' ? options.config : findConfig();
  debug(() => path === undefined ? 'no configuration' : `configuration: ${path}`);
  if (path === undefined) return plainPlan(options);
  const { readConfig } = await import('./config/read-config.js');
  const layers = await readConfig(path, options.color);
  for (const layer of layers.slice(0, -1)) debug(() => `it builds on ${layer.path}`);
  return configuredPlan(layers, options);
}
