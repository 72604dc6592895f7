/** Routes in the words of `ip route`, and as `ip -j route` prints them. */
import type { Address } from '../../values/address.js';
import { Problem, refuse, type Family } from '../../values/value.js';
import type { WordsOrJson } from './host.js';
import { networkOf, readAddress, readNumber, readPrefix } from './prefix.js';
import { routeTypes, scopes, tableName, type NextHop, type Route, type RouteType } from './route.js';

/** What is collected while the words are read. */
interface Draft {
  readonly family: Family;
  table: string | undefined;
  metric: number | undefined;
  tos: number;
  scope: number | undefined;
  preferredSource: Address | undefined;
  mtu: number;
  isKernels: boolean;
  preference: number;
  /** The hop being read is the last one. */
  readonly hops: { device: string; via: Address | undefined; weight: number; hasGateway: boolean; isDead: boolean }[];
}

type Reader = (draft: Draft, next: () => string | undefined) => string | undefined;

const lastHop = (draft: Draft): Draft['hops'][number] => {
  const last = draft.hops.at(-1);
  if (last !== undefined) return last;
  const first = { device: '', via: undefined, weight: 1, hasGateway: false, isDead: false };
  draft.hops.push(first);
  return first;
};

const readVia: Reader = (draft, next) => {
  const word = next() ?? '';
  const named = word === 'inet6' ? 'ipv6' : word === 'inet' ? 'ipv4' : undefined;
  const gateway = readAddress(named === undefined ? word : next() ?? '', named ?? draft.family);
  if (gateway === undefined) return '`via` needs the address of a gateway';
  const hop = lastHop(draft);
  hop.hasGateway = true;
  // A gateway of the other family is known by its interface alone (rt_nexthop()).
  if ((named ?? draft.family) === draft.family) hop.via = gateway;
  return undefined;
};

function number(set: (draft: Draft, value: number) => void): Reader {
  return (draft, next) => {
    const value = readNumber(next());
    if (value === undefined) return 'a number is missing';
    set(draft, value);
    return undefined;
  };
}

const ignoreOne: Reader = (_, next) => { next(); return undefined; };
const ignore: Reader = () => undefined;
const preferences: Readonly<Record<string, number>> = { low: -1, medium: 0, high: 1 };

const metric = number((draft, value) => { draft.metric = value; });
const tos = number((draft, value) => { draft.tos = value; });
const protocol: Reader = (draft, next) => {
  const word = next();
  draft.isKernels = word === 'kernel' || word === '2';
  return undefined;
};

const readers: Readonly<Record<string, Reader>> = {
  via: readVia,
  dev: (draft, next) => {
    lastHop(draft).device = next() ?? '';
    return lastHop(draft).device === '' ? '`dev` needs the name of an interface' : undefined;
  },
  nexthop: draft => { draft.hops.push({ device: '', via: undefined, weight: 1, hasGateway: false, isDead: false }); return undefined; },
  weight: number((draft, value) => { lastHop(draft).weight = Math.max(1, value); }),
  table: (draft, next) => { draft.table = tableName(next() ?? ''); return undefined; },
  metric, priority: metric, preference: metric,
  tos, dsfield: tos,
  src: (draft, next) => {
    draft.preferredSource = readAddress(next() ?? '', draft.family);
    return draft.preferredSource === undefined ? '`src` needs an address' : undefined;
  },
  scope: (draft, next) => {
    const word = next() ?? '';
    draft.scope = Object.entries(scopes).find(([name]) => name === word)?.[1] ?? readNumber(word);
    return draft.scope === undefined ? `there is no scope \`${word}\`` : undefined;
  },
  mtu: (draft, next) => {
    const word = next();
    const value = readNumber(word === 'lock' ? next() : word);
    if (value !== undefined) draft.mtu = value;
    return value === undefined ? '`mtu` needs a number' : undefined;
  },
  pref: (draft, next) => { draft.preference = preferences[next() ?? ''] ?? 0; return undefined; },
  proto: protocol, protocol,
  dead: draft => { lastHop(draft).isDead = true; return undefined; },
  onlink: ignore, linkdown: ignore, offload: ignore, trap: ignore, rt_offload_failed: ignore, pervasive: ignore, cache: ignore, notify: ignore,
  advmss: ignoreOne, window: ignoreOne, rtt: ignoreOne, rttvar: ignoreOne, rto_min: ignoreOne, ssthresh: ignoreOne, cwnd: ignoreOne, initcwnd: ignoreOne, initrwnd: ignoreOne,
  reordering: ignoreOne, hoplimit: ignoreOne, quickack: ignoreOne, congctl: ignoreOne, features: ignoreOne, realm: ignoreOne, realms: ignoreOne, error: ignoreOne,
  expires: ignoreOne, nhid: ignoreOne, 'ttl-propagate': ignoreOne, fastopen_no_cookie: ignoreOne,
};

