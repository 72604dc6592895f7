/**
 * SIP: media streams from session descriptions, incoming calls of registered phones. Messages are read, not
 * rewritten: where the connection is translated, nothing is foretold. @see net/netfilter/nf_conntrack_sip.c
 */
import { Verdict } from '../../packet/traversal.js';
import type { HelperCall, HelperDefinition } from './helper.js';
import { SipMessage } from './sip-message.js';

const signalling = 0;
const mediaClasses = { audio: 1, video: 2, image: 3 } as const;

export const sip: HelperDefinition = {
  name: 'sip',
  protocols: [6, 17],
  families: ['ipv4', 'ipv6'],
  classes: [
    { name: 'signalling', limit: 1, timeout: 180 },
    { name: 'audio', limit: 4, timeout: 180 },
    { name: 'video', limit: 4, timeout: 180 },
    { name: 'image', limit: 2, timeout: 180 },
  ],
  help,
};

/** How long the connection of a session lives, in seconds. */
const sessionTimeout = 3600;
const shortestMessage = 'SIP/2.0 200'.length;
/** Media of one description that are heeded. */
const mostMedia = 3;

/** Numbers of the last requests: answers belong to them. */
class SipState {
  invite = 0;
  register = 0;
}

function help(call: HelperCall): Verdict {
  const at = call.payloadAt;
  const isTcp = call.here.protocol === 6;
  if (at === undefined || (isTcp && !call.isEstablished)) return Verdict.Accept;
  call.refresh(sessionTimeout);
  if (call.isTranslated) return Verdict.Accept;
  const text = call.text(at);
  if (text.length < shortestMessage) return Verdict.Accept;
  return isTcp ? helpStream(call, text) : helpMessage(call, text);
}

/** A segment holds whole messages, one behind the other; what is cut off is not read. @see sip_help_tcp() */
function helpStream(call: HelperCall, text: string): Verdict {
  for (let rest = text; rest !== '';) {
    const length = new SipMessage(rest, call.packet.family).number('content-length');
    const end = rest.indexOf('\r\n\r\n');
    if (length === undefined || end < 0 || end + 4 + length > rest.length) return Verdict.Accept;
    const message = rest.slice(0, end + 4 + length);
    const verdict = helpMessage(call, message);
    if (verdict !== Verdict.Accept) return verdict;
    rest = rest.slice(message.length);
  }
  return Verdict.Accept;
}

function helpMessage(call: HelperCall, text: string): Verdict {
  const message = new SipMessage(text, call.packet.family);
  return message.isResponse ? helpResponse(call, message) : helpRequest(call, message);
}

/** @see process_sip_request() */
function helpRequest(call: HelperCall, message: SipMessage): Verdict {
  const method = /^(?:INVITE|UPDATE|ACK|PRACK|BYE|REGISTER)/i.exec(message.firstLine)?.[0].toUpperCase();
  if (method === undefined) return Verdict.Accept;
  const { sequence } = message;
  if (sequence === undefined) return Verdict.Drop;
  switch (method) {
    case 'INVITE': {
      forgetMedia(call);
      const verdict = expectMedia(call, message);
      if (verdict === Verdict.Accept) call.state(SipState).invite = sequence.number;
      return verdict;
    }
    case 'BYE': forgetMedia(call); return Verdict.Accept;
    case 'REGISTER': return register(call, message, sequence.number);
    default: return expectMedia(call, message);
  }
}

/** @see process_sip_response() */
function helpResponse(call: HelperCall, message: SipMessage): Verdict {
  const code = Number(/^.{8} *(\d+)/.exec(message.firstLine)?.[1] ?? 0);
  const { sequence } = message;
  if (code === 0 || sequence === undefined) return Verdict.Drop;
  const method = /^(?:INVITE|UPDATE|PRACK|REGISTER)/i.exec(sequence.method)?.[0].toUpperCase();
  if (method === 'REGISTER') return registered(call, message, sequence.number, code);
  if (method === undefined) return Verdict.Accept;
  if (code >= 100 && code <= 299) return expectMedia(call, message);
  if (call.state(SipState).invite === sequence.number) forgetMedia(call);
  return Verdict.Accept;
}

