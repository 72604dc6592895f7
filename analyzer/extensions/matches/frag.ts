import { all, always, atom, not } from '../../packet/constraint.js';
import { ipv6Header, ipv6HeaderOrDrop } from '../../packet/ipv6-headers.js';
import { flag } from '../../values/flag.js';
import { numberRange } from '../../values/number-range.js';
import { integer } from '../../values/number.js';
import { isInRange } from '../asks.js';
import { defineMatch, option } from '../define.js';
import { inHeaderRange, max32, saveRange } from '../save-full-range.js';

const ipv6 = { family: 'ipv6' } as const;

/** @see frag_mt6() in net/ipv6/netfilter/ip6t_frag.c. The kernel does not look at --fraglen. */
export const frag = defineMatch('frag', () => ({
  doc: 'Matches packets with a fragment header, by its fields.',
  families: ['ipv6'],
  options: {
    id: option({
      names: ['--fragid'], doc: 'identification or range', value: numberRange(max32, { name: 'id' }), negatable: true,
      save: saveRange('--fragid', max32),
    }),
    length: option({ names: ['--fraglen'], doc: 'taken, but not looked at', value: integer(0, max32), negatable: true }),
    reserved: option({ names: ['--fragres'], doc: 'the reserved fields are zero', value: flag }),
    first: option({ names: ['--fragfirst'], doc: 'the first fragment', value: flag }),
    more: option({ names: ['--fragmore'], doc: 'more fragments follow', value: flag, excludes: ['last'] }),
    last: option({ names: ['--fraglast'], doc: 'the last fragment', value: flag, excludes: ['more'] }),
  },
  means: ({ id, reserved, first, more, last }) => {
    const inRange = id === undefined ? always : inHeaderRange('frag id', id.value, max32);
    return all([
      atom('frag'),
      id?.negated === true ? not(inRange) : inRange,
      reserved === undefined ? always : atom('frag reserved'),
      first === undefined ? always : atom('frag first'),
      more === undefined ? always : atom('frag more'),
      last === undefined ? always : not(atom('frag more')),
    ]);
  },
  matches: ({ id, reserved, first, more, last }) => t => {
    const at = ipv6HeaderOrDrop(t, ipv6Header.fragment, 8);
    if (at === undefined || !isInRange(id, t.packet.u32(at + 4))) return false;
    const field = t.packet.u16(at + 2);
    const follows = (field & 1) !== 0;
    if (reserved !== undefined && (t.packet.u8(at + 1) !== 0 || (field & 6) !== 0)) return false;
    if (first !== undefined && (field & 0xfff8) !== 0) return false;
    return (more === undefined || follows) && (last === undefined || !follows);
  },
  examples: [
    ['-m frag ! --fragid 1:42 --fragres --fraglast', '=', ipv6],
    ['-m frag --fragfirst --fraglen 0x5 --fragid :', '-m frag --fraglen 5 --fragfirst', ipv6],
    ['-m frag --fragmore --fraglast', undefined, ipv6],
    ['-m frag ! --fragres', undefined, ipv6],
  ],
}));
