/** `iptables-lint trace RULES` */
import { converse, type Conversation } from '../analyzer/netfilter/scenario/conversation.js';
import { createHost, rulesetFor, type Host, type HostSetup, type TraceOptions } from '../analyzer/netfilter/engine.js';
import type { PacketWords } from '../analyzer/netfilter/scenario/packet-words.js';
import { arrivalOf } from '../analyzer/netfilter/scenario/arrival.js';
import { assumedHost, interfacesNamed } from '../analyzer/netfilter/scenario/assumed-host.js';
import { setupOf } from '../analyzer/netfilter/scenario/host-setup.js';
import { listenerOf } from '../analyzer/netfilter/scenario/listener.js';
import { ScenarioError } from '../analyzer/netfilter/scenario/scenario-error.js';
import type { Scenario, ScenarioStep } from '../analyzer/netfilter/scenario.js';
import { allWays, type Ways } from '../analyzer/netfilter/scenario/ways.js';
import type { Ruleset } from '../analyzer/model/ruleset.js';
import { printTrace, printWays, type TracedStep } from '../report/trace.js';
import { visible, visibleJson } from '../report/visible.js';
import { wantsColor, widthOf } from './color.js';
import { print, stdout } from './streams.js';
import { hostFrom, packetFrom, rulesFrom, rulesSource, scenarioFrom } from './trace/read-inputs.js';
import type { TraceCommandOptions } from './trace/trace-options.js';
import { say, Trouble } from './trouble.js';

/** Everything that a run needs. */
interface Job {
  readonly ruleset: Ruleset;
  readonly setup: HostSetup;
  readonly steps: readonly ScenarioStep[];
  readonly conversation: PacketWords & { readonly in: string } | undefined;
  /** When the first packet comes, in seconds since 1970; undefined where nobody says. */
  readonly start: number | undefined;
  /** What of the host is left out where it cannot be read is a warning: it was collected, and not written by hand. */
  readonly isCollected: boolean;
}

/** The packet's step, with its interface found where none is said. */
function placed({ family, ...words }: PacketWords, setup: HostSetup): PacketWords & { readonly in: string } {
  return { ...words, family, in: words.in ?? arrivalOf(words.packet, family, setup) };
}

/** What the rules speak of and an assumed host does not have: packets that belong there go another way. */
function lacking(ruleset: Ruleset, { interfaces = [] }: HostSetup): string {
  const names = interfacesNamed(ruleset).filter(name => name !== 'lo' && !interfaces.some(one => one.name === name));
  const some = names.slice(0, 4);
  return names.length === 0 ? '' : `, and no ${[...some, ...names.length > some.length ? ['others'] : []].join(', ')}, which the rules name`;
}

/** What the host is: what the scenario says goes before what the host file says. Told on stderr where it had to be made up. */
function setupFor(scenario: Scenario, fromHost: HostSetup, words: readonly PacketWords[], ruleset: Ruleset): HostSetup {
  const { family, backend, rules, steps, ...said } = scenario;
  const setup = { ...fromHost, ...said, sysctls: { ...fromHost.sysctls, ...said.sysctls } };
  if (setup.interfaces !== undefined) return setup;
  const assumed = assumedHost([...steps, ...words], ruleset.family);
  say(`iptables-lint: the host is not described, so it is taken to have ${visible(`${assumed.said}${lacking(ruleset, assumed.setup)}`)}; --host FILE or --scenario FILE says more\n`);
  return { ...assumed.setup, ...setup, routes: [...assumed.setup.routes ?? [], ...setup.routes ?? []] };
}

function chooseRuleset(rulesets: readonly Ruleset[], scenario: Scenario, path: string): Ruleset {
  if (rulesets.length > 0 && scenario.family !== undefined && !rulesets.some(({ family }) => family === scenario.family)) {
    const [packets, rules] = scenario.family === 'ipv6' ? ['IPv6', 'IPv4'] : ['IPv4', 'IPv6'];
    throw new Trouble(`the packets are ${packets}, and the rules of ${path} are for ${rules}; --family ${scenario.family} reads them for ${packets}`);
  }
  return rulesetFor(scenario, rulesets);
}

async function readJob(path: string | undefined, options: TraceCommandOptions): Promise<Job> {
  const packets = (options.packet ?? []).map(line => packetFrom(line, '--packet', options.color));
  const conversation = options.conversation === undefined ? undefined : packetFrom(options.conversation, '--conversation', options.color);
  const words = conversation === undefined ? packets : [...packets, conversation];
  const given = options.scenario === undefined ? undefined : await scenarioFrom(options.scenario, options.color);
  const host = options.host === undefined ? undefined : await hostFrom(options.host, options.color);
  if (words.length === 0 && (given?.steps.length ?? 0) === 0) throw new Trouble('no packets: give some with --packet, --conversation or --scenario; see iptables-lint trace --help');
  const family = options.family ?? given?.family ?? words[0]?.family;
  const backend = options.backend ?? given?.backend;
  const source = await rulesSource(path, given, host, family, options);
  const said = options.family ?? given?.family;
  const hint = { ...options, ...said === undefined ? {} : { family: said }, ...backend === undefined ? {} : { backend } };
  const { rules, ...rest } = given ?? { steps: [] };
  const scenario: Scenario = { ...rest, ...family === undefined ? {} : { family }, ...backend === undefined ? {} : { backend } };
  const ruleset = chooseRuleset(rulesFrom(source, hint), scenario, source.path);
  const setup = setupFor(scenario, host === undefined ? {} : setupOf(host, ruleset.family), words, ruleset);
  const added = packets.map((one): ScenarioStep => {
    const { family: ofPacket, ...step } = placed(one, setup);
    return step;
  });
  return { ruleset, setup, steps: [...scenario.steps, ...added], conversation: conversation === undefined ? undefined : placed(conversation, setup), start: options.at ?? secondsOf(host?.collected), isCollected: host !== undefined };
}

function secondsOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time) / 1000;
}

/** A host with its oddities told: what its owner wrote must be understood. */
function hostOf({ ruleset, setup, isCollected }: Job, options: TraceOptions): Host {
  const host = createHost(ruleset, setup, options);
  const [problem] = host.problems;
  if (problem !== undefined && !isCollected) throw new Trouble(`the host cannot be so: ${problem}`);
  return host;
}

/** On stderr, once: a collected host may have what is not modelled. */
function warn(job: Job): void {
  if (!job.isCollected) return;
  for (const problem of new Set(createHost(job.ruleset, job.setup).problems)) say(`iptables-lint: left out of the host: ${visible(problem)}\n`);
}

interface Traced {
  readonly steps: readonly TracedStep[];
  readonly conversation: Conversation | undefined;
}

/** Whether somebody will read of each rule on the way. */
type Detail = 'detailed' | 'plain';

function run(job: Job, options: TraceOptions, detail: Detail): Traced {
  const { steps, conversation } = job;
  const host = hostOf(job, options);
  const told = (one: Omit<TracedStep, 'listener'>): TracedStep => ({ ...one, listener: listenerOf(one.answer, job.setup.sockets) });
  const traced = steps.map(step => told({ step, answer: detail === 'plain' ? { ...host.send(step), trail: [] } : host.sendInDetail(step) }));
  if (conversation === undefined) return { steps: traced, conversation: undefined };
  const { family, packet, ...opening } = conversation;
  const { src = '', dst = '' } = packet;
  const played = converse(step => host.sendInDetail(step), { ...opening, packet: { ...packet, src, dst } });
  const exchanges = played.exchanges.map(({ line, step, answer }) => told({ title: `the ${line.from}'s ${line.name}`, step, answer }));
  return { steps: [...traced, ...exchanges], conversation: played };
}

/** What scenarios answer, and nothing besides. */
function answers(steps: readonly TracedStep['answer'][]): readonly object[] {
  return steps.map(({ trail, arrived, ...answer }) => answer);
}

function json(document: unknown): string {
  return `${visibleJson(JSON.stringify(document, undefined, 2))}\n`;
}

async function printRun({ steps, conversation }: Traced, options: TraceCommandOptions): Promise<void> {
  const said = conversation === undefined ? '' : `${visible(conversation.said)}\n`;
  if (options.format === 'json') {
    await print(json({ steps: answers(steps.map(({ answer }) => answer)) }));
    say(said);
  } else await print(`${printTrace(steps, { color: wantsColor(options.color, stdout()), width: widthOf(stdout()) })}${said === '' ? '' : `\n${said}`}`);
}

async function printAll({ ways, isCut }: Ways, job: Job, options: TraceCommandOptions): Promise<void> {
  if (options.format === 'json') await print(json({ ways: ways.map(({ assumptions, answer }) => ({ assumptions, steps: answers(answer.steps) })), cut: isCut }));
  else {
    const traced = ways.map(({ assumptions, answer }) => ({ assumptions, steps: answer.steps.flatMap((one, index) => {
      const step = job.steps[index];
      return step === undefined ? [] : [{ step, answer: one }];
    }) }));
    await print(printWays(traced, isCut, { color: wantsColor(options.color, stdout()), width: widthOf(stdout()) }));
  }
  if (isCut) say(`iptables-lint: there are more ways than were tried; these are the first ${String(ways.length)}\n`);
}

export async function trace(path: string | undefined, options: TraceCommandOptions): Promise<void> {
  const seed = options.seed === undefined ? {} : { seed: options.seed };
  if (options.unknown === 'both' && options.conversation !== undefined) throw new Trouble('--unknown both goes with packets, not with a conversation: choose match or skip');
  try {
    const job = await readJob(path, options);
    const given = { ...seed, ...job.start === undefined ? {} : { start: job.start } };
    const detail = options.format === 'json' ? 'plain' : 'detailed';
    warn(job);
    if (options.unknown === 'both') await printAll(allWays(decisions => ({ steps: run(job, { ...given, decisions }, detail).steps.map(({ answer }) => answer) })), job, options);
    else await printRun(run(job, { ...given, unknown: options.unknown }, detail), options);
  } catch (error) {
    if (error instanceof ScenarioError) throw new Trouble(error.message, { cause: error });
    throw error;
  }
}
