import type { Hook } from '../extensions/define.js';
import type { Span } from '../../grammar/source-text.js';
import type { Because } from '../finding.js';
import type { Severity } from '../model/diagnostic.js';
import type { Rule, Table } from '../model/ruleset.js';
import type { Decider, RuleAt } from '../packet-space/answers.js';
import { deciderOf, firstPacket, neverReplied, nextPacket, reachThrough, type ConversationCase, type LostPackets, type Path, type Pipeline } from '../packet-space/pipeline/index.js';
import { any } from '../packet/constraint.js';
import { namedInterfaces } from './shared/outside.js';
import type { ProposedStep, Shown } from '../witness/proposal.js';
import { accepterOf, acceptsAll, acceptsForOthers } from './shared/accepting.js';
import { deciderBecause, deciderReference, helpElsewhere, isPolicy } from './shared/deciders.js';
import { defineCheck, fixWith, referenceOf, type CheckContext, type Report } from './define-check.js';
import { withFirst } from './shared/edits.js';
import { everydayClient, exchanges, type Exchange, replyHook, replyMarks, stepOf, tcpClient } from './shared/replies.js';
import { hooksTo } from './shared/hooks-into.js';
import { betweenHosts } from './shared/between-hosts.js';
import { goingOn, stuck, type Stuck } from './shared/goes-on.js';
import { areAnsweredSurely, someReplies, type SomeReplies } from './shared/some-replies.js';
import { effectOf } from './shared/targets.js';
import { askedOutside, unansweredOutside } from './shared/unanswered-outside.js';
import { leasePackets, unheardLease } from './shared/unheard-leases.js';
import { doubtful, firstBroken, questionsOf, type Broken, type Doubt } from './shared/unanswered.js';
import { othersTold, theSame } from './shared/the-same.js';

function severityOf({ everyday, isAside: aside }: Broken): Severity {
  if (aside) return 'info';
  return everyday ? 'warning' : 'error';
}

function killedBy(cx: CheckContext, decider: Decider): Because {
  return deciderBecause(cx.ruleset, decider, isPolicy(decider) ? `policy ${decider.policy}: replies end here` : 'drops replies');
}

/** The first packet and the reply that dies, as steps. Where nat chooses addresses as it likes, the reply is to what it chose. */
function conversationSteps(pipeline: Pipeline, path: Path, dies: ConversationCase): ProposedStep[] {
  const { sample, trip } = firstPacket(pipeline, dies);
  const { protocol, out = 'eth0' } = sample;
  const first = stepOf(sample, path === 'out' ? 'local' : sample.in ?? 'eth0');
  const reply = nextPacket(pipeline, trip, sample, replyMarks(sample));
  if (reply !== undefined) return [first, stepOf(reply, path === 'in' ? 'local' : reply.in ?? out)];
  return [first, { ...stepOf({ ...protocol === undefined ? {} : { protocol }, ...replyMarks(sample) }, path === 'in' ? 'local' : out), answers: 0 }];
}

const directions: Partial<Record<Path, readonly [string, string]>> = { in: ['in', 'out'], out: ['out', 'in'], through: ['through', 'back'] };

/** Where the reply dies, as it is shown. */
function lostAt({ killers }: Pick<Broken, 'killers'>, back: Hook): Shown {
  return killers.every(one => one.table === 'filter') ? { at: `filter:${back}`, fate: 'lost' } : { fate: 'lost' };
}

/** What is found of a rule, and of others for the same reason. */
interface Alike<T> {
  readonly at: RuleAt;
  readonly found: T;
  readonly others: RuleAt[];
}

/** One cause is told once: of the first rule. */
function addTo<T>(groups: Map<string, Alike<T>>, key: string, at: RuleAt, found: T): void {
  const known = groups.get(key);
  if (known === undefined) groups.set(key, { at, found, others: [] });
  else known.others.push(at);
}

/** A missing rule for replies is every rule's own matter; a rule that drops them is one cause, whatever it hits. */
function keyOf(at: RuleAt, { killers, path, exchange, everyday, isAside }: Broken): string {
  const who = killers.some(isPolicy) ? referenceOf(at) : killers.map(deciderReference).join();
  return [who, path, exchange.name, everyday, isAside].join(' ');
}

function alsoHit(others: readonly RuleAt[]): Because[] {
  return theSame(others.slice(0, othersTold));
}

