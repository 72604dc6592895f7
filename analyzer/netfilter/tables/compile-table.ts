/** A table of a rule set, compiled: every rule's matches and target become closures once, and packets only run them. */
import type { AnyTarget, Effect, EngineContext, TableName } from '../../extensions/define.js';
import { isOpaque, isUnresolved, whyOpaque, type Chain, type Rule, type RuleBody, type RuleTarget, type Table } from '../../model/ruleset.js';
import type { Action, Predicate, World } from '../../packet/traversal.js';
import { Verdict } from '../../packet/traversal.js';
import { meaningOf, type Use } from '../../extensions/use.js';
import { addressWords, isMaskedAddress } from '../../packet/address-words.js';
import { unknown, type Constraint } from '../../packet/constraint.js';
import type { Family } from '../../values/value.js';
import { beginsWith, exactly, Step, type CompiledChain, type CompiledRule, type InterfaceTest } from './compiled-rule.js';
import { compileMatch } from './predicate.js';
import { RuleScan, portsOf, type QuickTest } from './rule-scan.js';

type GivenInterface = RuleBody['inInterface'];
type GivenAddress = RuleBody['source'];

const anyInterface: InterfaceTest = { mode: 0, name: '', negated: false };

function interfaceTest(given: GivenInterface): InterfaceTest {
  if (given === undefined || (given.value.prefix && given.value.name === '' && !given.negated)) return anyInterface;
  return { mode: given.value.prefix ? beginsWith : exactly, name: given.value.name, negated: given.negated };
}

function unresolved(name: string): Predicate {
  return t => t.unknown(`the name \`${name}\` is not resolved`);
}

/** Whether the IPv6 address that starts at byte `at` is (not) the one asked for. */
function addressTest(given: GivenAddress, at: number, family: Family): readonly Predicate[] {
  if (given === undefined) return [];
  const { value, negated } = given;
  if (isUnresolved(value)) return [unresolved(value.name)];
  if (family === 'ipv4') return [];
  const address = addressWords(value.address);
  const mask = addressWords(value.mask);
  return [({ packet }) => isMaskedAddress(packet, at, address, mask) !== negated];
}

/** What a rule asks itself that is not in the numbers of `QuickTest`. */
function baseTests({ protocol, fragment }: Rule): readonly Predicate[] {
  const tests: Predicate[] = [];
  if (protocol !== undefined && isUnresolved(protocol.value)) tests.push(unresolved(protocol.value.name));
  if (fragment !== undefined) tests.push(({ packet }) => (packet.fragmentOffset > 0) !== fragment.negated);
  return tests;
}

function address4(given: GivenAddress, family: Family): { readonly address: number; readonly mask: number; readonly negated: boolean } {
  if (given === undefined || isUnresolved(given.value) || family !== 'ipv4') return { address: 0, mask: 0, negated: false };
  return { address: Number(given.value.address) | 0, mask: Number(given.value.mask) | 0, negated: given.negated };
}

function quickTest(rule: Rule, matches: readonly Constraint[], family: Family): QuickTest {
  const src = address4(rule.source, family);
  const dst = address4(rule.destination, family);
  const { protocol } = rule;
  return {
    src: src.address, srcMask: src.mask, srcNegated: src.negated,
    dst: dst.address, dstMask: dst.mask, dstNegated: dst.negated,
    protocol: typeof protocol?.value === 'number' ? protocol.value : 0, protocolNegated: protocol?.negated ?? false,
    ...portsOf(matches),
  };
}

const stepOfEffect: Readonly<Partial<Record<Effect, Step>>> = {
  continue: Step.Continue, accept: Step.Accept, drop: Step.Drop, return: Step.Return, queue: Step.Queue,
};

function unknownTarget(why: string): Action {
  return t => {
    t.unknown(why);
    return Verdict.Continue;
  };
}

function compileUse(use: Use<AnyTarget>, cx: EngineContext): Pick<CompiledRule, 'step' | 'action'> {
  const { definition, given, unresolved } = use;
  const isResolved = Object.keys(unresolved).length === 0;
  if (definition.apply !== undefined && isResolved) return { step: Step.Act, action: definition.apply(given, cx) };
  const effect: Effect = typeof definition.effect === 'function' ? definition.effect(given) : definition.effect;
  const step = stepOfEffect[effect];
  return step === undefined ? { step: Step.Act, action: unknownTarget(`target \`${definition.name}\` is not modelled`) } : { step, action: undefined };
}

function compileTarget(target: RuleTarget, cx: EngineContext, chains: ReadonlyMap<string, CompiledChain>): Pick<CompiledRule, 'step' | 'action' | 'to'> {
  switch (target.kind) {
    case 'none': return { step: Step.Continue, action: undefined, to: undefined };
    case 'chain': {
      const to = chains.get(target.name);
      return { step: to === undefined ? Step.Continue : target.goto ? Step.Goto : Step.Jump, action: undefined, to };
    }
    case 'opaque': return { step: Step.Act, action: unknownTarget(whyOpaque(target.use, 'target')), to: undefined };
    case 'extension': return { ...compileUse(target.use, { ...cx, ordered: target.use.ordered }), to: undefined };
  }
}

function compileRule(rule: Rule, chain: CompiledChain, position: number, chains: ReadonlyMap<string, CompiledChain>, world: World): CompiledRule {
  const number = rule.protocol?.value;
  const protocol = rule.protocol === undefined || typeof number !== 'number' ? undefined : { number, negated: rule.protocol.negated };
  const { family, backend } = world;
  const cx: EngineContext = { family, backend, table: chain.table, protocol, ordered: [], world };
  const meanings = rule.matches.map(use => isOpaque(use) ? unknown(use.opaque) : meaningOf(use, cx));
  const matches = rule.matches.map((use): Predicate => isOpaque(use) ? t => t.unknown(whyOpaque(use, 'match')) : compileMatch(use, cx));
  return {
    rule, chain, position,
    quick: quickTest(rule, meanings, family),
    in: interfaceTest(rule.inInterface), out: interfaceTest(rule.outInterface),
    addresses: [...addressTest(rule.source, 8, family), ...addressTest(rule.destination, 24, family)],
    tests: [...baseTests(rule), ...matches],
    ...compileTarget(rule.target, cx, chains),
  };
}

/** The chains of a table by name, ready to run. State of matches (limits, quotas) begins here. */
export function compileTable(table: Table, world: World): ReadonlyMap<string, CompiledChain> {
  const name: TableName = table.name;
  const chains = new Map<string, CompiledChain>();
  for (const chain of table.chains.values()) chains.set(chain.name, { table: name, chain, rules: [], scan: new RuleScan([]) });
  for (const compiled of chains.values()) {
    const chain: Chain = compiled.chain;
    compiled.rules = chain.rules.map((rule, index) => compileRule(rule, compiled, index + 1, chains, world));
    compiled.scan = new RuleScan(compiled.rules.map(rule => rule.quick));
  }
  return chains;
}
