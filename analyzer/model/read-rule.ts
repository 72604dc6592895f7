/** From the words of a command to what its rule asks and does. */
import type { CommandStatement, OptionNode, WordNode } from '../../grammar/syntax.js';
import type { SourceText, Span } from '../../grammar/source-text.js';
import { BuiltInOption, ExtensionOption, opaqueTarget, OpaqueOption, Scope } from '../extensions/option-scope.js';
import type { BuiltInKey } from '../extensions/built-in-options.js';
import type { AnyExtension, AnyTarget, Given, Options, RuleContext } from '../extensions/define.js';
import { allMatches, allTargets, findMatch, findTarget } from '../extensions/registry.js';
import { readUse } from '../extensions/read-use.js';
import type { Use } from '../extensions/use.js';
import { addressMaskList, type AddressMask } from '../values/address-mask.js';
import { interfaceName, type InterfaceName } from '../values/interface-name.js';
import { parseProtocol } from '../values/protocol.js';
import { Problem, type Backend, type Family, type ValueContext } from '../values/value.js';
import { refusalOf } from './command-parts.js';
import { askedAddress, askedInterface } from './criteria.js';
import type { Diagnostic } from './diagnostic.js';
import type { LoadCheckName } from './load-checks.js';
import type { MatchUse, RuleBody, RuleTarget, UnresolvedName } from './ruleset.js';
import { didYouMean } from './suggest.js';

export interface ReadContext {
  readonly family: Family;
  readonly backend: Backend;
  readonly source: SourceText;
  readonly report: (diagnostic: Diagnostic) => void;
}

/** ACCEPT, DROP, REJECT and the like, without an option. */
function isOneWord(target: RuleTarget): boolean {
  return target.kind === 'extension' && Object.keys(target.use.given).length === 0 && target.use.definition.changes === undefined;
}

/** One `-m` (or the match that `-p` loaded) or the target, with the options that go to it. */
interface Pending {
  readonly definition: AnyExtension | undefined;
  readonly name: string;
  readonly at: Span;
  readonly nodes: OptionNode[];
  /** `-p` as it stood when the options were read: their values depend on that one. */
  protocol: ValueContext['protocol'];
}

interface BodyDraft {
  sources: readonly (AddressMask | UnresolvedName)[];
  sourceNegated: boolean;
  destinations: readonly (AddressMask | UnresolvedName)[];
  destinationNegated: boolean;
  inInterface: Given<InterfaceName> | undefined;
  outInterface: Given<InterfaceName> | undefined;
  protocol: Given<number | UnresolvedName> | undefined;
  fragment: Given<true> | undefined;
  jump: { readonly word: WordNode; readonly goto: boolean } | undefined;
}

/** Where a command's rule goes: what its matches may look at. */
export interface RulePlace {
  readonly table: string;
  readonly chain: string;
  /** A chain of the table that has the name of a target takes its place. */
  readonly isChain: (name: string) => boolean;
}

const useCache = new Map<string, Use>();

/**
 * Reads the rule of an `-A`, `-I`, `-R`, `-D` or `-C` command. Several addresses make several rules.
 * Where an error was reported the line makes no rule: `part` is what could be read of it.
 */
export function readBodies(statement: CommandStatement, place: RulePlace, cx: ReadContext): { readonly bodies: readonly RuleBody[] } | { readonly part: PartOfRule } {
  return new RuleReader(statement, place, cx).read();
}

/** Some of what a rule asks for, and what it does where one word says that. */
export interface PartOfRule extends Pick<RuleBody, 'source' | 'destination' | 'protocol' | 'fragment'> {
  readonly target?: RuleTarget;
}

/** Of a rule of which nothing could be read. */
export const nothingOfRule: PartOfRule = { source: undefined, destination: undefined, protocol: undefined, fragment: undefined };

