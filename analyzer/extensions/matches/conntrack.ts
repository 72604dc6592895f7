import { all, always, any, atom, ctstates, is, never, not, oneOf, unknown, type Constraint } from '../../packet/constraint.js';
import { ctstatus, type Direction } from '../../packet/connection.js';
import { allOf, everyPacket } from '../../packet/predicates.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { Predicate } from '../../packet/traversal.js';
import { maskAddress, prefixMask, printAddress } from '../../values/address.js';
import { abbreviatedSet, type WordSet } from '../../values/abbreviated-set.js';
import { exactProtocol } from '../../values/exact-protocol.js';
import { hostMask, type HostMask } from '../../values/host-mask.js';
import { keyword } from '../../values/keyword.js';
import { lookedUpPortRange } from '../../values/looked-up-port.js';
import { numberRange } from '../../values/number-range.js';
import type { PortRange } from '../../values/port.js';
import type { Family, Value, ValueContext } from '../../values/value.js';
import { asks } from '../asks.js';
import { isInState, ofConnection, secondsLeft } from '../connection-tests.js';
import { defineMatch, option, type Given, type GivenOf, type OptionDefinition, type Options } from '../define.js';
import { tracked } from '../tracked.js';

const states = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED'] as const;
type State = (typeof states)[number];
const nats = ['SNAT', 'DNAT'] as const;
type Nat = (typeof nats)[number];
const statuses = ['EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED'] as const;

/** The value of `-m state --state`. */
export const stateSet = abbreviatedSet<State>(['INVALID', 'NEW', 'ESTABLISHED', 'RELATED', 'UNTRACKED'], states, { name: 'state' });
const ctstateSet = abbreviatedSet<State | Nat>(['INVALID', 'NEW', 'ESTABLISHED', 'RELATED', 'UNTRACKED', ...nats], [...states, ...nats], { name: 'state' });
const statusSet = abbreviatedSet(['NONE', 'EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED'], statuses, { name: 'status', empty: 'NONE' });

function isNat(word: State | Nat): word is Nat {
  return word === 'SNAT' || word === 'DNAT';
}

/** The packet is in one of these states, or its connection is translated in one of these ways. */
export function inStates(words: WordSet<State | Nat>): Constraint {
  const plain = words.flatMap(word => isNat(word) ? [] : [ctstates[word]]);
  const translated = words.filter(isNat).map(word => atom(`conntrack --ctstate ${word}`));
  return any([oneOf('ctstate', plain), translated.length === 0 ? never : all([tracked, any(translated)])]);
}

/** The protocol of a connection is that of its packets, except that ICMP errors belong to the connection that they are about. */
function connectionProtocol(number: number, family: Family): Constraint {
  const error = all([is('ctstate', ctstates.RELATED), is('protocol', family === 'ipv4' ? protocolNumber.icmp : protocolNumber.icmpv6)]);
  return any([all([not(error), is('protocol', number)]), all([error, atom(`conntrack --ctproto ${String(number)}`)])]);
}

function connectionAddress(name: string): (value: HostMask, cx: ValueContext) => Constraint {
  return ({ address, length }, { family }) => length === 0 ? always
    : atom(`conntrack ${name} ${printAddress(maskAddress(address, prefixMask(length, family)))}/${String(length)}`);
}

const ports: typeof lookedUpPortRange = {
  ...lookedUpPortRange,
  // An upper end of 0 is taken for none.
  print: ({ low, high }, cx) => lookedUpPortRange.print(high === 0 ? { low, high: low } : { low, high }, cx),
};

function connectionPorts(name: string): (value: PortRange) => Constraint {
  return ({ low, high }) => {
    if (low > high) return never;
    return low === 0 && high === 65_535 ? always : atom(`conntrack ${name} ${String(low)}:${String(high)}`);
  };
}

const direction: Value<number> = { ...keyword({ original: 0, reply: 1 }, { name: 'direction', ignoreCase: true }), print: value => value === 0 ? 'ORIGINAL' : 'REPLY' };

function address(name: string, doc: string): OptionDefinition<HostMask> {
  return option({ names: [name], doc, value: hostMask, negatable: true, means: connectionAddress(name) });
}

function port(name: string, doc: string): OptionDefinition<PortRange> {
  return option({ names: [name], doc, value: ports, negatable: true, means: connectionPorts(name) });
}

const options = {
  state: option({ names: ['--ctstate'], doc: 'states of which the packet has one', value: ctstateSet, negatable: true, means: inStates }),
  proto: option({ names: ['--ctproto'], doc: 'protocol of the connection', value: exactProtocol, negatable: true, means: (number, { family }) => connectionProtocol(number, family) }),
  origsrc: address('--ctorigsrc', 'where the connection came from, before NAT'),
  origdst: address('--ctorigdst', 'where the connection wanted to go, before NAT'),
  replsrc: address('--ctreplsrc', 'where replies come from'),
  repldst: address('--ctrepldst', 'where replies go'),
  origsrcport: port('--ctorigsrcport', 'source port of the connection, before NAT'),
  origdstport: port('--ctorigdstport', 'destination port of the connection, before NAT'),
  replsrcport: port('--ctreplsrcport', 'source port of replies'),
  repldstport: port('--ctrepldstport', 'destination port of replies'),
  status: option({
    names: ['--ctstatus'], doc: 'statuses of which the connection has one', value: statusSet, negatable: true,
    means: words => any(words.map(word => atom(`conntrack --ctstatus ${word}`))),
  }),
  expire: option({
    names: ['--ctexpire'], doc: 'seconds until the connection is forgotten', value: numberRange(0xffff_ffff), negatable: true,
    means: () => unknown('how long a connection is still remembered'),
  }),
  dir: option({
    names: ['--ctdir'], doc: 'direction in which the packet flows', value: direction,
    means: value => is('ctdir', value),
  }),
};

