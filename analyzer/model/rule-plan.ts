/**
 * The quick way from a line to a rule. A line whose shape was read before differs from that one
 * in values only, so what its words mean is known: a plan says which word is which criterion, and
 * which words make up each match. Anything out of the ordinary (a name, a list, an error) is left
 * to the reader in `read-rule.ts`, which alone decides and reports.
 */
import { optionsOf, type LineShape, type ShapeOption } from '../../grammar/line-shapes.js';
import type { CommandStatement, OptionNode, WordNode } from '../../grammar/syntax.js';
import type { BuiltInKey } from '../extensions/built-in-options.js';
import type { AnyExtension, AnyMatch, AnyTarget, Given, OrderedOption, TableName } from '../extensions/define.js';
import { BuiltInOption, ExtensionOption } from '../extensions/option-scope.js';
import { findMatch, findTarget } from '../extensions/registry.js';
import { readUse } from '../extensions/read-use.js';
import type { Use } from '../extensions/use.js';
import { parseAddressMask, type AddressMask } from '../values/address-mask.js';
import { interfaceName, type InterfaceName } from '../values/interface-name.js';
import { parseProtocol } from '../values/protocol.js';
import { Problem, type Backend, type Family } from '../values/value.js';
import { askedAddress, askedInterface } from './criteria.js';
import type { Counters, MatchUse, Rule, RuleTarget } from './ruleset.js';

/** A match or target of a shape, and the words of its options. */
interface UsePlan {
  readonly definition: AnyExtension;
  readonly options: readonly ShapeOption[];
  /** Indices of its first and last word; `last` < `first` where it has no options. */
  readonly first: number;
  readonly last: number;
  /** Uses by their text in the file, of one table at a time. */
  readonly known: Map<string, Use>;
  knownTable: TableName | undefined;
  /** Texts that were not known; where they are many, as with ports drawn at random, nobody looks any more. */
  misses: number;
  /** The options were found to fit together: from now on only their values need a look. */
  fits: boolean;
}

interface CriterionPlan {
  readonly word: number;
  readonly negated: boolean;
}

interface RulePlan {
  readonly shape: LineShape;
  readonly chain: number;
  readonly source: CriterionPlan | undefined;
  readonly destination: CriterionPlan | undefined;
  readonly inInterface: CriterionPlan | undefined;
  readonly outInterface: CriterionPlan | undefined;
  readonly protocol: Given<number> | undefined;
  readonly matches: readonly UsePlan[];
  /** The target, or the index of the chain's word. */
  readonly target: { readonly kind: 'none' } | { readonly kind: 'use'; readonly plan: UsePlan } | { readonly kind: 'chain'; readonly word: number; readonly goto: boolean };
}

export interface PlanContext {
  readonly family: Family;
  readonly backend: Backend;
  readonly table: TableName;
  readonly text: string;
}

const plans = new WeakMap<LineShape, RulePlan | 'none'>();
const interfaces = new Map<string, Given<InterfaceName>>();

/** A use has its options side by side, or its text would not say all of it. */
function usePlan(definition: AnyExtension, options: readonly ShapeOption[]): UsePlan | undefined {
  const [head] = options;
  const tail = options.at(-1);
  if (head === undefined || tail === undefined) return { definition, options, first: 1, last: 0, known: new Map(), knownTable: undefined, misses: 0, fits: false };
  let next = head.bang ?? head.name;
  const first = next;
  for (const option of options) {
    if ((option.bang ?? option.name) !== next) return undefined;
    next = option.firstArgument + option.arguments;
  }
  return { definition, options, first, last: next - 1, known: new Map(), knownTable: undefined, misses: 0, fits: false };
}

class PlanMaker {
  readonly #words: readonly WordNode[];
  readonly #family: Family;
  readonly #criteria = new Map<BuiltInKey, ShapeOption>();
  readonly #matches: { definition: AnyExtension; options: ShapeOption[] }[] = [];
  #target: { definition: AnyExtension; options: ShapeOption[] } | undefined;
  #optionSeen = false;

  constructor(words: readonly WordNode[], family: Family) {
    this.#words = words;
    this.#family = family;
  }

  make(shape: LineShape): RulePlan | undefined {
    for (const option of shape.options) if (!this.#take(option)) return undefined;
    const append = this.#criteria.get('A');
    const matches = this.#matches.map(match => usePlan(match.definition, match.options));
    const target = this.#ruleTarget();
    const protocol = this.#protocol();
    if (append === undefined || target === undefined || protocol === 'odd' || !matches.every(match => match !== undefined)) return undefined;
    return {
      shape, chain: append.firstArgument, matches, target, protocol,
      source: this.#criterion('s'), destination: this.#criterion('d'), inInterface: this.#criterion('i'), outInterface: this.#criterion('o'),
    };
  }

  #word(index: number): string {
    return this.#words[index]?.text ?? '';
  }

