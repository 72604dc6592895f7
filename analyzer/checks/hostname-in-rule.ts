import { BuiltInOption } from '../extensions/option-scope.js';
import { isUnresolved, type Rule } from '../model/ruleset.js';
import { optionSpan } from '../model/spans.js';
import { defineCheck } from './define-check.js';

function nameIn(given: Rule['source']): string | undefined {
  return given !== undefined && isUnresolved(given.value) ? given.value.name : undefined;
}

export const hostnameInRule = defineCheck({
  name: 'hostname-in-rule',
  kind: 'hygiene',
  severity: 'warning',
  replaces: 'unresolved-name',
  summary: 'A host is named in place of its address',
  why: `iptables looks a name up once, when the rule is loaded, and keeps the addresses that it gets. At boot the name
service is often not up yet, or needs a network that these very rules are to open: then the whole table fails to load, and
the host stands there without it. Later the name may mean another address, and the rule does not. Whoever answers for the
name decides whom the rule lets in. For analysis nothing is known of such an address, so the rule may match anything.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s admin.example.net -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.14/32 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.14/32 -p tcp -m tcp --dport 22 -m comment --comment "admin.example.net" -j ACCEPT
COMMIT
`,
  * run({ ruleset, rules }) {
    for (const table of ruleset.tables.values()) for (const at of rules(table)) for (const [key, given] of [['s', at.rule.source], ['d', at.rule.destination]] as const) {
      const name = nameIn(given);
      if (name === undefined) continue;
      yield {
        at, span: optionSpan(ruleset, at.rule, ({ shape }) => shape instanceof BuiltInOption && shape.key === key),
        message: `\`${name}\` is looked up when the rule is loaded, and only then; at boot there may be nobody to ask`,
        help: 'write the address, or fill an ipset from a service that looks the name up again and again',
      };
    }
  },
});
