/** SANE scanners: the server names the port of the image. @see net/netfilter/nf_conntrack_sane.c */
import { Verdict } from '../../packet/traversal.js';
import type { HelperCall, HelperDefinition } from './helper.js';

export const sane: HelperDefinition = {
  name: 'sane',
  protocols: [6],
  families: ['ipv4', 'ipv6'],
  classes: [{ name: 'sane', limit: 1, timeout: 300 }],
  help,
};

class SaneState {
  isStarting = false;
}

const netStart = 7;

function help(call: HelperCall): Verdict {
  const at = call.payloadAt;
  if (!call.isEstablished || at === undefined) return Verdict.Accept;
  const { packet } = call;
  const state = call.state(SaneState);
  const length = packet.length - at;
  if (call.direction === 0) {
    if (length === 8) state.isStarting = packet.u32(at) === netStart;
    return Verdict.Accept;
  }
  if (!state.isStarting) return Verdict.Accept;
  state.isStarting = false;
  const isRefused = length < 8 || packet.u32(at) !== 0 || packet.u16(at + 4) !== 0;
  if (isRefused) return Verdict.Accept;
  const { src, dst } = call.connection.original;
  return call.expect({ src, dst, protocol: 6, dport: packet.u16(at + 6) }) === 'added' ? Verdict.Accept : Verdict.Drop;
}
