import test from 'ava';
import fc from 'fast-check';
import { parsePacketWords, WordsError } from '../../../analyzer/netfilter/scenario/packet-words.js';
import { packetLine } from '../../../analyzer/netfilter/scenario/packet-line.js';
import { ScenarioError } from '../../../analyzer/netfilter/scenario/scenario-error.js';

test('a packet in words is a step of a scenario', t => {
  t.deepEqual(parsePacketWords('tcp 198.51.100.7:40000 > 192.0.2.1:22 in eth0'), {
    in: 'eth0', family: 'ipv4', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', sport: 40000, dport: 22 },
  });
  t.deepEqual(parsePacketWords('icmp 192.0.2.9>192.0.2.1 type 8 code 0 payload "a b > c" fragsize 16 fragorder 1,0 advance 2.5 broadcast'), {
    in: undefined, family: 'ipv4', advance: 2.5, broadcast: true,
    packet: { proto: 'icmp', src: '192.0.2.9', dst: '192.0.2.1', type: 8, code: 0, payload: 'a b > c', fragsize: 16, fragorder: [1, 0] },
  });
});

test('IPv6 addresses stand in brackets where a port follows, and icmp means theirs', t => {
  t.deepEqual(parsePacketWords('udp [2001:db8::1]:53 > [2001:db8::2]:1234 from local mark 0x1f df'), {
    in: 'local', family: 'ipv6', packet: { proto: 'udp', src: '2001:db8::1', dst: '2001:db8::2', sport: 53, dport: 1234, mark: 31, df: true },
  });
  t.deepEqual(parsePacketWords('icmp 2001:db8::1 > 2001:db8::2').packet, { proto: 'icmpv6', src: '2001:db8::1', dst: '2001:db8::2' });
});

/** The message, and the words under which the caret stands. */
function wrong(line: string): readonly [string, string] {
  try {
    parsePacketWords(line);
    return ['nothing', ''];
  } catch (error) {
    if (!(error instanceof WordsError)) throw error;
    return [error.message, line.slice(error.span.start, error.span.end)];
  }
}

const mistakes: readonly (readonly [line: string, message: string, marked: string])[] = [
  ['', 'the protocol is missing', ''],
  ['tcpp 192.0.2.9 > 192.0.2.1', '`tcpp` is not a protocol: did you mean `tcp`?', 'tcpp'],
  ['tcp 192.0.2.9:99999 > 192.0.2.1', '`99999` is not a port: a number from 0 to 65535', '99999'],
  ['tcp [::1]22 > ::1', '`]22` is not a port: a number from 0 to 65535', ']22'],
  ['tcp 192.0.2.9 192.0.2.1', '`>` must stand between source and destination', '192.0.2.1'],
  ['tcp 192.0.2.9 >', 'the destination is missing', ''],
  ['tcp > 192.0.2.1', 'the source is missing before `>`', '>'],
  ['tcp 192.0.2.9 > 2001:db8::1', 'the source is an IPv4 address, and the destination is not', '2001:db8::1'],
  ['tcp 192.0.2.999 > 192.0.2.1', '`192.0.2.999` is not an address', '192.0.2.999'],
  ['icmp 192.0.2.9:3 > 192.0.2.1', 'icmp has no ports', '192.0.2.9:3'],
  ['tcp 192.0.2.9 > 192.0.2.1 flag S', 'unknown key `flag`: did you mean `flags`?', 'flag'],
  ['tcp 192.0.2.9 > 192.0.2.1 ttl 300', '`ttl` must be a whole number from 0 to 255, and is 300', '300'],
  ['tcp 192.0.2.9 > 192.0.2.1 ttl x', '`ttl` must be a whole number from 0 to 255, and is "x"', 'x'],
  ['tcp 192.0.2.9 > 192.0.2.1 ttl', 'the value of `ttl` is missing', ''],
  ['tcp 192.0.2.9 > 192.0.2.1 ttl 3 ttl 4', '`ttl` is set twice', 'ttl'],
  ['tcp 192.0.2.9 > 192.0.2.1 flags SX', '`X` in `SX` is not a TCP flag; the flags are FSRPAUEC, or none', 'SX'],
  ['tcp 192.0.2.9 > 192.0.2.1 from eth0', 'only `from local` is known; write `in` and the interface where it comes from elsewhere', 'eth0'],
];

for (const [line, message, marked] of mistakes) {
  test(`"${line}" is refused with the word that is wrong`, t => {
    t.deepEqual(wrong(line), [message, marked]);
  });
}

test('what is printed of a packet can be typed again', t => {
  for (const line of ['tcp 198.51.100.7:40000 > 192.0.2.1:22 flags SA ttl 3 df', 'udp [2001:db8::1]:53 > [2001:db8::2]:1234', 'icmp 192.0.2.9 > 192.0.2.1 type 3 code 1']) t.is(packetLine(parsePacketWords(line).packet), line);
});

test('any words are a packet, or a mistake that is explained', t => {
  const word = fc.oneof(fc.constantFrom('tcp', 'udp', '>', '192.0.2.1:22', '[::1]:3', 'in', 'eth0', 'ttl', '3', 'flags', '"', 'from', 'local', 'df', 'payload', 'fragorder', '1,x'), fc.string({ maxLength: 6 }));
  fc.assert(fc.property(fc.array(word, { maxLength: 10 }), words => {
    try {
      parsePacketWords(words.join(' '));
    } catch (error) {
      t.true(error instanceof ScenarioError);
    }
  }), { numRuns: 500 });
});
