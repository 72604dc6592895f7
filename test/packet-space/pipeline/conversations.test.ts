import test from 'ava';
import * as fc from 'fast-check';
import { load } from '../../../analyzer/model/load.js';
import type { Rule } from '../../../analyzer/model/ruleset.js';
import { all, ctstates, is, masked, type Constraint } from '../../../analyzer/packet/constraint.js';
import { lostReplies, pipeline, replies, stateReach, whereLost, type ConversationQuestion, type LostPlaces, type Path, type Replies } from '../../../analyzer/packet-space/pipeline/index.js';
import { sawIn } from '../../../analyzer/packet-space/pipeline/goals.js';
import { referenceTo } from '../../../analyzer/packet-space/pipeline/deciders.js';
import type { Pipeline } from '../../../analyzer/packet-space/pipeline/passes.js';
import { solveBudget } from '../../../analyzer/packet-space/pipeline/solve.js';
import { ofHosts } from '../../../analyzer/packet-space/pipeline/strays.js';
import type { Back } from '../../../analyzer/packet-space/pipeline/turn.js';
import { asked, drawnTrips } from './enumerate.js';
import { worlds, type World } from './worlds.js';
import { watchFor } from '../../../analyzer/packet-space/pipeline/watch.js';

const runs = Number(process.env['PIPELINE_RUNS'] ?? 40);
const seed = Number(process.env['PIPELINE_SEED'] ?? 9);
const kinds: readonly Back[] = ['reply', 'anyone', 'error', 'again', 'error-again'];

function made(text: string, questions: readonly Constraint[] = []): Pipeline {
  const { rulesets: [ruleset] } = load({ path: 'rules', text });
  const found = ruleset === undefined ? undefined : pipeline(ruleset, { asked: questions });
  if (found === undefined) throw new Error(`does not load:\n${text}`);
  return found;
}

/** What some drawn conversations show, against what is said of all. */
function isContradicted({ kind }: Replies, passes: boolean, dies: boolean): boolean {
  if (kind === 'undecided') return true;
  return (passes && (kind === 'never' || kind === 'unreached')) || (dies && (kind === 'always' || kind === 'unreached'));
}

function checkRule(p: Pipeline, { path, text }: World, rule: Rule | undefined, back: Back): void {
  const number = rule === undefined ? -1 : p.chains.numbers.get(rule) ?? -1;
  const watch = rule === undefined ? undefined : watchFor(p.chains, number);
  const answer = replies(p, rule, { path, back });
  const state = p.chains.dimensions.fields.get('ctstate')?.[0] ?? 0;
  // No packet can match the rule.
  if (rule !== undefined && watch === undefined) {
    if (answer.kind !== 'unreached') throw new Error(`${back} to rule ${String(number)}: ${answer.kind}, but nothing matches it\n${text}`);
    return;
  }
  const hosts = ofHosts(p, back, { path, watch, back, miss: () => undefined });
  let [passes, dies] = [false, false];
  for (const trip of drawnTrips(p, path, asked(p, true), 300, { watch, back })) {
    if (trip.dropped || trip.isElsewhere || (trip.state !== ctstates.NEW && trip.state !== ctstates.UNTRACKED) || (watch !== undefined && !sawIn(trip, 0, trip.backFrom))) continue;
    if (trip.run.point.inputs[p.natInput] !== 0 || trip.run.point.inputs[state] !== ctstates.NEW) continue;
    // No two hosts talk like that.
    if (hosts.over?.(trip.run.point) !== undefined || hosts.miss(trip) !== undefined) continue;
    if (trip.backDropped) dies = true;
    else passes = true;
  }
  if (isContradicted(answer, passes, dies)) throw new Error(`${back} to rule ${String(number)}: ${answer.kind}, but drawn ones pass: ${String(passes)}, die: ${String(dies)}, on path ${path}\n${text}`);
}

test('what comes back always, sometimes or never gets through: no drawn conversation says otherwise', t => {
  const property = fc.property(worlds, fc.constantFrom(...kinds), fc.nat(3), (world, back, part) => {
    const p = made(world.text);
    checkRule(p, world, undefined, back);
    p.chains.rules.forEach(({ rule }, number) => { if (number % 4 === part) checkRule(p, world, rule, back); });
  });
  const result = fc.check(property, { numRuns: runs, seed, endOnFailure: true });
  t.false(result.failed, result.failed ? `${String(result.errorInstance)}\nseed ${String(result.seed)} path ${String(result.counterexamplePath)}` : '');
});

