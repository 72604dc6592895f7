/** How each file is to be linted: what the configuration says of it, and over that what the command line says. */
import { resolve } from 'node:path';
import type { AnalyzeOptions } from '../analyzer/examine.js';
import type { SourceText } from '../grammar/source-text.js';
import { hostOf, siblingOf } from './analysis-options.js';
import { knownChecks, parseCheckLevels } from './check-names.js';
import { findConfig } from './config/find-config.js';
import type { ConfigLayer } from './config/read-config.js';
import { loadOptions, type LintOptions } from './options.js';
import { usePlugins } from './plugins.js';
import { debug } from './trouble.js';
import type { FailLevel } from './words.js';

export interface LintPlan {
  readonly failOn: FailLevel;
  /** Whether a file that was found in a folder is left alone. */
  readonly isIgnored: (path: string) => boolean;
  /** `files`: all that are linted, among which may be the other half of its host. */
  readonly optionsFor: (source: SourceText, files: readonly string[]) => Promise<AnalyzeOptions>;
}

type HostOption = Pick<AnalyzeOptions, 'host'>;

/** Hosts by path, each read once. */
function hosts(): (path: string | undefined) => Promise<HostOption> {
  const read = new Map<string | undefined, Promise<HostOption>>();
  return async path => {
    const known = read.get(path) ?? hostOf(path);
    read.set(path, known);
    return known;
  };
}

/** What the command line says of all files. */
function said({ persona, plugin, showGenerated, suppressions }: LintOptions): AnalyzeOptions {
  return { ...plugin === undefined ? {} : { checks: knownChecks() }, ...persona === undefined ? {} : { persona }, showGenerated, suppressions };
}

/** Without a configuration: the command line alone. */
function plainPlan(options: LintOptions): LintPlan {
  const severities = parseCheckLevels(options.check);
  const hostAt = hosts();
  return {
    failOn: options.failOn ?? 'warning',
    isIgnored: () => false,
    optionsFor: async ({ path }, files) => ({
      ...loadOptions(options), ...await hostAt(options.host), ...await siblingOf(path, files, options.maxSize), severities, ...said(options),
    }),
  };
}

async function configuredPlan(layers: readonly ConfigLayer[], options: LintOptions): Promise<LintPlan> {
  const { configForFile, configuredSibling, isIgnored, settingsOf } = await import('./config/for-file.js');
  const severities = parseCheckLevels(options.check);
  const hostAt = hosts();
  return {
    failOn: options.failOn ?? layers.findLast(({ config }) => config['fail-on'] !== undefined)?.config['fail-on'] ?? 'warning',
    isIgnored: path => {
      const ignored = isIgnored(layers, path);
      if (ignored) debug(() => `${path}: left alone, as the configuration says`);
      return ignored;
    },
    optionsFor: async ({ path }, files) => {
      const config = configForFile(layers, path);
      const { input = config.input, family = config.family, backend = config.backend, persona = config.persona, host = config.host } = options;
      return {
        ...loadOptions({ ...options, ...input && { input }, ...family && { family }, ...backend && { backend } }),
        ...await hostAt(host), ...await siblingOf(path, files, options.maxSize, configuredSibling(layers, resolve(path))),
        severities: { ...config.checks, ...severities }, settings: settingsOf(config), requireReason: config['require-reason'], ...said({ ...options, ...persona && { persona } }),
      };
    },
  };
}

/** Loads the plugins, and reads the configuration that holds here, if there is one. */
export async function lintPlan(options: LintOptions): Promise<LintPlan> {
  await usePlugins(options.plugin);
  const path = options.config === false ? undefined : typeof options.config === 'string' ? options.config : await findConfig();
  debug(() => path === undefined ? 'no configuration' : `configuration: ${path}`);
  if (path === undefined) return plainPlan(options);
  const { readConfig } = await import('./config/read-config.js');
  const layers = await readConfig(path, options.color);
  for (const layer of layers.slice(0, -1)) debug(() => `it builds on ${layer.path}`);
  return configuredPlan(layers, options);
}
