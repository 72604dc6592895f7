/** The checks by name: those of the rule sets, and the findings of loading. */
import { checks } from '../analyzer/checks/index.js';
import type { Severity } from '../analyzer/model/diagnostic.js';
import { loadChecks } from '../analyzer/model/load-checks.js';
import { didYouMean } from '../analyzer/model/suggest.js';
import { Trouble } from './trouble.js';

export type Level = Severity | 'off';
const levels: Readonly<Record<Level, true>> = { off: true, info: true, warning: true, error: true };

export const checkNames: readonly string[] = [...checks.map(check => check.name), ...Object.keys(loadChecks)];

export function unknownCheck(name: string): Trouble {
  return new Trouble(`there is no check ${name}: ${didYouMean(name, checkNames) ?? 'iptables-lint checks lists them all'}`);
}

/** `NAME=LEVEL` words to levels by name; a later word wins. */
export function parseCheckLevels(words: readonly string[] = []): Readonly<Record<string, Level>> {
  const entries = words.map(word => {
    const [name = '', level] = word.split('=', 2);
    if (!checkNames.includes(name)) throw unknownCheck(name);
    if (level === undefined || !Object.hasOwn(levels, level)) throw new Trouble(`--check ${word}: write --check ${name}=LEVEL with one of ${Object.keys(levels).join(', ')}`);
    return [name, level as Level] as const;
  });
  return Object.fromEntries(entries);
}
