/** Who made a chain or a rule, where that was a program. */
import { isOpaque, isTableName, type Chain, type Rule, type Ruleset, type Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { protocolNumber } from '../../packet/protocols.js';
import { knownOwners, type KnownOwner } from './known-owners.js';
import { isStateMatch } from './state-asked.js';
import { effectOf } from './targets.js';

/** A comment at the head of a file stands within so many letters. */
const headLength = 1000;

/** Answers for one rule set: the name of a program, undefined where nothing says that one was at work. */
export interface Owners {
  /** Who made the chain. Of a chain that is made for people to fill, undefined once something stands in it. */
  readonly ofChain: (chain: Chain) => string | undefined;
  /** Who made the rule: who made its chain, or who leads packets there from elsewhere. */
  readonly ofRule: (table: Table, chain: Chain, rule: Rule) => string | undefined;
}

const known = new WeakMap<Ruleset, Owners>();

/** Who made what of a rule set, told by the names of chains, by comments, and by interfaces that programs make. */
export function ownersOf(ruleset: Ruleset): Owners {
  let owners = known.get(ruleset);
  if (owners === undefined) known.set(ruleset, owners = makeOwners(ruleset));
  return owners;
}

function isThere(ruleset: Ruleset, { telltale, header, text }: KnownOwner): boolean {
  if (text?.test(ruleset.source.text) === false) return false;
  if (header !== undefined && !header.test(ruleset.source.text.slice(0, headLength))) return false;
  return telltale === undefined || hasChain(ruleset, telltale);
}

function hasChain({ tables }: Ruleset, named: RegExp | undefined): boolean {
  return named !== undefined && [...tables.values()].some(({ chains }) => [...chains.keys()].some(name => named.test(name)));
}

function makeOwners(ruleset: Ruleset): Owners {
  const present = knownOwners.filter(owner => isThere(ruleset, owner));
  const makers = new Map<string, KnownOwner | undefined>();
  const makerOf = (name: string): KnownOwner | undefined => {
    if (!makers.has(name)) makers.set(name, present.find(({ chains, yours }) => chains?.test(name) === true || yours?.test(name) === true));
    return makers.get(name);
  };
  const served = new Map(present.flatMap(owner => owner.serves === undefined ? [] : [[owner, servedBy(ruleset, owner.serves)] as const]));
  const inChains = new Set(present.filter(owner => owner.keepsToChains === true && hasChain(ruleset, owner.chains)));
  const isYours = (name: string): boolean => makerOf(name)?.yours?.test(name) === true;
  return {
    ofChain: ({ name, hook, rules }) => hook !== undefined || (isYours(name) && rules.length > 0) ? undefined : makerOf(name)?.name,
    ofRule: ({ name: table, chains }, { name, hook }, rule) => {
      if (hook === undefined && makerOf(name) !== undefined && (!isYours(name) || isBareReturn(rule))) return makerOf(name)?.name;
      const { target } = rule;
      const callee = target.kind === 'chain' && chains.get(target.name)?.hook === undefined ? makerOf(target.name) : undefined;
      const mayBeIn = (owner: KnownOwner): boolean => hook !== undefined && !inChains.has(owner) && !(owner.isGeneral === true && table === 'filter' && isAboutSome(rule))
        && !(owner.interfaces !== undefined && hook === 'FORWARD' && opensToAll(rule));
      return (callee ?? present.find(owner => hasMark(owner, rule, mayBeIn(owner), served.get(owner))))?.name;
    },
  };
}

/** Who made the rule; see `Owners`. */
export function ownerOf(ruleset: Ruleset, at: RuleAt): string | undefined {
  const table = isTableName(at.table) ? ruleset.tables.get(at.table) : undefined;
  const chain = table?.chains.get(at.chain);
  return table === undefined || chain === undefined ? undefined : ownersOf(ruleset).ofRule(table, chain, at.rule);
}

/** Whether a program makes a chain of this name for people to fill, as docker does DOCKER-USER. */
export function isForPeople(chain: string): boolean {
  return knownOwners.some(({ yours }) => yours?.test(chain) === true);
}

/** Whether a program is yet to let packets pass in a chain that it has made, whenever it likes to: a firewall that does what people tell it has written that down. */
export function isToBeFilled(ruleset: Ruleset, chain: Chain): boolean {
  const owner = chain.rules.length === 0 ? ownersOf(ruleset).ofChain(chain) : undefined;
  return owner !== undefined && knownOwners.some(({ name, refuses, told, takesBuiltIn }) => name === owner && refuses === undefined && told === undefined && takesBuiltIn === undefined);
}

/** The program that will lead packets to this chain, and is not there yet: docker keeps what people have put into DOCKER-USER before it is started. */
export function programToCome({ tables }: Ruleset, chain: string): string | undefined {
  const owner = knownOwners.find(({ yours, telltale }) => telltale === undefined && yours?.test(chain) === true);
  if (owner === undefined) return undefined;
  const isItsOwn = (name: string): boolean => owner.chains?.test(name) === true && owner.yours?.test(name) !== true;
  return [...tables.values()].some(({ chains }) => [...chains.keys()].some(isItsOwn)) ? undefined : owner.name;
}

/** Whether one program made a rule and others that do something to it, so that this is nobody else's doing. */
export function isOwnDoing(ruleset: Ruleset, at: RuleAt, others: readonly RuleAt[]): boolean {
  const owner = ownerOf(ruleset, at);
  return isProgramsWord(ruleset, at) && others.every(one => ownerOf(ruleset, one) === owner);
}

/** Whether a program made the rule, and not to write down what people told it: nobody can delete it or move it for good. */
export function isProgramsWord(ruleset: Ruleset, at: RuleAt): boolean {
  const owner = ownerOf(ruleset, at);
  return owner !== undefined && !knownOwners.some(({ name, told }) => name === owner && told?.chains.test(at.chain) === true && told.rules.test(textOf(ruleset, at.rule)));
}

function textOf({ source: { text } }: Ruleset, { start, end }: Rule): string {
  return text.slice(start, end);
}

/** What docker, for one, leaves at the end of a chain that is for people to fill. */
function isBareReturn({ source, destination, inInterface, outInterface, protocol, matches, target }: Rule): boolean {
  return [source, destination, inInterface, outInterface, protocol].every(one => one === undefined) && matches.length === 0
    && target.kind === 'extension' && target.use.definition.effect === 'return';
}

/** It names addresses, or a protocol that has ports. */
function isAboutSome({ source, destination, protocol }: Rule): boolean {
  return source !== undefined || destination !== undefined || (protocol !== undefined && protocol.value !== protocolNumber.icmp && protocol.value !== protocolNumber.icmpv6);
}

/** It lets anybody begin connections to those behind an interface, to all of them or to a port: programs let them in by address only, as libvirt does to a network that it routes. */
function opensToAll(rule: Rule): boolean {
  const { inInterface, outInterface, destination, protocol, matches } = rule;
  return effectOf(rule) === 'accept' && inInterface === undefined && outInterface !== undefined && (destination === undefined || protocol !== undefined)
    && !matches.some(isStateMatch);
}

/** The interfaces of which rules say that what goes there is led to such a chain. */
function servedBy({ tables }: Ruleset, chain: RegExp): ReadonlySet<string> {
  const names = (rules: readonly Rule[]): string[] => rules.flatMap(({ target, outInterface: out }) => target.kind === 'chain' && chain.test(target.name) && out?.negated === false && !out.value.prefix ? out.value.name : []);
  return new Set([...tables.values()].flatMap(({ chains }) => [...chains.values()].flatMap(({ rules }) => names(rules))));
}

function hasMark({ comments, interfaces, takesBuiltIn }: KnownOwner, rule: Rule, isBuiltIn: boolean, served?: ReadonlySet<string>): boolean {
  const named = [rule.inInterface, rule.outInterface].flatMap(one => one?.value.name ?? []);
  if (comments !== undefined && commentsOf(rule).some(comment => comments.test(comment))) return true;
  if (!isBuiltIn) return false;
  return takesBuiltIn === true || (interfaces !== undefined && named.length > 0 && named.every(name => interfaces.test(name) || served?.has(name) === true));
}

/** The comments that a rule carries (`-m comment --comment TEXT`). */
export function commentsOf({ matches }: Rule): readonly string[] {
  return matches.flatMap(use => {
    const text = isOpaque(use) || use.definition.name !== 'comment' ? undefined : use.given['comment']?.value;
    return typeof text === 'string' ? [text] : [];
  });
}
