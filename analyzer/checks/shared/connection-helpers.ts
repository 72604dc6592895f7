/** Helpers of connection tracking: which rules attach one, and which packets it makes RELATED. */
import type { Ruleset } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { all, ctstates, is, masked, within, type Constraint } from '../../packet/constraint.js';
import { localPorts } from '../../packet/local-ports.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { CheckContext } from '../define-check.js';
import { notLoopback } from './replies.js';

interface Data {
  readonly protocol: number;
  /** Which way its connections mostly begin: as the one that announces them, or against it. */
  readonly way: 'same' | 'opposite';
  /** They go to the port that the client's program got, and not to one that it announces: services of a well-known port have rules of their own. */
  readonly toClients?: boolean;
  readonly words: string;
}

const { tcp, udp, gre } = protocolNumber;
const everydayPorts = within('dport', localPorts.low, localPorts.high);

/** What each helper of the kernel expects (net/netfilter/nf_conntrack_*.c). */
const expected: ReadonlyMap<string, Data> = new Map<string, Data>([
  ['ftp', { protocol: tcp, way: 'same', words: 'data connections of FTP' }], ['tftp', { protocol: udp, way: 'opposite', toClients: true, words: 'transfers of TFTP' }],
  ['sip', { protocol: udp, way: 'same', words: 'calls (RTP)' }], ['irc', { protocol: tcp, way: 'opposite', words: 'direct connections of IRC' }],
  ['pptp', { protocol: gre, way: 'same', words: 'tunnels (GRE)' }], ['amanda', { protocol: tcp, way: 'same', words: 'data connections of Amanda' }],
  ['sane', { protocol: tcp, way: 'same', words: 'scans' }], ['Q.931', { protocol: tcp, way: 'same', words: 'control channels of H.323' }],
  ['netbios-ns', { protocol: udp, way: 'opposite', words: 'answers to broadcasts' }], ['snmp', { protocol: udp, way: 'opposite', words: 'answers to broadcasts' }],
]);

/** What a helper makes RELATED; `ftp-2121` is the helper ftp as well. Undefined: nothing is known of it. */
export function expectedBy(helper: string): Data | undefined {
  return expected.get(helper) ?? expected.get(helper.replace(/-\d+$/u, ''));
}

/** The first packets of the connections that a helper expects: their ports are chosen by programs. */
export function relatedData({ protocol, toClients = false }: Data): Constraint {
  return all([is('protocol', protocol), is('ctstate', ctstates.RELATED), is('fragment', 0), notLoopback, ...protocol === gre ? [] : [toClients ? everydayPorts : within('dport', 1024, 65_535)], ...protocol === tcp ? [masked('tcpFlags', 2, 63)] : []]);
}

export interface Attached {
  readonly at: RuleAt;
  readonly helper: string;
}

/** The rules that attach a helper (`-j CT --helper NAME`). */
export function attachedHelpers(cx: CheckContext): readonly Attached[] {
  const raw = cx.ruleset.tables.get('raw');
  return raw === undefined ? [] : cx.rules(raw).flatMap((at): Attached[] => {
    const { target } = at.rule;
    const helper = target.kind === 'extension' ? target.use.given['helper']?.value : undefined;
    return typeof helper === 'string' && helper !== '' ? [{ at, helper }] : [];
  });
}

/** Something else may attach helpers: a target that nobody knows, or the kernel by itself (until Linux 6.0, with nf_conntrack_helper set). */
export function mayBeAttachedElsewhere({ tables }: Ruleset, sysctls: Readonly<Record<string, number>> = {}): boolean {
  const isOpaque = [...tables.get('raw')?.chains.values() ?? []].some(({ rules }) => rules.some(({ target }) => target.kind === 'opaque'));
  return isOpaque || sysctls['net.netfilter.nf_conntrack_helper'] === 1;
}
