import { all, always, atom, is, masked, not, within, type Constraint } from '../../packet/constraint.js';
import { compileConstraint } from '../../packet/compile-constraint.js';
import { findOption } from '../../packet/find-option.js';
import { allOf, everyPacket } from '../../packet/predicates.js';
import { hotdrop, withHeader } from '../../packet/transport-header.js';
import type { Predicate } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { integer } from '../../values/number.js';
import { portRange, type PortRange } from '../../values/port.js';
import { printFlags, synOnly, tcpFlags, type TcpFlags } from '../../values/tcp-flags.js';
import type { ValueContext } from '../../values/value.js';
import { defineMatch, option, type Given } from '../define.js';
import { nativeFlags, nativePorts } from '../native-header.js';
import { areNoPorts, isEveryPort, nativePortsMeaning, saveNativePorts, savePorts } from '../save-ports.js';

/** Of a TCP header without options. */
const headerLength = 20;

interface TcpGiven {
  readonly sport?: Given<PortRange>;
  readonly dport?: Given<PortRange>;
  readonly option?: Given<number>;
  readonly flags?: Given<TcpFlags>;
  readonly syn?: Given<true>;
}

function flagsOf({ flags, syn }: TcpGiven): Given<TcpFlags> | undefined {
  return syn === undefined ? flags : { negated: syn.negated, value: synOnly };
}

/** Whether any part of the match differs from that of a bare `-m tcp`. */
function isBare(given: TcpGiven): boolean {
  const flags = flagsOf(given);
  const isDefault = (ports: Given<PortRange> | undefined): boolean => ports === undefined || (!ports.negated && isEveryPort(ports.value));
  return isDefault(given.sport) && isDefault(given.dport) && (flags === undefined || (!flags.negated && flags.value.mask === 0 && flags.value.comp === 0));
}

/** Whether iptables-nft makes expressions of the match; with a TCP option, or bare, it leaves it to the kernel's match. */
function isNative(given: TcpGiven, backend: string): boolean {
  return backend === 'nft' && given.option === undefined && !isBare(given);
}

/** Whether nothing at all is left of a match that became expressions. */
function isGone(given: TcpGiven): boolean {
  return areNoPorts(given) && (flagsOf(given)?.value.mask ?? 0) === 0;
}

function saveFlags(given: TcpGiven, native: boolean): string {
  const flags = flagsOf(given);
  if (flags === undefined || (flags.value.mask === 0 && (native || !flags.negated))) return '';
  return `${flags.negated ? '! ' : ''}--tcp-flags ${printFlags(flags.value.mask)} ${printFlags(flags.value.comp)}`;
}

function meansFlags({ negated, value: { mask, comp } }: Given<TcpFlags>): Constraint {
  const set = masked('tcpFlags', comp, mask);
  return negated ? not(set) : set;
}

/** What the kernel's match asks of the first 20 bytes. */
function headerMeaning(given: TcpGiven): Constraint {
  const flags = flagsOf(given);
  const port = (field: 'sport' | 'dport', one: Given<PortRange> | undefined): Constraint => {
    if (one === undefined) return always;
    const range = within(field, one.value.low, one.value.high);
    return one.negated ? not(range) : range;
  };
  return all([port('sport', given.sport), port('dport', given.dport), flags === undefined ? always : meansFlags(flags)]);
}

function means(given: TcpGiven, backend: string): Constraint {
  const flags = flagsOf(given);
  if (isNative(given, backend)) {
    if (isGone(given)) return always;
    return all([is('fragment', 0), nativePortsMeaning(given), flags === undefined || flags.value.mask === 0 ? always : meansFlags(flags)]);
  }
  const { option: kind } = given;
  const present = kind === undefined ? always : atom(`tcp option ${String(kind.value)}`);
  return all([is('fragment', 0), headerMeaning(given), kind?.negated === true ? not(present) : present]);
}

