import type { Table } from '../model/ruleset.js';
import type { Decider, RuleAt } from '../packet-space/answers.js';
import { ask, reachWith } from '../packet-space/index.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, is, masked, within, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { unannouncedData } from './shared/announced-data.js';
import { acceptsAll } from './shared/accepting.js';
import { rangesOf } from './shared/asked.js';
import { conjuncts } from './shared/conjuncts.js';
import { attachedHelpers, mayBeAttachedElsewhere } from './shared/connection-helpers.js';
import { deciderBecause } from './shared/deciders.js';
import { defineCheck, type CheckContext, type Report } from './define-check.js';
import { isOwnDoing } from './shared/owners.js';
import { notLoopback, statesOf } from './shared/replies.js';
import { theSame } from './shared/the-same.js';

const ftp = 21;
const paths = { INPUT: 'in', FORWARD: 'through', OUTPUT: 'out' } as const;
type FtpHook = keyof typeof paths;
const words = {
  INPUT: { session: 'in', data: 'come in', whom: 'clients', raw: 'PREROUTING' }, FORWARD: { session: 'through', data: 'get through', whom: 'clients', raw: 'PREROUTING' },
  OUTPUT: { session: 'out', data: 'get out', whom: 'a client', raw: 'OUTPUT' },
} as const;

/** The port is named by itself: a rule for many is not for FTP. */
function isForFtp(asks: Constraint): boolean {
  const ports = rangesOf(asks, 'dport');
  return ports?.some(({ low, high }) => low === ftp && high === ftp) === true && ports.every(({ low, high }) => low === high);
}

/** What a rule asks of addresses and interfaces, as far as it is all of it. */
function endsOf(asks: Constraint): readonly Constraint[] {
  return conjuncts(asks).filter(one => one.kind === 'interface' || (one.kind === 'within' && (one.field === 'src' || one.field === 'dst')));
}

/** First packets of TCP. */
function opening({ ruleset }: CheckContext, ...more: readonly Constraint[]): Constraint {
  return all([is('protocol', protocolNumber.tcp), masked('tcpFlags', 2, 63), is('fragment', 0), statesOf(ruleset).first, notLoopback, ...more]);
}

interface Blocked {
  readonly at: RuleAt;
  readonly by: readonly Decider[];
}

/** Rules that let sessions begin at a hook, where no connection to a port that the server may name gets by. */
function blockedAt(cx: CheckContext, table: Table, hook: FtpHook): readonly Blocked[] {
  const constraints = constraintsOf(cx.ruleset, table.name);
  return cx.rules(table).flatMap((at): Blocked[] => {
    if (!acceptsAll(table, at.rule) || at.rule.protocol?.value !== protocolNumber.tcp) return [];
    const asks = constraints.of(at.rule);
    if (!isForFtp(asks) || reachWith(cx.space(), table, at, opening(cx, is('dport', ftp)), hook).kind !== 'live') return [];
    const data = ask(cx.space(), table, hook, opening(cx, within('dport', 1024, 65_535), ...endsOf(asks)), ['accept', 'queue', 'unknown']);
    if (data.kind === 'undecided') cx.undecided();
    return data.kind === 'no' ? [{ at, by: data.by }] : [];
  });
}

function report(cx: CheckContext, hook: FtpHook, [{ at, by }, ...others]: readonly [Blocked, ...Blocked[]]): Report {
  const { ruleset } = cx;
  const { session, data, whom, raw } = words[hook];
  const pipeline = cx.pipeline();
  return {
    at, certainty: 'possible', alike: others.length + 1, ...isOwnDoing(ruleset, at, others.map(one => one.at)) ? { mutedIn: 'generated' as const } : {},
    message: `this rule ${others.length === 0 ? 'lets' : `and ${String(others.length)} more let`} FTP sessions ${session}, and no data connections ${data}: ${whom} in passive mode connect${whom === 'clients' ? '' : 's'} to a port that the server names, and no rule lets that pass, nor attaches the helper that would announce it (since Linux 6.0 nothing else does)`,
    because: [...by.map(one => deciderBecause(ruleset, one, 'drops the data connections')), ...theSame(others.map(one => one.at))],
    ...pipeline === undefined ? {} : { illustrate: () => unannouncedData(pipeline, paths[hook], endsOf(constraintsOf(ruleset, at.table).of(at.rule)), { fate: 'lost' }) },
    help: `attach the helper: -t raw -A ${raw} -p tcp --dport ${String(ftp)} -j CT --helper ftp, and let RELATED packets pass; or open the passive ports that the server is set to, which is the only way with TLS`,
  };
}

export const ftpDataBlocked = defineCheck({
  name: 'ftp-data-blocked',
  kind: 'conversations',
  severity: 'info',
  summary: 'FTP sessions begin, and no data connection of theirs can',
  why: `FTP sends each file and each listing over a connection of its own. In passive mode, which clients use today, the client opens it to a port
that the server has just named. The kernel used to read along by itself and to call such connections RELATED; since Linux 6.0 a rule of table raw must
attach the helper for that. Without it, and without a rule that opens the server's passive ports, people can log in, and the first listing hangs.
It is an info, for a server may be set to active mode alone, where it connects itself.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 21 -m conntrack --ctstate NEW -j ACCEPT
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
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 21 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 21 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p tcp -m tcp --dport 40000:40100 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined || mayBeAttachedElsewhere(cx.ruleset, cx.host?.sysctls) || attachedHelpers(cx).some(({ helper }) => /^ftp(?:-\d+)?$/u.test(helper))) return;
    for (const hook of ['INPUT', 'FORWARD', 'OUTPUT'] as const) {
      const [first, ...others] = blockedAt(cx, table, hook);
      if (first !== undefined) yield report(cx, hook, [first, ...others]);
    }
  },
});