function subject(others: readonly RuleAt[]): string {
  return others.length === 0 ? 'this rule lets' : `this rule and ${others.length === 1 ? 'another' : `${String(others.length)} others`} let`;
}

/** The usual rule, as the first of the chain where replies are lost. */
function letReplies({ ruleset }: CheckContext, back: Hook): Pick<Report, 'fix'> {
  const table = ruleset.tables.get('filter');
  const chain = table?.chains.get(back);
  return table === undefined || chain === undefined ? {} : fixWith('let replies pass', 'unsafe', withFirst(ruleset, table, chain, ['-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT']));
}

function remedy(cx: CheckContext, back: Hook, killers: readonly Decider[]): Pick<Report, 'help' | 'fix'> {
  const elsewhere = helpElsewhere('replies', killers);
  if (elsewhere !== undefined) return { help: elsewhere };
  return { help: `let replies pass: -I ${back} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`, ...letReplies(cx, back) };
}

function report(cx: CheckContext, pipeline: Pipeline, { at, found, others }: Alike<Broken>): Report {
  const { hook, path, exchange, dies, killers, everyday } = found;
  const back = replyHook[hook] ?? 'OUTPUT';
  const [there, again] = directions[path] ?? ['in', 'out'];
  const whose = everyday ? ` to an everyday client (source port 32768 or more)` : '';
  return {
    at,
    severity: severityOf(found),
    ...isByUnnamedOnly(cx, pipeline, at, found) ? { mutedIn: 'generated' as const } : {},
    alike: others.length + 1, message: `${subject(others)} ${exchange.name} ${there}, but no reply${whose} gets ${again}`,
    because: [...killers.map(decider => killedBy(cx, decider)), ...alsoHit(others)],
    witness: conversationSteps(pipeline, path, dies), shows: [{ at: `filter:${hook}`, fate: 'passes', matches: [referenceOf(at)] }, lostAt(found, back)],
    ...remedy(cx, back, killers),
  };
}

/** Whether whatever the rule lets begin goes by interfaces that no rule names: a program asks for those that there are, and what it says of others is a last word. */
function isByUnnamedOnly({ ruleset }: CheckContext, pipeline: Pipeline, { rule }: RuleAt, { path }: Broken): boolean {
  const field = path === 'in' ? 'in' : 'out';
  const named = namedInterfaces(ruleset);
  return path !== 'through' && named.length > 0 && reachThrough(pipeline, rule, { packets: any(named.map(one => ({ kind: 'interface', field, ...one }))), path }).kind === 'dead';
}

const exceptionsTold = 3;

/** First packets in words: `src 10.0.0.0/8, sport 1024:40000`. */
function packetsText({ fields, except }: LostPackets): string {
  const some = except.slice(0, exceptionsTold).map(one => one.join(', '));
  const more = except.length - some.length;
  const without = some.length === 0 ? '' : `${fields.length === 0 ? '' : ','} except ${some.join('; ')}${more > 0 ? `; and ${String(more)} more` : ''}`;
  return `${fields.length === 0 ? 'all' : `those to packets with ${fields.join(', ')}`}${without}`;
}

/** Some replies get back, and these do not. */
function reportSome(cx: CheckContext, pipeline: Pipeline, { at, found, others }: Alike<SomeReplies>): Report {
  const { doubt: { hook, path, exchange }, by, isEveryday } = found;
  const back = replyHook[hook] ?? 'OUTPUT';
  const [there, again] = directions[path] ?? ['in', 'out'];
  return {
    at,
    severity: isEveryday ? 'warning' : 'info',
    ...found.isWithinKind ? { certainty: 'possible' as const } : {},
    alike: others.length + 1, message: `${subject(others)} ${exchange.name} ${there}, but not all replies get ${again}: lost are ${packetsText(found.packets())}`,
    because: [killedBy(cx, by), ...alsoHit(others)],
    witness: conversationSteps(pipeline, path, found), shows: [{ at: `filter:${hook}`, fate: 'passes', matches: [referenceOf(at)] }, lostAt({ killers: [by] }, back)],
    ...remedy(cx, back, [by]),
  };
}

