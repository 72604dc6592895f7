/** Targets that hand the packet to somebody else: NFQUEUE, TEE, TPROXY, SYNPROXY, CLUSTERIP. */
import test from 'ava';
import { ctstates } from '../../../analyzer/packet/constraint.js';
import { fakeWorld } from '../fake-world.js';
import { address, ipv4, tcp } from '../packet-bytes.js';
import { targetOf } from './act.js';

test('NFQUEUE queues, and with --queue-bypass accepts, since nobody listens', t => {
  t.is(targetOf('-j NFQUEUE --queue-num 5')(tcp({})).verdict, 'Queue');
  t.is(targetOf('-j NFQUEUE --queue-num 5 --queue-bypass')(tcp({})).verdict, 'Accept');
});

test('TEE sends a copy, but none of a copy', t => {
  const sent: unknown[] = [];
  const world = fakeWorld('ipv4', 'legacy', { duplicate: (_, gateway, oif) => { sent.push([gateway, oif]); } });
  const act = targetOf('-j TEE --gateway 192.0.2.1 --oif eth1', { world });
  t.is(act(tcp({})).verdict, 'Continue');
  const copy = tcp({});
  copy.isGenerated = true;
  copy.ctstate = ctstates.UNTRACKED;
  act(copy);
  targetOf('-j TEE --gateway 192.0.2.2', { world })(tcp({}));
  t.deepEqual(sent, [[address('192.0.2.1'), 'eth1'], [address('192.0.2.2'), undefined]]);
});

test('TPROXY gives the packet to a transparent socket, marks it and accepts it', t => {
  const asked: string[] = [];
  const world = fakeWorld('ipv4', 'legacy', {
    sourceAddress: () => address('10.0.0.254'),
    findSocket: ({ dst, dport }) => {
      asked.push(`${String(dst)}:${String(dport)}`);
      return dport === 3128 ? { isTransparent: true, isWildcard: true, isConnected: false } : undefined;
    },
  });
  const packet = tcp({ dport: 80 });
  packet.mark = 0xff;
  t.is(targetOf('-p tcp -j TPROXY --on-port 3128 --tproxy-mark 0x1/0xf', { world, hook: 'PREROUTING' })(packet).verdict, 'Accept');
  t.deepEqual([packet.mark, packet.socket?.isTransparent, packet.dport], [0xf1, true, 80]);
  t.deepEqual(asked, [`${String(address('10.0.1.2'))}:80`, `${String(address('10.0.0.254'))}:3128`]);
});

test('TPROXY drops where no transparent socket listens', t => {
  const place = { hook: 'PREROUTING' } as const;
  t.is(targetOf('-p tcp -j TPROXY --on-port 3128', place)(tcp({})).verdict, 'Drop');
  const world = fakeWorld('ipv4', 'legacy', { findSocket: () => ({ isTransparent: false, isWildcard: true, isConnected: false }) });
  t.is(targetOf('-p tcp -j TPROXY --on-port 3128', { ...place, world })(tcp({})).verdict, 'Drop');
});

test('SYNPROXY takes a SYN and an ACK, and lets the rest pass', t => {
  const syn = targetOf('-p tcp -j SYNPROXY --mss 1460')(tcp({}));
  t.is(syn.verdict, 'Stolen');
  t.regex(syn.notes.join(' '), /SYN\/ACK/u);
  t.is(targetOf('-p tcp -j SYNPROXY')(tcp({ flags: 0x12 })).verdict, 'Continue');
  const ack = targetOf('-p tcp -j SYNPROXY')(tcp({ flags: 0x10 }));
  t.deepEqual([ack.verdict, ack.asked.length], ['Stolen', 1]);
  t.is(targetOf('-p tcp -j SYNPROXY', { assume: false })(tcp({ flags: 0x10 })).verdict, 'Drop');
});

test('SYNPROXY drops what is broken', t => {
  const wrong = tcp({});
  wrong.bytes[wrong.transport + 16] = (wrong.u8(wrong.transport + 16) + 1) & 0xff;
  t.is(targetOf('-p tcp -j SYNPROXY')(wrong).verdict, 'Drop');
  t.is(targetOf('-p tcp -j SYNPROXY')(ipv4({ protocol: 6, payload: [0, 1] })).verdict, 'Drop');
});

test('what CLUSTERIP did is not known any more', t => {
  t.is(targetOf('-j CLUSTERIP', { table: 'filter', hook: 'INPUT' })(tcp({})).asked.length, 1);
});
