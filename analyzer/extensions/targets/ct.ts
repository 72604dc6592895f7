import { Verdict, type CtTemplate } from '../../packet/traversal.js';
import { conntrackZone } from '../../values/conntrack-zone.js';
import { flag } from '../../values/flag.js';
import { nameList } from '../../values/name-list.js';
import { text } from '../../values/text.js';
import type { Arbitrary, Family, Fc, ValueContext } from '../../values/value.js';
import { defineTarget, option, type Given, type OrderedOption } from '../define.js';
import { untracks } from '../tracked.js';

const events = nameList(['new', 'related', 'destroy', 'reply', 'assured', 'protoinfo', 'helper', 'mark', 'natseqinfo', 'secmark'], 'event');
const expectationEvents = nameList(['new'], 'event');

interface Helper {
  readonly protocols: readonly number[];
  readonly families: readonly Family[];
}
const both: readonly Family[] = ['ipv4', 'ipv6'];
const tcp: readonly number[] = [6];
const udp: readonly number[] = [17];

/** The helpers of the kernel; programs may register others. */
const helpers: ReadonlyMap<string, Helper> = new Map<string, Helper>([
  ['ftp', { protocols: tcp, families: both }], ['tftp', { protocols: udp, families: both }], ['sip', { protocols: [6, 17], families: both }],
  ['irc', { protocols: tcp, families: ['ipv4'] }], ['pptp', { protocols: tcp, families: ['ipv4'] }], ['snmp', { protocols: udp, families: ['ipv4'] }],
  ['netbios-ns', { protocols: udp, families: ['ipv4'] }], ['amanda', { protocols: udp, families: both }], ['sane', { protocols: tcp, families: both }],
  ['Q.931', { protocols: tcp, families: both }], ['RAS', { protocols: udp, families: both }],
]);

/** Three options write into one field: the last value counts, but the directions add up, and so does `mark`. Zone 0 is none. */
function zoneOf(ordered: readonly OrderedOption[]): CtTemplate['zone'] {
  const zones = ordered.filter(({ key }) => key.startsWith('zone'));
  const number = zones.at(-1)?.value;
  const isMark = zones.some(({ value }) => value === 'mark');
  if (!isMark && (typeof number !== 'number' || number === 0)) return undefined;
  const orig = zones.some(({ key }) => key === 'zoneOrig');
  const reply = zones.some(({ key }) => key === 'zoneReply');
  return { id: isMark ? 'mark' : Number(number), direction: orig === reply ? 'both' : orig ? 'original' : 'reply' };
}

function zoneWords(ordered: readonly OrderedOption[]): string {
  const zone = zoneOf(ordered);
  if (zone === undefined) return '';
  return `--zone${{ both: '', original: '-orig', reply: '-reply' }[zone.direction]} ${String(zone.id)}`;
}

/** @see xt_ct_tg_check(): with --notrack, nothing else is looked at. */
function templateOf({ notrack, helper, timeout }: { readonly notrack?: Given<true>; readonly helper?: Given<string>; readonly timeout?: Given<string> }, ordered: readonly OrderedOption[]): CtTemplate {
  if (notrack !== undefined) return { notrack: true };
  const zone = zoneOf(ordered);
  return {
    ...zone === undefined ? {} : { zone },
    ...helper === undefined || helper.value === '' ? {} : { helper: helper.value },
    ...timeout === undefined || timeout.value === '' ? {} : { timeoutPolicy: timeout.value },
  };
}

function helperProblem(name: string, { family, protocol }: ValueContext): string | undefined {
  if (protocol === undefined || protocol.negated || protocol.number === 0) return '--helper needs -p with one protocol in the rule';
  const helper = helpers.get(name);
  if (helper === undefined) return undefined;
  if (!helper.families.includes(family)) return `helper \`${name}\` does not exist in IPv6`;
  return helper.protocols.includes(protocol.number) ? undefined : `helper \`${name}\` is for -p ${helper.protocols.map(number => number === 6 ? 'tcp' : 'udp').join(' or -p ')}`;
}

