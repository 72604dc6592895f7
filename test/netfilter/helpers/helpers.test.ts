/** The other helpers, and what holds for all: cases were seen on Linux 6.18. */
import test from 'ava';
import * as fc from 'fast-check';
import { Helpers, helperSupport } from '../../../analyzer/netfilter/helpers/helpers.js';
import { ctstates } from '../../../analyzer/packet/constraint.js';
import { address, long, tcp, udp, word } from '../packet-bytes.js';
import { Conversation, Host, textOf } from './conversation.js';

const dcc = (command: string): string => `PRIVMSG bob :\u0001DCC ${command}\u0001\r\n`;

test('TFTP: the server answers from any port', t => {
  const conversation = new Conversation('tftp', 17, 69, { sport: 3334 });
  conversation.say(0, '\0\u0001file\0octet\0');
  t.deepEqual(conversation.expected, ['10.0.1.2:* > 10.0.0.2:3334']);
  const translated = new Conversation('tftp', 17, 69, { sport: 3333, clientAs: '10.0.1.100' });
  translated.say(0, '\0\u0002file\0octet\0');
  t.deepEqual(translated.expected, ['10.0.1.2:* > 10.0.1.100:3333']);
  const data = new Conversation('tftp', 17, 69);
  data.say(0, '\0\u0003data');
  t.deepEqual(data.expected, []);
});

test('IRC: anybody may connect to a client that offers a file or a chat', t => {
  const conversation = new Conversation('irc', 6, 6667);
  conversation.say(0, dcc('SEND file 167772162 5555 1234'));
  conversation.say(0, 'PRIVMSG b :\u0001DCC CHAT f 167772162 5558\u0001\n');
  conversation.say(0, 'PRIVMSG b :\u0001DCC SEND f 167772162 1\u0001\n');
  t.deepEqual(conversation.expected, ['*:* > 10.0.0.2:5555', '*:* > 10.0.0.2:5558', '*:* > 10.0.0.2:1']);
});

test('IRC: no offer is seen outside a message to somebody, for another address, or without the end of its line', t => {
  const conversation = new Conversation('irc', 6, 6667);
  conversation.say(0, '\u0001DCC SEND file 167772162 5556 1234\u0001\r\n');
  conversation.say(0, 'NOTICE bob :\u0001DCC SEND file 167772162 5557 1234\u0001\r\n');
  conversation.say(0, 'PRIVMSG b :\u0001DCC CHAT f 167772163 5557\u0001\r\n');
  conversation.say(0, 'PRIVMSG b :\u0001DCC SEND f 167772162 2\u0001');
  conversation.say(1, dcc('SEND file 167772162 5555 1234'));
  t.deepEqual(conversation.expected, []);
});

test('IRC: the offer names the translated address', t => {
  const conversation = new Conversation('irc', 6, 6667, { clientAs: '10.0.1.100' });
  t.is(textOf(conversation.say(0, dcc('SEND file 167772162 5555 1234'))), dcc('SEND file 167772516 5555 1234'));
  t.deepEqual(conversation.expected, ['*:* > 10.0.1.100:5555']);
});

test('Amanda: the client\'s answer names the ports of its streams', t => {
  const conversation = new Conversation('amanda', 17, 10080);
  conversation.say(1, 'Amanda 2.3 REP\nCONNECT DATA 1111 MESG 2222 INDEX 3333\nOPTIONS\n');
  t.deepEqual(conversation.expected, [1111, 2222, 3333].map(port => `10.0.0.2:* > 10.0.1.2:${String(port)}`));
  t.is(conversation.connection.expires, 400);
});

test('SANE: the answer to a start names the port of the image', t => {
  const conversation = new Conversation('sane', 6, 6566);
  const answer = [...long(0), ...word(0), ...word(4321), ...long(1)];
  conversation.say(1, answer);
  t.deepEqual(conversation.expected, []);
  conversation.say(0, [...long(7), ...long(0)]);
  conversation.say(1, answer);
  t.deepEqual(conversation.expected, ['10.0.0.2:* > 10.0.1.2:4321']);
});

test('NetBIOS: a whole network may answer a local process, for three seconds', t => {
  const conversation = new Conversation('netbios-ns', 17, 137, { client: '10.0.1.1', server: '10.0.1.255', sport: 137 });
  conversation.say(0, 'who');
  t.deepEqual(conversation.expected, []);
  const packet = udp(137, 137, 'who', { src: '10.0.1.1', dst: '10.0.1.255' });
  packet.owner = { uid: 0, gid: 0 };
  conversation.pass(packet, 0);
  const answer = (src: string, sport = 137): boolean => conversation.helpers.expected({ src: address(src), dst: address('10.0.1.1'), protocol: 17, sport, dport: 137 }, 0) !== undefined;
  t.deepEqual([answer('10.0.1.7'), answer('10.0.1.8'), answer('10.0.2.7'), answer('10.0.1.7', 138)], [true, true, false, false]);
  conversation.host.now += 3;
  t.false(answer('10.0.1.7'));
});