/** The first packet and its answer pass, and what the client sends next does not. */
function reportStuck(cx: CheckContext, pipeline: Pipeline, { at, found: { hook, path, begins, by, everyday: onlyEveryday }, others }: Alike<Stuck>): Report {
  const { sample } = firstPacket(pipeline, begins, onlyEveryday ? everydayClient.first : undefined);
  const { protocol, src, dst, sport, dport, in: device = 'eth0', out = 'eth0' } = sample;
  const reply = Object.fromEntries(Object.entries({ protocol, src: dst, dst: src, sport: dport, dport: sport, ...replyMarks(sample) }).filter(([, value]) => value !== undefined));
  const from = path === 'out' ? 'local' : device;
  return {
    at,
    ...onlyEveryday ? { severity: 'warning' as const } : {},
    alike: others.length + 1, message: `${subject(others)} TCP connections begin, and they end there: what ${onlyEveryday ? 'an everyday client (source port 32768 or more)' : 'the client'} sends next is ESTABLISHED, and no rule of ${hook} lets that pass`,
    because: [...by.map(decider => deciderBecause(cx.ruleset, decider, 'drops what follows')), ...alsoHit(others)],
    ...cx.ruleset.tables.has('nat') ? {} : {
      witness: [stepOf(sample, from), stepOf(reply, path === 'in' ? 'local' : out), stepOf({ ...sample, tcpFlags: 16, ctstate: 'ESTABLISHED' }, from)],
      shows: [{ at: `filter:${hook}`, fate: 'passes', matches: [referenceOf(at)] }, { at: `filter:${replyHook[hook] ?? 'OUTPUT'}`, fate: 'passes', isPremise: true }, { at: `filter:${hook}`, fate: 'lost' }],
    },
    ...remedy(cx, hook, by),
  };
}

export const missingEstablishedReturn = defineCheck({
  name: 'missing-established-return',
  kind: 'conversations',
  severity: 'error',
  summary: 'A rule lets connections in, and replies to them do not get back',
  why: `A packet filter must let both directions pass. Accepting the first packet of a connection is of no use if
every answer dies on its way back: the client waits until it gives up. The usual repair is one rule that accepts
what belongs to known connections (ESTABLISHED) and to their errors (RELATED), early in each chain.
Where not one reply can pass the rule is of no use: an error. Where some can, it says for which packets they are lost, by the
rule or policy that drops them: a warning if everyday clients lose theirs (source port 32768 or more), whomever they ask and by
whichever interface they come, or ask anybody on the internet from behind this host; else an info, as it is where the rule that drops replies names private networks, for that may be meant. Where only pings are
lost, and the rule lets TCP or UDP pass as well, that is an info: somebody may have meant to drop ICMP.
Answers from behind the interface by which the client comes count only for what goes back there: a rule for all that comes from a tunnel is not for the tunnel alone. One for many tunnels (tun+) may be, so that this is possible only.
It is no better where the answer passes and the client’s next packet does not, because a rule is for NEW packets, and none for those that follow.
A client of DHCPv6 asks a group, and a server answers from an address of its own: for connection tracking that is another conversation, so that its answers need a rule of their own. Where a rule of OUTPUT lets such a client ask, and INPUT no answer in, it says so.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A OUTPUT -o lo -j ACCEPT
-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT
-A OUTPUT -p tcp -m tcp --dport 53 -j ACCEPT
-A OUTPUT -p tcp -m multiport --dports 80,443 -j ACCEPT
-A OUTPUT -p udp -m udp --dport 123 -j ACCEPT
-A OUTPUT -p icmp -j ACCEPT
-A OUTPUT -p udp -m udp --sport 68 --dport 67 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A OUTPUT -o lo -j ACCEPT
-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT
-A OUTPUT -p tcp -m tcp --dport 53 -j ACCEPT
-A OUTPUT -p tcp -m multiport --dports 80,443 -j ACCEPT
-A OUTPUT -p udp -m udp --dport 123 -j ACCEPT
-A OUTPUT -p icmp -j ACCEPT
-A OUTPUT -p udp -m udp --sport 68 --dport 67 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A OUTPUT -o lo -j ACCEPT
-A OUTPUT -p tcp -m tcp --sport 22 ! --tcp-flags SYN,ACK SYN -j ACCEPT
COMMIT
`,
  asks: ({ ruleset }) => [...exchanges(ruleset).flatMap(({ first, reply, unless }) => [first, reply, ...unless === undefined ? [] : [unless]]), everydayClient.first, tcpClient, betweenHosts(ruleset.family), goingOn, ...askedOutside(ruleset.family), ...leasePackets(ruleset)],
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined) return;
    const accepting = hooksTo(table, rule => effectOf(rule) === 'accept');
    const output = table.chains.get('OUTPUT');
    const open = output?.policy === 'ACCEPT' ? output : undefined;
    const doubts = doubtful(cx, table, open === undefined ? accepting : new Set<Hook>([...accepting, 'OUTPUT']));
    const [told, partly] = [new Set<Rule>(), new Set<Rule>()];
    yield* lost(cx, table, doubts.filter(({ hook }) => accepting.has(hook)), told, partly);
    yield* begunOnly(cx, table, told);
    yield* unleased(cx, table);
    const isTold = (rule: Rule): boolean => told.has(rule) || partly.has(rule);
    yield* lostOutside(cx, 'through', doubts.filter(({ hook }) => hook === 'FORWARD' && accepting.has(hook)), isTold);
    const own = doubts.filter(({ hook }) => hook === 'OUTPUT');
    const broken = open === undefined ? [] : [...brokenPolicy(cx, own)];
    yield* broken;
    if (broken.length === 0) yield* lostOutside(cx, 'out', own, isTold);
  },
});

