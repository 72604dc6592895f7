/** From a scenario to the namespace that it describes. */
import type { Scenario, ScenarioInterface } from '../analyzer/netfilter/scenario.js';
import type { Backend, Family } from '../analyzer/values/value.js';
import { HelperError, hexWord, type Helper } from './helper-process.js';
import type { HostAndSteps } from './namespace.js';
import { messageTypes, request } from './netlink.js';
import { startWatching } from './watch.js';

/** The kernel refused what a scenario asks for: its rules, a route, an address. */
export class SetUpError extends Error {}

const programs = {
  ipv4: { legacy: 'iptables-legacy', nft: 'iptables-nft' },
  ipv6: { legacy: 'ip6tables-legacy', nft: 'ip6tables-nft' },
} as const;

/** A router that filters nothing by itself, and whose answers are not rationed and carry no labels made up. */
const settings: Readonly<Record<string, number>> = {
  'net.ipv4.ip_forward': 1,
  'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.default.rp_filter': 0,
  'net.ipv4.icmp_ratelimit': 0, 'net.ipv4.icmp_ratemask': 0,
  'net.ipv6.conf.default.accept_dad': 0, 'net.ipv6.conf.default.accept_ra': 0,
  'net.ipv6.icmp.ratelimit': 0, 'net.ipv6.auto_flowlabels': 0,
};

/** Interfaces join the groups of routers when they become routers. */
const routing6: Readonly<Record<string, number>> = { 'net.ipv6.conf.all.forwarding': 1 };

/** It would join multicast groups, and say so. */
const withoutIpv6: Readonly<Record<string, number>> = { 'net.ipv6.conf.all.disable_ipv6': 1, 'net.ipv6.conf.default.disable_ipv6': 1 };

/** `net.ipv4.conf.eth0.rp_filter` → `net/ipv4/conf/eth0/rp_filter`; a slash stands for a dot within a name, as in sysctl(8). */
function sysctlPath(name: string): string {
  return name.replaceAll(/[./]/gu, one => one === '.' ? '/' : '.');
}

export function setSysctls(helper: Helper, values: Readonly<Record<string, number>>): readonly Promise<unknown>[] {
  return Object.entries(values).map(([name, value]) => helper.ask('sysctl', sysctlPath(name), value));
}

/** What an interface without a `mac` has; `number` counts interfaces from 0. */
export function macOf({ mac }: ScenarioInterface, number: number): Buffer {
  return Buffer.from((mac ?? `02:00:00:00:00:${(number + 1).toString(16).padStart(2, '0')}`).replaceAll(':', ''), 'hex');
}

/** A link-local address follows from the MAC address, where that is said; no other is made up. `before`: how many there are already. */
function makeDevices(helper: Helper, interfaces: readonly ScenarioInterface[], before = 0): readonly Promise<unknown>[] {
  return interfaces.flatMap((one, index) => {
    const number = before + index;
    const isTun = one.kind === 'tun';
    const linkLocal = setSysctls(helper, { 'net.ipv6.conf.default.addr_gen_mode': isTun || one.mac === undefined ? 1 : 0 });
    return [...linkLocal, helper.ask('device', one.name, isTun ? 'tun' : 'tap', isTun ? '-' : hexWord(macOf(one, number)), one.mtu ?? 1500)];
  });
}

/** As one batch of `ip`: one process. */
function ip(helper: Helper, words: readonly string[], lines: readonly string[]): readonly Promise<unknown>[] {
  return lines.length === 0 ? [] : [helper.run(['ip', ...words, '-batch', '-'], `${lines.join('\n')}\n`)];
}

function address(text: string, name: string): string {
  return `addr add ${text} dev ${name}${text.includes(':') ? ' nodad' : ''}`;
}

function makeRoutes(helper: Helper, { interfaces = [], routes = [], ipRules = [] }: Scenario, family: Family): readonly Promise<unknown>[] {
  return [
    ...ip(helper, [], interfaces.flatMap(one => one.addresses.map(text => address(text, one.name)))),
    ...ip(helper, [family === 'ipv4' ? '-4' : '-6'], [...routes.map(words => `route add ${words}`), ...ipRules.map(words => `rule add ${words}`)]),
  ];
}

/** Options of conntrack(8) for the words of a listing, in each direction. */
const flowOptions: Readonly<Record<string, readonly [original: string, reply?: string]>> = {
  src: ['-s', '-r'], dst: ['-d', '-q'], sport: ['--sport', '--reply-port-src'], dport: ['--dport', '--reply-port-dst'],
  type: ['--icmp-type'], code: ['--icmp-code'], id: ['--icmp-id'], zone: ['-w'],
};