const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 8001 RTP/AVP 0\r\nm=video 9000 RTP/AVP 31\r\nc=IN IP4 10.0.0.3\r\n';

function request(method: string, more: string): string {
  return `${method} sip:bob@10.0.1.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060\r\nFrom: <sip:a@10.0.0.2>\r\nTo: <sip:bob@10.0.1.2>\r\nCSeq: 1 ${method}\r\nContact: <sip:a@10.0.0.2:5061>\r\n${more}`;
}

const invite = request('INVITE', `Content-Length: ${String(sdp.length)}\r\n\r\n${sdp}`);

test('SIP: media go to the ports that the description names, between the two parties', t => {
  const conversation = new Conversation('sip', 17, 5060, { sport: 5060 });
  conversation.say(0, invite);
  t.deepEqual(conversation.expected, ['10.0.1.2:* > 10.0.0.2:8000', '10.0.1.2:* > 10.0.0.2:8001']);
  t.is(conversation.connection.expires, 3700);
  conversation.say(0, request('BYE', 'Content-Length: 0\r\n\r\n'));
  t.deepEqual(conversation.expected, []);
});

test('SIP: a refused call needs no media', t => {
  const conversation = new Conversation('sip', 17, 5060, { sport: 5060 });
  conversation.say(0, invite);
  conversation.say(1, 'SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n');
  t.is(conversation.expected.length, 2);
  conversation.say(1, 'SIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\n\r\n');
  t.deepEqual(conversation.expected, []);
});

test('SIP over TCP: a segment may hold several messages', t => {
  const conversation = new Conversation('sip', 6, 5060, { sport: 5061 });
  conversation.say(0, request('OPTIONS', 'Content-Length: 0\r\n\r\n') + invite + 'INVITE cut');
  t.is(conversation.expected.length, 2);
});

test('SIP: a registered phone may be called, as long as the registrar says', t => {
  const conversation = new Conversation('sip', 17, 5060, { sport: 5060 });
  const call = { src: address('10.0.1.2'), dst: address('10.0.0.2'), protocol: 17, sport: 7000, dport: 5061 };
  conversation.say(0, request('REGISTER', 'Expires: 60\r\nContent-Length: 0\r\n\r\n'));
  t.is(conversation.helpers.expected(call, 0), undefined);
  conversation.say(1, 'SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\nContact: <sip:a@10.0.0.2:5061>;expires=77\r\nContent-Length: 0\r\n\r\n');
  t.is(conversation.helpers.expected(call, 0)?.helper, 'sip');
  conversation.host.now += 76;
  t.not(conversation.helpers.expected(call, 0), undefined);
  conversation.host.now += 1;
  t.is(conversation.helpers.expected(call, 0), undefined);
});

test('SIP: a request without a number is dropped', t => {
  const conversation = new Conversation('sip', 17, 5060, { sport: 5060 });
  t.is(conversation.say(0, 'INVITE sip:bob@10.0.1.2 SIP/2.0\r\nFoo: 1\r\n\r\n'), undefined);
  t.not(conversation.say(0, 'OPTIONS sip:bob@10.0.1.2 SIP/2.0\r\nFoo: 1\r\n\r\n'), undefined);
});

/** A control message of PPTP: its type, and the words of its body, padded. */
function control(type: number, size: number, ...body: number[]): number[] {
  return [...word(12 + size), ...word(1), ...long(0x1a2b3c4d), ...word(type), 0, 0, ...body, ...new Array<number>(size - body.length).fill(0)];
}

