/** TCP's tracking, as Linux 6.18 was seen to do it. */
import test from 'ava';
import { client, Lab, server } from './lab.js';

test('a handshake and an orderly end go through all states', t => {
  const lab = new Lab();
  const seen: string[] = [];
  const step = (...args: Parameters<Lab['tcp']>): void => { seen.push(`${lab.tcp(...args)}: ${lab.flow}`); };
  step('>', 'S', 100);
  step('<', 'SA', 500, 101);
  step('>', 'A', 101, 501);
  step('>', 'FA', 101, 501);
  step('<', 'A', 501, 102);
  step('<', 'FA', 501, 102);
  step('>', 'A', 102, 502);
  t.deepEqual(seen, [
    'NEW ORIGINAL: SYN_SENT 120 UNREPLIED',
    'ESTABLISHED REPLY: SYN_RECV 60',
    'ESTABLISHED ORIGINAL: ESTABLISHED 432000 ASSURED',
    'ESTABLISHED ORIGINAL: FIN_WAIT 120 ASSURED',
    'ESTABLISHED REPLY: CLOSE_WAIT 60 ASSURED',
    'ESTABLISHED REPLY: LAST_ACK 30 ASSURED',
    'ESTABLISHED ORIGINAL: TIME_WAIT 120 ASSURED',
  ]);
});

test('an ACK first is picked up, as ESTABLISHED at once but for 300 s only', t => {
  const lab = new Lab();
  t.is(lab.tcp('>', 'PA', 100, 7, { payload: 'hello' }), 'NEW ORIGINAL');
  t.is(lab.flow, 'ESTABLISHED 300 UNREPLIED');
  t.is(lab.tcp('<', 'A', 7, 105), 'ESTABLISHED REPLY');
  t.is(lab.tcp('>', 'A', 9_000_000, 8), 'ESTABLISHED ORIGINAL');
  t.is(lab.flow, 'ESTABLISHED 432000 ASSURED');
});

test('with tcp_loose off nothing is picked up', t => {
  t.is(new Lab('ipv4', { tcp_loose: 0 }).tcp('>', 'A', 100, 7), 'INVALID');
});

for (const flags of ['SA', 'FA', 'R', 'RA']) {
  test(`a flow does not begin with ${flags}`, t => {
    const lab = new Lab();
    t.is(lab.tcp('>', flags, 100, 7), 'INVALID');
    t.is(lab.conntrack.count, 0);
  });
}

for (const [flags, answer] of [['S', 'NEW ORIGINAL'], ['SU', 'NEW ORIGINAL'], ['SPEC', 'NEW ORIGINAL'], ['AU', 'NEW ORIGINAL'], ['SF', 'INVALID'], ['SR', 'INVALID'], ['F', 'INVALID'], ['U', 'INVALID'], ['none', 'INVALID'], ['FPU', 'INVALID']] as const) {
  test(`flags ${flags} first are ${answer}`, t => {
    t.is(new Lab().tcp('>', flags, 100), answer);
  });
}

test('a RST that answers a SYN is ESTABLISHED, and its flow is gone', t => {
  const lab = new Lab();
  lab.tcp('>', 'S', 100);
  t.is(lab.tcp('<', 'RA', 0, 101), 'ESTABLISHED REPLY');
  t.is(lab.conntrack.count, 0);
});

test('a RST is exact, or inexact and keeps the state for 10 s, or out of window and invalid', t => {
  const lab = new Lab();
  lab.handshake();
  t.is(lab.tcp('<', 'R', 501 + 200_000), 'INVALID');
  t.is(lab.tcp('<', 'R', 400), 'INVALID');
  t.is(lab.flow, 'ESTABLISHED 432000 ASSURED');
  t.is(lab.tcp('<', 'R', 510), 'ESTABLISHED REPLY');
  t.is(lab.flow, 'ESTABLISHED 10 ASSURED');
  t.is(lab.tcp('<', 'R', 501), 'ESTABLISHED REPLY');
  t.is(lab.flow, 'CLOSE 10 ASSURED');
});

test('a SYN within a flow is let pass from the client and invalid from the server', t => {
  const lab = new Lab();
  lab.handshake();
  t.is(lab.tcp('>', 'S', 77_000), 'ESTABLISHED ORIGINAL');
  t.is(lab.flow, 'ESTABLISHED 432000 ASSURED');
  t.is(lab.tcp('<', 'S', 77_000), 'INVALID');
});

test('the SYN/ACK to a SYN that was let pass begins the flow anew; a RST to it ends it', t => {
  const lab = new Lab();
  lab.handshake();
  lab.tcp('>', 'S', 77_000);
  t.is(lab.tcp('<', 'SA', 9000, 77_001), 'ESTABLISHED REPLY');
  t.is(lab.flow, 'SYN_RECV 60 ASSURED');
  const other = new Lab();
  other.handshake();
  other.tcp('>', 'S', 77_000);
  t.is(other.tcp('<', 'RA', 0, 77_001), 'ESTABLISHED REPLY');
  t.is(other.flow, 'CLOSE 10 ASSURED');
});

test('the challenge that a SYN meets in LAST_ACK is not taken for the last ACK', t => {
  const lab = new Lab();
  lab.handshake();
  lab.tcp('>', 'FA', 101, 501);
  lab.tcp('<', 'FA', 501, 102);
  lab.tcp('>', 'S', 77_000);
  t.is(lab.tcp('<', 'A', 502, 102), 'ESTABLISHED REPLY');
  t.is(lab.flow, 'LAST_ACK 30 ASSURED');
});

