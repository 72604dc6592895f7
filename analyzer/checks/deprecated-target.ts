import type { Rule } from '../model/ruleset.js';
import { namedSpan } from '../model/spans.js';
import type { Severity } from '../model/diagnostic.js';
import { defineCheck } from './define-check.js';

interface Successor {
  readonly message: string;
  readonly help: string;
  readonly severity: Severity;
  /** What can be written in place of the name, and means the same. */
  readonly instead?: string;
}

/** @see iptables-extensions(8), and the kernel's history: ULOG went with 3.17, CLUSTERIP with 6.3, ip_queue with 3.5; nf_queue() hands what QUEUE says to queue 0 since. */
const successors: Readonly<Record<string, Successor>> = {
  ULOG: { severity: 'warning', message: '`-j ULOG` cannot be loaded: Linux has not had it since 3.17', help: 'write -j NFLOG, and let ulogd listen to its group (--nflog-group)' },
  CLUSTERIP: { severity: 'warning', message: '`-j CLUSTERIP` cannot be loaded: Linux has not had it since 6.3', help: 'use the match cluster in its place (-m cluster)' },
  QUEUE: { severity: 'info', message: '`-j QUEUE` is the old name of `-j NFQUEUE --queue-num 0`, and only iptables-legacy takes it', help: 'write -j NFQUEUE --queue-num 0: programs for the old queue (ip_queue) have not worked since Linux 3.5' },
  NOTRACK: { severity: 'info', instead: 'CT --notrack', message: '`-j NOTRACK` is the old name of `-j CT --notrack`', help: 'write -j CT --notrack, as iptables-save does' },
};

function successorOf({ target }: Rule): readonly [name: string, successor: Successor] | undefined {
  const name = target.kind === 'extension' ? target.use.definition.name : '';
  const successor = Object.hasOwn(successors, name) ? successors[name] : undefined;
  return successor === undefined ? undefined : [name, successor];
}

export const deprecatedTarget = defineCheck({
  name: 'deprecated-target',
  kind: 'hygiene',
  severity: 'warning',
  summary: 'The target was replaced by another, or has left the kernel',
  why: `A few targets are kept by iptables for old rule files only. Where the kernel has lost them, the whole table fails to
load on the next machine or after the next upgrade; the others are other names of what has taken their place.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -m limit --limit 5/min -j ULOG --ulog-prefix "dropped: "
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -m limit --limit 5/min -j NFLOG --nflog-prefix "dropped: "
COMMIT
`,
  nearMiss: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -i lo -j CT --notrack
-A OUTPUT -o lo -j CT --notrack
COMMIT
`,
  * run({ ruleset, rules }) {
    for (const table of ruleset.tables.values()) for (const at of rules(table)) {
      const found = successorOf(at.rule);
      if (found === undefined) continue;
      const [name, { instead, ...successor }] = found;
      const span = namedSpan(ruleset, at.rule, name);
      yield { at, span, ...successor, ...instead === undefined ? {} : { fix: { description: `write ${instead}`, safety: 'safe', edits: [{ span, text: instead }] } } };
    }
  },
});
