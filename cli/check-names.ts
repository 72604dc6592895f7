/** The checks by name: those of the rule sets, and the findings of loading. */
import { checks } from '../analyzer/checks/index.js';
import type { Severity } from '../analyzer/model/diagnostic.js';
import { loadChecks } from '../analyzer/model/load-checks.js';
import { didYouMean } from '../analyzer/model/suggest.js';
import { Trouble } from './trouble.js';

export const levels = ['off', 'info', 'warning', 'error'] as const satisfies readonly (Severity | 'off')[];
export type Level = (typeof levels)[number];

export const checkNames: readonly string[] = [...checks.map(check => check.name), ...Object.keys(loadChecks)];

export function unknownCheckMessage(name: string): string {
  return `there is no check ${name}: ${didYouMean(name, checkNames) ?? 'iptables-lint checks lists them all'}`;
}

export function unknownCheck(name: string): Trouble {
  return new Trouble(unknownCheckMessage(name));
}

function isLevel(word: string | undefined): word is Level {
  return levels.some(level => level === word);
}

/** `NAME=LEVEL` words to levels by name; a later word wins. */
export function parseCheckLevels(words: readonly string[] = []): Readonly<Record<string, Level>> {
  const entries = words.map(word => {
    const [name = '', level] = word.split('=', 2);
    if (!checkNames.includes(name)) throw unknownCheck(name);
    if (!isLevel(level)) throw new Trouble(`--check ${word}: write --check ${name}=LEVEL with one of ${levels.join(', ')}`);
    return [name, level] as const;
  });
  return Object.fromEntries(entries);
}
