import { ExtensionOption } from '../extensions/option-scope.js';
import type { Edit } from '../finding.js';
import type { Ruleset } from '../model/ruleset.js';
import { ruleOptions } from '../model/spans.js';
import type { RuleAt } from '../packet-space/answers.js';
import { defineCheck, fixWith, type Report } from './define-check.js';
import { isRemark } from './shared/catch-all.js';
import { withFirst } from './shared/edits.js';
import { askedOfErrors, lostErrors, type LostErrors } from './shared/lost-errors.js';
import { askedOfOwnErrors, ownErrorsUnrelated } from './shared/own-errors.js';
import { isStateMatch } from './shared/state-asked.js';
import { theSame } from './shared/the-same.js';

/** The states that a rule asks for, with RELATED among them. */
function withRelated(ruleset: Ruleset, { rule }: RuleAt): Edit | undefined {
  const option = ruleOptions(ruleset, rule).find(({ shape, bang, args: [states] }) => bang === undefined && shape instanceof ExtensionOption
    && (shape.extension.name === 'conntrack' || shape.extension.name === 'state') && states?.text.split(',').includes('ESTABLISHED') === true);
  const [states] = option?.args ?? [];
  if (states === undefined) return undefined;
  const own = ruleset.source.text.slice(states.start, states.end);
  return own !== states.text ? undefined : { span: { start: states.start, end: states.end }, text: own.replace(/\bESTABLISHED\b/u, 'RELATED,ESTABLISHED') };
}

/** Whether the rule would take any error, if it asked for RELATED: one that asks for a protocol or addresses would not, for errors come as ICMP and from routers. */
function takesErrors({ rule: { protocol, source, destination, matches } }: RuleAt): boolean {
  return protocol === undefined && source === undefined && destination === undefined
    && matches.every(use => isStateMatch(use) || isRemark(use));
}

const ownRule = '-m conntrack --ctstate RELATED -j ACCEPT';

/** RELATED among the states of the rules, where that helps; else a rule of its own. */
function remedy(ruleset: Ruleset, hook: LostErrors['hook'] | 'OUTPUT', missing: readonly RuleAt[]): Pick<Report, 'help' | 'fix'> {
  const table = ruleset.tables.get('filter');
  const chain = table?.chains.get(hook);
  if (!missing.every(takesErrors) && table !== undefined && chain !== undefined) return { help: `let them pass: -I ${hook} ${ownRule}`, ...fixWith('let them pass', 'unsafe', withFirst(ruleset, table, chain, [ownRule])) };
  const edits = missing.map(one => withRelated(ruleset, one));
  return { help: 'add RELATED to its states: -m conntrack --ctstate RELATED,ESTABLISHED', ...edits.includes(undefined) ? {} : fixWith('add RELATED', 'unsafe', edits.flatMap(one => one ?? [])) };
}

/** What this host says itself of packets that do not fit: no witness, for it hangs on the links. */
function reportOwn(ruleset: Ruleset, missing: readonly RuleAt[]): Report | undefined {
  const [at, ...others] = missing;
  return at === undefined ? undefined : {
    at, severity: 'info', because: theSame(others), ...remedy(ruleset, 'OUTPUT', missing),
    message: 'packets of known connections get out, but not what is RELATED to them: ICMP errors by which this host says that a packet which it is to forward is too large for the next link (path MTU black hole)',
  };
}

function report(ruleset: Ruleset, { hook, missing, shown }: LostErrors): Report | undefined {
  const [at, ...others] = missing;
  if (at === undefined) return undefined;
  return {
    at,
    message: `packets of known connections pass, but not what is RELATED to them: ICMP errors about ${hook === 'INPUT' ? 'connections of this host' : 'forwarded connections'} are dropped (path MTU black hole)`,
    because: theSame(others),
    witness: shown.steps, shows: shown.shows,
    ...remedy(ruleset, hook, missing),
  };
}

export const relatedMissing = defineCheck({
  name: 'related-missing',
  kind: 'conversations',
  severity: 'warning',
  summary: 'ESTABLISHED packets pass and RELATED ones do not: errors about connections are lost',
  why: `ICMP errors about a connection are not ESTABLISHED but RELATED: that a port is closed, that a host cannot be reached,
and above all that packets must be smaller (fragmentation-needed, packet-too-big), without which large transfers hang
behind tunnels and PPPoE. Data connections that a helper expects are RELATED as well. A rule that lets only
ESTABLISHED pass drops all of these where nothing else takes them.
A router sends such errors itself where the next link is a tunnel or PPPoE, and they pass its OUTPUT: where none of them gets out to one side, that is an info, for links may all be alike.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m conntrack --ctstate RELATED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`,
  asks: ({ ruleset }) => [...askedOfErrors(ruleset), ...askedOfOwnErrors(ruleset)],
  * run(cx) {
    for (const lost of lostErrors(cx)) {
      const found = report(cx.ruleset, lost);
      if (found !== undefined) yield found;
    }
    const own = reportOwn(cx.ruleset, ownErrorsUnrelated(cx));
    if (own !== undefined) yield own;
  },
});