  /** False where the option is not one that a plan knows. */
  #take(option: ShapeOption): boolean {
    const { shape } = option;
    if (shape instanceof ExtensionOption) {
      this.#optionSeen = true;
      const owner = shape.extension.kind === 'target' ? this.#target : this.#matches.findLast(match => match.definition === shape.extension);
      if (owner === undefined && shape.extension.kind === 'target') return false;
      if (owner === undefined) this.#matches.push({ definition: shape.extension, options: [option] });
      else owner.options.push(option);
      return true;
    }
    if (!(shape instanceof BuiltInOption)) return false;
    if (option.bang !== undefined && !'sdiop'.includes(shape.key)) return false;
    switch (shape.key) {
      case 'm': {
        const definition = findMatch(this.#word(option.firstArgument), this.#family);
        if (definition !== undefined) this.#matches.push({ definition, options: [] });
        return definition !== undefined;
      }
      case 'j': {
        if (this.#criteria.has('j')) return false;
        const definition = findTarget(this.#word(option.firstArgument), this.#family);
        if (definition !== undefined) this.#target = { definition, options: [] };
        this.#criteria.set('j', option);
        return true;
      }
      case 'A': case 's': case 'd': case 'i': case 'o': case 'p': case 'g':
        // Behind options whose values were read without it.
        if (this.#criteria.has(shape.key) || (shape.key === 'p' && this.#optionSeen)) return false;
        this.#criteria.set(shape.key, option);
        return true;
      default: return false;
    }
  }

  #criterion(key: BuiltInKey): CriterionPlan | undefined {
    const option = this.#criteria.get(key);
    return option === undefined ? undefined : { word: option.firstArgument, negated: option.bang !== undefined };
  }

  #protocol(): Given<number> | undefined | 'odd' {
    const option = this.#criteria.get('p');
    if (option === undefined) return undefined;
    // The protocol is part of the shape: it loads.
    const value = parseProtocol(this.#word(option.firstArgument));
    return typeof value === 'number' && value !== 0 ? { negated: option.bang !== undefined, value } : 'odd';
  }

  #ruleTarget(): RulePlan['target'] | undefined {
    const jump = this.#criteria.get('j');
    const goto = this.#criteria.get('g');
    if (jump !== undefined && goto !== undefined) return undefined;
    if (goto !== undefined) return { kind: 'chain', word: goto.firstArgument, goto: true };
    if (jump === undefined) return { kind: 'none' };
    if (this.#target === undefined) return { kind: 'chain', word: jump.firstArgument, goto: false };
    const plan = usePlan(this.#target.definition, this.#target.options);
    return plan === undefined ? undefined : { kind: 'use', plan };
  }
}

/** How many different values are kept: of ports drawn at random, no line profits from another. */
const usesLimit = 4096;

/** The use that these words make, as before or read anew; undefined where there is anything to report. */
function planUse(plan: UsePlan, rulePlan: RulePlan, words: readonly WordNode[], cx: PlanContext): Use | undefined {
  if (plan.knownTable !== cx.table) {
    plan.known.clear();
    plan.knownTable = cx.table;
  }
  if (plan.misses > usesLimit) return plan.fits ? readValues(plan, rulePlan, words, cx) : readFirst(plan, rulePlan, words, cx);
  const head = words[plan.first];
  const tail = words[plan.last];
  const key = head === undefined || tail === undefined || plan.last < plan.first ? '' : cx.text.slice(head.start, tail.end);
  const known = plan.known.get(key);
  if (known !== undefined) return known;
  const use = plan.fits ? readValues(plan, rulePlan, words, cx) : readFirst(plan, rulePlan, words, cx);
  if (use !== undefined) plan.known.set(key, use);
  plan.misses++;
  return use;
}

/** The first use of a shape, looked at in full. */
function readFirst(plan: UsePlan, rulePlan: RulePlan, words: readonly WordNode[], cx: PlanContext): Use | undefined {
  const nodes: OptionNode[] = optionsOf({ counters: false, options: plan.options }, words);
  const protocol = planProtocol(rulePlan);
  const { use, problems } = readUse(plan.definition, nodes, { start: 0, end: 0 }, { family: cx.family, backend: cx.backend, table: cx.table, protocol, ordered: [] });
  if (problems.length > 0) return undefined;
  // What is asked of all options together may hang on their values.
  plan.fits = plan.definition.check === undefined && plan.definition.usesOrder !== true;
  return use;
}

const noOrder: readonly OrderedOption[] = [];
const allResolved = {};

/** A further use of a shape whose options fit together: nothing is left but to read its values. */
function readValues(plan: UsePlan, rulePlan: RulePlan, words: readonly WordNode[], cx: PlanContext): Use | undefined {
  const given: Record<string, Given<unknown>> = {};
  const context = { family: cx.family, backend: cx.backend, protocol: planProtocol(rulePlan) };
  for (const option of plan.options) {
    const { shape } = option;
    if (!(shape instanceof ExtensionOption)) return undefined;
    const texts: string[] = [];
    for (let index = option.firstArgument; index < option.firstArgument + option.arguments; index++) texts.push(words[index]?.text ?? '');
    if (texts.length > 1 && /^[-!]/u.test(texts[1] ?? '')) return undefined;
    const value: unknown = shape.definition.value.parse(texts, context);
    if (value instanceof Problem) return undefined;
    given[shape.key] = { negated: option.bang !== undefined, value };
  }
  return { definition: plan.definition, given, ordered: noOrder, unresolved: allResolved };
}

function planProtocol({ protocol }: RulePlan): { number: number; negated: boolean } | undefined {
  return protocol === undefined ? undefined : { number: protocol.value, negated: protocol.negated };
}

function planAddress(criterion: CriterionPlan, words: readonly WordNode[], family: Family): Given<AddressMask> | undefined {
  const word = words[criterion.word]?.text ?? '';
  if (word.includes(',')) return undefined;
  const value = parseAddressMask(word, family);
  // The negation of everything is a matter for the slow way.
  return value instanceof Problem || (criterion.negated && Number(value.mask) === 0) ? undefined : { negated: criterion.negated, value };
}

function planInterface(criterion: CriterionPlan, words: readonly WordNode[], cx: PlanContext): Given<InterfaceName> | undefined {
  const word = words[criterion.word]?.text ?? '';
  const key = criterion.negated ? `! ${word}` : word;
  let given = interfaces.get(key);
  if (given === undefined) {
    const value = interfaceName.parse([word], { family: cx.family, backend: cx.backend, protocol: undefined });
    if (value instanceof Problem) return undefined;
    given = { negated: criterion.negated, value };
    if (interfaces.size < usesLimit) interfaces.set(key, given);
  }
  return given;
}

const noTarget: RuleTarget = { kind: 'none' };
const chainTargets = new Map<string, RuleTarget>();
const useTargets = new WeakMap<Use, RuleTarget>();

function chainTarget(name: string, goto: boolean): RuleTarget {
  const key = goto ? `-g ${name}` : name;
  let target = chainTargets.get(key);
  if (target === undefined) {
    target = { kind: 'chain', name, goto };
    if (chainTargets.size < usesLimit) chainTargets.set(key, target);
  }
  return target;
}

function planTarget(plan: RulePlan, words: readonly WordNode[], cx: PlanContext): RuleTarget | undefined {
  const { target } = plan;
  if (target.kind === 'none') return noTarget;
  if (target.kind === 'chain') return chainTarget(words[target.word]?.text ?? '', target.goto);
  const use = planUse(target.plan, plan, words, cx);
  if (use === undefined) return undefined;
  let known = useTargets.get(use);
  if (known === undefined) useTargets.set(use, known = { kind: 'extension', use: use as Use<AnyTarget> });
  return known;
}

const noMatches: readonly MatchUse[] = [];

/** The rule of an `-A` line and the word of its chain; undefined where the slow way must be gone. */
export function quickRule(statement: CommandStatement, cx: PlanContext, counters: Counters | undefined): { readonly chain: string; readonly rule: Rule } | undefined {
  const { shape, words } = statement;
  if (shape === undefined || statement.program !== undefined) return undefined;
  let plan = plans.get(shape);
  if (plan === undefined) plans.set(shape, plan = new PlanMaker(words, cx.family).make(shape) ?? 'none');
  if (plan === 'none') return undefined;
  const chain = words[plan.chain]?.text ?? '';
  if (plan.outInterface !== undefined && (chain === 'PREROUTING' || chain === 'INPUT')) return undefined;
  if (plan.inInterface !== undefined && (chain === 'POSTROUTING' || chain === 'OUTPUT')) return undefined;
  const source = plan.source === undefined ? undefined : planAddress(plan.source, words, cx.family);
  const destination = plan.destination === undefined ? undefined : planAddress(plan.destination, words, cx.family);
  const inInterface = plan.inInterface === undefined ? undefined : planInterface(plan.inInterface, words, cx);
  const outInterface = plan.outInterface === undefined ? undefined : planInterface(plan.outInterface, words, cx);
  if ((plan.source !== undefined && source === undefined) || (plan.destination !== undefined && destination === undefined)) return undefined;
  if ((plan.inInterface !== undefined && inInterface === undefined) || (plan.outInterface !== undefined && outInterface === undefined)) return undefined;
  let matches = noMatches;
  if (plan.matches.length > 0) {
    const uses: MatchUse[] = [];
    for (const match of plan.matches) {
      const use = planUse(match, plan, words, cx);
      if (use === undefined) return undefined;
      uses.push(use as Use<AnyMatch>);
    }
    matches = uses;
  }
  const target = planTarget(plan, words, cx);
  if (target === undefined || (cx.table === 'nat' && target.kind === 'extension' && target.use.definition.name === 'DROP')) return undefined;
  const { line, start, end } = statement;
  return { chain, rule: { source: askedAddress(source), destination: askedAddress(destination), inInterface: askedInterface(inInterface), outInterface: askedInterface(outInterface), protocol: plan.protocol, fragment: undefined, matches, target, line, start, end, counters } };
}
