/** Hosts as `iptables-lint collect` wrote them: all of a host in one file, or its facts beside its rule files. */
import { basename, dirname, join } from 'node:path';
import type { HostDescription } from '../../analyzer/netfilter/host/host.js';
import type { SourceText } from '../../grammar/source-text.js';
import { Trouble } from '../trouble.js';
import type { LintSettings } from './linted.js';

/** In folders, files of these names are hosts. Shown by `--help`. */
export const hostFilePatterns = ['host.json', '*.host.json'] as const;

/** Where the facts about the host of a rule file may stand: `web1.host.json` for `web1.rules`, `host.json` for all of its folder. */
export function hostFilesFor(path: string): readonly string[] {
  const stem = basename(path).replace(/\.[^.]+$/u, '');
  return [`${stem}.host.json`, 'host.json'].map(name => join(dirname(path), name));
}

/** By its name. */
export function isHostFile(path: string): boolean {
  return /(?:^|[./\\])host\.json$/u.test(path);
}

/** Without host files that have rule files beside them: those are linted, and the host says what is known of them. `files`: what was found in a folder. */
export function withoutFacts(files: readonly string[]): readonly string[] {
  const facts = new Set(files.filter(file => !isHostFile(file)).flatMap(hostFilesFor));
  return files.filter(file => !isHostFile(file) || !facts.has(join(file)));
}

/** No rule file begins like that. */
export function isHostText(text: string): boolean {
  return /^\s*\{/u.test(text);
}

/** A rule set of a host. */
export interface CollectedRules {
  readonly source: SourceText;
  readonly settings: Pick<LintSettings, 'host' | 'format' | 'family' | 'backend' | 'sibling'>;
}

/** Only what checks may ask of a host: that two differ in when they were collected does not matter. */
export function factsOf({ ruleSets, collected, versions, problems, ...facts }: HostDescription): HostDescription {
  return facts;
}

/** The rule sets of a host, each named by its family and backend: `web1.host.json#ipv4-nft`. @throws {Trouble} where there are none */
export function rulesOf(path: string, host: HostDescription): readonly CollectedRules[] {
  const { ruleSets = [], problems = [] } = host;
  if (ruleSets.length === 0) throw new Trouble(`${path} holds no rule sets${problems.length === 0 ? '; rules are collected by root' : `: ${problems.join('; ')}`}`);
  const sources = ruleSets.map(({ family, backend, text }): SourceText => ({ path: `${path}#${family}-${backend}`, text }));
  return ruleSets.flatMap(({ family, backend }, index) => {
    const source = sources[index];
    const sibling = sources[ruleSets.findIndex(other => other.family !== family && other.backend === backend)];
    return source === undefined ? [] : [{ source, settings: { host: factsOf(host), format: 'save', family, backend, ...sibling === undefined ? {} : { sibling } } }];
  });
}