/** Helpers that fit the protocol; a timeout policy only where it is not looked up. */
function words(fc: Fc, cx: ValueContext): Arbitrary<readonly string[]> {
  const fitting = [...helpers.keys()].filter(name => helperProblem(name, cx) === undefined);
  const parts: Arbitrary<readonly string[]>[] = [
    fc.oneof(
      fc.constantFrom<readonly string[]>(['--notrack', '--helper', 'nosuch', '--timeout', 'policy'], ['--helper', ''], ['--timeout', '', '--notrack']),
      fc.constantFrom(...fitting, '').map(name => ['--helper', name]),
    ),
    events.arbitrary(fc, cx).map(list => ['--ctevents', ...list]),
    expectationEvents.arbitrary(fc, cx).map(list => ['--expevents', ...list]),
    conntrackZone.arbitrary(fc, cx).map(zone => ['--zone', ...zone]),
    conntrackZone.arbitrary(fc, cx).map(zone => ['--zone-orig', ...zone]),
    conntrackZone.arbitrary(fc, cx).map(zone => ['--zone-reply', ...zone]),
  ];
  return fc.shuffledSubarray(parts).chain(chosen => fc.tuple(...chosen)).map(list => list.flat());
}

/**
 * @see xt_ct_tg_check() in net/netfilter/xt_CT.c. With --notrack, nothing else is looked at.
 * The kernel gives back only four bytes of --timeout (its usersize is that of revision 0),
 * so that the saved rule names another policy.
 */
export const ct = defineTarget('CT', () => ({
  doc: 'Says how the connection of the packet is tracked, or that it is not.',
  usesOrder: true,
  effect: 'continue',
  tracks: ({ notrack }) => notrack === undefined,
  changes: ['state'],
  tables: ['raw'],
  options: {
    notrack: option({ names: ['--notrack'], doc: 'do not track', value: flag }),
    helper: option({ names: ['--helper'], doc: 'which helper looks for related connections', value: text({ max: 15, cut: true, bare: true, name: 'name' }) }),
    timeout: option({ names: ['--timeout'], doc: 'a timeout policy, made with nfct', value: text({ max: 31, cut: true, bare: true, name: 'name' }) }),
    events: option({ names: ['--ctevents'], doc: 'which events of the connection are told to user space', value: events }),
    expectationEvents: option({ names: ['--expevents'], doc: 'which events of expected connections are told to user space', value: expectationEvents }),
    zone: option({ names: ['--zone'], doc: 'the zone, a tracking table of its own', value: conntrackZone }),
    zoneOrig: option({ names: ['--zone-orig'], doc: 'the zone for packets in the original direction', value: conntrackZone }),
    zoneReply: option({ names: ['--zone-reply'], doc: 'the zone for packets in the reply direction', value: conntrackZone }),
  },
  check: ({ notrack, helper, timeout }, cx) => {
    if (notrack !== undefined) return undefined;
    if (timeout !== undefined && timeout.value !== '' && (cx.protocol === undefined || cx.protocol.negated || cx.protocol.number === 0)) return '--timeout needs -p with one protocol in the rule';
    return helper === undefined || helper.value === '' ? undefined : helperProblem(helper.value, cx);
  },
  save: ({ notrack, helper, timeout, events: list, expectationEvents: expected }, cx) => [
    notrack === undefined ? '' : '--notrack',
    helper === undefined || helper.value === '' ? '' : `--helper ${helper.value}`,
    timeout === undefined || timeout.value === '' ? '' : `--timeout ${Buffer.from(timeout.value).subarray(0, 4).toString()}`,
    list === undefined ? '' : `--ctevents ${events.print(list.value, cx)}`,
    expected === undefined ? '' : `--expevents ${expectationEvents.print(expected.value, cx)}`,
    zoneWords(cx.ordered),
  ].filter(part => part !== '').join(' '),
  // Else rules of raw see a template, whose state is NEW, and tracking puts the connection in its place: nothing is written that stays.
  rewrites: ({ notrack }) => notrack === undefined ? [] : untracks,
  apply: (given, { ordered }) => {
    const template = templateOf(given, ordered);
    return t => {
      t.world.template(t, template);
      return Verdict.Continue;
    };
  },
  arbitrary: words,
  examples: [
    ['-j CT --notrack', '=', { table: 'raw', chain: 'PREROUTING' }],
    ['-j CT --zone 0x5 --ctevents reply,new', '-j CT --ctevents new,reply --zone 5', { table: 'raw', chain: 'PREROUTING' }],
    ['-p tcp -j CT --helper ftp', '=', { table: 'raw', chain: 'OUTPUT' }],
    ['-j CT --timeout policy --notrack', '-j CT --notrack --timeout poli', { table: 'raw', chain: 'OUTPUT' }],
    ['-j CT --zone-orig 6 --zone-reply 7', '-j CT --zone 7', { table: 'raw', chain: 'PREROUTING' }],
    ['-j CT --helper ftp', undefined, { table: 'raw', chain: 'PREROUTING' }],
    ['-j CT --ctevents new,', undefined, { table: 'raw', chain: 'PREROUTING' }],
  ],
}));
