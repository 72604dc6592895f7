import type { Example } from '../../analyzer/extensions/define.js';
import type { Loaded } from '../../analyzer/model/load.js';
import { printRuleset } from '../../analyzer/model/print.js';
import type { Backend } from '../../analyzer/values/value.js';

/** A file with the one rule of an example. */
export function exampleFile([rule, , where]: Example): string {
  return `*${where?.table ?? 'filter'}\n-A ${where?.chain ?? 'INPUT'} ${rule}\nCOMMIT\n`;
}

/** The rules of what was loaded, as they are saved. */
export function printedRules(loaded: Loaded, backend: Backend): string[] {
  return loaded.rulesets.flatMap(ruleset => [...printRuleset({ ...ruleset, backend })].filter(line => line.startsWith('-A')));
}