class RuleReader {
  readonly #statement: CommandStatement;
  readonly #place: RulePlace;
  readonly #cx: ReadContext;
  #failed = false;
  readonly #draft: BodyDraft = {
    sources: [], sourceNegated: false, destinations: [], destinationNegated: false,
    inInterface: undefined, outInterface: undefined, protocol: undefined, fragment: undefined, jump: undefined,
  };
  readonly #matches: Pending[] = [];
  #target: Pending | undefined;
  #protocol: ValueContext['protocol'];
  readonly #seen = new Set<BuiltInKey>();

  constructor(statement: CommandStatement, place: RulePlace, cx: ReadContext) {
    this.#statement = statement;
    this.#place = place;
    this.#cx = cx;
  }

  read(): ReturnType<typeof readBodies> {
    for (const node of this.#statement.options) this.#option(node);
    const matches = this.#matches.map(pending => this.#use(pending) as MatchUse);
    const target = this.#ruleTarget();
    this.#checkNat();
    this.#checkInterfaces();
    this.#checkAddresses();
    this.#checkNegatedAll();
    const bodies = this.#bodies(matches, target);
    if (!this.#failed) return { bodies };
    const [body] = bodies;
    if (body === undefined || bodies.length > 1) return { part: nothingOfRule };
    const { source, destination, protocol, fragment } = body;
    return { part: { source, destination, protocol, fragment, ...isOneWord(target) ? { target } : {} } };
  }

  /** One bad line costs one error: what the first one leads to is no news. */
  #error(check: LoadCheckName, span: Span, message: string, help?: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#cx.report({ check, severity: 'error', span, line: this.#statement.line, message, help });
  }

  #warn(check: LoadCheckName, span: Span, message: string, help?: string): void {
    if (this.#failed) return;
    this.#cx.report({ check, severity: 'warning', span, line: this.#statement.line, message, help });
  }

  #option(node: OptionNode): void {
    const { shape } = node;
    if (shape instanceof BuiltInOption) this.#builtIn(shape.key, node);
    else if (shape instanceof ExtensionOption) this.#extensionOption(shape, node);
    else if (shape instanceof OpaqueOption) this.#opaqueOption(shape, node);
    else this.#unknownOption(node);
  }

  #unknownOption(node: OptionNode): void {
    const name = node.name.text.split('=')[0] ?? '';
    // `--` ends the options; nothing may follow.
    if (name === '--' && node === this.#statement.options.at(-1) && node.args.length === 0) return;
    const known = node.scope instanceof Scope ? node.scope.names() : [];
    const owner = optionOwner(name, this.#cx.family);
    const help = owner === undefined ? didYouMean(name, known) : `it belongs to ${owner}, which must be named before it`;
    this.#error('unknown-option', node.name, `unknown option "${name}"`, help);
  }

  #extensionOption(shape: ExtensionOption, node: OptionNode): void {
    const { extension } = shape;
    if (extension.kind === 'target') {
      if (this.#target === undefined) return;
      if (this.#target.definition === undefined) return this.#error('unknown-option', node.name, `unknown option "${node.name.text}"`, `\`${this.#target.name}\` is a chain here, which takes no options`);
      this.#target.nodes.push(node);
      this.#target.protocol = this.#protocol;
      return;
    }
    let pending = this.#matches.findLast(match => match.definition === extension);
    // Not named before: the match of `-p` was loaded for it.
    if (pending === undefined) this.#matches.push(pending = { definition: extension, name: extension.name, at: node, nodes: [], protocol: this.#protocol });
    pending.protocol = this.#protocol;
    pending.nodes.push(node);
  }

  #opaqueOption(shape: OpaqueOption, node: OptionNode): void {
    const pending = shape.extensionName === opaqueTarget ? this.#target : this.#matches.findLast(match => match.name === shape.extensionName);
    pending?.nodes.push(node);
  }

  /** True where the option was given before, which is reported. */
  #again(key: BuiltInKey, node: OptionNode): boolean {
    const slot = key === 'g' ? 'j' : key;
    if (this.#seen.has(slot)) {
      this.#error('invalid-options', node, `-${key} is given twice`);
      return true;
    }
    this.#seen.add(slot);
    return false;
  }

  #builtIn(key: BuiltInKey, node: OptionNode): void {
    const word = node.args[0];
    const negated = node.bang !== undefined;
    switch (key) {
      case 's': case 'd': case 'p': case 'i': case 'o':
        if (word === undefined || this.#again(key, node)) return;
        this.#criterion(key, this.#wordOfItsOwn(key, node, word), negated);
        return;
      case 'f':
        if (this.#again(key, node)) return;
        if (this.#cx.family === 'ipv6') this.#error('unknown-option', node, '`-f` does not exist in IPv6', 'use `-m frag`');
        this.#draft.fragment = { negated, value: true };
        return;
      case 'm':
        if (negated) this.#error('invalid-options', node, '`!` cannot stand before -m', 'put it before the option of the match');
        if (word !== undefined) this.#loadMatch(word);
        return;
      case 'j': case 'g':
        if (negated) this.#error('invalid-options', node, `\`!\` cannot stand before -${key}`);
        if (word === undefined || this.#again(key, node)) return;
        if (key === 'j') this.#wordOfItsOwn(key, node, word);
        this.#draft.jump = { word, goto: key === 'g' };
        if (key === 'j') this.#target = { definition: this.#place.isChain(word.text) ? undefined : findTarget(word.text, this.#cx.family), name: word.text, at: word, nodes: [], protocol: this.#protocol };
        return;
      default: {
        const refusal = refusalOf(key, node, this.#statement);
        if (refusal !== undefined) this.#error('invalid-options', node, refusal.message, refusal.help);
      }
    }
  }

  #criterion(key: 's' | 'd' | 'p' | 'i' | 'o', word: WordNode, negated: boolean): void {
    switch (key) {
      case 's': this.#draft.sources = this.#addresses(word); this.#draft.sourceNegated = negated; return;
      case 'd': this.#draft.destinations = this.#addresses(word); this.#draft.destinationNegated = negated; return;
      case 'p': this.#protocolCriterion(word, negated); return;
      case 'i': this.#draft.inInterface = this.#interface(word, negated); return;
      case 'o': this.#draft.outInterface = this.#interface(word, negated);
    }
  }

  /** iptables takes the whole word for the value of these (`argv[optind - 1]`), so `-ieth0` is an interface `-ieth0`. */
  #wordOfItsOwn(key: BuiltInKey, node: OptionNode, word: WordNode): WordNode {
    if (word.start >= node.name.end) return word;
    const help = `write \`-${key} ${word.text}\``;
    if (key === 'i' || key === 'o') this.#warn('invalid-value', node.name, `iptables takes the whole of \`${node.name.text}\` for the name of the interface`, help);
    else this.#error('invalid-value', node.name, `iptables cannot read \`${node.name.text}\`: the value must be a word of its own`, help);
    return key === 'i' || key === 'o' ? node.name : word;
  }

  #value<T>(parsed: T | Problem, word: WordNode): T | undefined {
    if (!(parsed instanceof Problem)) return parsed;
    if (parsed.kind === 'refused') this.#error('invalid-value', word, parsed.message, parsed.help);
    else this.#warn('unresolved-name', word, parsed.message, 'write the number: at boot the name service may not be up yet');
    return undefined;
  }

  #addresses(word: WordNode): readonly (AddressMask | UnresolvedName)[] {
    const list = this.#value(addressMaskList.parse([word.text], this.#valueContext()), word);
    return list ?? [{ name: word.text }];
  }

  #protocolCriterion(word: WordNode, negated: boolean): void {
    const number = this.#value(parseProtocol(word.text), word);
    if (number === 0 && negated) this.#error('invalid-value', word, '`! -p all` never matches');
    if (number !== 0) this.#draft.protocol = { negated, value: number ?? { name: word.text } };
    this.#protocol = number === undefined ? undefined : { number, negated };
  }

  #interface(word: WordNode, negated: boolean): Given<InterfaceName> | undefined {
    const value = this.#value(interfaceName.parse([word.text], this.#valueContext()), word);
    return value === undefined ? undefined : { negated, value };
  }

  #valueContext(): ValueContext {
    return { family: this.#cx.family, backend: this.#cx.backend, protocol: this.#protocol };
  }

  #loadMatch(word: WordNode): void {
    const definition = findMatch(word.text, this.#cx.family);
    if (definition === undefined) {
      const other = findMatch(word.text, this.#cx.family === 'ipv4' ? 'ipv6' : 'ipv4');
      if (other !== undefined) this.#error('unknown-extension', word, `match \`${word.text}\` does not exist in ${this.#cx.family === 'ipv4' ? 'IPv4' : 'IPv6'}`);
      else this.#warn('unknown-extension', word, `match \`${word.text}\` is not known: it is treated as if it might match or not`, didYouMean(word.text, matchNames(this.#cx.family)));
    }
    this.#matches.push({ definition, name: word.text, at: word, nodes: [], protocol: this.#protocol });
  }

  #use(pending: Pending): Use | { opaque: string; words: string[] } {
    const { definition, nodes } = pending;
    if (definition === undefined) return { opaque: pending.name, words: optionWords(nodes) };
    const { protocol } = pending;
    const key = this.#cacheKey(definition, nodes, protocol);
    const cached = useCache.get(key);
    if (cached !== undefined) return cached;
    const cx: RuleContext = { family: this.#cx.family, backend: this.#cx.backend, protocol, table: this.#place.table, ordered: [] };
    const { use, problems } = readUse(definition, nodes, pending.at, cx, this.#protocol);
    for (const problem of problems) {
      if (problem.severity === 'error') this.#error(problem.check, problem.span, problem.message, problem.help);
      else this.#warn(problem.check, problem.span, problem.message, problem.help);
    }
    if (problems.length === 0) {
      if (useCache.size > 20_000) useCache.clear();
      useCache.set(key, use);
    }
    return use;
  }

  #cacheKey(definition: AnyExtension, nodes: readonly OptionNode[], protocol: ValueContext['protocol']): string {
    let key = `${definition.kind === 'match' ? 'm' : 'j'}${definition.name} ${this.#cx.family}${this.#cx.backend}${this.#place.table}${String(protocol?.number)}${protocol?.negated === true ? '!' : ''} ${String(this.#protocol?.number)}${this.#protocol?.negated === true ? '!' : ''}`;
    for (const node of nodes) {
      key += node.bang === undefined ? '\n' : '\n!';
      key += node.name.text;
      for (const word of node.args) key += `\t${word.text}`;
    }
    return key;
  }

  #ruleTarget(): RuleTarget {
    const { jump } = this.#draft;
    if (jump === undefined) return { kind: 'none' };
    const { word } = jump;
    if (jump.goto || this.#target === undefined) return { kind: 'chain', name: word.text, goto: true };
    if (this.#target.definition !== undefined) return { kind: 'extension', use: this.#use(this.#target) as Use<AnyTarget> };
    if (this.#target.nodes.length > 0) {
      const other = this.#cx.family === 'ipv4' ? 'ipv6' : 'ipv4';
      if (findTarget(word.text, other) !== undefined) this.#error('unknown-extension', word, `target \`${word.text}\` does not exist in ${this.#cx.family === 'ipv4' ? 'IPv4' : 'IPv6'}`);
      else this.#warn('unknown-extension', word, `target \`${word.text}\` is not known: it is treated as if it might do anything`, didYouMean(word.text, targetNames(this.#cx.family)));
      return { kind: 'opaque', use: { opaque: word.text, words: optionWords(this.#target.nodes) } };
    }
    return { kind: 'chain', name: word.text, goto: false };
  }

  #checkNat(): void {
    const word = this.#draft.jump?.word;
    if (word?.text === 'DROP' && this.#place.table === 'nat') this.#error('drop-in-nat', word, 'DROP is not allowed in the nat table, which sees only the first packet of a connection', 'drop in filter or, for everything, in raw');
  }

  #checkAddresses(): void {
    const { sources, destinations, sourceNegated, destinationNegated } = this.#draft;
    if ((sources.length > 1 || destinations.length > 1) && (sourceNegated || destinationNegated)) {
      this.#error('invalid-options', this.#statement, '`!` is not allowed where several addresses are given', 'write one rule each, in a chain of their own that ends the matter');
    }
  }

  /** iptables-nft makes no expression of a mask of zero, and the kernel does not take what is left of its negation. */
  #checkNegatedAll(): void {
    if (this.#cx.backend !== 'nft') return;
    const { sources, destinations, sourceNegated, destinationNegated } = this.#draft;
    for (const [list, negated] of [[sources, sourceNegated], [destinations, destinationNegated]] as const) {
      if (negated && list.some(one => 'mask' in one && Number(one.mask) === 0)) this.#error('invalid-value', this.#statement, 'the negation of all addresses is not taken by iptables-nft-restore', 'no packet would match');
    }
  }

  #checkInterfaces(): void {
    const { chain } = this.#place;
    const find = (key: BuiltInKey): OptionNode | undefined => this.#statement.options.find(node => node.shape instanceof BuiltInOption && node.shape.key === key);
    const out = chain === 'PREROUTING' || chain === 'INPUT' ? find('o') : undefined;
    if (out !== undefined) this.#error('wrong-interface', out, `-o cannot be used in ${chain}: no packet there has an outgoing interface yet`, 'use -i');
    const incoming = chain === 'POSTROUTING' || chain === 'OUTPUT' ? find('i') : undefined;
    if (incoming !== undefined) this.#error('wrong-interface', incoming, `-i cannot be used in ${chain}: no packet there has an incoming interface any more`, 'use -o');
  }

  #bodies(matches: readonly MatchUse[], target: RuleTarget): readonly RuleBody[] {
    const { sources, destinations, sourceNegated, destinationNegated, inInterface, outInterface, protocol, fragment } = this.#draft;
    const body = (source: AddressMask | UnresolvedName | undefined, destination: AddressMask | UnresolvedName | undefined): RuleBody => ({
      source: source === undefined ? undefined : askedAddress({ negated: sourceNegated, value: source }),
      destination: destination === undefined ? undefined : askedAddress({ negated: destinationNegated, value: destination }),
      inInterface: askedInterface(inInterface), outInterface: askedInterface(outInterface), protocol, fragment, matches, target,
    });
    if (sources.length <= 1 && destinations.length <= 1) return [body(sources[0], destinations[0])];
    const froms = sources.length === 0 ? [undefined] : sources;
    const tos = destinations.length === 0 ? [undefined] : destinations;
    return froms.flatMap(source => tos.map(destination => body(source, destination)));
  }
}

/** Options as they were written, word by word. */
export function optionWords(nodes: readonly OptionNode[]): string[] {
  return nodes.flatMap(node => [...node.bang === undefined ? [] : ['!'], node.name.text, ...node.args.map(word => word.text)]);
}

const matchNames = (family: Family): string[] => allDefinitions(family).filter(d => d.kind === 'match').map(d => d.name);
const targetNames = (family: Family): string[] => allDefinitions(family).filter(d => d.kind === 'target').map(d => d.name);

function allDefinitions(family: Family): readonly AnyExtension[] {
  return [...allMatches(family), ...allTargets(family)];
}

/** What has this very option, as it is written: `-p tcp` or `-p udp` where it is theirs, for others have it too; else the first `-m NAME` or `-j NAME`. */
function optionOwner(name: string, family: Family): string | undefined {
  const owners = allDefinitions(family).filter(definition => Object.values(definition.options as Options).some(option => option.names.includes(name)));
  const protocols = owners.filter(one => one.kind === 'match' && (one.name === 'tcp' || one.name === 'udp'));
  if (protocols.length > 0) return protocols.map(one => `\`-p ${one.name}\``).join(' or ');
  const [owner] = owners;
  return owner === undefined ? undefined : `\`${owner.kind === 'match' ? '-m' : '-j'} ${owner.name}\``;
}
