/** FTP data connections: all cases were seen on Linux 6.18. */
import test from 'ava';
import { expectedNat } from '../../../analyzer/netfilter/helpers/helpers.js';
import { sumOf } from '../../../analyzer/packet/checksum.js';
import { ctstatus } from '../../../analyzer/packet/connection.js';
import { pseudoHeaderSum } from '../../../analyzer/packet/rewrite.js';
import { address, long, tcp } from '../packet-bytes.js';
import { Conversation, Host, textOf, type Ends } from './conversation.js';

/** Greeted and logged in: from here on lines are read. */
function session(ends: Ends = {}, host = new Host()): Conversation {
  const conversation = new Conversation('ftp', 6, 21, ends, host);
  conversation.say(1, '220 hi\r\n');
  conversation.say(0, 'USER a\r\n');
  return conversation;
}

test('PORT, EPRT and the answers 227 and 229 announce a connection', t => {
  const cases: readonly [direction: 0 | 1, line: string, expected: string][] = [
    [0, 'PORT 10,0,0,2,4,1\r\n', '10.0.1.2:* > 10.0.0.2:1025'],
    [0, 'port 10,0,0,2,4,2\r\n', '10.0.1.2:* > 10.0.0.2:1026'],
    [0, 'PORT 10,0,0,2,4,300\r\n', '10.0.1.2:* > 10.0.0.2:1324'],
    [0, 'EPRT |1|10.0.0.2|5001|\r\n', '10.0.1.2:* > 10.0.0.2:5001'],
    [1, '227 Entering Passive Mode (10,0,1,2,4,5)\r\n', '10.0.0.2:* > 10.0.1.2:1029'],
    [1, '227 =10,0,1,2,4,6\r\n', '10.0.0.2:* > 10.0.1.2:1030'],
    [1, '229 Entering Extended (|||6446|)\r\n', '10.0.0.2:* > 10.0.1.2:6446'],
  ];
  for (const [direction, line, expected] of cases) {
    const conversation = session();
    t.is(textOf(conversation.say(direction, line)), line);
    t.deepEqual(conversation.expected, [expected]);
  }
});

test('IPv6 has EPRT with addresses of its own', t => {
  const conversation = session({ client: 'fd0a::2', server: 'fd0b::2' }, new Host('ipv6'));
  conversation.say(0, 'EPRT |2|fd0a::2|5001|\r\n');
  t.deepEqual(conversation.expected, ['fd0b::2:* > fd0a::2:5001']);
});

test('a command that is not there whole, or not as it should be, is dropped', t => {
  for (const line of ['PO', 'PORT', 'PORT 10,0,0,2\r\n', 'PORT 10,0,0,2,4,1', 'EPRT |2|fd0a::1|5001|\r\n', 'EPRT |1|10.0.0.2|0|\r\n', 'PORT x\r\n']) {
    t.is(session().say(0, line), undefined, line);
  }
  for (const line of ['227 ok\r\n', '227 Entering (10,0,1,2,4,7', '22', '229 no\r\n']) t.is(session().say(1, line), undefined, line);
});

test('the first line of each side is not read: nobody knows that it begins there', t => {
  const conversation = new Conversation('ftp', 6, 21);
  t.is(textOf(conversation.say(0, 'PORT 10,0,0,2,4,1\r\n')), 'PORT 10,0,0,2,4,1\r\n');
  t.deepEqual(conversation.expected, []);
});

test('what begins in the middle of a line is not read', t => {
  const conversation = session();
  conversation.say(0, 'STOR ');
  conversation.say(0, 'PORT 10,0,0,2,4,1\r\n');
  t.deepEqual(conversation.expected, []);
});

test('the address of another host opens no hole', t => {
  const conversation = session();
  t.is(textOf(conversation.say(0, 'PORT 10,0,0,9,4,1\r\n')), 'PORT 10,0,0,9,4,1\r\n');
  t.deepEqual(conversation.expected, []);
});

test('one connection is expected at a time, and for 300 seconds', t => {
  const conversation = session();
  conversation.say(0, 'PORT 10,0,0,2,4,1\r\n');
  conversation.say(0, 'PORT 10,0,0,2,4,2\r\n');
  t.deepEqual(conversation.expected, ['10.0.1.2:* > 10.0.0.2:1026']);
  conversation.host.now += 300;
  t.deepEqual(conversation.expected, []);
  t.is(conversation.helpers.expected({ src: address('10.0.1.2'), dst: address('10.0.0.2'), protocol: 6, sport: 20, dport: 1026 }, 0), undefined);
});

test('the connection that comes is related, and then no other is', t => {
  const conversation = session();
  conversation.connection.mark = 9;
  conversation.say(0, 'PORT 10,0,0,2,4,1\r\n');
  const tuple = { src: address('10.0.1.2'), dst: address('10.0.0.2'), protocol: 6, sport: 20, dport: 1025 };
  t.is(conversation.helpers.expected({ ...tuple, src: address('10.0.1.9') }, 0), undefined);
  t.is(conversation.helpers.expected(tuple, 5), undefined);
  const expectation = conversation.helpers.expected(tuple, 0);
  t.is(expectation?.master, conversation.connection);
  t.is(conversation.helpers.expected(tuple, 0), undefined);
  const { connection: data } = new Conversation('', 6, 1025);
  if (expectation !== undefined) conversation.helpers.adopt(data, expectation);
  t.is(data.master, conversation.connection);
  t.true(data.has(ctstatus.EXPECTED));
  t.is(data.mark, 9);
});