test('PPTP: once a call is agreed on, its data are expected both ways, and come with keys', t => {
  const conversation = new Conversation('pptp', 6, 1723);
  const { helpers } = conversation;
  conversation.say(0, control(1, 144));
  conversation.say(1, control(2, 144, 1, 0, 1));
  conversation.say(0, control(7, 156, ...word(11)));
  conversation.say(1, control(8, 20, ...word(22), ...word(11), 1));
  t.deepEqual(conversation.expected, ['10.0.0.2:11 > 10.0.1.2:22', '10.0.1.2:22 > 10.0.0.2:11']);
  const there = { src: address('10.0.0.2'), dst: address('10.0.1.2'), protocol: 47, sport: 0, dport: 22 };
  t.is(helpers.greKey(there), 11);
  t.is(helpers.greKey({ ...there, src: there.dst, dst: there.src, dport: 11 }), 22);
  const expectation = helpers.expected({ ...there, sport: 11 }, 0);
  if (expectation !== undefined) helpers.adopt(new Conversation('', 47, 0).connection, expectation);
  t.deepEqual(conversation.expected, []);
  conversation.say(1, control(13, 136, ...word(22)));
  t.is(helpers.greKey(there), 0);
  t.deepEqual(conversation.host.ended, ['10.0.0.2:11 > 10.0.1.2:22', '10.0.1.2:22 > 10.0.0.2:11']);
});

test('PPTP: a call that was not asked for, or is refused, is not expected', t => {
  const conversation = new Conversation('pptp', 6, 1723);
  conversation.say(1, control(8, 20, ...word(22), ...word(0), 1));
  conversation.say(0, control(1, 144));
  conversation.say(1, control(2, 144, 1, 0, 1));
  conversation.say(0, control(7, 156, ...word(11)));
  conversation.say(1, control(8, 20, ...word(22), ...word(12), 1));
  conversation.say(1, control(8, 20, ...word(22), ...word(11), 2));
  t.deepEqual(conversation.expected, []);
});

test('the table says of every helper of the kernel whether it is modelled, and helpers fit their protocols', t => {
  for (const [name, support] of Object.entries(helperSupport)) {
    const fits = [6, 17].some(protocol => Helpers.fits(name, protocol, 'ipv4'));
    t.is(fits, support !== 'unmodelled', name);
  }
  t.false(Helpers.fits('ftp', 17, 'ipv4'));
  t.false(Helpers.fits('irc', 6, 'ipv6'));
});

test('a connection without a helper, a reply of the host and an ICMP error are left alone', t => {
  const conversation = new Conversation('', 6, 21);
  const text = 'PORT 1';
  t.is(textOf(conversation.say(0, text)), text);
  const helped = new Conversation('ftp', 6, 21);
  const packet = tcp({ flags: 4 });
  packet.connection = helped.connection;
  packet.ctstate = ctstates.RELATED;
  packet.direction = 1;
  t.is(helped.helpers.run(packet), 1);
});

test('random words never throw, and no more is expected than the table holds', t => {
  const host = new Host();
  const helpers = new Helpers(host);
  const protocols = { ftp: 6, irc: 6, sane: 6, sip: 17, tftp: 17, amanda: 17, 'netbios-ns': 17, snmp: 17, pptp: 6 } as const;
  const beginnings = fc.constantFrom('', 'PORT 10,0,0,2,', 'EPRT |1|10.0.0.2|', '227 ', '229 (|||', 'PRIVMSG x :\u0001DCC SEND ', 'INVITE sip:a@10.0.0.2 SIP/2.0\r\nCSeq: 1 INVITE\r\n', 'SIP/2.0 200\r\nCSeq: 2 INVITE\r\n\r\nv=0\r\nc=IN IP4 10.0.0.2\r\nm=audio ', 'CONNECT DATA ', '\0\u0001', '\0\0\0\u0007\0\0\0\0');
  const middle = fc.array(fc.constantFrom('1', '9', ',', '|', '.', ' ', '\r\n', '65536', '167772162 ', ')', 'm=video 5000', 'c=IN IP4 10.0.0.2', '\u0001'), { maxLength: 12 });
  fc.assert(fc.property(fc.constantFrom(...Object.keys(protocols) as (keyof typeof protocols)[]), beginnings, middle, fc.boolean(), fc.integer({ min: 1, max: 0xffff }), fc.uint8Array({ maxLength: 30 }), (name, start, parts, isTranslated, sport, noise) => {
    const conversation = new Conversation(name, protocols[name], 21, { sport, ...isTranslated ? { clientAs: '10.0.1.100', serverAs: '10.0.0.50' } : {} }, host, helpers);
    for (const direction of [0, 1, 0, 1] as const) {
      conversation.say(direction, 'x\n');
      conversation.say(direction, start + parts.join('') + String.fromCharCode(...noise));
    }
    const cut = conversation.pass(tcp({}), 0);
    if (cut !== undefined) cut.bytes = cut.bytes.slice(0, 20 + noise.length);
    if (cut !== undefined) conversation.pass(cut, 1);
    host.now++;
  }), { seed: 6, numRuns: 3000 });
  t.true([...helpers.expectations()].length <= 4096);
});
