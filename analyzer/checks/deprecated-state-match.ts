import type { OptionNode } from '../../grammar/syntax.js';
import { BuiltInOption, ExtensionOption } from '../extensions/option-scope.js';
import type { Fix } from '../finding.js';
import { isOpaque, type Rule, type Ruleset } from '../model/ruleset.js';
import { ruleOptions } from '../model/spans.js';
import type { RuleAt } from '../packet-space/answers.js';
import { defineCheck, type Report } from './define-check.js';
import { ownerOf } from './shared/owners.js';

function usesState(rule: Rule): boolean {
  return rule.matches.some(use => !isOpaque(use) && use.definition.name === 'state');
}

function isStateWord(option: OptionNode): boolean {
  if (option.shape instanceof ExtensionOption) return option.shape.extension.name === 'state';
  return option.shape instanceof BuiltInOption && option.shape.key === 'm' && option.args[0]?.text === 'state';
}

/** `-m conntrack --ctstate …` in place of `-m state --state …`, where the two options stand side by side. */
function fixOf(options: readonly OptionNode[]): Fix | undefined {
  const words = options.filter(isStateWord);
  const [load, states] = words;
  if (words.length !== 2 || load === undefined || states === undefined || options.indexOf(states) !== options.indexOf(load) + 1) return undefined;
  const list = states.args[0]?.text ?? '';
  return {
    description: 'use the conntrack match', safety: 'safe',
    edits: [{ span: { start: load.start, end: states.end }, text: `-m conntrack ${states.bang === undefined ? '' : '! '}--ctstate ${list}` }],
  };
}

function spanOf(ruleset: Ruleset, rule: Rule): { readonly span: { start: number; end: number }; readonly fix: Fix | undefined } {
  const options = ruleOptions(ruleset, rule);
  const words = options.filter(isStateWord);
  const span = { start: words[0]?.start ?? rule.start, end: words.at(-1)?.end ?? rule.end };
  // What a variable says stays said by the variable.
  return { span, fix: ruleset.source.text.slice(span.start, span.end).includes('$') ? undefined : fixOf(options) };
}

/** One finding for the rules of a chain: at the first of them. */
function* report(ruleset: Ruleset, group: readonly RuleAt[]): Generator<Report, void> {
  const [at] = group;
  if (at === undefined) return;
  const places = group.map(one => spanOf(ruleset, one.rule));
  const fixes = places.flatMap(({ fix }) => fix ?? []);
  const [fix] = fixes;
  yield {
    at, span: places[0]?.span ?? { start: at.rule.start, end: at.rule.end },
    alike: group.length, message: `\`-m state\` is deprecated: it is an alias of \`-m conntrack\`${group.length === 1 ? '' : `; ${String(group.length)} rules of this chain have it`}`,
    help: fix === undefined ? 'write -m conntrack --ctstate … instead' : `write \`${fix.edits[0]?.text ?? ''}\``,
    ...fix === undefined ? {} : { fix: { ...fix, edits: fixes.flatMap(({ edits }) => edits).sort((a, b) => a.span.start - b.span.start) } },
  };
}

export const deprecatedStateMatch = defineCheck({
  name: 'deprecated-state-match',
  kind: 'hygiene',
  severity: 'info',
  summary: '`-m state` is the old name of `-m conntrack`',
  why: `The state match was replaced by conntrack in 2.6; today it is a mere alias, kept for old rule files. Its
successor says the same (--ctstate for --state) and more: direction, status, the original addresses.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "was -m state --state NEW" -j ACCEPT
COMMIT
`,
  * run({ ruleset, rules }) {
    for (const table of ruleset.tables.values()) {
      const groups = new Map<string, RuleAt[]>();
      for (const at of rules(table)) {
        if (!usesState(at.rule)) continue;
        const key = `${at.chain} ${ownerOf(ruleset, at) ?? ''}`;
        const known = groups.get(key);
        if (known === undefined) groups.set(key, [at]);
        else known.push(at);
      }
      for (const group of groups.values()) yield* report(ruleset, group);
    }
  },
});
