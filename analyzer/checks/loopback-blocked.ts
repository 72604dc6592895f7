import type { Ruleset, Table } from '../model/ruleset.js';
import type { Decider } from '../packet-space/answers.js';
import { ask } from '../packet-space/index.js';
import { Patience } from '../packet-space/patience.js';
import { question, replies, type Pipeline } from '../packet-space/pipeline/index.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { all, is, masked, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { stepOf } from '../witness/step.js';
import { deciderBecause, helpElsewhere } from './shared/deciders.js';
import { isShut } from './shared/default-drop.js';
import { defineCheck, fixWith, type CheckContext } from './define-check.js';
import { withFirst } from './shared/edits.js';
import { isNeeded } from './shared/needed-services.js';
import { exchanges, statesOf } from './shared/replies.js';
import { mayDrop } from './shared/targets.js';

/** What programs of one host ask of each other, by TCP port. A port that everybody may use is open over lo as well, so that one alone tells nothing. */
const localServices: ReadonlyMap<string, number> = new Map([['a database', 5432], ['a cache', 6379], ['mail', 25], ['printing', 631], ['X11 forwarding', 6010], ['a local proxy', 8118]]);

function local(ruleset: Ruleset, port: number): Constraint {
  const [src, dst] = ruleset.family === 'ipv4' ? [0x7f00_0001, 0x7f00_0001] : [1n, 1n];
  return all([is('src', src), is('dst', dst), is('protocol', protocolNumber.tcp), is('dport', port), masked('tcpFlags', 2, 63), is('fragment', 0), statesOf(ruleset).first]);
}

const passing = ['accept', 'queue', 'nat', 'unknown'] as const;
const byLo = (field: 'in' | 'out'): Constraint => ({ kind: 'interface', field, name: 'lo', prefix: false });

/** What lo sends may be dropped at all, in either direction. */
function isDoubtful(cx: CheckContext, table: Table): boolean {
  const losing = ['drop', 'reject', 'queue', 'unknown'] as const;
  return [...cx.ruleset.tables.values()].some(one => one !== table && mayDrop(one))
    || ask(cx.space(), table, 'INPUT', byLo('in'), losing).kind !== 'no' || ask(cx.space(), table, 'OUTPUT', byLo('out'), losing).kind !== 'no';
}

/** The chains of table filter that let nothing of it pass, or not this: a rule is missing in each of them. */
function blockingHooks(cx: CheckContext, table: Table, { port, by }: Blocked): readonly ('INPUT' | 'OUTPUT')[] {
  const fields = { INPUT: 'in', OUTPUT: 'out' } as const;
  const first = (['INPUT', 'OUTPUT'] as const).filter(hook => ask(cx.space(), table, hook, all([local(cx.ruleset, port), byLo(fields[hook])]), passing).kind === 'no');
  return first.length > 0 ? first : by.some(({ chain }) => chain === 'OUTPUT') ? ['INPUT', 'OUTPUT'] : ['INPUT'];
}

interface Blocked {
  readonly name: string;
  readonly port: number;
  readonly by: readonly Decider[];
}

/** Why a connection over lo comes to nothing: its first packet is dropped, or what answers it. */
function blockedBy(cx: CheckContext, pipeline: Pipeline, port: number, patience: Patience): readonly Decider[] | undefined {
  const packets = local(cx.ruleset, port);
  const first = patience.ask(solveBudget(), budget => question(pipeline, 'loop', packets, 'accept', budget, true));
  if (first.kind === 'undecided') cx.undecided();
  if (first.kind === 'no') return first.by;
  if (first.kind !== 'yes') return undefined;
  const [tcp] = exchanges(cx.ruleset);
  const answer = patience.ask(solveBudget(), budget => replies(pipeline, undefined, { path: 'loop', packets, budget, ...tcp === undefined ? {} : { answers: tcp.reply } }));
  if (answer.kind === 'undecided') cx.undecided();
  return answer.kind === 'never' ? answer.by : undefined;
}

/** Of the local services those that are blocked; it stops where enough are not. */
function blockedServices(cx: CheckContext, pipeline: Pipeline): readonly Blocked[] {
  const blocked: Blocked[] = [];
  const patience = new Patience();
  let open = 0;
  for (const [name, port] of localServices) {
    const by = blockedBy(cx, pipeline, port, patience);
    if (by !== undefined) blocked.push({ name, port, by });
    else if (++open >= localServices.size / 2) return [];
  }
  return blocked;
}

const missing = { INPUT: '-i lo -j ACCEPT', OUTPUT: '-o lo -j ACCEPT' } as const;

export const loopbackBlocked = defineCheck({
  name: 'loopback-blocked',
  kind: 'conversations',
  severity: 'error',
  summary: 'Programs of this host cannot talk to each other: what goes over lo is dropped',
  why: `Programs of one host talk to each other over the interface lo: to a database, to the local resolver, to a proxy,
to the mail system. Those packets pass OUTPUT and INPUT as all others do. A host that drops by default must let
them pass by name, before anything that looks at addresses: nobody outside can send by lo, for the kernel drops
what arrives elsewhere with an address of 127.0.0.0/8.
A host without programs of that kind says so by the setting \`neededServices\`, which then does not name loopback.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:local - [0:0]
-A INPUT ! -i eth0 -j local
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A local ! -s 127.0.0.0/8 -j RETURN
-A local -d 127.0.0.0/8 -j ACCEPT
COMMIT
`,
  asks: ({ ruleset }) => [...localServices.values()].map(port => local(ruleset, port)),
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined || !isNeeded(cx.settings, 'loopback') || !isDoubtful(cx, table) || isShut(cx, table)) return;
    const pipeline = cx.pipeline();
    if (pipeline === undefined) return;
    const blocked = blockedServices(cx, pipeline);
    const [first] = blocked;
    if (first === undefined) return;
    const elsewhere = helpElsewhere('what goes over lo', first.by);
    const hooks = blockingHooks(cx, table, first);
    const chains = hooks.flatMap(hook => table.chains.get(hook) ?? []);
    const edits = hooks.map(hook => chains.flatMap(chain => chain.name === hook ? [withFirst(cx.ruleset, table, chain, [missing[hook]])] : [])[0]);
    const address = cx.ruleset.family === 'ipv4' ? '127.0.0.1' : '::1';
    yield {
      span: chains.find(({ line }) => line > 0)?.span ?? table.span,
      message: `programs of this host cannot talk to each other over lo: connections to ${address} are dropped, as to ${blocked.map(({ name, port }) => `${name} (${String(port)})`).join(', ')}`,
      because: first.by.map(decider => deciderBecause(cx.ruleset, decider, 'drops what goes over lo')),
      witness: [stepOf({ src: address, dst: address, protocol: protocolNumber.tcp, sport: 40_000, dport: first.port, tcpFlags: 2 }, 'local')],
      shows: [{}],
      help: elsewhere ?? `let lo pass first of all: ${hooks.map(hook => `-I ${hook} ${missing[hook]}`).join(', and ')}`,
      ...elsewhere !== undefined || edits.includes(undefined) ? {} : fixWith('let lo pass', 'unsafe', edits.flatMap(one => one ?? [])),
    };
  },
});
