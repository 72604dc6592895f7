/** A client of DHCPv6 to which no answer comes. */
import type { Ruleset, Table } from '../../model/ruleset.js';
import type { Decider, PacketSample, RuleAt } from '../../packet-space/answers.js';
import { ask, reachWith } from '../../packet-space/index.js';
import { question } from '../../packet-space/pipeline/index.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, is, within, type Constraint } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { CheckContext } from '../define-check.js';
import { meet, rangesOf } from './asked.js';
import { notLoopback, statesOf } from './replies.js';
import { effectOf } from './targets.js';

/** Ports of who asks, and of who answers (RFC 8415, 7.2). */
const client = 546, server = 547;

function message(ruleset: Ruleset, from: readonly Constraint[]): Constraint {
  return all([is('protocol', protocolNumber.udp), is('fragment', 0), statesOf(ruleset).first, notLoopback, ...from]);
}

const linkLocal = (field: 'src' | 'dst'): Constraint => within(field, 0xfe80n << 112n, (0xfec0n << 112n) - 1n);
const request = [linkLocal('src'), is('dst', 0xff02_0000_0000_0000_0000_0000_0001_0002n), is('sport', client), is('dport', server)];
/** It comes from another address than was asked, so that for connection tracking it begins a conversation of its own. */
const answer = [linkLocal('src'), linkLocal('dst'), is('dport', client)];

/** What is asked of packets. */
export function leasePackets(ruleset: Ruleset): readonly Constraint[] {
  return ruleset.family === 'ipv4' ? [] : [request, answer].map(one => message(ruleset, one));
}

export interface UnheardLease {
  /** The rule that lets requests out. */
  readonly at: RuleAt;
  readonly killers: readonly Decider[];
  readonly request: PacketSample;
  readonly answer: PacketSample;
}

/** A rule for few ports, of which one is that of servers, and to which clients come. */
function isForClient(cx: CheckContext, table: Table, at: RuleAt): boolean {
  const asks = constraintsOf(cx.ruleset, table.name).of(at.rule);
  const to = rangesOf(asks, 'dport');
  return effectOf(at.rule) === 'accept' && to !== undefined && to.every(({ low, high }) => low >= client && high <= server)
    && meet(rangesOf(asks, 'sport'), [{ low: client, high: client }]) && reachWith(cx.space(), table, at, message(cx.ruleset, request), 'OUTPUT').kind === 'live';
}

/** The first rule of OUTPUT by which a client of DHCPv6 asks, where nobody can answer him. A relay asks as well, and hears at the port of servers. */
export function unheardLease(cx: CheckContext, table: Table): UnheardLease | undefined {
  const { ruleset } = cx;
  if (ruleset.family === 'ipv4') return undefined;
  const at = cx.rules(table).find(one => isForClient(cx, table, one));
  const isServed = ask(cx.space(), table, 'INPUT', message(ruleset, [is('dport', server)]), ['accept', 'queue', 'unknown']).kind !== 'no';
  const pipeline = at === undefined || isServed ? undefined : cx.pipeline();
  const heard = pipeline === undefined ? undefined : question(pipeline, 'in', message(ruleset, answer), 'accept');
  if (heard?.kind === 'undecided') cx.undecided();
  if (at === undefined || heard?.kind !== 'no') return undefined;
  const udp = { protocol: protocolNumber.udp };
  return {
    at, killers: heard.by,
    request: { ...udp, src: 'fe80::1', dst: 'ff02::1:2', sport: client, dport: server }, answer: { ...udp, src: 'fe80::2', dst: 'fe80::1', sport: server, dport: client },
  };
}