/** What the options ask, each for itself. */
function meanings(given: Readonly<Record<string, Given<unknown> | undefined>>, cx: ValueContext): Constraint[] {
  const known: Options = options;
  return Object.entries(given).flatMap(([key, one]) => {
    const meaning = one === undefined ? undefined : known[key]?.means?.(one.value, cx);
    return meaning === undefined ? [] : [one?.negated === true ? not(meaning) : meaning];
  });
}

function isAddressOf(direction: Direction, side: 'src' | 'dst', { family }: ValueContext): (value: HostMask) => Predicate {
  return ({ address, length }) => {
    const mask = prefixMask(length, family);
    const wanted = maskAddress(address, mask);
    return ofConnection(connection => maskAddress(connection.tuple(direction)[side], mask) === wanted);
  };
}

function isPortOf(direction: Direction, side: 'sport' | 'dport'): (value: PortRange) => Predicate {
  return ({ low, high }) => ofConnection(connection => {
    const port = connection.tuple(direction)[side];
    return port >= low && port <= high;
  });
}

/** What is asked of a packet that has a connection, besides its state. */
function asksConnection(given: GivenOf<typeof options>, cx: ValueContext): Predicate {
  return allOf([
    asks(given.dir, value => ({ packet }) => packet.direction === value),
    asks(given.origsrc, isAddressOf(0, 'src', cx)), asks(given.origdst, isAddressOf(0, 'dst', cx)),
    asks(given.replsrc, isAddressOf(1, 'src', cx)), asks(given.repldst, isAddressOf(1, 'dst', cx)),
    asks(given.proto, number => ofConnection(connection => connection.original.protocol === number)),
    asks(given.origsrcport, isPortOf(0, 'sport')), asks(given.origdstport, isPortOf(0, 'dport')),
    asks(given.replsrcport, isPortOf(1, 'sport')), asks(given.repldstport, isPortOf(1, 'dport')),
    asks(given.status, words => {
      const bits = words.reduce((sum, word) => sum | ctstatus[word], 0);
      return ofConnection(connection => (connection.status & bits) !== 0);
    }),
    asks(given.expire, ({ low, high }) => ofConnection((connection, t) => {
      const left = secondsLeft(connection, t.world.now);
      return left >= low && left <= high;
    })),
  ]);
}

function compile(given: GivenOf<typeof options>, cx: ValueContext): Predicate {
  const rest = asksConnection(given, cx);
  if (given.state === undefined) return t => t.packet.connection !== undefined && rest(t);
  const inState = asks(given.state, isInState);
  return rest === everyPacket ? inState : t => inState(t) && (t.packet.connection === undefined || rest(t));
}

/**
 * @see conntrack_mt() in net/netfilter/xt_conntrack.c. Where a packet has no connection, nothing but
 * --ctstate is looked at: given, it decides alone; not given, the packet does not match.
 * The NAT bits of --ctstate and --ctstatus NONE, which is no bit at all, are not what they look like.
 */
export const conntrack = defineMatch('conntrack', () => ({
  doc: 'Matches packets by what connection tracking knows of their connection.',
  tracks: true,
  usesOrder: true,
  options,
  check: (given, { ordered }) => {
    if (ordered.length === 0) return 'at least one option must be given';
    const before = ordered.slice(0, ordered.findIndex(({ key }) => key === 'proto'));
    return given.proto?.value === 0 && before.some(({ key, negated }) => key === 'status' && negated)
      ? '`--ctproto 0` is refused behind a negated --ctstatus, which the loader mistakes for a negated protocol' : undefined;
  },
  means: ({ state, ...others }, cx) => {
    const rest = all(meanings(others, cx));
    if (state === undefined) return all([tracked, rest]);
    const inState = state.negated ? not(inStates(state.value)) : inStates(state.value);
    const isOfUntracked = (['INVALID', 'UNTRACKED'] as const).some(word => state.value.includes(word) !== state.negated);
    return all([inState, isOfUntracked ? any([not(tracked), rest]) : rest]);
  },
  matches: compile,
  examples: [
    ['-m conntrack --ctstate RELATED,ESTABLISHED', '='],
    ['-m conntrack --ctstate est,rel,N', '-m conntrack --ctstate NEW,RELATED,ESTABLISHED'],
    ['-m conntrack --ctdir reply ! --ctproto TCP --ctorigsrc 10.1.2.3/255.0.0.0', '-m conntrack ! --ctproto 6 --ctorigsrc 10.1.2.3/8 --ctdir REPLY'],
    ['-m conntrack --ctorigdstport 010: --ctexpire 10:', '-m conntrack --ctorigdstport 10:65535 --ctexpire 10:4294967295'],
    ['-m conntrack --ctstatus none', '-m conntrack --ctstatus NONE'],
    ['-m conntrack --ctstate NEW,', undefined],
    ['-m conntrack ! --ctdir REPLY', undefined],
    ['-m conntrack', undefined],
  ],
}));
