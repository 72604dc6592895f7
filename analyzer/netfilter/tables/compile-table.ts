/** A table of a rule set, compiled: a rule's matches and target become closures when a packet first gets to it, and packets then only run them. */
import type { AnyTarget, Effect, EngineContext, TableName } from '../../extensions/define.js';
import { isOpaque, isUnresolved, whyOpaque, type Chain, type Rule, type RuleBody, type RuleTarget, type Table } from '../../model/ruleset.js';
import type { Action, Predicate, World } from '../../packet/traversal.js';
import { Verdict } from '../../packet/traversal.js';
import type { Use } from '../../extensions/use.js';
import { addressWords, isMaskedAddress } from '../../packet/address-words.js';
import type { Backend, Family } from '../../values/value.js';
import { beginsWith, exactly, Step, type CompiledChain, type CompiledRule, type InterfaceTest } from './compiled-rule.js';
import { compileMatch } from './predicate.js';
import { quickTest } from './quick-test.js';
import { RuleScan } from './rule-scan.js';

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

function compileTarget(target: RuleTarget, cx: EngineContext, chains: CompiledTable): Pick<CompiledRule, 'step' | 'action' | 'to'> {
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

/** What the rules of one table have in common. */
interface Compiling {
  readonly chains: CompiledTable;
  readonly world: World;
}

/** The chains of a table by name, ready to run. */
export interface CompiledTable {
  get(name: string): CompiledChain | undefined;
}

/** The context of a rule's matches and its target. */
function contextOf({ protocol }: Rule, table: TableName, world: World): EngineContext {
  const number = protocol?.value;
  const { family, backend } = world;
  return { family, backend, table, protocol: protocol === undefined || typeof number !== 'number' ? undefined : { number, negated: protocol.negated }, ordered: [], world };
}

/** Nothing in them changes: hosts with the same rules share them. */
const scans: Readonly<Record<Backend, WeakMap<Chain, RuleScan>>> = { nft: new WeakMap(), legacy: new WeakMap() };

class LazyChain implements CompiledChain {
  readonly table: TableName;
  readonly chain: Chain;
  readonly #in: Compiling;
  readonly #rules: (CompiledRule | undefined)[];

  constructor(table: TableName, chain: Chain, compiling: Compiling) {
    this.table = table;
    this.chain = chain;
    this.#in = compiling;
    this.#rules = new Array<CompiledRule | undefined>(chain.rules.length);
  }

  ruleAt(index: number): CompiledRule | undefined {
    const known = this.#rules[index];
    if (known !== undefined) return known;
    const rule = this.chain.rules[index];
    return rule === undefined ? undefined : this.#rules[index] = this.#compile(rule, index + 1);
  }

  get scan(): RuleScan {
    const known = scans[this.#in.world.backend];
    let scan = known.get(this.chain);
    if (scan === undefined) known.set(this.chain, scan = new RuleScan(this.chain.rules.map(rule => quickTest(rule, contextOf(rule, this.table, this.#in.world))), this.#in.world.family));
    return scan;
  }

  #compile(rule: Rule, position: number): CompiledRule {
    const { chains, world } = this.#in;
    const { family } = world;
    const cx = contextOf(rule, this.table, world);
    const matches = rule.matches.map((use): Predicate => isOpaque(use) ? t => t.unknown(whyOpaque(use, 'match')) : compileMatch(use, cx));
    return {
      rule, chain: this, position,
      in: interfaceTest(rule.inInterface), out: interfaceTest(rule.outInterface),
      addresses: [...addressTest(rule.source, 8, family), ...addressTest(rule.destination, 24, family)],
      tests: [...baseTests(rule), ...matches],
      ...compileTarget(rule.target, cx, chains),
    };
  }
}

/** Whether something begins with the rule, before a packet comes to it, that others know by its name. */
function isShared({ matches, target }: Rule): boolean {
  return matches.some(use => !isOpaque(use) && use.definition.shares === true) || (target.kind === 'extension' && target.use.definition.shares === true);
}

/** Where such rules stand in a table. */
function sharedIn(table: Table): readonly { readonly chain: string; readonly index: number }[] {
  let known = shared.get(table);
  if (known === undefined) shared.set(table, known = [...table.chains.values()].flatMap(({ name, rules }) => rules.flatMap((rule, index) => isShared(rule) ? [{ chain: name, index }] : [])));
  return known;
}

const shared = new WeakMap<Table, ReturnType<typeof sharedIn>>();

class LazyTable implements CompiledTable {
  readonly #table: Table;
  readonly #world: World;
  readonly #chains = new Map<string, CompiledChain>();

  constructor(table: Table, world: World) {
    this.#table = table;
    this.#world = world;
  }

  get(name: string): CompiledChain | undefined {
    const known = this.#chains.get(name);
    const chain = this.#table.chains.get(name);
    if (known !== undefined || chain === undefined) return known;
    const made = new LazyChain(this.#table.name, chain, { chains: this, world: this.#world });
    this.#chains.set(name, made);
    return made;
  }
}

/** State of matches (limits, quotas) begins here. */
export function compileTable(table: Table, world: World): CompiledTable {
  const compiled = new LazyTable(table, world);
  for (const { chain, index } of sharedIn(table)) compiled.get(chain)?.ruleAt(index);
  return compiled;
}
