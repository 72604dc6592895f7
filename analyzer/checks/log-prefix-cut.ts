import type { OptionNode } from '../../grammar/syntax.js';
import type { AnyOption } from '../extensions/define.js';
import { ExtensionOption } from '../extensions/option-scope.js';
import type { Rule, Ruleset } from '../model/ruleset.js';
import { ruleOptions } from '../model/spans.js';
import type { RuleAt } from '../packet-space/answers.js';
import { defineCheck, referenceOf } from './define-check.js';
import { othersTold } from './shared/the-same.js';

interface Cut {
  readonly at: RuleAt;
  readonly option: OptionNode;
  readonly bytes: number;
  readonly kept: string;
  readonly keeps: number;
}

/** What a target that logs has as text of full length: whether it was longer only the file says. */
function fullText({ family, backend }: Ruleset, { target }: Rule): { readonly key: string; readonly kept: string; readonly keeps: number } | undefined {
  if (target.kind !== 'extension' || target.use.definition.logs !== true) return undefined;
  const options = target.use.definition.options as Readonly<Record<string, AnyOption>>;
  for (const [key, { value }] of Object.entries(options)) {
    const kept = target.use.given[key]?.value;
    const keeps = value.keeps?.({ family, backend, protocol: undefined });
    if (typeof kept === 'string' && keeps !== undefined && Buffer.byteLength(kept) >= keeps) return { key, kept, keeps };
  }
  return undefined;
}

function cutIn(ruleset: Ruleset, at: RuleAt): Cut | undefined {
  const full = fullText(ruleset, at.rule);
  const option = full === undefined ? undefined : ruleOptions(ruleset, at.rule).find(({ shape }) => shape instanceof ExtensionOption && shape.key === full.key);
  const bytes = Buffer.byteLength(option?.args[0]?.text ?? '');
  return full === undefined || option === undefined || bytes <= full.keeps ? undefined : { at, option, bytes, ...full };
}

export const logPrefixCut = defineCheck({
  name: 'log-prefix-cut',
  kind: 'hygiene',
  severity: 'info',
  summary: 'The prefix of a log line is longer than what the kernel keeps of it',
  why: `Of \`--log-prefix\` 29 bytes are kept, of \`--nflog-prefix\` 63 by iptables-legacy and 127 by iptables-nft, and the rest is cut without a word: the colon and the blank
that were to end it are gone, so that what follows is glued to it, programs that look for the whole text in the log find nothing, and two prefixes that differ at their ends become one.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -m limit --limit 3/min -j LOG --log-prefix "[iptables] dropped in INPUT: "
-A INPUT -m limit --limit 3/min -j LOG --log-prefix "[iptables] this was dropped in INPUT: "
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -m limit --limit 3/min -j LOG --log-prefix "dropped in INPUT: "
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -m limit --limit 3/min -j NFLOG --nflog-prefix "[iptables] this was dropped in INPUT: "
COMMIT
`,
  * run({ ruleset, rules }) {
    for (const table of ruleset.tables.values()) {
      const [first, ...others] = [...rules(table)].flatMap(at => cutIn(ruleset, at) ?? []);
      if (first === undefined) continue;
      const { at, option, bytes, kept, keeps } = first;
      yield {
        at, span: { start: option.start, end: option.end }, alike: others.length + 1,
        message: `the prefix has ${String(bytes)} bytes, and of these ${String(keeps)} are kept: it is written as \`${kept}\`${others.length === 0 ? '' : `; so it is with ${String(others.length)} more`}`,
        because: others.slice(0, othersTold).map(one => ({ rule: referenceOf(one.at), line: one.at.rule.line, message: `is written as \`${one.kept}\`` })),
        help: `shorten ${others.length === 0 ? 'it' : 'them'} to ${String(keeps)} bytes`,
      };
    }
  },
});
