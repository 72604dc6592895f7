import type { Severity } from '../model/diagnostic.js';
import type { Ruleset, Table } from '../model/ruleset.js';
import type { Decider } from '../packet-space/answers.js';
import { ask } from '../packet-space/index.js';
import { Patience } from '../packet-space/patience.js';
import { question, replies, type Pipeline } from '../packet-space/pipeline/index.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { all, is, masked, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import type { Family } from '../values/value.js';
import { stepOf } from '../witness/step.js';
import { unicast } from './shared/between-hosts.js';
import { deciderBecause, helpElsewhere } from './shared/deciders.js';
import { isShut } from './shared/default-drop.js';
import { defineCheck, fixWith, type CheckContext } from './define-check.js';
import { withFirst } from './shared/edits.js';
import { isNeeded } from './shared/needed-services.js';
import { exchanges, statesOf } from './shared/replies.js';
import { mayDrop } from './shared/targets.js';

/** What programs of one host ask of each other, by TCP port. A port that everybody may use is open over lo as well, so that one alone tells nothing. */
const localServices: ReadonlyMap<string, number> = new Map([['a database', 5432], ['a cache', 6379], ['mail', 25], ['printing', 631], ['X11 forwarding', 6010], ['a local proxy', 8118]]);

/** Addresses of which a host has one as its own, and the one that is shown. */
interface Own {
  readonly between: (family: Family) => Constraint;
  readonly example: Readonly<Record<Family, string>>;
  /** How the message begins. */
  readonly message: Readonly<Record<Family, string>>;
  readonly severity?: Severity;
}

const loopback: Own = {
  between: family => all((['src', 'dst'] as const).map(field => is(field, family === 'ipv4' ? 0x7f00_0001 : 1n))),
  example: { ipv4: '127.0.0.1', ipv6: '::1' },
  message: {
    ipv4: 'programs of this host cannot talk to each other over lo: connections to 127.0.0.1',
    ipv6: 'programs of this host cannot talk to each other over lo: connections to ::1',
  },
};
/** What a host sends to any other address of its own goes over lo as well. */
const others: Own = {
  between: family => all([unicast('src', family), unicast('dst', family)]),
  example: { ipv4: '192.0.2.1', ipv6: '2001:db8::1' },
  message: {
    ipv4: 'what this host sends to its own addresses goes over lo as well: connections to others than those of 127.0.0.0/8',
    ipv6: 'what this host sends to its own addresses goes over lo as well: connections to others than ::1',
  },
  severity: 'info',
};

function local(ruleset: Ruleset, port: number, own: Own): Constraint {
  return all([own.between(ruleset.family), is('protocol', protocolNumber.tcp), is('dport', port), masked('tcpFlags', 2, 63), is('fragment', 0), statesOf(ruleset).first]);
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
function blockingHooks(cx: CheckContext, table: Table, { port, by }: Blocked, own: Own): readonly ('INPUT' | 'OUTPUT')[] {
  const fields = { INPUT: 'in', OUTPUT: 'out' } as const;
  const first = (['INPUT', 'OUTPUT'] as const).filter(hook => ask(cx.space(), table, hook, all([local(cx.ruleset, port, own), byLo(fields[hook])]), passing).kind === 'no');
  return first.length > 0 ? first : by.some(({ chain }) => chain === 'OUTPUT') ? ['INPUT', 'OUTPUT'] : ['INPUT'];
}

interface Blocked {
  readonly name: string;
  readonly port: number;
  readonly by: readonly Decider[];
}

/** Why a connection over lo comes to nothing: its first packet is dropped, or what answers it. */
function blockedBy(cx: CheckContext, pipeline: Pipeline, port: number, own: Own, patience: Patience): readonly Decider[] | undefined {
  const packets = local(cx.ruleset, port, own);
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
function blockedServices(cx: CheckContext, pipeline: Pipeline, own: Own): readonly Blocked[] {
  const blocked: Blocked[] = [];
  const patience = new Patience();
  let open = 0;
  for (const [name, port] of localServices) {
    const by = blockedBy(cx, pipeline, port, own, patience);
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
what arrives elsewhere with an address of 127.0.0.0/8. What a host sends to another address of its own goes over lo
as well: where a rule for 127.0.0.0/8 leaves that out, it is told as an info, for many hosts never do so.
A host without programs of that kind says so by \`needed-services\` in iptables-lint.yaml, which then does not name loopback.`,
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
-A local ! -i lo -j RETURN
-A local -j ACCEPT
COMMIT
`,
  asks: ({ ruleset }) => [...localServices.values()].flatMap(port => [loopback, others].map(own => local(ruleset, port, own))),
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined || !isNeeded(cx.settings, 'loopback') || !isDoubtful(cx, table) || isShut(cx, table)) return;
    const pipeline = cx.pipeline();
    if (pipeline === undefined) return;
    const byLoopback = blockedServices(cx, pipeline, loopback);
    const own = byLoopback.length > 0 ? loopback : others;
    const blocked = byLoopback.length > 0 ? byLoopback : blockedServices(cx, pipeline, others);
    const [first] = blocked;
    if (first === undefined) return;
    const elsewhere = helpElsewhere('what goes over lo', first.by);
    const hooks = blockingHooks(cx, table, first, own);
    const chains = hooks.flatMap(hook => table.chains.get(hook) ?? []);
    const edits = hooks.map(hook => chains.flatMap(chain => chain.name === hook ? [withFirst(cx.ruleset, table, chain, [missing[hook]])] : [])[0]);
    const address = own.example[cx.ruleset.family];
    yield {
      span: chains.find(({ line }) => line > 0)?.span ?? table.span,
      ...own.severity === undefined ? {} : { severity: own.severity },
      message: `${own.message[cx.ruleset.family]} are dropped, as to ${blocked.map(({ name, port }) => `${name} (${String(port)})`).join(', ')}`,
      because: first.by.map(decider => deciderBecause(cx.ruleset, decider, 'drops what goes over lo')),
      witness: [stepOf({ src: address, dst: address, protocol: protocolNumber.tcp, sport: 40_000, dport: first.port, tcpFlags: 2 }, 'local')],
      shows: [{}],
      help: elsewhere ?? `let lo pass first of all: ${hooks.map(hook => `-I ${hook} ${missing[hook]}`).join(', and ')}`,
      ...elsewhere !== undefined || edits.includes(undefined) ? {} : fixWith('let lo pass', 'unsafe', edits.flatMap(one => one ?? [])),
    };
  },
});
