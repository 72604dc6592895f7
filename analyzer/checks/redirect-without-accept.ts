import type { Hook } from '../extensions/define.js';
import type { Table } from '../model/ruleset.js';
import { ask } from '../packet-space/index.js';
import { onward, type Onward, type Path, type Pipeline } from '../packet-space/pipeline/index.js';
import { hooksOf } from '../packet-space/pipeline/read-ruleset.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { layout } from '../packet-space/pipeline/stages.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { ctstates, is } from '../packet/constraint.js';
import { deciderBecause, deciderReference, helpElsewhere } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { isToSelf, liveTranslations, pathsBehind, type Asking } from './shared/nat-rules.js';
import { destinationText, optionsBehind } from './shared/nat-words.js';
import { misnamed } from './shared/rewritten.js';
import { effectOf, mayDrop } from './shared/targets.js';
import { translatedStep } from './shared/translated-step.js';

/** Where they go, and end. */
interface Lost {
  readonly path: Path;
  readonly answer: Extract<Onward, { kind: 'lost' }>;
}

/** What one rule may cost. */
const budget = { packets: 4000, work: 400_000 };
const losing = ['drop', 'reject', 'queue', 'unknown'] as const;

/** Where all the packets end; undefined where some do not, or where none comes. */
function lostBehind(cx: CheckContext, pipeline: Pipeline, { translation }: Asking): Lost | undefined {
  const answers = pathsBehind(cx, translation).map(path => ({ path, answer: onward(pipeline, translation.at.rule, { path, budget: solveBudget(budget.packets, budget.work) }) }));
  if (answers.some(({ answer }) => answer.kind === 'undecided')) cx.undecided();
  const lost = answers.flatMap(({ path, answer }) => answer.kind === 'lost' ? [{ path, answer }] : []);
  return answers.every(({ answer }) => answer.kind === 'lost' || answer.kind === 'unreached') ? lost[0] : undefined;
}

/** Rules that hand packets to a socket of this host as they are (TPROXY). */
function proxying(cx: CheckContext): readonly Asking[] {
  const mangle = cx.ruleset.tables.get('mangle');
  if (mangle === undefined) return [];
  const constraints = constraintsOf(cx.ruleset, mangle.name);
  return cx.rules(mangle).filter(({ rule }) => effectOf(rule) === 'nat' && cx.reach(mangle).get(rule)?.kind === 'live')
    .map(at => ({ translation: { at, side: 'destination', address: 'own', ports: undefined, hooks: ['PREROUTING'] }, asks: constraints.of(at.rule) }));
}

/** The hook at which table filter drops them first. */
function hookOf({ ruleset: { backend } }: CheckContext, filter: Table, { path, answer: { by } }: Lost): Hook {
  const dropping = by.filter(({ table }) => table === filter.name).flatMap(({ chain }) => hooksOf(filter).get(chain) ?? []);
  const [first] = layout(path, backend).find(([hook, table]) => table === filter.name && dropping.includes(hook)) ?? [];
  return first ?? 'INPUT';
}

/** What lets them pass there. */
function helpOf(cx: CheckContext, filter: Table, { translation, asks }: Asking, lost: Lost): string {
  const elsewhere = helpElsewhere('them', lost.answer.by);
  if (elsewhere !== undefined) return elsewhere;
  const hook = hookOf(cx, filter, lost);
  const { at } = translation;
  // OUTPUT knows no interface that packets come by.
  const there = hook === 'OUTPUT' ? { ...translation, at: { ...at, rule: { ...at.rule, inInterface: undefined } } } : translation;
  return `let them ${hook === 'INPUT' ? 'in' : 'pass'}, by the port that they have by then: -I ${hook} ${optionsBehind(asks, there)} -m conntrack --ctstate NEW -j ACCEPT`;
}

function report(cx: CheckContext, filter: Table, pipeline: Pipeline, asking: Asking, lost: Lost): Report {
  const { translation } = asking;
  const { by, dies } = lost.answer;
  return {
    at: translation.at,
    message: `connections are redirected to ${destinationText(translation)}, and all are dropped there`,
    because: by.map(one => deciderBecause(cx.ruleset, one, 'drops them')),
    witness: [translatedStep(pipeline, dies, translation, true)], shows: [{ fate: 'lost', by: by.map(deciderReference), matches: [referenceOf(translation.at)] }],
    help: helpOf(cx, filter, asking, lost),
  };
}

export const redirectWithoutAccept = defineCheck({
  name: 'redirect-without-accept',
  kind: 'nat',
  severity: 'error',
  summary: 'Connections are redirected to a port of this host, and dropped on their way in',
  why: `REDIRECT sends a connection to this host itself, to another port if it says so. Its packets then pass the INPUT chain,
with the new port: a rule that accepts the old one does not meet them. Where nothing accepts the new port, the proxy
or service behind it is never reached. TPROXY hands packets to a socket as they are: they come to INPUT
with the address and port for which the client asked, and the mark that the rule gives. It is reported when not one first packet that the rule redirects gets in.`,
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
    for (const asking of [...liveTranslations(cx, 'destination'), ...proxying(cx)]) {
      const { translation } = asking;
      if (translation.address !== 'same' && isToSelf(cx, translation) !== true) continue;
      const pipeline = cx.pipeline();
      if (pipeline === undefined) return;
      const lost = lostBehind(cx, pipeline, asking);
      // Where nothing comes of it because of a name, filter-matches-pre-nat says so.
      if (lost !== undefined && !misnamed(cx, filter).has(translation.at.rule)) yield report(cx, filter, pipeline, asking, lost);
    }
  },
});
