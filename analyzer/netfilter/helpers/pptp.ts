/**
 * PPTP: the control connection agrees on call ids, and the data come as GRE. Call ids are not rewritten: where the
 * connection is translated, nothing is foretold. @see net/netfilter/nf_conntrack_pptp.c
 */
import { swapped, type Connection, type Tuple } from '../../packet/connection.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { Verdict } from '../../packet/traversal.js';
import type { HelperCall, HelperDefinition } from './helper.js';

export const pptp: HelperDefinition = {
  name: 'pptp',
  protocols: [proto.tcp],
  families: ['ipv4'],
  classes: [{ name: 'pptp', limit: 2, timeout: 300 }],
  help,
  // Data of one way answer for both.
  onExpected: (expectations, { tuple, master }, now) => {
    const other = expectations.find(swapped(tuple), master.zones[0], now);
    if (other !== undefined) expectations.remove(other);
  },
};

const Message = {
  StartRequest: 1, StartReply: 2, StopRequest: 3, StopReply: 4, OutCallRequest: 7, OutCallReply: 8,
  InCallRequest: 9, InCallReply: 10, InCallConnect: 11, CallClear: 12, CallDisconnect: 13,
} as const;

/** Bytes of a message behind its header, by type; shorter ones are not read (RFC 2637). */
const sizes = [0, 144, 144, 4, 4, 0, 0, 156, 20, 208, 12, 16, 4, 136, 28, 12];
const controlMessage = 1, magicCookie = 0x1a2b3c4d, success = 1;

class PptpState {
  session: 'none' | 'error' | 'stopping' | 'requested' | 'confirmed' = 'none';
  call: 'none' | 'out requested' | 'out confirmed' | 'in requested' | 'in replied' | 'in confirmed' | 'clearing' = 'none';
  clientId = 0;
  serverId = 0;
}

function help(call: HelperCall): Verdict {
  const at = call.payloadAt;
  const { packet } = call;
  if (!call.isEstablished || at === undefined || at + 12 > packet.length || call.isTranslated) return Verdict.Accept;
  const type = packet.u16(at + 8);
  if (packet.u16(at + 2) !== controlMessage || packet.u32(at + 4) !== magicCookie || packet.length - at - 12 < (sizes[type] ?? 0)) return Verdict.Accept;
  const state = call.state(PptpState);
  if (call.direction === 0) outbound(call, state, type, at + 12);
  else inbound(call, state, type, at + 12);
  return Verdict.Accept;
}

/** From the client, which is taken for the one that opened the control connection. @see pptp_outbound_pkt() */
function outbound({ packet }: HelperCall, state: PptpState, type: number, at: number): void {
  const isConfirmed = state.session === 'confirmed';
  if (type === Message.StartRequest && state.session === 'none') state.session = 'requested';
  else if (type === Message.StopRequest) state.session = 'stopping';
  else if (type === Message.OutCallRequest && isConfirmed) {
    state.call = 'out requested';
    state.clientId = packet.u16(at);
  } else if (type === Message.InCallReply && (state.call === 'in requested' || state.call === 'in replied') && state.serverId === packet.u16(at + 2)) {
    const isTaken = packet.u8(at + 4) === success;
    state.call = isTaken ? 'in replied' : 'none';
    if (isTaken) state.clientId = packet.u16(at);
  } else if (type === Message.CallClear && isConfirmed) state.call = 'clearing';
}

/** @see pptp_inbound_pkt() */
function inbound(call: HelperCall, state: PptpState, type: number, at: number): void {
  const { packet } = call;
  const isConfirmed = state.session === 'confirmed';
  if (type === Message.StartReply && (state.session === 'requested' || isConfirmed)) state.session = packet.u8(at + 2) === success ? 'confirmed' : 'error';
  else if (type === Message.StopReply && state.session !== 'requested' && !isConfirmed) state.session = packet.u8(at) === success ? 'none' : 'error';
  else if (type === Message.OutCallReply && isConfirmed && state.call.startsWith('out') && state.clientId === packet.u16(at + 2)) {
    const isTaken = packet.u8(at + 4) === success;
    state.call = isTaken ? 'out confirmed' : 'none';
    if (isTaken) state.serverId = packet.u16(at);
    if (isTaken) expectData(call, state);
  } else if (type === Message.InCallRequest && isConfirmed) {
    state.call = 'in requested';
    state.serverId = packet.u16(at);
  } else if (type === Message.InCallConnect && isConfirmed && (state.call === 'in replied' || state.call === 'in confirmed') && state.clientId === packet.u16(at)) {
    state.call = 'in confirmed';
    expectData(call, state);
  } else if (type === Message.CallDisconnect) {
    state.call = 'none';
    endCall(call.connection, call);
  }
}

/** A packet is sent with the call id of its receiver. @see exp_gre() */
function expectData(call: HelperCall, { clientId, serverId }: PptpState): void {
  const { original, reply } = call.connection;
  const out: Tuple = { src: original.src, dst: original.dst, protocol: proto.gre, sport: clientId, dport: serverId };
  const back: Tuple = { src: reply.src, dst: reply.dst, protocol: proto.gre, sport: serverId, dport: clientId };
  const isExpected = call.expect(out) === 'added' && call.expect(back) === 'added' && call.greKeys.add(call.connection, [out, back]);
  if (!isExpected) call.expectations.forget(call.connection);
}

/** Nothing is left of the call: neither what is expected nor what has come. @see pptp_destroy_siblings() */
export function endCall(master: Connection, { host, greKeys, expectations }: Pick<HelperCall, 'host' | 'greKeys' | 'expectations'>): void {
  expectations.forget(master);
  for (const way of greKeys.forget(master) ?? []) host.endConnection?.(way, master.zones[0]);
}
