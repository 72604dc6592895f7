/** A table of a rule set, compiled: every rule's matches and target become closures once, and packets only run them. */
import type { AnyTarget, Effect, EngineContext, TableName } from '../extensions/define.js';
import { isOpaque, isUnresolved, type Chain, type Rule, type RuleBody, type RuleTarget, type Table } from '../model/ruleset.js';
import type { Action, Predicate, World } from '../packet/traversal.js';
import { Verdict } from '../packet/traversal.js';
import type { Use } from '../extensions/use.js';
import type { AddressMask } from '../values/address-mask.js';
import { beginsWith, exactly, Step, type CompiledChain, type CompiledRule, type InterfaceTest } from './compiled-rule.js';
import { compileMatch } from './predicate.js';

type GivenInterface = RuleBody['inInterface'];
type GivenAddress = RuleBody['source'];

const anyInterface: InterfaceTest = { mode: 0, name: '', negated: false };

function interfaceTest(given: GivenInterface): InterfaceTest {
  if (given === undefined || (given.value.prefix && given.value.name === '' && !given.negated)) return anyInterface;
  return { mode: given.value.prefix ? beginsWith : exactly, name: given.value.name, negated: given.negated };
}

/** The 32-bit words of an IPv6 address. */
function words(address: number | bigint): readonly [number, number, number, number] {
  const value = BigInt(address);
  const word = (shift: bigint): number => Number((value >> shift) & 0xffff_ffffn) | 0;
  return [word(96n), word(64n), word(32n), word(0n)];
}

/** Whether the masked IPv6 address that starts at byte `at` is (not) this one. */
function address6(at: number, { address, mask }: AddressMask, negated: boolean): Predicate {
  const [a0, a1, a2, a3] = words(address);
  const [m0, m1, m2, m3] = words(mask);
  return ({ packet }) => {
    const differs = ((packet.u32(at) ^ a0) & m0) | ((packet.u32(at + 4) ^ a1) & m1) | ((packet.u32(at + 8) ^ a2) & m2) | ((packet.u32(at + 12) ^ a3) & m3);
    return (differs === 0) !== negated;
  };
}

/** What a rule asks that is not in the numbers of `CompiledRule`. */
function baseTests(rule: Rule, family: string): readonly Predicate[] {
  const tests: Predicate[] = [];
  const address = (given: GivenAddress, at: number): void => {
    if (given === undefined) return;
    const { value, negated } = given;
    if (isUnresolved(value)) tests.push(t => t.unknown(`the name \`${value.name}\` is not resolved`));
    else if (family === 'ipv6') tests.push(address6(at, value, negated));
  };
  address(rule.source, 8);
  address(rule.destination, 24);
  const protocol = rule.protocol?.value;
  if (protocol !== undefined && isUnresolved(protocol)) tests.push(t => t.unknown(`the name \`${protocol.name}\` is not resolved`));
  if (rule.fragment !== undefined) {
    const { negated } = rule.fragment;
    tests.push(({ packet }) => (packet.fragmentOffset > 0) !== negated);
  }
  return tests;
}

function address4(given: GivenAddress, family: string): { readonly address: number; readonly mask: number; readonly negated: boolean } {
  if (given === undefined || isUnresolved(given.value) || family !== 'ipv4') return { address: 0, mask: 0, negated: false };
  return { address: Number(given.value.address) | 0, mask: Number(given.value.mask) | 0, negated: given.negated };
}

const stepOfEffect: Readonly<Partial<Record<Effect, Step>>> = {
  continue: Step.Continue, accept: Step.Accept, drop: Step.Drop, return: Step.Return, queue: Step.Queue,
};

function unknownTarget(name: string): Action {
  return t => {
    t.unknown(`target \`${name}\` is not modelled`);
    return Verdict.Continue;
  };
}

function compileUse(use: Use<AnyTarget>, cx: EngineContext): Pick<CompiledRule, 'step' | 'action'> {
  const { definition, given, unresolved } = use;
  const isResolved = Object.keys(unresolved).length === 0;
  if (definition.apply !== undefined && isResolved) return { step: Step.Act, action: definition.apply(given, cx) };
  const effect: Effect = typeof definition.effect === 'function' ? definition.effect(given) : definition.effect;
  const step = stepOfEffect[effect];
  return step === undefined ? { step: Step.Act, action: unknownTarget(definition.name) } : { step, action: undefined };
}

function compileTarget(target: RuleTarget, cx: EngineContext, chains: ReadonlyMap<string, CompiledChain>): Pick<CompiledRule, 'step' | 'action' | 'to'> {
  switch (target.kind) {
    case 'none': return { step: Step.Continue, action: undefined, to: undefined };
    case 'chain': {
      const to = chains.get(target.name);
      return { step: to === undefined ? Step.Continue : target.goto ? Step.Goto : Step.Jump, action: undefined, to };
    }
    case 'opaque': return { step: Step.Act, action: unknownTarget(target.use.opaque), to: undefined };
    case 'extension': return { ...compileUse(target.use, { ...cx, ordered: target.use.ordered }), to: undefined };
  }
}

function compileRule(rule: Rule, chain: CompiledChain, position: number, chains: ReadonlyMap<string, CompiledChain>, world: World): CompiledRule {
  const number = rule.protocol?.value;
  const protocol = rule.protocol === undefined || typeof number !== 'number' ? undefined : { number, negated: rule.protocol.negated };
  const { family, backend } = world;
  const cx: EngineContext = { family, backend, table: chain.table, protocol, ordered: [], world };
  const src = address4(rule.source, family);
  const dst = address4(rule.destination, family);
  const matches = rule.matches.map((use): Predicate => isOpaque(use)
    ? t => t.unknown(`match \`${use.opaque}\` is not known`)
    : compileMatch(use, { ...cx, ordered: use.ordered }));
  return {
    rule, chain, position,
    src: src.address, srcMask: src.mask, srcNegated: src.negated,
    dst: dst.address, dstMask: dst.mask, dstNegated: dst.negated,
    protocol: protocol?.number ?? 0, protocolNegated: protocol?.negated ?? false,
    in: interfaceTest(rule.inInterface), out: interfaceTest(rule.outInterface),
    tests: [...baseTests(rule, family), ...matches],
    ...compileTarget(rule.target, cx, chains),
  };
}

/** The chains of a table by name, ready to run. State of matches (limits, quotas) begins here. */
export function compileTable(table: Table, world: World): ReadonlyMap<string, CompiledChain> {
  const name: TableName = table.name;
  const chains = new Map<string, CompiledChain>();
  for (const chain of table.chains.values()) chains.set(chain.name, { table: name, chain, rules: [] });
  for (const compiled of chains.values()) {
    const chain: Chain = compiled.chain;
    compiled.rules = chain.rules.map((rule, index) => compileRule(rule, compiled, index + 1, chains, world));
  }
  return chains;
}
