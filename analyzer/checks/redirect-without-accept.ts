import { ask } from '../packet-space/index.js';
import { onward, type Onward, type Pipeline } from '../packet-space/pipeline/index.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { ctstates, is } from '../packet/constraint.js';
import { deciderBecause, deciderReference } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { isToSelf, liveTranslations, pathsBehind, type Asking } from './shared/nat-rules.js';
import { destinationText, optionsBehind } from './shared/nat-words.js';
import { misnamed } from './shared/rewritten.js';
import { mayDrop } from './shared/targets.js';
import { translatedStep } from './shared/translated-step.js';

type Lost = Extract<Onward, { kind: 'lost' }>;

/** What one rule may cost. */
const budget = { packets: 4000, work: 400_000 };
const losing = ['drop', 'reject', 'queue', 'unknown'] as const;

/** Where all the packets end; undefined where some do not, or where none comes. */
function lostBehind(cx: CheckContext, pipeline: Pipeline, { translation }: Asking): Lost | undefined {
  const answers = pathsBehind(cx, translation).map(path => onward(pipeline, translation.at.rule, { path, budget: solveBudget(budget.packets, budget.work) }));
  if (answers.some(one => one.kind === 'undecided')) cx.undecided();
  const lost = answers.filter(one => one.kind === 'lost');
  return answers.every(one => one.kind === 'lost' || one.kind === 'unreached') ? lost[0] : undefined;
}

function report(cx: CheckContext, pipeline: Pipeline, { translation, asks }: Asking, lost: Lost): Report {
  const chain = lost.by.every(one => one.chain === 'FORWARD') ? 'FORWARD' : 'INPUT';
  return {
    at: translation.at,
    message: `connections are redirected to ${destinationText(translation)}, and all are dropped there`,
    because: lost.by.map(one => deciderBecause(cx.ruleset, one, 'drops them')),
    witness: [translatedStep(pipeline, lost.dies, translation, true)], shows: [{ fate: 'lost', by: lost.by.map(deciderReference), matches: [referenceOf(translation.at)] }],
    help: `let them in, by the port that they have by then: -I ${chain} ${optionsBehind(asks, translation)} -m conntrack --ctstate NEW -j ACCEPT`,
  };
}

export const redirectWithoutAccept = defineCheck({
  name: 'redirect-without-accept',
  kind: 'nat',
  severity: 'error',
  summary: 'Connections are redirected to a port of this host, and dropped on their way in',
  why: `REDIRECT sends a connection to this host itself, to another port if it says so. Its packets then pass the INPUT chain,
with the new port: a rule that accepts the old one does not meet them. Where nothing accepts the new port, the proxy
or service behind it is never reached. It is reported when not one first packet that the rule redirects gets in.`,
  bad: `*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -i eth1 -p tcp -m tcp --dport 3128 -j ACCEPT
COMMIT
`,
  nearMiss: `*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -i eth1 -p tcp -m conntrack --ctorigdstport 80 -j ACCEPT
COMMIT
`,
  * run(cx) {
    const filter = cx.ruleset.tables.get('filter');
    if (filter === undefined) return;
    const isAlone = ![...cx.ruleset.tables.values()].some(table => table !== filter && mayDrop(table));
    if (isAlone && ask(cx.space(), filter, 'INPUT', is('ctstate', ctstates.NEW), losing).kind === 'no') return;
    for (const asking of liveTranslations(cx, 'destination')) {
      const { translation } = asking;
      if (translation.address !== 'same' && isToSelf(cx, translation) !== true) continue;
      const pipeline = cx.pipeline();
      if (pipeline === undefined) return;
      const lost = lostBehind(cx, pipeline, asking);
      // Where nothing comes of it because of a name, filter-matches-pre-nat says so.
      if (lost !== undefined && !misnamed(cx, filter).has(translation.at.rule)) yield report(cx, pipeline, asking, lost);
    }
  },
});