/** A packet whose header does not say where its options end, or has not all of them, is dropped. */
function hasOption(kind: number, absent: boolean): Predicate {
  return t => {
    const { packet } = t;
    const { transport } = packet;
    const length = (packet.u8(transport + 12) >> 4) * 4;
    if (length < headerLength || packet.transportLength < length) return hotdrop(t);
    return (findOption(packet, transport + headerLength, transport + length, kind) < 0) === absent;
  };
}

/** Somebody who sends the second fragment of 8 bytes means to overwrite flags: it is dropped (IPv4 only, whose offsets count by 8). */
function unlessOverwriting(then: Predicate): Predicate {
  return t => t.packet.fragmentOffset === 8 && t.packet.family === 'ipv4' ? hotdrop(t) : then(t);
}

function compile(given: TcpGiven, { family, backend }: ValueContext): Predicate {
  if (isNative(given, backend)) return allOf([nativePorts(given), nativeFlags(flagsOf(given))]);
  const { option: kind } = given;
  const option = kind === undefined ? everyPacket : hasOption(kind.value, kind.negated);
  return unlessOverwriting(withHeader(headerLength, allOf([compileConstraint(headerMeaning(given), family), option])));
}

/**
 * Later fragments carry no ports and never match.
 * @see tcp_mt() in net/netfilter/xt_tcpudp.c, and add_nft_tcp() in iptables/nft.c for what becomes of it in nftables:
 * there `! --dport 0:65535` and flags with an empty mask ask nothing, and a match that has no more than that is gone.
 */
export const tcp = defineMatch('tcp', () => ({
  doc: 'Matches TCP packets by port, flags or a TCP option.',
  protocols: ['tcp'],
  requires: is('fragment', 0),
  // What an option itself saves counts only beside a service name that is not resolved.
  options: {
    sport: option({ names: ['--sport', '--source-port'], doc: 'source port or range', value: portRange('tcp'), negatable: true, save: savePorts('--sport') }),
    dport: option({ names: ['--dport', '--destination-port'], doc: 'destination port or range', value: portRange('tcp'), negatable: true, save: savePorts('--dport') }),
    option: option({ names: ['--tcp-option'], doc: 'a TCP option that is present', value: integer(1, 255), negatable: true }),
    flags: option({ names: ['--tcp-flags'], doc: 'flags to look at, and those of them that must be set', value: tcpFlags, negatable: true, excludes: ['syn'], save: flags => saveFlags({ flags }, false) }),
    syn: option({ names: ['--syn'], doc: 'SYN set; RST, ACK and FIN not: the first packet of a connection', value: flag, negatable: true, excludes: ['flags'], save: syn => saveFlags({ syn }, false) }),
  },
  save: (given, cx) => {
    const native = isNative(given, cx.backend);
    if (native && isGone(given)) return undefined;
    const ports = native ? saveNativePorts : savePorts;
    return [
      given.sport === undefined ? '' : ports('--sport')(given.sport),
      given.dport === undefined ? '' : ports('--dport')(given.dport),
      given.option === undefined ? '' : `${given.option.negated ? '! ' : ''}--tcp-option ${String(given.option.value)}`,
      saveFlags(given, native),
    ].filter(words => words !== '').join(' ');
  },
  isNative: (given, cx) => isNative(given, cx.backend),
  means: (given, cx) => means(given, cx.backend),
  matches: compile,
  examples: [
    ['-p tcp -m tcp --sport 1024:', '-p tcp -m tcp --sport 1024:65535'],
    ['-p tcp -m tcp ! --dport 80', '='],
    ['-p tcp --syn', '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN'],
    ['-p tcp --tcp-flags , ""', '-p tcp -m tcp'],
    ['-p tcp ! --dport 0:5 ! --tcp-option 4', '-p tcp -m tcp ! --dport 0:5 ! --tcp-option 4'],
    ['-p tcp --dport 4:3', undefined],
    ['-p tcp --dport ""', undefined],
    ['-m tcp --dport 80', undefined],
  ],
}));
