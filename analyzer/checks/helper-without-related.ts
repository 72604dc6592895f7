import { announcedData } from './shared/announced-data.js';
import { deciderBecause } from './shared/deciders.js';
import { attachedHelpers, expectedBy, relatedData, type Attached } from './shared/connection-helpers.js';
import { defineCheck, type CheckContext, type Report } from './define-check.js';
import type { Decider } from '../packet-space/answers.js';
import { ask } from '../packet-space/index.js';
import { question, replies, type Path, type Pipeline } from '../packet-space/pipeline/index.js';
import type { Constraint } from '../packet/constraint.js';

const opposite = { in: 'out', out: 'in', through: 'through', loop: 'loop' } as const satisfies Record<Path, Path>;
const chains = { in: 'INPUT', out: 'OUTPUT', through: 'FORWARD', loop: 'INPUT' } as const satisfies Record<Path, string>;

interface Lost {
  readonly path: Path;
  readonly by: readonly Decider[];
  /** By table filter as it stands: nat, which translates such connections as those that announce them, might make others of them. */
  readonly isPossible: boolean;
}

const passing = ['accept', 'queue', 'unknown'] as const;

/** Who loses the data, if all of it is lost. */
function loserOf(cx: CheckContext, pipeline: Pipeline, path: Path, data: Constraint): Omit<Lost, 'path'> | undefined {
  const answer = question(pipeline, path, data, 'accept');
  if (answer.kind === 'no') return { by: answer.by, isPossible: false };
  const filter = cx.ruleset.tables.get('filter');
  if (filter === undefined || answer.kind !== 'yes' || answer.certain || !cx.ruleset.tables.has('nat')) return undefined;
  const alone = ask(cx.space(), filter, chains[path], data, passing);
  return alone.kind === 'no' ? { by: alone.by, isPossible: true } : undefined;
}

/** The ways on which what announces data passes; undefined where on one of them the data does so, too, or it is not known. */
function lostData(cx: CheckContext, pipeline: Pipeline, { at, helper }: Attached): readonly Lost[] | undefined {
  const data = expectedBy(helper);
  if (data === undefined) return undefined;
  const lost: Lost[] = [];
  for (const path of ['in', 'through', 'out'] as const) {
    const control = replies(pipeline, at.rule, { path });
    if (control.kind === 'undecided') cx.undecided();
    if (control.kind === 'unreached') continue;
    const dataPath = data.way === 'same' ? path : opposite[path];
    const loser = loserOf(cx, pipeline, dataPath, relatedData(data));
    if (loser === undefined) return undefined;
    lost.push({ path: dataPath, ...loser });
  }
  return lost;
}

function report(cx: CheckContext, pipeline: Pipeline, { at, helper }: Attached, lost: readonly Lost[]): Report {
  const deciders = new Map(lost.flatMap(({ by }) => by.map(one => deciderBecause(cx.ruleset, one, 'drops what is RELATED'))).map(one => [one.rule, one]));
  const [first] = lost;
  const chain = chains[first?.path ?? 'in'];
  const proto = expectedBy(helper)?.protocol;
  return {
    at, ...lost.some(one => one.isPossible) ? { certainty: 'possible' } : {},
    message: `the helper ${helper} is of no use: the ${expectedBy(helper)?.words ?? 'connections'} that it expects are RELATED, and ${chain} lets no such packet pass`,
    because: [...deciders.values()],
    ...first === undefined ? {} : { illustrate: () => announcedData(pipeline, { at, helper }, first.path, first.by) },
    help: `let them pass: -A ${chain} -p ${proto === 6 ? 'tcp' : proto === 17 ? 'udp' : String(proto)} -m conntrack --ctstate RELATED -m helper --helper ${helper} -j ACCEPT`,
  };
}

export const helperWithoutRelated = defineCheck({
  name: 'helper-without-related',
  kind: 'conversations',
  severity: 'warning',
  summary: 'A connection helper is attached, and the connections that it announces are dropped',
  why: `Protocols such as FTP and SIP agree on further connections while they talk. A helper of connection tracking reads
along and calls the first packet of such a connection RELATED in place of NEW. If no rule lets RELATED packets of
that protocol pass, listing a directory over FTP hangs, or a call stays silent, although the helper is there.`,
  bad: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m conntrack --ctstate RELATED -j ACCEPT
-A INPUT -p tcp -m multiport --dports 21,22 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  good: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m conntrack --ctstate RELATED -j ACCEPT
-A INPUT -p tcp -m conntrack --ctstate RELATED -m helper --helper ftp -j ACCEPT
-A INPUT -p tcp -m multiport --dports 21,22 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  nearMiss: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m conntrack --ctstate RELATED -j ACCEPT
-A INPUT -p tcp -m multiport --dports 21,22,50000:50100 -j ACCEPT
COMMIT
`,
  asks: ({ ruleset }) => ruleset.tables.has('raw') ? ['ftp', 'tftp', 'sip', 'pptp'].flatMap(one => { const data = expectedBy(one); return data === undefined ? [] : [relatedData(data)]; }) : [],
  * run(cx) {
    const attached = attachedHelpers(cx);
    const pipeline = attached.length === 0 ? undefined : cx.pipeline();
    const told = new Set<string>();
    for (const one of pipeline === undefined ? [] : attached) {
      const lost = pipeline === undefined || told.has(one.helper) ? undefined : lostData(cx, pipeline, one);
      if (pipeline === undefined || lost === undefined || lost.length === 0) continue;
      told.add(one.helper);
      yield report(cx, pipeline, one, lost);
    }
  },
});
