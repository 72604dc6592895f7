import { firstPacket, question, type Path, type PathAnswer, type Pipeline } from '../packet-space/pipeline/index.js';
import { ask } from '../packet-space/index.js';
import { all, any, type Constraint } from '../packet/constraint.js';
import type { Table } from '../model/ruleset.js';
import { stepOf } from '../witness/step.js';
import { deciderBecause, deciderReference, isPolicy } from './shared/deciders.js';
import { defineCheck, type CheckContext, type Report } from './define-check.js';
import { holdsForAnybody } from './shared/luck.js';
import { isUnsaid } from './shared/parts.js';
import { isRouter } from './shared/routers.js';
import { firstTo, strangers } from './shared/strangers.js';

const paths: readonly (readonly [Path, 'INPUT' | 'FORWARD'])[] = [['in', 'INPUT'], ['through', 'FORWARD']];

/** How many flows the kernel tracks at most. */
function tableSize({ host, settings }: CheckContext): number {
  const said = Number(host?.sysctls?.['net.netfilter.nf_conntrack_max']);
  return Number.isSafeInteger(said) && said > 0 ? said : settings.conntrackMax;
}

/** What a flood of first packets is let in by. */
function letIn(flood: CheckContext, table: Table, [path, hook]: (typeof paths)[number], packets: Constraint): { readonly pipeline: Pipeline; readonly answer: Extract<PathAnswer, { kind: 'yes' }> } | undefined {
  if (ask(flood.space(), table, hook, packets, ['accept', 'unknown']).kind === 'no') return undefined;
  const pipeline = flood.pipeline();
  const answer = pipeline === undefined ? undefined : question(pipeline, path, packets, 'accept', undefined, true);
  if (answer?.kind === 'undecided') flood.undecided();
  return pipeline !== undefined && answer?.kind === 'yes' ? { pipeline, answer } : undefined;
}

function report(cx: CheckContext, flood: CheckContext, table: Table, hook: 'INPUT' | 'FORWARD', packets: Constraint, { pipeline, answer }: NonNullable<ReturnType<typeof letIn>>): Report | undefined {
  const { by, found } = answer;
  const held = holdsForAnybody(pipeline, found);
  if (by === undefined || held === 'no') return undefined;
  const { sample } = firstPacket(pipeline, found, packets);
  const chain = table.chains.get(hook);
  // Where no rule says that this host routes, its policy says so neither.
  if (isPolicy(by) && hook === 'FORWARD' && !isRouter(cx)) return undefined;
  // A script that says nothing of a policy leaves it as it finds it.
  const certainty = isUnsaid(cx, by) ? 'possible' : held;
  return {
    ...isPolicy(by) ? { ...chain === undefined ? {} : { chain, span: chain.line === 0 ? table.span : chain.span } } : { at: by },
    certainty,
    message: `strangers may begin connections as fast as they like: with ${String(tableSize(cx))} of them the connection table is full, and nobody else gets in`,
    because: [deciderBecause(cx.ruleset, by, 'lets in every first packet')],
    // Where limits stand, a first packet does not fare as a flood does.
    ...flood === cx ? { witness: [stepOf(sample, sample.in ?? 'eth0')], shows: [{ at: `filter:${hook}`, fate: 'passes' as const, by: [deciderReference(by)] }] } : {},
    help: 'let through what one address may begin, as -m connlimit --connlimit-above 100 -j DROP or -m hashlimit before it, or answer with SYNPROXY',
  };
}

export const unlimitedNewConnections = defineCheck({
  name: 'unlimited-new-connections',
  kind: 'exposure',
  severity: 'info',
  auditor: 'warning',
  isOff: true,
  summary: 'Strangers can fill the connection table: nothing limits how many connections they begin',
  why: `Each connection that is let in takes a place in the table of connection tracking until it ends, or for days where it never does. Who begins as many
as the table has places leaves none for others, and the kernel drops their packets ("nf_conntrack: table full"). What the rules drop takes no place. A limit of
connections for each address, or of new ones in a time, keeps places free; a server that answers the whole world may want neither, which is why this is asked for
an auditor only. One finding for each way in (by the policy of FORWARD where the host routes) names the rule that the flood comes by, and the size of the table: that of the host, if it is known, else the one that
is configured.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -m limit --limit 100/sec --limit-burst 200 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  * run(cx) {
    const flood = cx.at('flood');
    const table = flood.ruleset.tables.get('filter');
    if (table === undefined) return;
    const packets = all([strangers(flood), any([firstTo('tcp'), firstTo('udp')])]);
    for (const way of paths) {
      const found = letIn(flood, table, way, packets);
      const one = found === undefined ? undefined : report(cx, flood, table, way[1], packets, found);
      if (one !== undefined) yield one;
    }
  },
});
