import { BuiltInOption } from '../extensions/option-scope.js';
import { isUnresolved, type Rule } from '../model/ruleset.js';
import { optionSpan } from '../model/spans.js';
import { defineCheck } from './define-check.js';

function nameIn(given: Rule['source']): string | undefined {
  return given !== undefined && isUnresolved(given.value) ? given.value.name : undefined;
}

/** Whether a name service could know it (RFC 1123, section 2.1; and `_`, which many use). A mask may stand behind. */
function canBeHost(name: string): boolean {
  return /^[\w.-]+(\/.*)?$/.test(name);
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
      const span = optionSpan(ruleset, at.rule, ({ shape }) => shape instanceof BuiltInOption && shape.key === key);
      if (!canBeHost(name)) {
        yield { at, span, severity: 'error', message: `\`${name}\` is no address, and no host can be named so: the rule does not load`, help: 'write the address' };
        continue;
      }
      yield {
        at, span,
        message: `\`${name}\` is looked up when the rule is loaded, and only then; at boot there may be nobody to ask`,
        help: 'write the address, or fill an ipset from a service that looks the name up again and again',
      };
    }
  },
});