test('a SYN in TIME_WAIT begins a new flow, from either side', t => {
  for (const way of ['>', '<'] as const) {
    const lab = new Lab();
    lab.handshake();
    lab.tcp('>', 'FA', 101, 501);
    lab.tcp('<', 'FA', 501, 102);
    lab.tcp('>', 'A', 102, 502);
    t.is(lab.tcp(way, 'S', 990_000), 'NEW ORIGINAL');
    t.is(lab.flow, 'SYN_SENT 120 UNREPLIED');
    t.is(lab.conntrack.count, 1);
  }
});

test('both may open at once', t => {
  const lab = new Lab();
  lab.tcp('>', 'S', 100);
  t.is(lab.tcp('<', 'S', 500), 'ESTABLISHED REPLY');
  t.is(lab.flow, 'SYN_SENT2 120');
  lab.tcp('>', 'SA', 100, 501);
  t.is(lab.tcp('<', 'A', 501, 101), 'ESTABLISHED REPLY');
  t.is(lab.flow, 'ESTABLISHED 432000 ASSURED');
});

test('after a RST the same side may send a SYN again', t => {
  const lab = new Lab();
  lab.handshake();
  lab.tcp('>', 'R', 101);
  t.is(lab.tcp('>', 'S', 5_000), 'NEW ORIGINAL');
});

test('data that nobody has acknowledged shortens the timeout to 300 s', t => {
  const lab = new Lab();
  lab.handshake();
  lab.tcp('>', 'PA', 101, 501, { payload: 'hello' });
  t.is(lab.flow, 'ESTABLISHED 300 ASSURED');
  lab.tcp('<', 'A', 501, 106);
  t.is(lab.flow, 'ESTABLISHED 432000 ASSURED');
});

test('an ACK that comes four times is a retransmission, and shortens the timeout', t => {
  const lab = new Lab();
  lab.handshake();
  for (let again = 0; again < 3; again++) lab.tcp('>', 'A', 101, 501);
  t.is(lab.flow, 'ESTABLISHED 300 ASSURED');
});

test('a SYN that comes again does not let the entry live longer', t => {
  const lab = new Lab();
  lab.tcp('>', 'S', 100);
  lab.now = 50;
  t.is(lab.tcp('>', 'S', 100), 'NEW ORIGINAL');
  t.is(lab.flow, 'SYN_SENT 70 UNREPLIED');
});

test('what lies beyond the window is invalid, unless one is liberal', t => {
  for (const [liberal, answer] of [[0, 'INVALID'], [1, 'ESTABLISHED ORIGINAL']] as const) {
    const lab = new Lab('ipv4', { tcp_be_liberal: liberal });
    lab.handshake();
    t.is(lab.tcp('>', 'A', 101 + 200_000, 501), answer);
  }
});

test('a sender that goes little beyond the window is let pass, and believed', t => {
  const lab = new Lab();
  lab.handshake();
  t.is(lab.tcp('>', 'PA', 101 + 70_000, 501, { payload: 'x' }), 'ESTABLISHED ORIGINAL');
  t.is(lab.tcp('<', 'A', 501, 70_102), 'ESTABLISHED REPLY');
});

test('an ack of what was never sent is invalid; old data and old acks are let pass', t => {
  const lab = new Lab();
  lab.handshake();
  t.is(lab.tcp('>', 'A', 101, 502), 'INVALID');
  t.is(lab.tcp('>', 'A', 101 - 70_000, 501), 'ESTABLISHED ORIGINAL');
  t.is(lab.tcp('>', 'A', 101, 501 - 70_000), 'ESTABLISHED ORIGINAL');
});

test('windows are scaled where both have said so', t => {
  const scaled = new Lab();
  scaled.handshake({ wscale: 7 });
  scaled.tcp('<', 'A', 501, 101, { win: 1000 });
  t.is(scaled.tcp('>', 'PA', 101 + 100_000, 501, { payload: 'x' }), 'ESTABLISHED ORIGINAL');
  const plain = new Lab();
  plain.tcp('>', 'S', 100, 0, { wscale: 7 });
  plain.tcp('<', 'SA', 500, 101, { win: 1000 });
  plain.tcp('>', 'A', 101, 501);
  t.is(plain.tcp('>', 'PA', 101 + 100_000, 501, { payload: 'x' }), 'INVALID');
});

test('a header that is cut off or claims too much, and a wrong checksum, are invalid', t => {
  const lab = new Lab();
  t.is(lab.tcp('>', 'S', 100, 0, { cut: 19 }), 'INVALID');
  t.is(lab.tcp('>', 'S', 100, 0, { doff: 4 }), 'INVALID');
  t.is(lab.tcp('>', 'S', 100, 0, { doff: 15 }), 'INVALID');
  t.is(lab.tcp('>', 'S', 100, 0, { badcsum: true }), 'INVALID');
});

test('checksums are verified in PREROUTING only, and only if the switch is on', t => {
  const bad = { proto: 'tcp', src: client, dst: server, sport: 1, dport: 2, badcsum: true };
  t.is(new Lab().send(bad, { hook: 'OUTPUT' }), 'NEW ORIGINAL');
  t.is(new Lab('ipv4', { checksum: 0 }).send(bad), 'NEW ORIGINAL');
});

test('a flow that the host itself resets is CLOSE', t => {
  const lab = new Lab();
  lab.handshake();
  for (const connection of lab.conntrack.connections()) lab.conntrack.setClosing(connection);
  t.is(lab.flow, 'CLOSE 10 ASSURED');
});