/** Rules to which no answers come, of all or of some conversations. Those of the first sort are added to `told`, the others to `partly`. */
function* lost(cx: CheckContext, table: Table, doubts: readonly Doubt[], told: Set<Rule>, partlyTold: Set<Rule>): Generator<Report, void> {
  const pipeline = doubts.length === 0 ? undefined : cx.pipeline();
  if (pipeline === undefined) return;
  const reached = cx.reach(table);
  const broken = new Map<string, Alike<Broken>>();
  const partly = new Map<string, Alike<SomeReplies>>();
  for (const at of cx.rules(table)) {
    if (!acceptsAll(table, at.rule) || acceptsForOthers(table, at) || reached.get(at.rule)?.kind !== 'live' || areAnsweredSurely(cx, pipeline, at, doubts)) continue;
    const found = firstBroken(cx, pipeline, { table, at }, doubts);
    if (found !== undefined) {
      told.add(at.rule).add(accepterOf(table, at.rule));
      addTo(broken, keyOf(at, found), at, found);
    } else for (const one of someReplies(cx, pipeline, at, doubts)) {
      partlyTold.add(at.rule).add(accepterOf(table, at.rule));
      addTo(partly, [deciderReference(one.by), one.doubt.path, one.doubt.exchange.name, one.isEveryday, one.isWithinKind].join(' '), at, one);
    }
  }
  for (const one of broken.values()) yield report(cx, pipeline, one);
  for (const one of partly.values()) yield reportSome(cx, pipeline, one);
}

/** Who is let out to the internet, and gets no answer from there: somebody elsewhere may give some, so that the rule is not told of by itself. */
function* lostOutside(cx: CheckContext, path: 'through' | 'out', doubts: readonly Doubt[], isTold: (rule: Rule) => boolean): Generator<Report, void> {
  const about = doubts.map(({ exchange }) => exchange).filter(one => !one.isPing);
  const pipeline = about.length === 0 ? undefined : cx.pipeline();
  const found = pipeline === undefined ? undefined : unansweredOutside(cx, pipeline, about, path);
  if (pipeline === undefined || found === undefined) return;
  const { exchange, device, by, dies, killers, mayBeListed, isInner } = found;
  // What FORWARD lets through by its policy it was not meant to judge.
  if (isPolicy(by) ? path === 'through' : isTold(by.rule)) return;
  const back: Hook = path === 'out' ? 'INPUT' : 'FORWARD';
  yield {
    ...isPolicy(by) ? { span: policySpan(cx) } : { at: by }, severity: isInner ? 'info' : 'warning',
    ...mayBeListed ? { certainty: 'possible' as const } : {},
    message: `${isPolicy(by) ? 'the policy ACCEPT of OUTPUT' : 'this rule'} lets ${isPolicy(by) ? everyday[exchange.name] ?? exchange.name : exchange.name} ${path === 'out' ? 'out' : 'through'} to the internet, but ${mayBeListed ? 'hardly any reply' : 'no reply'} from there gets ${path === 'out' ? 'in' : 'back'}${device === undefined ? '' : ` by ${device}`}`,
    because: killers.map(decider => killedBy(cx, decider)),
    witness: conversationSteps(pipeline, path, dies),
    shows: [isPolicy(by) ? { at: 'filter:OUTPUT', fate: 'passes' } : { at: `filter:${path === 'out' ? 'OUTPUT' : 'FORWARD'}`, fate: 'passes', matches: [referenceOf(by)] }, lostAt({ killers }, back)],
    ...remedy(cx, back, killers),
  };
}

