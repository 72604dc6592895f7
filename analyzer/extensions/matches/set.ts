import { always, atom, not, unknown } from '../../packet/constraint.js';
import type { CounterTest } from '../../packet/ip-sets.js';
import { flag } from '../../values/flag.js';
import { setReference } from '../../values/set-reference.js';
import { unsigned64 } from '../../values/unsigned64.js';
import { defineMatch, option, type Given, type OptionDefinition } from '../define.js';

/** `--packets-eq` and its like: one of the three may be given. */
function counter(what: 'packets' | 'bytes', relation: 'eq' | 'lt' | 'gt'): OptionDefinition<bigint> {
  const words = { eq: 'exactly', lt: 'fewer than', gt: 'more than' } as const;
  return option({
    names: [`--${what}-${relation}`], doc: `the entry has counted ${words[relation]} so many ${what}`, value: unsigned64,
    negatable: relation === 'eq', excludes: (['eq', 'lt', 'gt'] as const).filter(other => other !== relation).map(other => `${what}-${other}`),
  });
}

const counterKeys = ['packets-eq', 'packets-lt', 'packets-gt', 'bytes-eq', 'bytes-lt', 'bytes-gt'] as const;
const counters = {
  'packets-eq': counter('packets', 'eq'), 'packets-lt': counter('packets', 'lt'), 'packets-gt': counter('packets', 'gt'),
  'bytes-eq': counter('bytes', 'eq'), 'bytes-lt': counter('bytes', 'lt'), 'bytes-gt': counter('bytes', 'gt'),
};

/** Of the three comparisons of a counter, the one that was given. */
function counterTest(given: Readonly<Partial<Record<typeof counterKeys[number], Given<bigint>>>>, what: 'packets' | 'bytes'): CounterTest | undefined {
  for (const compare of ['eq', 'lt', 'gt'] as const) {
    const one = given[`${what}-${compare}`];
    if (one !== undefined) return { compare: one.negated ? 'ne' : compare, value: one.value };
  }
  return undefined;
}

/**
 * @see set_match_v4() in net/netfilter/xt_set.c and set_parse_v4() in libxt_set.c. The set must exist when the rule is loaded,
 * which cannot be known here. `--update-counters` only says something with `!`, and then once is enough.
 */
export const setMatch = defineMatch('set', () => ({
  doc: 'Matches packets whose addresses, ports or interfaces are in a set of ipset(8).',
  usesOrder: true,
  options: {
    set: option({ names: ['--match-set', '--set'], doc: 'the set, and the side of the packet for each of its parts', value: setReference, negatable: true, required: true }),
    nomatch: option({ names: ['--return-nomatch'], doc: 'entries with `nomatch` count as matches', value: flag, repeat: 'last' }),
    update: option({ names: ['--update-counters'], doc: 'with `!`: the counters of the entry stay as they are', value: flag, negatable: true, repeat: 'last' }),
    subupdate: option({ names: ['--update-subcounters'], doc: 'with `!`: the counters of entries of a set of sets stay as they are', value: flag, negatable: true, repeat: 'last' }),
    ...counters,
  },
  save: (given, { ordered, ...cx }) => {
    const words: string[] = [];
    if (given.set !== undefined) words.push(`${given.set.negated ? '! ' : ''}--match-set ${setReference.print(given.set.value, cx)}`);
    if (given.nomatch !== undefined) words.push('--return-nomatch');
    if (ordered.some(one => one.key === 'update' && one.negated)) words.push('! --update-counters');
    if (ordered.some(one => one.key === 'subupdate' && one.negated)) words.push('! --update-subcounters');
    for (const key of counterKeys) {
      const one = given[key];
      if (one !== undefined) words.push(`${one.negated ? '! ' : ''}--${key} ${String(one.value)}`);
    }
    return words.join(' ');
  },
  means: (given, cx) => {
    if (given.set === undefined) return always;
    if (counterKeys.some(key => key in given)) return unknown('the counters of a set change with every packet');
    const inSet = cx.sets?.(given.set.value, given.nomatch !== undefined) ?? atom(`set ${setReference.print(given.set.value, cx)}${given.nomatch === undefined ? '' : ' nomatch'}`);
    return given.set.negated ? not(inSet) : inSet;
  },
  matches: (given, { ordered }) => {
    if (given.set === undefined) return () => false;
    const { negated, value: { name, directions } } = given.set;
    const packets = counterTest(given, 'packets');
    const bytes = counterTest(given, 'bytes');
    const question = {
      name, flags: directions, returnNomatch: given.nomatch !== undefined,
      keepCounters: ordered.some(one => one.key === 'update' && one.negated),
      keepSubcounters: ordered.some(one => one.key === 'subupdate' && one.negated),
      ...packets === undefined ? {} : { packets }, ...bytes === undefined ? {} : { bytes },
    };
    return t => {
      const isIn = t.world.sets.test(t.packet, question);
      return isIn === undefined ? t.unknown(`what is in the set ${name}`) : isIn !== negated;
    };
  },
  examples: [
    ['-m set --match-set web src', '='],
    ['-m set ! --set hostport srcip,dst-port', '-m set ! --match-set hostport src,dst'],
    ['-m set --match-set web src --bytes-lt 0x10 ! --update-counters --return-nomatch', '-m set --match-set web src --return-nomatch ! --update-counters --bytes-lt 16'],
    ['-m set --match-set web', undefined],
    ['-m set --match-set web SRC', undefined],
    ['-m set --match-set web src --packets-lt 1 --packets-gt 2', undefined],
  ],
}));
