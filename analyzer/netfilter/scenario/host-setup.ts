/** A host file in the words of a scenario. */
import type { HostSetup } from '../engine.js';
import type { HostAddress, HostDescription, HostInterface, WordsOrJson } from '../host/host.js';
import type { ScenarioInterface } from '../scenario.js';
import type { Family } from '../../values/value.js';

function addressText(given: string | HostAddress): string {
  return typeof given === 'string' ? given : given.address;
}

/** What has no link-layer address is as a tun. */
const withoutLinkLayer = new Set(['tun', 'wireguard', 'ipip', 'sit', 'gre', 'ppp', 'none']);

function interfaceOf({ name, addresses = [], kind = 'ethernet', mac, mtu }: HostInterface, family: Family): ScenarioInterface {
  const own = addresses.map(addressText).filter(address => address.includes(':') === (family === 'ipv6'));
  return {
    name, addresses: own, kind: withoutLinkLayer.has(kind) ? 'tun' : 'ethernet',
    ...mac === undefined ? {} : { mac }, ...mtu === undefined ? {} : { mtu: Math.min(mtu, 65535) },
  };
}

type Json = Readonly<Record<string, unknown>>;

function word(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** ` name value`, where the value is there. */
function pair(json: Json, key: string, name: string): string {
  const value = word(json[key]);
  return value === undefined ? '' : ` ${name} ${value}`;
}

/** An object of `ip -j route` as `ip route` shows it. */
function routeWords(json: Json): string {
  const type = word(json['type']);
  const hops = Array.isArray(json['nexthops']) ? json['nexthops'].map((hop: Json) => ` nexthop${pair(hop, 'gateway', 'via')}${pair(hop, 'dev', 'dev')}${pair(hop, 'weight', 'weight')}`).join('') : '';
  const words = [['gateway', 'via'], ['dev', 'dev'], ['table', 'table'], ['metric', 'metric'], ['prefsrc', 'src']] as const;
  return `${type === undefined || type === 'unicast' ? '' : `${type} `}${word(json['dst']) ?? 'default'}${words.map(([key, name]) => pair(json, key, name)).join('')}${hops}`;
}

/** An object of `ip -j rule` as `ip rule` takes it. */
function ruleWords(json: Json): string {
  const prefix = (key: string, name: string): string => {
    const value = word(json[key]);
    const length = word(json[`${key}len`]);
    return value === undefined ? '' : ` ${name} ${value}${length === undefined ? '' : `/${length}`}`;
  };
  const mark = word(json['fwmark']);
  const mask = word(json['fwmask']);
  const fwmark = mark === undefined ? '' : ` fwmark ${mark}${mask === undefined ? '' : `/${mask}`}`;
  const not = json['not'] === undefined ? '' : 'not';
  const rest = [['iif', 'iif'], ['oif', 'oif'], ['tos', 'tos'], ['ipproto', 'ipproto'], ['sport', 'sport'], ['dport', 'dport'], ['priority', 'pref'], ['table', 'table'], ['suppress_prefixlen', 'suppress_prefixlength'], ['action', '']] as const;
  return `${not}${prefix('src', 'from')}${prefix('dst', 'to')}${fwmark}${rest.map(([key, name]) => pair(json, key, name)).join('')}`.replace(/ {2,}/gu, ' ').trim();
}

/** What the kernel makes itself of the addresses. */
function isKernels(given: WordsOrJson): boolean {
  if (typeof given === 'string') return false;
  return given['table'] === 'local' || given['type'] === 'local' || given['type'] === 'broadcast' || given['type'] === 'multicast';
}

/** The three rules that every host has. */
function isUsualRule(given: WordsOrJson): boolean {
  return typeof given === 'object' && ([0, 32766, 32767] as readonly unknown[]).includes(given['priority']) && given['fwmark'] === undefined;
}

/** What of the host a scenario of this family can say; interfaces that are down are left out, and so are peers, groups and masters. */
export function setupOf(host: HostDescription, family: Family): HostSetup {
  const conntrack = host.conntrack?.[family];
  const sysctls = Object.entries(host.sysctls ?? {}).map(([name, value]) => [name, Number(value)] as const).filter(([, value]) => Number.isFinite(value));
  return {
    interfaces: (host.interfaces ?? []).filter(({ name, up }) => name !== 'lo' && up !== false).map(one => interfaceOf(one, family)),
    routes: (host.routes?.[family] ?? []).filter(route => !isKernels(route)).map(route => (typeof route === 'string' ? route : routeWords(route))),
    ipRules: (host.rules?.[family] ?? []).filter(rule => !isUsualRule(rule)).map(rule => (typeof rule === 'string' ? rule : ruleWords(rule))),
    sysctls: Object.fromEntries(sysctls),
    ...host.ipsets === undefined ? {} : { ipsets: host.ipsets },
    ...conntrack === undefined ? {} : { conntrack },
  };
}
