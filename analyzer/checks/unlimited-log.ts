import type { Because } from '../finding.js';
import type { Rule } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { Patience } from '../packet-space/patience.js';
import { firstPacket, reachThrough, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { all, ctstates, oneOf, type Constraint } from '../packet/constraint.js';
import { deciderBecause } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext } from './define-check.js';
import { holdsForAnybody } from './shared/luck.js';
import { fromStrangers, isForSomebody } from './shared/strangers.js';
import { stepOf } from '../witness/step.js';

function logs({ target }: Rule): boolean {
  return target.kind === 'extension' && target.use.definition.logs === true;
}

interface Logged {
  readonly at: RuleAt;
  readonly found: Sighting;
  readonly path: 'in' | 'through';
  readonly certainty: 'certain' | 'possible';
}

/** Whether each of a stranger's packets comes to the rule, however many he sends. */
function loggedBy(cx: CheckContext, pipeline: Pipeline, at: RuleAt, packets: Constraint, patience: Patience): Logged | undefined {
  for (const path of ['in', 'through'] as const) {
    const answer = patience.ask(solveBudget(), budget => reachThrough(pipeline, at.rule, { packets, path, budget }));
    if (answer.kind === 'undecided') cx.undecided();
    const certainty = answer.kind === 'live' ? holdsForAnybody(pipeline, answer.found) : 'no';
    if (answer.kind === 'live' && certainty !== 'no') return { at, found: answer.found, path, certainty };
  }
  return undefined;
}

/** More rules that log are not asked about. */
const most = 50;

function* loggingRules(cx: CheckContext): Generator<RuleAt, void> {
  let left = most;
  for (const table of cx.ruleset.tables.values()) for (const at of cx.rules(table)) {
    if (logs(at.rule) && !isForSomebody(at.rule) && left-- > 0) yield at;
  }
}

export const unlimitedLog = defineCheck({
  name: 'unlimited-log',
  kind: 'exposure',
  severity: 'info',
  auditor: 'warning',
  summary: 'Strangers can fill the log: each of their packets leaves a line',
  why: `A rule that logs writes a line for each packet that comes to it. Who sends a hundred thousand packets a second, with any source address he likes,
writes as many lines: the disk fills, other lines drown, and a slow console holds up the kernel. A limit (\`-m limit\`, \`-m hashlimit\`) before the
target, in the rule or on the way to it, lets through enough to see what is going on. One finding names all such rules of a host; those that strangers come
to only at a limited rate, or not at all, are not among them.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -j LOG --log-prefix "dropped: "
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -m limit --limit 5/min -j LOG --log-prefix "dropped: "
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:dropped - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -m hashlimit --hashlimit-above 10/min --hashlimit-mode dstport --hashlimit-name quiet -j DROP
-A INPUT -g dropped
-A dropped -j LOG --log-prefix "dropped: "
COMMIT
`,
  * run(cx) {
    const flood = cx.at('flood');
    const packets = all([fromStrangers(flood), oneOf('ctstate', [ctstates.INVALID, ctstates.NEW])]);
    const found: Logged[] = [];
    const patience = new Patience();
    let pipeline: Pipeline | undefined;
    for (const at of loggingRules(flood)) {
      pipeline ??= flood.pipeline();
      if (pipeline === undefined) return;
      const one = loggedBy(flood, pipeline, at, packets, patience);
      if (one !== undefined) found.push(one);
    }
    const [first, ...others] = found;
    if (pipeline === undefined || first === undefined) return;
    const { at, path } = first;
    const { sample } = firstPacket(pipeline, first.found, packets);
    const hook = path === 'in' ? 'INPUT' : 'FORWARD';
    // Where limits stand, a first packet does not fare as a flood does.
    const canShow = flood === cx && at.table === 'filter';
    yield {
      at, certainty: found.every(one => one.certainty === 'possible') ? 'possible' : 'certain',
      alike: others.length + 1, message: `${others.length === 0 ? 'this rule logs' : `this rule and ${String(others.length)} more log`} packets that strangers send, however many they are: they can fill the log`,
      because: others.map((one): Because => deciderBecause(cx.ruleset, one.at, 'logs without a limit')),
      ...canShow ? { witness: [stepOf(sample, sample.in ?? 'eth0')], shows: [{ at: `filter:${hook}`, matches: [referenceOf(at)] }] } : {},
      help: 'limit it: -m limit --limit 5/min --limit-burst 10 before -j',
    };
  },
});