test('nothing is expected of a connection that is gone or not confirmed', t => {
  const tuple = { src: address('10.0.1.2'), dst: address('10.0.0.2'), protocol: 6, sport: 20, dport: 1025 };
  const gone = session();
  gone.say(0, 'PORT 10,0,0,2,4,1\r\n');
  gone.helpers.forget(gone.connection);
  t.is(gone.helpers.expected(tuple, 0), undefined);
  const unconfirmed = session();
  unconfirmed.say(0, 'PORT 10,0,0,2,4,1\r\n');
  unconfirmed.connection.status &= ~ctstatus.CONFIRMED;
  t.is(unconfirmed.helpers.expected(tuple, 0), undefined);
});

test('source NAT rewrites the address, and what follows is two bytes farther', t => {
  const conversation = session({ clientAs: '10.0.1.100' });
  const command = conversation.say(0, 'PORT 10,0,0,2,4,1\r\n');
  t.is(textOf(command), 'PORT 10,0,1,100,4,1\r\n');
  t.is(command?.u32(24), 1008);
  t.is(command?.length, 20 + 20 + 21);
  if (command !== undefined) t.is(sumOf(command.bytes, 20, command.length, pseudoHeaderSum(command, 6, command.transportLength)), 0xffff);
  t.deepEqual(conversation.expected, ['10.0.1.2:* > 10.0.1.100:1025']);
  t.is(conversation.say(0, 'NOOP\r\n')?.u32(24), 1008 + 19 + 2);
});

test('acknowledgements and SACK blocks of the other side go back to the sender\'s numbers', t => {
  const conversation = session({ clientAs: '10.0.1.100' });
  conversation.say(0, 'PORT 10,0,0,2,4,1\r\n');
  const [next] = conversation.sequence;
  const answer = tcp({ sport: 21, dport: 4000, flags: 0x18, seq: 5008, ack: next + 2, text: '200 ok\r\n', options: [1, 1, 5, 10, ...long(next - 4), ...long(next + 2)] }, { src: '10.0.1.2', dst: '10.0.0.2' });
  const packet = conversation.pass(answer, 1);
  t.is(packet?.u32(28), next);
  t.is(packet?.u32(44), next - 6);
  t.is(packet?.u32(48), next);
  if (packet !== undefined) t.is(sumOf(packet.bytes, 20, packet.length, pseudoHeaderSum(packet, 6, packet.transportLength)), 0xffff);
});

test('a retransmission is translated again but not counted twice', t => {
  const conversation = session({ clientAs: '10.0.1.100' });
  const before: [number, number] = [...conversation.sequence];
  conversation.say(0, 'PORT 10,0,0,2,4,1\r\n');
  conversation.sequence = before;
  t.is(textOf(conversation.say(0, 'PORT 10,0,0,2,4,1\r\n')), 'PORT 10,0,1,100,4,1\r\n');
  t.is(conversation.connection.sequenceAdjust[0]?.offsetAfter, 2);
});

test('destination NAT rewrites the server\'s answer; the data connection follows without the nat chains', t => {
  const conversation = session({ serverAs: '10.0.0.50' });
  t.is(textOf(conversation.say(1, '227 Entering Passive Mode (10,0,1,2,4,5)\r\n')), '227 Entering Passive Mode (10,0,0,50,4,5)\r\n');
  t.deepEqual(conversation.expected, ['10.0.0.2:* > 10.0.0.50:1029']);
  const [expectation] = [...conversation.helpers.expectations()];
  t.deepEqual(expectation === undefined ? [] : expectedNat(expectation), [
    { side: 'source', minAddress: address('10.0.0.2'), maxAddress: address('10.0.0.2') },
    { side: 'destination', minAddress: address('10.0.1.2'), maxAddress: address('10.0.1.2'), minPort: 1029, maxPort: 1029 },
  ]);
});

test('where the port is expected already, another is taken', t => {
  const first = session({ clientAs: '10.0.1.100' });
  first.say(0, 'PORT 10,0,0,2,4,1\r\n');
  const second = new Conversation('ftp', 6, 21, { client: '10.0.0.3', clientAs: '10.0.1.100', sport: 4001 }, first.host, first.helpers);
  second.say(0, 'USER a\r\n');
  t.is(textOf(second.say(0, 'PORT 10,0,0,3,4,1\r\n')), 'PORT 10,0,1,100,130,0\r\n');
});

test('IPv6 addresses are written with all their digits', t => {
  const conversation = session({ client: 'fd0a::2', server: 'fd0b::2', clientAs: 'fd0b::100' }, new Host('ipv6'));
  t.is(textOf(conversation.say(0, 'EPRT |2|fd0a::2|5001|\r\n')), 'EPRT |2|fd0b:0000:0000:0000:0000:0000:0000:0100|5001|\r\n');
});
