import { atom, not, unknown } from '../../packet/constraint.js';
import type { Packet } from '../../packet/packet.js';
import { negated } from '../../packet/predicates.js';
import type { Predicate } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { defineMatch, option } from '../define.js';

/** What passes without a look at routes: loopback, and what a host without an address yet sends to all. */
function isNotRouted(packet: Packet): boolean {
  if (packet.in === 'lo' || packet.linkType === 'loopback') return true;
  if (packet.family === 'ipv6') return packet.u32(8) === 0 && packet.u32(12) === 0 && packet.u32(16) === 0 && packet.u32(20) === 0;
  return packet.u32(12) === 0 && (packet.u32(16) === 0xffff_ffff || packet.u32(16) >>> 8 === 0xe0_0000);
}

/** @see rpfilter_mt() and rpfilter_check() in net/ipv4/netfilter/ipt_rpfilter.c */
export const rpfilter = defineMatch('rpfilter', () => ({
  doc: 'Matches packets whose answer would leave through the interface that they came in through.',
  tables: ['raw', 'mangle'],
  hooks: ['PREROUTING'],
  options: {
    loose: option({ names: ['--loose'], doc: 'the answer may leave through any interface', value: flag }),
    validmark: option({ names: ['--validmark'], doc: 'the answer is routed with the mark of the packet', value: flag }),
    acceptLocal: option({ names: ['--accept-local'], doc: 'addresses of this machine are allowed as source', value: flag }),
    invert: option({ names: ['--invert'], doc: 'matches packets that fail the test', value: flag }),
  },
  means: given => {
    if (given.validmark !== undefined) return unknown('the reverse path depends on routes and on the mark of the packet');
    const passes = atom(`rpfilter${given.loose === undefined ? '' : ' loose'}${given.acceptLocal === undefined ? '' : ' accept-local'}`);
    return given.invert === undefined ? passes : not(passes);
  },
  matches: given => {
    const options = { loose: given.loose !== undefined, validMark: given.validmark !== undefined, acceptLocal: given.acceptLocal !== undefined };
    const passes: Predicate = t => isNotRouted(t.packet) || t.world.reversePath(t.packet, options);
    return given.invert === undefined ? passes : negated(passes);
  },
  arbitrary: fc => fc.shuffledSubarray(['--loose', '--validmark', '--accept-local', '--invert']),
  examples: [
    ['-m rpfilter', '=', { table: 'raw', chain: 'PREROUTING' }],
    ['-m rpfilter --invert --accept-local --loose', '-m rpfilter --loose --accept-local --invert', { table: 'mangle', chain: 'PREROUTING' }],
    ['-m rpfilter ! --loose', undefined, { table: 'raw', chain: 'PREROUTING' }],
    ['-m rpfilter', undefined, { table: 'nat', chain: 'PREROUTING' }],
    ['-m rpfilter', undefined],
  ],
}));
