/**
 * How the kernel is watched: a table of our own beside the rules under test. It turns tracing on, and at each of its stages logs the
 * packet; the kernel's trace of the same stage tells what connection tracking thinks of it. It asks nothing of connection tracking itself,
 * which would switch it on.
 */
import type { Family } from '../analyzer/values/value.js';
import type { Helper } from './helper-process.js';
import { attribute, messageTypes, request, u32 } from './netlink.js';

export const watchTable = 'watch';

/** Groups of the packet log: TRACE of legacy iptables uses 0, our stages log into 1, with the packet's bytes. */
export const logGroups = { trace: 0, stages: 1 } as const;

/** `last`: behind all tables, before connection tracking confirms; `end`: behind that too. */
export type Stage = 'start' | 'tracked' | 'filter' | 'last' | 'end';

const lowest = -450;
const highest = 2147483647;

/** Multicast listener reports and router solicitations, which the kernel sends when it pleases. */
const noise = 'ip6 daddr { ff02::2, ff02::16 } icmpv6 type { 133, 143 } drop\n';

function chain(hook: string, stage: Stage, priority: number, { first = '', policy = 'accept' } = {}): string {
  const type = `type filter hook ${hook.toLowerCase()} priority ${String(priority)}; policy ${policy}\n`;
  return `chain ${hook}-${stage} {\n${type}${first}log group ${String(logGroups.stages)} prefix "${hook}-${stage}"\n}\n`;
}

/** Stages before tables, behind connection tracking (-200), right before filter (0), and behind everything; the local stack gets nothing. */
function watchRules(family: Family): string {
  const trace = 'meta nftrace set 1\n';
  return [
    `table ${family === 'ipv4' ? 'ip' : 'ip6'} ${watchTable} {\n`,
    chain('PREROUTING', 'start', lowest, { first: trace }), chain('PREROUTING', 'tracked', -199),
    chain('OUTPUT', 'start', lowest, { first: family === 'ipv6' ? noise + trace : trace }), chain('OUTPUT', 'tracked', -199),
    ...['INPUT', 'FORWARD', 'OUTPUT'].map(hook => chain(hook, 'filter', -1)),
    ...['INPUT', 'POSTROUTING'].map(hook => chain(hook, 'last', highest - 1)),
    chain('INPUT', 'end', highest, { policy: 'drop' }), chain('POSTROUTING', 'end', highest),
    '}\n',
  ].join('');
}

function logConfig(group: number, type: number, value: Uint8Array): Buffer {
  return request(messageTypes.logConfig, { resource: group }, attribute(type, value));
}

/** Every packet at once, none gathered first; `bytes`: how many of it. */
function listenTo(helper: Helper, group: number, bytes: number): readonly Promise<unknown>[] {
  const [command, mode, threshold] = [1, 2, 5];
  return [
    logConfig(group, command, Buffer.from([1])),
    logConfig(group, mode, Buffer.concat([u32(bytes), Buffer.from([bytes === 0 ? 1 : 2, 0])])),
    logConfig(group, threshold, u32(1)),
  ].map(message => helper.netlink('log', message));
}

/** To be called before the rules under test are loaded: hooks of one priority run in the order in which they came, the newest first. */
export function startWatching(helper: Helper, family: Family): readonly Promise<unknown>[] {
  return [
    helper.run(['nft', '-f', '-'], watchRules(family)),
    ...listenTo(helper, logGroups.trace, 0),
    ...listenTo(helper, logGroups.stages, 0xffff),
    helper.ask('sysctl', `net/netfilter/nf_log/${family === 'ipv4' ? '2' : '10'}`, 'nfnetlink_log'),
  ];
}