/** @see flush_expectations() */
function forgetMedia(call: HelperCall): void {
  for (const one of [...call.expectations.of(call.connection)]) if (one.class !== signalling) call.expectations.remove(one);
}

/** @see process_sdp() */
function expectMedia(call: HelperCall, message: SipMessage): Verdict {
  const { description } = message;
  if (description === undefined) return Verdict.Accept;
  for (const { kind, port, address } of description.media.filter(media => media.port !== 0).slice(0, mostMedia)) {
    const destination = address ?? description.address;
    if (port < 1024 || port > 0xffff || destination === undefined) return Verdict.Drop;
    if (!expectStream(call, mediaClasses[kind], destination, port)) return Verdict.Drop;
  }
  return Verdict.Accept;
}

/** RTP at the even port and RTCP above it. Media go between the parties of the signalling only. @see set_expected_rtp_rtcp() */
function expectStream(call: HelperCall, kind: number, dst: number | bigint, port: number): boolean {
  if (dst !== call.here.src) return true;
  const { src } = call.there;
  const known = call.expectations.find({ src, dst, protocol: 17, sport: 0, dport: port }, call.connection.zones[0], call.host.now);
  if (known !== undefined && known.master !== call.connection && known.master.helper === call.connection.helper && known.class === kind) return true;
  const expect = (dport: number): boolean => {
    const outcome = call.expect({ src, dst, protocol: 17, dport, class: kind, anyMaster: true });
    return outcome === 'added' || outcome === 'already';
  };
  const base = port & ~1;
  return expect(base) && expect(base + 1);
}

/** A phone says where it is to be called: active once the registrar agrees. @see process_register_request() */
function register(call: HelperCall, message: SipMessage, sequence: number): Verdict {
  if (call.connection.master !== undefined) return Verdict.Accept;
  const [contact] = message.contacts();
  if (contact === 'bad') return Verdict.Drop;
  if (contact?.address !== call.here.src || !hasTransport(contact.rest, call)) return Verdict.Accept;
  const expires = expiresOf(contact.rest) ?? message.number('expires') ?? 0;
  if (expires > 0) {
    const outcome = call.expect({
      src: call.there.src, dst: contact.address, protocol: call.here.protocol, dport: contact.port,
      class: signalling, isPermanent: true, isInactive: true, helper: 'sip',
    });
    if (outcome !== 'added') return Verdict.Drop;
  }
  call.state(SipState).register = sequence;
  return Verdict.Accept;
}

/** @see process_register_response() */
function registered(call: HelperCall, message: SipMessage, sequence: number, code: number): Verdict {
  if (call.state(SipState).register !== sequence || code < 200) return Verdict.Accept;
  if (code <= 299) {
    for (const contact of message.contacts()) {
      if (contact === 'bad') return Verdict.Drop;
      if (contact.address !== call.here.dst || !hasTransport(contact.rest, call)) continue;
      const expires = expiresOf(contact.rest) ?? message.number('expires') ?? 0;
      if (expires === 0) break;
      const known = call.expectations.of(call.connection).find(one => one.class === signalling
        && one.tuple.dst === contact.address && one.tuple.dport === contact.port && one.tuple.protocol === call.here.protocol);
      if (known === undefined) continue;
      known.isInactive = false;
      known.expires = call.host.now + expires;
      return Verdict.Accept;
    }
  }
  const [first] = call.expectations.of(call.connection).filter(one => one.class === signalling);
  if (first !== undefined) call.expectations.remove(first);
  return Verdict.Accept;
}

/** Without one, the transport is that of the message. @see ct_sip_parse_transport() */
function hasTransport(parameters: string, call: HelperCall): boolean {
  const transport = /transport=(.{0,3})/i.exec(parameters)?.[1]?.toUpperCase();
  return transport === undefined || transport === (call.here.protocol === 6 ? 'TCP' : 'UDP');
}

function expiresOf(parameters: string): number | undefined {
  const digits = /expires=(\d+)/i.exec(parameters)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