/** Who drops replies to conversations that a rule lets begin. */
function killersOf(p: Pipeline, question: ConversationQuestion, rule: Rule | undefined, places?: LostPlaces): readonly string[] | undefined {
  const search = lostReplies(p, rule, question, { limit: 100, budget: solveBudget(), places });
  const found: string[] = [];
  let next = search.next();
  for (; next.done !== true; next = search.next()) found.push(referenceTo(next.value.by));
  return next.value === 'complete' ? found.sort() : undefined;
}

test('where replies are lost some of any rule are lost that loses any', t => {
  let lost = 0;
  const [tcp, udp] = [is('protocol', 6), is('protocol', 17)];
  const property = fc.property(worlds, fc.boolean(), ({ path, text }, isSplit) => {
    const p = made(text, [tcp, udp]);
    const questions: readonly ConversationQuestion[] = isSplit ? [{ path, packets: tcp }, { path, packets: udp }] : [{ path }];
    const places = whereLost(p, questions, { limit: 1000, budget: solveBudget() });
    if (places === 'many' || places === 'undecided') return;
    for (const rule of [undefined, ...p.chains.rules.map(one => one.rule)]) for (const question of questions) {
      const [all, some] = [killersOf(p, question, rule), killersOf(p, question, rule, places)];
      if (all === undefined || some === undefined) continue;
      lost += all.length;
      // Who is named hangs on where the search begins, where one may drop by chance what another would drop.
      if ((all.length > 0) !== (some.length > 0)) throw new Error(`lost to ${all.join()}, but ${some.join()} where replies are lost, on path ${path}\n${text}`);
    }
  });
  const result = fc.check(property, { numRuns: runs, seed, endOnFailure: true });
  t.false(result.failed, result.failed ? `${String(result.errorInstance)}\nseed ${String(result.seed)} path ${String(result.counterexamplePath)}` : '');
  t.true(lost > runs);
});

test('conversations that are lost whenever they begin are found among others that are lost by the same chance', t => {
  const mangle = '*mangle\n:INPUT ACCEPT\n-A INPUT -m limit --limit 1/sec -j CONNMARK --set-xmark 0x1/0xffffffff\nCOMMIT\n';
  const lost = (client: string): readonly string[] | undefined => {
    const p = made(`${mangle}${filter('ACCEPT', [`-A INPUT ${client} -m connmark ! --mark 0x1 -j DROP`, '-A OUTPUT -m connmark --mark 0x1 -j DROP'])}`);
    return killersOf(p, { path: 'in' }, undefined);
  };
  t.deepEqual(lost('-s 10.0.0.2/32'), ['filter OUTPUT 1']);
  t.deepEqual(lost('-s 10.0.0.2/32 -d 10.0.0.0/24 -p tcp -m tcp --dport 22'), ['filter OUTPUT 1']);
  t.deepEqual(lost('-i lo -s 10.0.0.2/32 -m conntrack --ctstate ESTABLISHED'), [], 'of the others some are answered');
});

/** A client's port like any other: from the server's own port even a rule for the one direction would let replies pass. */
const tcp = { first: all([is('protocol', 6), masked('tcpFlags', 2, 63), is('fragment', 0), is('sport', 40_000)]), reply: all([masked('tcpFlags', 18, 63), is('fragment', 0)]) };

function repliesOf(text: string, position: number, path: Path, chain = 'FORWARD'): Replies {
  const p = made(text, [tcp.first, tcp.reply]);
  const rule = p.chains.rules.find(one => one.table === 'filter' && one.chain === chain && one.position === position)?.rule;
  return replies(p, rule, { path, packets: tcp.first, answers: tcp.reply });
}

const filter = (policies: string, rules: readonly string[]): string => `*filter\n${['INPUT', 'FORWARD', 'OUTPUT'].map(chain => `:${chain} ${policies} [0:0]\n`).join('')}${rules.join('\n')}\nCOMMIT\n`;
const nat = (rules: readonly string[]): string => `*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n${rules.join('\n')}\nCOMMIT\n`;

test('replies to a translated connection come from where it was translated to', t => {
  const published = nat(['-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080']);
  const inside = '-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 8080 -j ACCEPT';
  t.is(repliesOf(published + filter('DROP', [inside]), 1, 'through').kind, 'never');
  t.is(repliesOf(published + filter('DROP', [inside, '-A FORWARD -s 10.0.0.5/32 -p tcp -m tcp --sport 8080 -j ACCEPT']), 1, 'through').kind, 'always');
  // The address from before translation is not that of the reply in FORWARD.
  const outside = '-A FORWARD -s 192.0.2.1/32 -p tcp -m tcp --sport 80 -j ACCEPT';
  const only = filter('DROP', ['-A FORWARD -d 10.0.0.5/32 -i eth0 -p tcp -m tcp --dport 8080 -j ACCEPT', outside]);
  t.not(repliesOf(published + only, 1, 'through').kind, 'always');
});