/** Options that name one direction's tuple; `direction` counts from 0. */
function tupleOptions(words: readonly string[], direction: 0 | 1): readonly string[] {
  return Object.entries(flowOptions).flatMap(([key, options]) => {
    const value = words.filter(word => word.startsWith(`${key}=`))[direction]?.slice(key.length + 1);
    const option = options[direction];
    return value === undefined || option === undefined ? [] : [option, value];
  });
}

/**
 * `conntrack -L` prints what its `-I` takes, in other words. Given a mark and a status, `-I` uses the one for the other:
 * the mark is set afterwards.
 */
function insertFlow(helper: Helper, line: string): readonly Promise<unknown>[] {
  const words = line.trim().split(/\s+/u);
  const [protocol = '', , timeout = '0', state = ''] = words;
  const flow = ['-p', protocol, ...tupleOptions(words, 0).map(word => word.replace(/^--icmp-/u, `--${protocol}-`))];
  /** Of ICMP it follows from the request, and is not to be given. */
  const reply = protocol.startsWith('icmp') ? [] : tupleOptions(words, 1);
  const status = words.includes('[UNREPLIED]') ? [] : ['-u', words.includes('[ASSURED]') ? 'SEEN_REPLY,ASSURED' : 'SEEN_REPLY'];
  const insert = ['-I', ...flow, ...reply, '-t', timeout, ...(protocol === 'tcp' ? ['--state', state] : []), ...status];
  const mark = words.find(word => word.startsWith('mark='))?.slice(5) ?? '0';
  return [insert, ...(mark === '0' ? [] : [['-U', ...flow, '-m', mark]])].map(options => helper.run(['conntrack', ...options]));
}

function insertFlows(helper: Helper, text: string): readonly Promise<unknown>[] {
  return text.split('\n').filter(line => line.trim() !== '').flatMap(line => insertFlow(helper, line));
}

/** Everything but the packets. Waits for nothing: the helper works commands off in order. */
function commands(helper: Helper, scenario: Scenario, family: Family, backend: Backend): readonly Promise<unknown>[] {
  const { interfaces = [], ipsets, rules, conntrack = '', sysctls = {} } = scenario;
  return [
    helper.ask('fresh'), ...setSysctls(helper, settings), ...setSysctls(helper, family === 'ipv4' ? withoutIpv6 : {}), ...makeDevices(helper, interfaces), ...(family === 'ipv6' ? setSysctls(helper, routing6) : []), ...makeRoutes(helper, scenario, family),
    ...(family === 'ipv6' ? [helper.ask('settle')] : []),
    ...(ipsets === undefined ? [] : [helper.run(['ipset', 'restore'], ipsets)]),
    ...startWatching(helper, family),
    ...(rules === undefined ? [] : [helper.run([`${programs[family][backend]}-restore`], rules)]),
    ...setSysctls(helper, sysctls), ...insertFlows(helper, conntrack),
  ];
}

/** The first failure among things that were asked for. @throws {SetUpError} */
async function allDone(done: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(done)).find(one => one.status === 'rejected');
  if (failed === undefined) return;
  const reason: unknown = failed.reason;
  throw reason instanceof HelperError ? reason : new SetUpError(reason instanceof Error ? reason.message : String(reason));
}

/** @returns what `iptables-save` prints of the rules afterwards. @throws {SetUpError} */
export async function setUp(helper: Helper, scenario: Scenario, family: Family, backend: Backend): Promise<string> {
  const done = commands(helper, scenario, family, backend);
  const saved = scenario.rules === undefined ? Promise.resolve('') : helper.run([`${programs[family][backend]}-save`]);
  await allDone([...done, saved]);
  return saved;
}

/** Takes away what a namespace was as a host: its flows, routes and addresses. */
function clear(helper: Helper, family: Family, devices: readonly ScenarioInterface[]): readonly Promise<unknown>[] {
  const flush = [messageTypes.conntrackDelete, messageTypes.expectationDelete].map(type => helper.netlink('questions', request(type, {})));
  const lines = [...devices.map(({ name }) => `addr flush dev ${name}`), 'route flush table main'];
  return [...flush, ...ip(helper, [family === 'ipv4' ? '-4' : '-6'], lines)];
}

/** Makes another host of a namespace: `devices` are those that it has, `fresh` those that it lacks. @throws {SetUpError} */
export async function rearrange(helper: Helper, host: HostAndSteps, { family, devices, fresh }: { readonly family: Family; readonly devices: readonly ScenarioInterface[]; readonly fresh: readonly ScenarioInterface[] }): Promise<void> {
  await allDone([
    ...clear(helper, family, devices), ...makeDevices(helper, fresh, devices.length), ...makeRoutes(helper, host, family),
    ...(family === 'ipv6' ? [helper.ask('settle')] : []), ...insertFlows(helper, host.conntrack ?? ''),
  ]);
}
