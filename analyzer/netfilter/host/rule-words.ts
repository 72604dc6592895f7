/** Routing rules in the words of `ip rule`, and as `ip -j rule` prints them. */
import { protocolNumber } from '../../packet/protocols.js';
import { Problem, refuse, type Family } from '../../values/value.js';
import type { WordsOrJson } from './host.js';
import { readNumber, readPrefix, readSpan } from './prefix.js';
import { routeTypes, tableName, type RoutingRule, type RuleAction } from './route.js';

type Draft = { -readonly [K in keyof RoutingRule]: RoutingRule[K] };
type Reader = (draft: Draft, next: () => string | undefined, family: Family) => string | undefined;

function prefix(key: 'from' | 'to'): Reader {
  return (draft, next, family) => {
    const word = next() ?? '';
    const read = readPrefix(word, family);
    if (read === undefined) return `\`${word}\` is no prefix`;
    draft[key] = read.length === 0 ? undefined : read;
    return undefined;
  };
}

function span(key: 'sport' | 'dport' | 'uids'): Reader {
  return (draft, next) => {
    draft[key] = readSpan(next());
    return draft[key] === undefined ? 'a number or a range is missing' : undefined;
  };
}

function device(key: 'in' | 'out'): Reader {
  return (draft, next) => { draft[key] = next() ?? ''; return undefined; };
}

function number(key: 'priority' | 'tos' | 'suppressLength' | 'suppressGroup'): Reader {
  return (draft, next) => {
    const value = readNumber(next());
    if (value === undefined) return 'a number is missing';
    draft[key] = value;
    return undefined;
  };
}

function action(kind: 'nop' | 'blackhole' | 'unreachable' | 'prohibit'): Reader {
  return draft => { draft.action = { kind }; return undefined; };
}

const readMark: Reader = (draft, next) => {
  const [value, mask = '0xffffffff'] = (next() ?? '').split('/');
  const mark = { value: readNumber(value), mask: readNumber(mask) };
  if (mark.value === undefined || mark.mask === undefined) return '`fwmark` needs a number, or MARK/MASK';
  draft.mark = { value: mark.value, mask: mark.mask };
  return undefined;
};

const readProtocol: Reader = (draft, next) => {
  // `ip -N` prints `ipproto-17`.
  const word = (next() ?? '').replace(/^ipproto-/u, '');
  draft.protocol = readNumber(word) ?? Object.entries({ ...protocolNumber, 'ipv6-icmp': 58 }).find(([name]) => name === word)?.[1];
  return draft.protocol === undefined ? `\`${word}\` is no protocol` : undefined;
};

const lookup: Reader = (draft, next) => { draft.action = { kind: 'lookup', table: tableName(next() ?? 'main') }; return undefined; };
const goTo: Reader = (draft, next) => {
  const priority = readNumber(next());
  if (priority === undefined) return '`goto` needs a priority';
  draft.action = { kind: 'goto', priority };
  return undefined;
};
const priority = number('priority'), tos = number('tos');
const ignoreOne: Reader = (_, next) => { next(); return undefined; };
const ignore: Reader = () => undefined;

const readers: Readonly<Record<string, Reader>> = {
  not: draft => { draft.inverted = true; return undefined; },
  from: prefix('from'), to: prefix('to'),
  iif: device('in'), dev: device('in'), oif: device('out'),
  fwmark: readMark,
  tos, dsfield: tos,
  ipproto: readProtocol, sport: span('sport'), dport: span('dport'), uidrange: span('uids'),
  pref: priority, priority, preference: priority, order: priority,
  lookup, table: lookup, goto: goTo,
  nop: action('nop'), blackhole: action('blackhole'), unreachable: action('unreachable'), prohibit: action('prohibit'),
  suppress_prefixlength: number('suppressLength'), suppress_prefixlen: number('suppressLength'), sup_pl: number('suppressLength'),
  suppress_ifgroup: number('suppressGroup'), sup_group: number('suppressGroup'),
  type: ignore, add: ignore, '[detached]': ignore, '[unresolved]': ignore,
  realms: ignoreOne, protocol: ignoreOne, proto: ignoreOne,
};