test('replies to masqueraded connections go back to who asked', t => {
  const gateway = nat(['-A POSTROUTING -o wan0 -j MASQUERADE']);
  const rules = ['-A FORWARD -i lan0 -o wan0 -j ACCEPT', '-A FORWARD -i wan0 -o lan0 -d 192.168.1.0/24 -m conntrack --ctstate ESTABLISHED -j ACCEPT'];
  t.is(repliesOf(gateway + filter('DROP', rules), 1, 'through').kind, 'sometimes');
  const narrow = [`-A FORWARD -s 192.168.1.0/24 -i lan0 -o wan0 -j ACCEPT`, rules[1] ?? ''];
  t.is(repliesOf(gateway + filter('DROP', narrow), 1, 'through').kind, 'always');
});

test('who drops the replies is named', t => {
  const answer = repliesOf(filter('ACCEPT', ['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A OUTPUT -p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -j DROP']), 1, 'in', 'INPUT');
  t.is(answer.kind, 'never');
  if (answer.kind === 'never') t.deepEqual(answer.by.map(one => `${one.chain}:${'policy' in one ? 'policy' : String(one.position)}`), ['OUTPUT:1']);
});

function stateOf(text: string, chain: string, position: number): string {
  const p = made(text);
  const rule = p.chains.rules.find(one => one.table === 'filter' && one.chain === chain && one.position === position)?.rule;
  return rule === undefined ? 'no such rule' : stateReach(p, rule).kind;
}

const established = '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';

test('where no connection can begin, none is ever established', t => {
  t.is(stateOf(filter('DROP', [`-A INPUT ${established}`]), 'INPUT', 1), 'dead');
  t.is(stateOf(filter('DROP', [`-A INPUT ${established}`, '-A OUTPUT -p udp -j ACCEPT']), 'INPUT', 1), 'possible');
  t.is(stateOf(filter('DROP', [`-A FORWARD ${established}`, '-A INPUT -j ACCEPT']), 'FORWARD', 1), 'dead');
});

test('what is not tracked is never established, and a reply is seen before filter can drop it', t => {
  const raw = '*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -j NOTRACK\n-A OUTPUT -j NOTRACK\nCOMMIT\n';
  t.is(stateOf(raw + filter('ACCEPT', [`-A INPUT ${established}`]), 'INPUT', 1), 'dead');
  // The replies are dropped in OUTPUT; later packets of the client are ESTABLISHED all the same.
  t.is(stateOf(filter('DROP', [`-A INPUT ${established}`, '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT']), 'INPUT', 1), 'possible');
});

test('a rule that takes other packets as well does not wait for a connection', t => {
  t.is(stateOf(filter('DROP', ['-A INPUT -m conntrack --ctstate NEW,ESTABLISHED -p tcp -j DROP']), 'INPUT', 1), 'not-asked');
});

/** Replies to a service may go out to any of many networks, but for those that are blocked before. */
function manyWaysOut(blocked: (network: number) => boolean, before = ''): string {
  const networks = Array.from({ length: 60 }, (_, i) => i);
  const drops = networks.filter(blocked).map(i => `-A OUTPUT -d 10.0.${String(i)}.0/24 -j DROP\n`);
  const accepts = networks.map(i => `-A OUTPUT -d 10.0.${String(i)}.0/24 -p tcp -m tcp --sport 22 -j ACCEPT\n`);
  return `${before}*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n${drops.join('')}${accepts.join('')}COMMIT\n`;
}

test('of many rules that might let replies pass, it is enough that the first, one in the middle or the last does', t => {
  t.is(repliesOf(manyWaysOut(() => true), 1, 'in', 'INPUT').kind, 'never');
  for (const open of [0, 1, 17, 31, 44, 58, 59]) t.is(repliesOf(manyWaysOut(network => network !== open), 1, 'in', 'INPUT').kind, 'sometimes', `network ${String(open)}`);
});

test('the same where mangle writes what other rules ask for', t => {
  const mangle = '*mangle\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n-A PREROUTING -j MARK --set-xmark 0x1/0xffffffff\n-A OUTPUT -p tcp -j TOS --set-tos 0x10\nCOMMIT\n';
  t.is(repliesOf(manyWaysOut(() => true, mangle), 1, 'in', 'INPUT').kind, 'never');
  for (const open of [0, 30, 59]) t.is(repliesOf(manyWaysOut(network => network !== open, mangle), 1, 'in', 'INPUT').kind, 'sometimes', `network ${String(open)}`);
});