const tablesOfTypes: ReadonlySet<RouteType> = new Set<RouteType>(['local', 'broadcast', 'anycast']);

/** By name or, as `ip -N` prints it, by number. */
function readType(word: string | undefined): RouteType | undefined {
  return routeTypes.find((type, index) => type === word || String(index + 1) === word);
}

/** @see iproute_modify() in iproute2's ip/iproute.c, for what is not said. */
function defaultScope(type: RouteType, draft: Draft): number {
  if (type === 'local') return scopes.host;
  if (type === 'broadcast' || type === 'multicast' || type === 'anycast') return scopes.link;
  return type === 'unicast' && !draft.hops.some(hop => hop.hasGateway) ? scopes.link : scopes.global;
}

/** Routes that lead nowhere stand, in IPv6, at lo. */
function hopsOf(draft: Draft, type: RouteType): readonly NextHop[] {
  if (draft.hops.length > 0) return draft.hops.filter(hop => !hop.isDead).map(({ device, via, weight }) => ({ device, via, weight }));
  const isNowhere = type === 'blackhole' || type === 'unreachable' || type === 'prohibit' || type === 'throw';
  return [{ device: isNowhere && draft.family === 'ipv6' ? 'lo' : '', via: undefined, weight: 1 }];
}

function readWords(draft: Draft, words: readonly string[]): string | undefined {
  let at = 0;
  const next = (): string | undefined => words[at++];
  while (at < words.length) {
    const word = next() ?? '';
    const reader = Object.hasOwn(readers, word) ? readers[word] : undefined;
    const trouble = reader === undefined ? `\`${word}\` is not understood` : reader(draft, next);
    if (trouble !== undefined) return trouble;
  }
  return undefined;
}

/** `ip -j route` says the same under other names. */
function wordsOf(json: Readonly<Record<string, unknown>>): string {
  const words: unknown[] = [json['type'], json['dst']];
  const take = (from: Readonly<Record<string, unknown>>, key: string, name = key): void => { if (from[key] !== undefined) words.push(name, from[key]); };
  const hop = (from: Readonly<Record<string, unknown>>): void => {
    const via = from['via'];
    take(from, 'gateway', 'via');
    if (typeof via === 'object' && via !== null && 'host' in via && 'family' in via) words.push('via', via.family, via.host);
    take(from, 'dev');
    take(from, 'weight');
    if (Array.isArray(from['flags']) && from['flags'].includes('dead')) words.push('dead');
  };
  hop(json);
  for (const [key, name] of [['table'], ['metric'], ['tos'], ['scope'], ['prefsrc', 'src'], ['protocol', 'proto'], ['pref']] as const) take(json, key, name);
  for (const metrics of Array.isArray(json['metrics']) ? json['metrics'] as unknown[] : []) if (isObject(metrics)) take(metrics, 'mtu');
  for (const one of Array.isArray(json['nexthops']) ? json['nexthops'] as unknown[] : []) if (isObject(one)) { words.push('nexthop'); hop(one); }
  return words.filter(word => word !== undefined).map(String).join(' ');
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One route. A problem says which word is wrong. */
export function readRoute(given: WordsOrJson, family: Family): Route | Problem {
  const text = typeof given === 'string' ? given : wordsOf(given);
  const words = text.replaceAll('\\', ' ').split(/\s+/u).filter(word => word !== '');
  const named = readType(words[0]), type = named ?? 'unicast';
  const [prefixWord = '', ...rest] = named !== undefined || words[0] === 'to' ? words.slice(1) : words;
  const prefix = readPrefix(prefixWord, family);
  if (prefix === undefined) return refuse(`route \`${text}\`: \`${prefixWord}\` is no prefix of ${family === 'ipv4' ? 'IPv4' : 'IPv6'}`);
  const draft: Draft = { family, table: undefined, metric: undefined, tos: 0, scope: undefined, preferredSource: undefined, mtu: 0, isKernels: false, preference: 0, hops: [] };
  const trouble = readWords(draft, rest);
  if (trouble !== undefined) return refuse(`route \`${text}\`: ${trouble}`);
  return {
    type, destination: networkOf(prefix, family), length: prefix.length,
    table: draft.table ?? (tablesOfTypes.has(type) ? 'local' : 'main'),
    metric: draft.metric ?? (family === 'ipv6' ? 1024 : 0),
    tos: draft.tos, scope: draft.scope ?? defaultScope(type, draft), preferredSource: draft.preferredSource, mtu: draft.mtu,
    nextHops: hopsOf(draft, type), isKernels: draft.isKernels, preference: draft.preference,
  };
}
