/**
 * The library: text in, findings out; packets in, fate out.
 *
 * ```ts
 * import { analyze, createHost, load } from 'iptables-lint';
 * const { findings } = analyze({ path: 'rules.v4', text });
 * const [ruleset] = load({ path: 'rules.v4', text }).rulesets;
 * const host = createHost(ruleset, { interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }] });
 * const { verdict, by } = host.send({ in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', dport: 22 } });
 * ```
 */
export { analyze, type Analysis, type AnalyzeOptions, type InternalError } from './analyzer/analyze.js';
export type { Check } from './analyzer/checks/define-check.js';
export { checks } from './analyzer/checks/index.js';
export type { Because, Certainty, Finding, Fix, WitnessHost, WitnessStep } from './analyzer/finding.js';
export type { ProposedStep, Shown } from './analyzer/witness/proposal.js';
export type { Diagnostic, Severity } from './analyzer/model/diagnostic.js';
export { loadChecks, type LoadCheckName } from './analyzer/model/load-checks.js';
export { load, type Loaded, type LoadOptions } from './analyzer/model/load.js';
export { printRuleset, type PrintOptions } from './analyzer/model/print.js';
export type { Chain, Rule, Ruleset, Table } from './analyzer/model/ruleset.js';
export { converse, type Conversation, type Exchange, type Opening } from './analyzer/netfilter/scenario/conversation.js';
export { createHost, rulesetFor, runScenario, type DetailedAnswer, type DetailedStep, type Host, type HostSetup, type TraceOptions } from './analyzer/netfilter/engine.js';
export { readHost, type HostDescription, type HostInterface, type HostReading } from './analyzer/netfilter/host/host.js';
export { parsePacketWords, WordsError, type PacketWords } from './analyzer/netfilter/scenario/packet-words.js';
export { readScenario, type ReadScenario, type ScenarioProblem } from './analyzer/netfilter/scenario/read-scenario.js';
export { setupOf } from './analyzer/netfilter/scenario/host-setup.js';
export { ScenarioError } from './analyzer/netfilter/scenario/scenario-error.js';
export type { Scenario, ScenarioAnswer, ScenarioInterface, ScenarioPacket, ScenarioStep, StepAnswer } from './analyzer/netfilter/scenario.js';
export type { TrailEntry } from './analyzer/netfilter/trail/trail.js';
export { allWays, type Way, type Ways } from './analyzer/netfilter/scenario/ways.js';
export { decodeBytes, positionAt, type Position, type SourceText, type Span } from './grammar/source-text.js';
