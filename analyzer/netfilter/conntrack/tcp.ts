/** TCP: its tracker. */
import { ctstatus, type Connection } from '../../packet/connection.js';
import type { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { SideFlag, TcpFlow } from './tcp-flow.js';
import { readSynOptions } from './tcp-options.js';
import { judgeReset } from './tcp-reset.js';
import { answersIgnoredSyn, rememberIgnored, resynchronize } from './tcp-resync.js';
import { readSegment, type TcpSegment } from './tcp-segment.js';
import { areFlagsValid, nextTcpState, rst, Segment, tcpStateNames, TcpState, tcpTimeoutName } from './tcp-states.js';
import { checkWindow, Window } from './tcp-window.js';
import { isConfirmed, Outcome, refresh, type ConntrackHost, type Tracker, type TrackingHook } from './tracker.js';
import { isChecksumRight, verifiesChecksum } from './transport-checksum.js';

/** @see tcp_error() in net/netfilter/nf_conntrack_proto_tcp.c */
function isBroken(host: ConntrackHost, packet: Packet, hook: TrackingHook): boolean {
  const { transport, transportLength } = packet;
  const headerLength = (packet.u8(transport + 12) >>> 4) * 4;
  if (transportLength < 20 || headerLength < 20 || headerLength > transportLength) return true;
  if (verifiesChecksum(host, packet, hook) && !isChecksumRight(packet, proto.tcp)) return true;
  return !areFlagsValid(packet.tcpFlags);
}

/** Undefined: nothing begins so. @see tcp_new() in net/netfilter/nf_conntrack_proto_tcp.c */
function beginFlow(host: ConntrackHost, packet: Packet, segment: TcpSegment): TcpFlow | undefined {
  const state = nextTcpState(TcpState.None, segment.kind, 0);
  const isPickUp = state !== TcpState.SynSent;
  if (state === TcpState.Invalid || (isPickUp && host.sysctl('net.netfilter.nf_conntrack_tcp_loose') === 0)) return undefined;
  const flow = new TcpFlow();
  const [client, server] = flow.seen;
  client.end = client.maxEnd = segment.end;
  client.maxWindow = Math.max(segment.window, 1);
  if (isPickUp) {
    client.maxEnd = (client.end + client.maxWindow) >>> 0;
    // Nobody knows what the SYNs said.
    client.flags = server.flags = SideFlag.SackPermitted | SideFlag.BeLiberal;
  } else readSynOptions(packet, client);
  return flow;
}

/** What becomes of a segment before its window is looked at. */
const Plan = { CheckWindow: 0, SkipWindow: 1, Pass: 2, Invalid: 3, Reopen: 4 } as const;
type Plan = (typeof Plan)[keyof typeof Plan];

/** A step from state to state; special cases may change either end. */
interface Step {
  readonly flow: TcpFlow;
  readonly packet: Packet;
  readonly connection: Connection;
  readonly segment: TcpSegment;
  old: TcpState;
  next: TcpState;
}

/** May a SYN open this closed flow anew? Where the flow went down by FIN, or by a RST of the SYN's own sender (RFC 1122). */
function mayReopen({ flow, packet }: Step): boolean {
  const [client, server] = flow.seen;
  return ((client.flags | server.flags) & SideFlag.CloseInit) !== 0
    || (flow.lastDirection === packet.direction && flow.lastSegment === Segment.Rst);
}

function planIgnored(step: Step): Plan {
  const { flow, packet, segment } = step;
  if (!answersIgnoredSyn(flow, packet, segment)) {
    rememberIgnored(flow, packet, segment, step.old);
    return Plan.Pass;
  }
  resynchronize(flow, packet.direction);
  step.old = TcpState.SynSent;
  step.next = TcpState.SynRecv;
  return Plan.CheckWindow;
}

/** RFC 5961: the server answers a stray SYN by an ACK, which must not be taken for that of the last FIN. */
function isChallengeAck({ flow, packet, segment, old }: Step): boolean {
  return old === TcpState.LastAck && segment.kind === Segment.Ack && flow.lastDirection !== packet.direction
    && flow.lastSegment === Segment.Syn && (flow.lastFlags & SideFlag.ExpectsChallenge) !== 0;
}

function planReset(step: Step, ignoresInvalid: boolean): Plan {
  const verdict = judgeReset(step.flow, step.packet, step.connection, step.segment, ignoresInvalid);
  if (verdict === undefined) return Plan.Invalid;
  if (!verdict.closes) step.next = step.old;
  return verdict.checksWindow ? Plan.CheckWindow : Plan.SkipWindow;
}

/** What the table of states is not clever enough for. */
function plan(host: ConntrackHost, step: Step): Plan {
  const { flow, packet, segment, old } = step;
  switch (step.next) {
    case TcpState.SynSent:
      if (old < TcpState.TimeWait) return Plan.CheckWindow;
      return mayReopen(step) ? Plan.Reopen : planIgnored(step);
    case TcpState.Ignore: return planIgnored(step);
    case TcpState.Invalid: return Plan.Invalid;
    case TcpState.TimeWait:
      if (!isChallengeAck(step)) return Plan.CheckWindow;
      flow.lastFlags &= ~SideFlag.ExpectsChallenge;
      return Plan.Pass;
    case TcpState.SynSent2:
      flow.lastFlags |= SideFlag.SimultaneousOpen;
      return Plan.CheckWindow;
    case TcpState.SynRecv:
      if (packet.direction === 1 && segment.kind === Segment.Ack && (flow.lastFlags & SideFlag.SimultaneousOpen) !== 0) step.next = TcpState.Established;
      return Plan.CheckWindow;
    case TcpState.Close:
      return segment.kind === Segment.Rst ? planReset(step, host.sysctl('net.netfilter.nf_conntrack_tcp_ignore_invalid_rst') !== 0) : Plan.CheckWindow;
    default: return Plan.CheckWindow;
  }
}

function stateTimeout(host: ConntrackHost, state: TcpState): number {
  const name = tcpTimeoutName(state);
  return name === undefined ? 120 : host.sysctl(name);
}

const retransTimeout = 'net.netfilter.nf_conntrack_tcp_timeout_max_retrans', unackTimeout = 'net.netfilter.nf_conntrack_tcp_timeout_unacknowledged';

function timeoutOf(host: ConntrackHost, { flow, segment, next }: Step): number {
  const usual = stateTimeout(host, next);
  if (flow.retransmissions >= host.sysctl('net.netfilter.nf_conntrack_tcp_max_retrans')) {
    const shorter = host.sysctl(retransTimeout);
    if (usual > shorter) return shorter;
  }
  if (segment.kind === Segment.Rst) return stateTimeout(host, TcpState.Close);
  const [client, server] = flow.seen;
  if (((client.flags | server.flags) & SideFlag.Unacknowledged) !== 0) {
    const shorter = host.sysctl(unackTimeout);
    if (usual > shorter) return shorter;
  }
  return flow.lastWindow === 0 ? Math.min(usual, host.sysctl(retransTimeout)) : usual;
}

/** The segment is good: move on. */
function advance(host: ConntrackHost, step: Step): Outcome {
  const { flow, packet, connection, segment, old, next } = step;
  flow.lastSegment = segment.kind;
  flow.lastDirection = packet.direction;
  flow.state = next;
  connection.protocolStateName = tcpStateNames[next] ?? '';
  if (old !== next && next === TcpState.FinWait) flow.seen[packet.direction].flags |= SideFlag.CloseInit;
  let timeout = timeoutOf(host, step);
  if ((connection.status & ctstatus.SEEN_REPLY) === 0) {
    if ((segment.flags & rst) !== 0) return Outcome.AcceptAndKill;
    // A client that tries again must not keep its entry alive for ever.
    if (segment.kind === Segment.Syn && old === TcpState.SynSent) return Outcome.Accept;
    if (next === TcpState.Established) timeout = Math.min(timeout, host.sysctl(unackTimeout));
  } else if (next === TcpState.Established && (old === TcpState.SynRecv || old === TcpState.Established)) connection.status |= ctstatus.ASSURED;
  refresh(host, packet, connection, timeout);
  return Outcome.Accept;
}

/** FIN or RST out of window from both sides: the flow is likely dead, and must not linger for days. @see nf_tcp_handle_invalid() in net/netfilter/nf_conntrack_proto_tcp.c */
function shortenDoubtful(host: ConntrackHost, { flow, packet, connection, segment }: Step): void {
  if ((connection.status & ctstatus.ASSURED) === 0 || (connection.status & ctstatus.FIXED_TIMEOUT) !== 0) return;
  if (segment.kind !== Segment.Rst && segment.kind !== Segment.Fin) return;
  if (flow.lastDirection !== packet.direction && (flow.lastSegment === Segment.Fin || flow.lastSegment === Segment.Rst)) {
    const left = connection.expires - host.now;
    const shorter = host.sysctl(unackTimeout);
    if (left >= 120 && left > shorter) connection.expires = host.now + shorter;
  } else {
    flow.lastSegment = segment.kind;
    flow.lastDirection = packet.direction;
  }
}

function checkAndAdvance(host: ConntrackHost, step: Step): Outcome {
  const liberal = host.sysctl('net.netfilter.nf_conntrack_tcp_be_liberal') !== 0;
  switch (checkWindow(step.flow, step.packet, step.connection, step.segment, liberal)) {
    case Window.Inside: return advance(host, step);
    case Window.Ignore: return Outcome.Accept;
    case Window.Outside:
      shortenDoubtful(host, step);
      return Outcome.Invalid;
  }
}

/** @see nf_conntrack_tcp_packet() in net/netfilter/nf_conntrack_proto_tcp.c */
function trackTcp(host: ConntrackHost, packet: Packet, connection: Connection, hook: TrackingHook): Outcome {
  if (isBroken(host, packet, hook)) return Outcome.Invalid;
  const segment = readSegment(packet);
  if (!isConfirmed(connection)) connection.protocolState = beginFlow(host, packet, segment);
  const flow = connection.protocolState;
  if (!(flow instanceof TcpFlow)) return Outcome.Invalid;
  const step: Step = { flow, packet, connection, segment, old: flow.state, next: nextTcpState(flow.state, segment.kind, packet.direction) };
  switch (plan(host, step)) {
    case Plan.CheckWindow: return checkAndAdvance(host, step);
    case Plan.SkipWindow: return advance(host, step);
    case Plan.Pass: return Outcome.Accept;
    case Plan.Invalid: return Outcome.Invalid;
    case Plan.Reopen: return Outcome.Reopen;
  }
}

/** The host itself has ended the flow by a RST (REJECT). @see nf_conntrack_tcp_set_closing() in net/netfilter/nf_conntrack_proto_tcp.c */
export function setTcpClosing(host: ConntrackHost, connection: Connection): void {
  const flow = connection.protocolState;
  if (!(flow instanceof TcpFlow) || !isConfirmed(connection)) return;
  const wasClosed = flow.state === TcpState.Close;
  flow.state = TcpState.Close;
  connection.protocolStateName = 'CLOSE';
  if (!wasClosed && (connection.status & ctstatus.FIXED_TIMEOUT) === 0) connection.expires = host.now + stateTimeout(host, TcpState.Close);
}

export const tcpTracker: Tracker = {
  packet: trackTcp,
  allowsClash: false,
};