/** Rules by which connections begin that cannot go on. */
function* begunOnly(cx: CheckContext, table: Table, told: ReadonlySet<Rule>): Generator<Report, void> {
  const known = new Map<string, Alike<Stuck>>();
  for (const one of stuck(cx, table, rule => told.has(rule))) addTo(known, [one.hook, one.everyday, ...one.by.map(deciderReference)].join(), one.at, one);
  const pipeline = known.size === 0 ? undefined : cx.pipeline();
  if (pipeline !== undefined) for (const one of known.values()) yield reportStuck(cx, pipeline, one);
}

/** A client of DHCPv6 that asks a group, and to which nobody can answer. */
function* unleased(cx: CheckContext, table: Table): Generator<Report, void> {
  const found = unheardLease(cx, table);
  if (found === undefined) return;
  const rule = '-s fe80::/10 -p udp -m udp --sport 547 --dport 546 -j ACCEPT';
  const input = table.chains.get('INPUT');
  yield {
    at: found.at, severity: 'warning',
    message: 'this rule lets a client of DHCPv6 ask, but no answer gets in: it comes from the address of a server, and the group ff02::1:2 was asked, so that it is not ESTABLISHED',
    because: found.killers.map(decider => killedBy(cx, decider)),
    witness: [stepOf(found.request, 'local'), stepOf(found.answer, 'eth0')],
    shows: [{ at: 'filter:OUTPUT', fate: 'passes', isPremise: true }, lostAt(found, 'INPUT')],
    help: `let it in: -I INPUT ${rule}`,
    ...input === undefined ? {} : fixWith('let it in', 'unsafe', withFirst(cx.ruleset, table, input, [rule])),
  };
}

/** Where OUTPUT is declared, or its table, where the file does not. */
function policySpan({ ruleset }: CheckContext): Span {
  const table = ruleset.tables.get('filter');
  const chain = table?.chains.get('OUTPUT');
  return (chain === undefined || chain.line === 0 ? table?.span : chain.span) ?? { start: 0, end: 0 };
}

/** The policy ACCEPT of OUTPUT lets everything out; do everyday connections get an answer? */
function* brokenPolicy(cx: CheckContext, doubts: readonly Doubt[]): Generator<Report, void> {
  const about = doubts.map(({ exchange }) => exchange).filter(one => !one.isPing);
  const pipeline = about.length === 0 ? undefined : cx.pipeline();
  if (pipeline === undefined) return;
  for (const exchange of about) {
    const found = brokenExchange(cx, pipeline, exchange);
    if (found === undefined) continue;
    yield found;
    return;
  }
}

const everyday: Readonly<Record<string, string>> = { 'TCP connections': 'connections', 'UDP queries': 'UDP queries, such as for names (DNS),' };

function brokenExchange(cx: CheckContext, pipeline: Pipeline, exchange: Exchange): Report | undefined {
  const question = questionsOf('out', exchange).find(one => one.everyday)?.question;
  const answer = question === undefined ? undefined : neverReplied(pipeline, undefined, question);
  if (answer?.kind === 'undecided') cx.undecided();
  if (answer?.kind !== 'never') return undefined;
  const passing = answer.dies.trip.run.stages.find(({ stage }) => stage.table === 'filter' && stage.hook === 'OUTPUT');
  const by = passing === undefined ? undefined : deciderOf(pipeline, passing);
  if (by === undefined || !isPolicy(by)) return undefined;
  return {
    span: policySpan(cx),
    severity: 'warning',
    message: `the policy ACCEPT of OUTPUT lets ${everyday[exchange.name] ?? exchange.name} out, but no reply to an everyday client (port 32768 or more) gets in`,
    because: answer.by.map(decider => killedBy(cx, decider)),
    witness: conversationSteps(pipeline, 'out', answer.dies), shows: [{ at: 'filter:OUTPUT', fate: 'passes' }, lostAt({ killers: answer.by }, 'INPUT')],
    help: 'let replies pass: -I INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    ...letReplies(cx, 'INPUT'),
  };
}