/** `ip -j rule` says the same under other names. */
function wordsOf(json: Readonly<Record<string, unknown>>): string {
  const words: unknown[] = [`${String(json['priority'])}:`];
  if ('not' in json) words.push('not');
  const take = (key: string, name: string, value: unknown = json[key]): void => { if (json[key] !== undefined) words.push(name, value); };
  const joined = (key: string, by: string, second: string): string => [json[key], json[second]].filter(part => part !== undefined).map(String).join(by);
  const range = (one: string, low: string, high: string, name: string): void => {
    take(one, name);
    take(low, name, joined(low, '-', high));
  };
  take('src', 'from', joined('src', '/', 'srclen'));
  take('dst', 'to', joined('dst', '/', 'dstlen'));
  for (const key of ['tos', 'iif', 'oif', 'ipproto', 'suppress_prefixlen', 'table', 'goto']) take(key, key);
  take('suppress_ifgroup', 'suppress_ifgroup', json['suppress_ifgroup'] === 'default' ? 0 : json['suppress_ifgroup']);
  if ('nop' in json) words.push('nop');
  take('fwmark', 'fwmark', joined('fwmark', '/', 'fwmask'));
  range('sport', 'sport_start', 'sport_end', 'sport');
  range('dport', 'dport_start', 'dport_end', 'dport');
  range('uid', 'uid_start', 'uid_end', 'uidrange');
  if (json['action'] !== undefined) words.push(routeTypes[Number(json['action']) - 1] ?? json['action']);
  return words.map(String).join(' ');
}

/** One rule. A problem says which word is wrong. */
export function readRule(given: WordsOrJson, family: Family): RoutingRule | Problem {
  const text = typeof given === 'string' ? given : wordsOf(given);
  const words = text.split(/\s+/u).filter(word => word !== '');
  const draft: Draft = {
    priority: undefined, inverted: false, from: undefined, to: undefined, mark: undefined, in: undefined, out: undefined, tos: 0,
    protocol: undefined, sport: undefined, dport: undefined, uids: undefined, suppressLength: undefined, suppressGroup: undefined,
    action: { kind: 'lookup', table: 'main' },
  };
  let at = 0;
  const listed = /^(\d{1,10}):$/u.exec(words[0] ?? '')?.[1];
  if (listed !== undefined) { draft.priority = Number(listed); at++; }
  const next = (): string | undefined => words[at++];
  while (at < words.length) {
    const word = next() ?? '';
    const reader = Object.hasOwn(readers, word) ? readers[word] : undefined;
    const trouble = reader === undefined ? `\`${word}\` is not understood` : reader(draft, next, family);
    if (trouble !== undefined) return refuse(`rule \`${text}\`: ${trouble}`);
  }
  return draft;
}

const lookupIn = (priority: number, table: string): RoutingRule => ({
  priority, inverted: false, from: undefined, to: undefined, mark: undefined, in: undefined, out: undefined, tos: 0, protocol: undefined,
  sport: undefined, dport: undefined, uids: undefined, suppressLength: undefined, suppressGroup: undefined, action: { kind: 'lookup', table } satisfies RuleAction,
});

/** What every namespace begins with (fib_default_rules_init(), fib6_rules_net_init()). */
export function defaultRules(family: Family): readonly RoutingRule[] {
  const both = [lookupIn(0, 'local'), lookupIn(32766, 'main')];
  return family === 'ipv4' ? [...both, lookupIn(32767, 'default')] : both;
}

/**
 * Rules in the order in which they are asked. Those of a listing (`32765: from all …`, or JSON) are all there are;
 * words for `ip rule add` come on top of what is there, each new one without a priority before all others
 * but the first (fib_default_rule_pref()).
 */
export function ruleList(given: readonly WordsOrJson[], read: readonly RoutingRule[], family: Family): readonly RoutingRule[] {
  const isListing = given.some(one => typeof one !== 'string' || /^\s*\d+:/u.test(one));
  const rules = isListing ? [] : [...defaultRules(family)];
  for (const rule of read) {
    const priority = rule.priority ?? (rules[1]?.priority ?? 1) - 1;
    const behind = rules.findIndex(other => (other.priority ?? 0) > priority);
    rules.splice(behind === -1 ? rules.length : behind, 0, { ...rule, priority });
  }
  return rules;
}
