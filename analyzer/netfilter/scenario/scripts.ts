/** What two programs say to each other, packet by packet, when nothing gets lost. */
import type { Family } from '../../values/value.js';
import type { ScenarioPacket } from '../scenario.js';
import { echo, packetDefaults } from './packet-defaults.js';

/** One packet of a conversation: what it is called, who sends it, and what is in it beside addresses and ports. */
export interface Line {
  readonly name: string;
  readonly from: 'client' | 'server';
  readonly fields: Partial<ScenarioPacket>;
}

const question = 'GET / HTTP/1.0\r\n\r\n';
const answerLength = 100;
const [client, server] = [packetDefaults.seq, 5000];
const asked = client + 1 + question.length;
const answered = server + 1 + answerLength;
const options = { mss: 1460, wscale: 7, sackok: true };

/** A handshake, data both ways, and the close by the client. */
const tcp: readonly Line[] = [
  { name: 'SYN', from: 'client', fields: { flags: 'S', seq: client, ...options } },
  { name: 'SYN/ACK', from: 'server', fields: { flags: 'SA', seq: server, ack: client + 1, ...options } },
  { name: 'ACK of the handshake', from: 'client', fields: { flags: 'A', seq: client + 1, ack: server + 1 } },
  { name: 'question', from: 'client', fields: { flags: 'PA', seq: client + 1, ack: server + 1, payload: question } },
  { name: 'ACK of the question', from: 'server', fields: { flags: 'A', seq: server + 1, ack: asked } },
  { name: 'answer', from: 'server', fields: { flags: 'PA', seq: server + 1, ack: asked, payload_len: answerLength } },
  { name: 'ACK of the answer', from: 'client', fields: { flags: 'A', seq: asked, ack: answered } },
  { name: 'FIN', from: 'client', fields: { flags: 'FA', seq: asked, ack: answered } },
  { name: 'FIN', from: 'server', fields: { flags: 'FA', seq: answered, ack: asked + 1 } },
  { name: 'last ACK', from: 'client', fields: { flags: 'A', seq: asked + 1, ack: answered + 1 } },
];

const sctp: readonly Line[] = (['INIT', 'INIT_ACK', 'COOKIE_ECHO', 'COOKIE_ACK', 'DATA', 'SACK', 'SHUTDOWN', 'SHUTDOWN_ACK', 'SHUTDOWN_COMPLETE'] as const)
  .map((chunk, index) => ({ name: chunk, from: index % 2 === 0 ? 'client' : 'server', fields: { chunk, ...chunk === 'DATA' ? { payload_len: 20 } : {} } }));

const dccp: readonly Line[] = [
  { name: 'REQUEST', from: 'client', fields: { type: 0, seq: client } },
  { name: 'RESPONSE', from: 'server', fields: { type: 1, seq: server, ack: client } },
  { name: 'ACK', from: 'client', fields: { type: 3, seq: client + 1, ack: server } },
  { name: 'DATA', from: 'client', fields: { type: 2, seq: client + 2, payload_len: 20 } },
  { name: 'CLOSE', from: 'client', fields: { type: 6, seq: client + 3, ack: server } },
  { name: 'RESET', from: 'server', fields: { type: 7, seq: server + 1, ack: client + 3 } },
];

function ping(kind: Family): readonly Line[] {
  return [{ name: 'echo request', from: 'client', fields: { type: echo[kind].request } }, { name: 'echo reply', from: 'server', fields: { type: echo[kind].reply } }];
}

/** One packet each way. */
const questionAndAnswer: readonly Line[] = [
  { name: 'query', from: 'client', fields: { payload_len: 32 } },
  { name: 'answer', from: 'server', fields: { payload_len: 64 } },
];

/** The conversation of a protocol, named as scenarios name it. */
export function scriptOf(proto: string | number): readonly Line[] {
  switch (proto) {
    case 'tcp': return tcp;
    case 'sctp': return sctp;
    case 'dccp': return dccp;
    case 'icmp': return ping('ipv4');
    case 'icmpv6': return ping('ipv6');
    default: return questionAndAnswer;
  }
}
