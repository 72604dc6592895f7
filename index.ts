/**
 * The library: text in, findings out; packets in, fate out; and exact answers about all packets at once (docs/exactness.md).
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
export { checks } from './analyzer/checks/index.js';
export type { Measure, Persona } from './analyzer/examine.js';
export type { Because, Certainty, Edit, Finding, Fix, Suppressed, WitnessHost, WitnessStep } from './analyzer/finding.js';
export type { Illustration, Proposal, ProposedStep, Shown } from './analyzer/witness/proposal.js';
export type { Diagnostic, Severity } from './analyzer/model/diagnostic.js';
export { loadChecks, type LoadCheckName } from './analyzer/model/load-checks.js';
export { load, type Loaded, type LoadOptions } from './analyzer/model/load.js';
export { withIpSets } from './analyzer/model/with-ip-sets.js';
export { printBody, printRuleset, type PrintOptions, type PrintPlace } from './analyzer/model/print.js';
export type { Chain, Counters, MatchUse, Policy, OpaqueUse, Rule, RuleBody, RuleTarget, Ruleset, Table, UnresolvedName } from './analyzer/model/ruleset.js';
export type { Use } from './analyzer/extensions/use.js';
export type { Effect, Given, Hook, TableName } from './analyzer/extensions/define.js';
export type { Address } from './analyzer/values/address.js';
export type { AddressMask } from './analyzer/values/address-mask.js';
export type { InterfaceName } from './analyzer/values/interface-name.js';
export type { Arbitrary, Backend, Family, Fc } from './analyzer/values/value.js';
export type { KnownSets, SetContents } from './analyzer/packet/ip-sets.js';
export type { InputFormat } from './grammar/statements.js';
export { converse, type Conversation, type Exchange, type Send } from './analyzer/netfilter/scenario/conversation.js';
export type { Opening } from './analyzer/netfilter/scenario/sides.js';
export { createHost, rulesetFor, runScenario, type DetailedAnswer, type DetailedStep, type Host, type HostSetup, type TraceOptions } from './analyzer/netfilter/engine.js';
export { readHost, type HostDescription, type HostAddress, type HostInterface, type HostReading, type HostRuleSet, type HostSocket, type PerFamily, type WordsOrJson } from './analyzer/netfilter/host/host.js';
export { parsePacketWords, WordsError, type PacketWords } from './analyzer/netfilter/scenario/packet-words.js';
export { readScenario, type ReadScenario, type ScenarioProblem } from './analyzer/netfilter/scenario/read-scenario.js';
export { setupOf } from './analyzer/netfilter/scenario/host-setup.js';
export { ScenarioError } from './analyzer/netfilter/scenario/scenario-error.js';
export type { ConntrackAnswer, CtAnswer, GeneratedAnswer, SentPacket } from './analyzer/netfilter/scenario.js';
export type { Scenario, ScenarioAnswer, ScenarioInterface, ScenarioPacket, ScenarioStep, StepAnswer } from './analyzer/netfilter/scenario.js';
export type { RuleEntry, TrailEntry } from './analyzer/netfilter/trail/trail.js';
export type { NearMiss } from './analyzer/netfilter/trail/near-misses.js';
export { allWays, type Way, type Ways } from './analyzer/netfilter/scenario/ways.js';
export { decodeBytes, positionAt, type Position, type SourceText, type Span } from './grammar/source-text.js';

/** What is asked of packets, as data: `packets.all([packets.is('protocol', 6), packets.is('dport', 22)])`. */
export * as packets from './analyzer/packet/constraint.js';
export type { Constraint, Field } from './analyzer/packet/constraint.js';

/** All packets in one table: `packetSpace(ruleset)` first, then questions about its tables and rules. */
export { ask, correlated, generalization, packetSpace, partlyShadowed, reach, reachWith, redundant, relations, type PacketSpace } from './analyzer/packet-space/index.js';
export type { Answer, Decider, Fate as ChainFate, Overlap, PacketSample, PartlyShadowed, Reach, Redundancy, Relation, RuleAt } from './analyzer/packet-space/answers.js';

/** All packets on their whole way: `pipeline(ruleset)` first, then questions about paths, rules, conversations. */
export { fate, isCertain, paths, pipeline, question, reachThrough, type Passage, type Path, type PathAnswer, type Pipeline, type PipelineOptions, type Routing } from './analyzer/packet-space/pipeline/index.js';
export { neverReplied, replies, stateReach, type ConversationCase, type ConversationQuestion, type Replies, type StateReach } from './analyzer/packet-space/pipeline/index.js';
export type { Service } from './analyzer/packet-space/pipeline/difference/family/side.js';
export { difference, familyDifference, fates, type Difference, type DifferenceCase, type DifferenceOptions, type FamilyDifference, type FamilyGap, type FateClaim, type Fates, type FatesOptions } from './analyzer/packet-space/pipeline/index.js';
export { certificate, firstPacket, nextPacket, type Sighting } from './analyzer/packet-space/pipeline/index.js';
export type { Box, ReadableBox } from './analyzer/packet-space/pipeline/fates/box.js';
export type { Fate } from './analyzer/packet-space/pipeline/fates/fate-words.js';
export type { Back } from './analyzer/packet-space/pipeline/turn.js';
export type { ReachOptions } from './analyzer/packet-space/pipeline/reach.js';
export { solveBudget, type SolveBudget, type Solved } from './analyzer/packet-space/pipeline/solve.js';

/** Checks of one's own: docs/plugins.md. */
export { defineCheck, referenceOf, type Check, type CheckContext, type CheckKind, type Example, type Report as CheckReport } from './analyzer/checks/define-check.js';
export { effectOf, isFinal, isStateless, targetText } from './analyzer/checks/shared/targets.js';
export type { Pace } from './analyzer/checks/shared/paces.js';
export { defaultSettings, type Settings } from './analyzer/checks/settings.js';
export { testCheck } from './analyzer/test-check.js';
export { stepOf } from './analyzer/witness/step.js';

/** Findings in the formats of the command line: docs/formats.md. */
export { formatNames, loadFormat, type FormatName } from './report/formats.js';
export type { DescribedCheck, FileReport, Format, Report, Style } from './report/report.js';

/** For property tests of one's own, with fast-check, which is handed in; docs/fuzz.md. */
export { conversations } from './analyzer/generate/near/conversations.js';
export { packetsNear } from './analyzer/generate/near/packets-near.js';
export { supposedHost } from './analyzer/generate/near/supposed-host.js';
export { rulesetText as rulesets, type RulesetPlace } from './analyzer/generate/ruleset.js';
export { fuzz, usualRuns, type FuzzOptions, type Outcome } from './analyzer/fuzz/fuzz.js';
export { properties } from './analyzer/fuzz/properties/index.js';
export { seedOf } from './analyzer/fuzz/seed.js';
export type { Breach, PortRange, Property, Wishes } from './analyzer/fuzz/property.js';
export type { Claim } from './analyzer/fuzz/claim.js';
export { claimsOf } from './analyzer/claims.js';
