/** The checks by name: those of the rule sets, and the findings of loading. */
import type { Check } from '../analyzer/checks/define-check.js';
import { checks } from '../analyzer/checks/index.js';
import type { Severity } from '../analyzer/model/diagnostic.js';
import { loadChecks } from '../analyzer/model/load-checks.js';
import { didYouMean } from '../analyzer/model/suggest.js';
import { Trouble } from './trouble.js';

export const levels = ['off', 'info', 'warning', 'error'] as const satisfies readonly (Severity | 'off')[];
export type Level = (typeof levels)[number];

let known: readonly Check[] = checks;

/** Those of the program, and of its plugins once they are loaded. */
export function knownChecks(): readonly Check[] {
  return known;
}

export function pluginChecks(): readonly Check[] {
  return known.slice(checks.length);
}

/** What plugins brought, in place of what others brought before. */
export function learnChecks(more: readonly Check[]): void {
  known = [...checks, ...more];
}

export function checkNames(): readonly string[] {
  return [...known.map(check => check.name), ...Object.keys(loadChecks)];
}

export function unknownCheckMessage(name: string): string {
  const help = name.includes('/') ? 'say --plugin FILE with the plugin that has it' : 'iptables-lint checks lists them all';
  return `there is no check ${name}: ${didYouMean(name, checkNames()) ?? help}`;
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
    if (!checkNames().includes(name)) throw unknownCheck(name);
    if (!isLevel(level)) throw new Trouble(`--check ${word}: write --check ${name}=LEVEL with one of ${levels.join(', ')}`);
    return [name, level] as const;
  });
  return Object.fromEntries(entries);
}
