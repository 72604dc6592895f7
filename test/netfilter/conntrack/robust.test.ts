/** No packet breaks the tracker, and the table keeps its laws whatever comes. */
import test from 'ava';
import * as fc from 'fast-check';
import { invert, isSameTuple } from '../../../analyzer/netfilter/conntrack/tuples.js';
import { nextTcpState, TcpState, tcpStateNames } from '../../../analyzer/netfilter/conntrack/tcp-states.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import type { Family } from '../../../analyzer/values/value.js';
import { Lab } from './lab.js';

function linkLocal(last: number): number[] {
  return [0xfe, 0x80, ...Array<number>(13).fill(0), last];
}

/** Random bytes behind a header that is mostly sound, between few addresses. */
function packetBytes(family: Family): fc.Arbitrary<Uint8Array> {
  const protocol = fc.constantFrom(1, 6, 17, 33, 44, 47, 50, 58, 59, 132, 136);
  const body = fc.uint8Array({ maxLength: 90 });
  return fc.tuple(protocol, fc.integer({ min: 0, max: 1 }), body).map(([number, turn, bytes]) => {
    const size = family === 'ipv4' ? 20 : 40;
    const packet = new Uint8Array(size + bytes.length);
    packet.set(bytes, size);
    if (family === 'ipv4') packet.set([0x45, 0, 0, packet.length, 0, 0, 0, 0, 64, number, 0, 0, 10, 0, 0, 1 + turn, 10, 0, 0, 2 - turn]);
    else packet.set([0x60, 0, 0, 0, 0, bytes.length, number, 255, ...linkLocal(1 + turn), ...linkLocal(2 - turn)]);
    return packet;
  });
}

for (const family of ['ipv4', 'ipv6'] as const) {
  test(`random ${family} packets are tracked without an error, and in the table's bounds`, t => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.oneof(packetBytes(family), fc.uint8Array({ maxLength: 60 })), fc.integer({ min: 0, max: 40 })), { maxLength: 40 }), packets => {
      const lab = new Lab(family, { checksum: 0, max: 20, acct: 1 });
      for (const [bytes, pause] of packets) {
        lab.now += pause;
        const packet = new Packet(family, bytes);
        lab.pass(packet, { hook: pause % 2 === 0 ? 'PREROUTING' : 'OUTPUT' });
        t.true(packet.connection === undefined || packet.stateSeen === 1 || packet.stateSeen === 2 || packet.stateSeen === 3);
        t.true(lab.conntrack.count <= 20);
        for (const connection of lab.conntrack.connections()) {
          t.is(lab.conntrack.findConnection(connection.original, 0), connection);
          t.is(lab.conntrack.findConnection(connection.reply, 0), connection);
        }
      }
    }), { numRuns: 150 });
  });
}

test('a tuple turned round twice is itself', t => {
  fc.assert(fc.property(fc.record({ src: fc.nat(), dst: fc.nat(), protocol: fc.nat(255), sport: fc.nat(65_535), dport: fc.nat(65_535) }), tuple => {
    const there = invert(tuple);
    const back = there && invert(there);
    t.true(back === undefined || isSameTuple(back, tuple));
  }));
});

test('no segment leads out of the table of states', t => {
  for (const state of tcpStateNames.keys()) {
    for (let segment = 0; segment < 6; segment++) {
      for (const direction of [0, 1] as const) t.true(nextTcpState(state, segment as 0, direction) <= TcpState.Ignore);
    }
  }
});
