/** What a configuration says of one file. */
import { relative, resolve } from 'node:path';
import picomatch from 'picomatch';
import type { Settings } from '../../analyzer/checks/settings.js';
import type { YamlPath } from '../../analyzer/model/read-yaml.js';
import type { ConfigLayer } from './read-config.js';
import { takesOut, type FileConfig } from './schema.js';

function merged(base: FileConfig, over: FileConfig): FileConfig {
  return {
    ...base, ...over,
    ...base.checks === undefined && over.checks === undefined ? {} : { checks: { ...base.checks, ...over.checks } },
    ...base.management === undefined && over.management === undefined ? {} : { management: { ...base.management, ...over.management } },
  };
}

/** Whether one of the globs has the path, and none with `!` takes it out again. */
function matches(folder: string, globs: readonly string[], path: string): boolean {
  const ignore = globs.filter(takesOut).map(glob => glob.slice(1));
  return picomatch.isMatch(relative(folder, resolve(path)), globs.filter(glob => !takesOut(glob)), { dot: true, ignore });
}

/** What one file says of all files; its host file by its whole path. */
function general({ folder, config }: ConfigLayer): FileConfig {
  const { $schema, extends: bases, ignore, 'fail-on': failOn, siblings, overrides, ...entries } = config;
  return located(folder, entries);
}

function located(folder: string, config: FileConfig): FileConfig {
  return config.host === undefined ? config : { ...config, host: resolve(folder, config.host) };
}

/** Later layers go before earlier ones, and what is said of some files before what is said of all. */
export function configForFile(layers: readonly ConfigLayer[], path: string): FileConfig {
  const overrides = layers.flatMap(({ folder, config }) => (config.overrides ?? [])
    .filter(({ files }) => matches(folder, files, path))
    .map(({ files, ...entries }) => located(folder, entries)));
  return [...layers.map(general), ...overrides].reduce(merged, {});
}

/** Whether the file is left out when its folder is linted. */
export function isIgnored(layers: readonly ConfigLayer[], path: string): boolean {
  return layers.some(({ folder, config }) => matches(folder, config.ignore ?? [], path));
}

/** The host files that it names, by their whole paths, and where in it. */
export function hostsOf({ folder, config: { host, overrides = [] } }: ConfigLayer): readonly { readonly path: string; readonly at: YamlPath }[] {
  const named = [{ host, at: ['host'] }, ...overrides.map((one, index) => ({ host: one.host, at: ['overrides', index, 'host'] }))];
  return named.flatMap(({ host: path, at }) => path === undefined ? [] : [{ path: resolve(folder, path), at }]);
}

/** The pairs that it names, by their whole paths, and where in it. */
export function pairsOf({ folder, config: { siblings = [] } }: ConfigLayer): readonly { readonly ipv4: string; readonly ipv6: string; readonly at: YamlPath }[] {
  return siblings.map(({ ipv4, ipv6 }, index) => ({ ipv4: resolve(folder, ipv4), ipv6: resolve(folder, ipv6), at: ['siblings', index] }));
}

/** The files that are read for it, itself among them, by their whole paths. */
export function filesOf(layer: ConfigLayer): readonly string[] {
  return [layer.path, ...hostsOf(layer).map(host => host.path), ...pairsOf(layer).flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])];
}

/** The other file of a pair, by its whole path: of several pairs that of the last layer. */
export function configuredSibling(layers: readonly ConfigLayer[], path: string): string | undefined {
  const whole = resolve(path);
  const pair = layers.toReversed().flatMap(pairsOf).find(({ ipv4, ipv6 }) => whole === ipv4 || whole === ipv6);
  return whole === pair?.ipv4 ? pair.ipv6 : pair?.ipv4;
}

/** What checks are told. */
export function settingsOf({ management, 'trusted-interfaces': trustedInterfaces, 'needed-services': neededServices, 'conntrack-max': conntrackMax }: FileConfig): Partial<Settings> {
  return {
    ...management?.ports === undefined ? {} : { managementPorts: management.ports },
    ...management?.peers === undefined ? {} : { managementPeers: management.peers },
    ...trustedInterfaces === undefined ? {} : { trustedInterfaces },
    ...neededServices === undefined ? {} : { neededServices },
    ...conntrackMax === undefined ? {} : { conntrackMax },
  };
}
