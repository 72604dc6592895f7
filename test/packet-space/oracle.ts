/**
 * A tiny world of rules and packets, and an independent reading of it: every packet is led through the rules along every
 * way that the unknown leaves open. Slow and plain on purpose; nothing is shared with what it checks.
 */
import * as fc from 'fast-check';

export interface Packet {
  readonly src: string;
  readonly in: string;
  readonly out: string;
  readonly protocol: number;
  readonly dport: number;
  readonly state: string;
  readonly local: boolean;
  readonly mark: number;
  /** A later fragment carries no ports. */
  readonly fragment: boolean;
}

type Negatable<T> = { readonly not: boolean; readonly is: T } | undefined;

/** The rule of this little world, from which both its text and its meaning are made. */
export interface ToyRule {
  readonly chain: string;
  readonly src: Negatable<string>;
  readonly in: Negatable<string>;
  readonly out: Negatable<string>;
  readonly proto: 'tcp' | 'udp' | '!tcp' | undefined;
  /** Only with tcp or udp. */
  readonly ports: Negatable<readonly string[]>;
  readonly states: Negatable<readonly string[]>;
  readonly local: boolean | undefined;
  readonly mark: Negatable<readonly [number, number]>;
  /** `-m limit`: nobody knows. */
  readonly limit: boolean;
  readonly target: string;
}

export interface ToyRuleset {
  readonly policies: Readonly<Record<string, 'ACCEPT' | 'DROP'>>;
  readonly rules: readonly ToyRule[];
}

export const userChains = ['A', 'B', 'C'];
const sources = ['10.0.0.0/8', '10.1.0.0/16', '10.1.1.1/32', '192.168.0.0/16', '10.128.0.0/9'];
const states = ['INVALID', 'NEW', 'ESTABLISHED', 'RELATED'];
const portRanges = ['22', '80', '0:1023', '1000:2000', '2001:65535'];

function negatable<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Negatable<T>> {
  return fc.oneof(fc.constant(undefined), fc.record({ not: fc.boolean(), is: arbitrary }));
}

function targets(chain: string): fc.Arbitrary<string> {
  const below = userChains.slice(userChains.indexOf(chain) + 1);
  const calls = below.flatMap(name => [`-j ${name}`, `-j ${name}`, `-j ${name}`, `-g ${name}`]);
  return fc.constantFrom('-j ACCEPT', '-j DROP', '-j RETURN', '-j REJECT', '-j ACCEPT', '-j DROP', '-j RETURN', '-j RETURN', '-j LOG', '', '-j REJECT --reject-with tcp-reset', '-j NFQUEUE --queue-num 1 --queue-bypass', ...calls, ...calls);
}

function rule(chain: string, rich: boolean): fc.Arbitrary<ToyRule> {
  const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
  const isIn = chain !== 'OUTPUT';
  const isOut = chain !== 'INPUT';
  return fc.record({
    chain: fc.constant(chain), src: negatable(fc.constantFrom(...sources)),
    in: isIn ? rarely(fc.record({ not: fc.boolean(), is: fc.constantFrom('eth0', 'eth1', 'eth+', 'lo') })) : fc.constant(undefined),
    out: isOut ? rarely(fc.record({ not: fc.boolean(), is: fc.constantFrom('eth0', 'eth+') })) : fc.constant(undefined),
    proto: fc.constantFrom('tcp' as const, 'tcp' as const, 'udp' as const, '!tcp' as const, undefined),
    ports: negatable(fc.uniqueArray(fc.constantFrom(...portRanges), { minLength: 1, maxLength: 3 })),
    states: rarely(fc.record({ not: fc.boolean(), is: fc.uniqueArray(fc.constantFrom(...rich ? ['NEW', 'ESTABLISHED'] : states), { minLength: 1, maxLength: 3 }) })),
    local: rich ? rarely(fc.boolean()) : fc.constant(undefined),
    mark: rich ? rarely(fc.record({ not: fc.boolean(), is: fc.constantFrom([1, 3] as const, [2, 2] as const, [4, 0xff] as const) })) : fc.constant(undefined),
    limit: rich ? fc.constantFrom(false, false, false, false, true) : fc.constant(false),
    target: targets(chain).filter(target => rich || (!target.includes('LOG') && !target.includes('NFQUEUE'))),
    keep: fc.constantFrom('all', 'few', 'few', 'one', 'none'), only: fc.constantFrom('src', 'proto', 'states', 'in', 'out'),
  }).map(thinned);
}

const free = { src: undefined, in: undefined, out: undefined, proto: undefined, ports: undefined, states: undefined, local: undefined, mark: undefined, limit: false };

/** Where every rule asks much, none stands in the way of another: some ask little, or nothing. */
function thinned({ keep, only, ...rule }: ToyRule & { readonly keep: string; readonly only: keyof ToyRule }): ToyRule {
  const one = keep === 'all' ? rule : keep === 'few' ? { ...rule, ports: undefined, local: undefined, mark: undefined, limit: false } : keep === 'one' ? { ...rule, ...free, [only]: rule[only] } : { ...rule, ...free };
  return { ...one, proto: one.target.includes('tcp-reset') ? 'tcp' : one.proto };
}

/** Rule sets with at most `size` rules a chain; a `rich` one holds what is unknown, atoms and marks too. */
export function toyRulesets(size: number, rich: boolean): fc.Arbitrary<ToyRuleset> {
  const chains = ['INPUT', 'OUTPUT', ...userChains];
  return fc.record({
    policies: fc.record({ INPUT: fc.constantFrom('ACCEPT', 'DROP'), OUTPUT: fc.constantFrom('ACCEPT', 'DROP') }),
    rules: fc.tuple(...chains.map(chain => fc.array(rule(chain, rich), { maxLength: size }))).map(lists => lists.flat()),
  });
}

const bang = (given: { readonly not: boolean } | undefined): string => given?.not === true ? '! ' : '';

export function ruleText(one: ToyRule): string {
  const proto = one.proto === undefined ? '' : one.proto === '!tcp' ? ' ! -p tcp' : ` -p ${one.proto}`;
  const hasPorts = one.ports !== undefined && (one.proto === 'tcp' || one.proto === 'udp');
  return [
    `-A ${one.chain}`,
    one.src === undefined ? '' : `${bang(one.src)}-s ${one.src.is}`, one.in === undefined ? '' : `${bang(one.in)}-i ${one.in.is}`,
    one.out === undefined ? '' : `${bang(one.out)}-o ${one.out.is}`, proto.trim(),
    hasPorts ? `-m multiport ${bang(one.ports)}--dports ${one.ports.is.join(',')}` : '',
    one.states === undefined ? '' : `-m conntrack ${bang(one.states)}--ctstate ${one.states.is.join(',')}`,
    one.local === undefined ? '' : `-m addrtype ${one.local ? '' : '! '}--dst-type LOCAL`,
    one.mark === undefined ? '' : `-m mark ${bang(one.mark)}--mark 0x${one.mark.is[0].toString(16)}/0x${one.mark.is[1].toString(16)}`,
    one.limit ? '-m limit --limit 5/min' : '', one.target,
  ].filter(word => word !== '').join(' ');
}

export function rulesetText({ policies, rules }: ToyRuleset): string {
  return [
    '*filter', ...Object.entries(policies).map(([chain, policy]) => `:${chain} ${policy} [0:0]`), ...userChains.map(chain => `:${chain} - [0:0]`),
    ...rules.map(ruleText), 'COMMIT', '',
  ].join('\n');
}

const known = new Map<string, readonly Packet[]>();

/** One packet of every kind that the rules, and the further tests, tell apart. */
export function packetsOf({ rules }: ToyRuleset, hook: 'INPUT' | 'OUTPUT', rich: boolean, tests: readonly ((packet: Packet) => boolean)[] = []): readonly Packet[] {
  const key = `${hook} ${String(rich)}`;
  const all = known.get(key) ?? everyPacket(hook, rich);
  known.set(key, all);
  const kinds = new Map<string, Packet>();
  // Where connections are tracked, fragments are put together before any rule.
  const areWhole = rules.some(one => one.states !== undefined);
  for (const packet of all) if (!packet.fragment || !areWhole) kinds.set([...rules.map(one => meets(one, packet)), ...tests.map(one => one(packet))].map(Number).join(''), packet);
  return [...kinds.values()];
}

/** One packet at least of every kind that rules of this world can tell apart. */
function everyPacket(hook: 'INPUT' | 'OUTPUT', rich: boolean): readonly Packet[] {
  const packets: Packet[] = [];
  for (const src of ['10.1.1.1', '10.1.2.2', '10.2.2.2', '10.200.0.1', '192.168.1.1', '8.8.8.8']) {
    for (const name of hook === 'INPUT' ? ['eth0', 'eth1', 'eth9', 'lo', 'wlan0'] : ['eth0', 'eth9', 'lo']) {
      for (const [protocol, dports] of [[6, [22, 80, 443, 1010, 1500, 5000]], [17, [22, 80, 443, 1010, 1500, 5000]], [47, [0]]] as const) {
        for (const dport of dports) for (const state of rich ? ['NEW', 'ESTABLISHED', 'UNTRACKED'] : [...states, 'UNTRACKED']) {
          for (const local of rich ? [true, false] : [false]) for (const mark of rich ? [0, 1, 2, 3, 4, 5] : [0]) {
            const packet = { src, in: hook === 'INPUT' ? name : '', out: hook === 'OUTPUT' ? name : '', protocol, dport, state, local, mark };
            packets.push({ ...packet, fragment: false });
            // Whatever the ports, they are not there.
            if (dport < 80) packets.push({ ...packet, fragment: true });
          }
        }
      }
    }
  }
  return packets;
}

function addressNumber(text: string): number {
  return text.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

const inNetKnown = new Map<string, boolean>();

function inNet(address: string, net: string): boolean {
  const key = `${address} ${net}`;
  const known = inNetKnown.get(key) ?? lookUp(address, net);
  inNetKnown.set(key, known);
  return known;
}

function lookUp(address: string, net: string): boolean {
  const [base = '', bits = '32'] = net.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(addressNumber(address) / size) === Math.floor(addressNumber(base) / size);
}

const rangeOf = new Map(portRanges.map(range => {
  const [low = '', high = low] = range.split(':');
  return [range, [Number(low), Number(high)] as const];
}));

function inRange(port: number, range: string): boolean {
  const [low = 0, high = -1] = rangeOf.get(range) ?? [];
  return low <= port && port <= high;
}

function nameMatches(name: string, pattern: string): boolean {
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function given<T>(one: Negatable<T>, test: (value: T) => boolean): boolean {
  if (one === undefined) return true;
  return test(one.is) !== one.not;
}

/** What is known of a rule and a packet; `limit` comes on top. */
export function meets(one: ToyRule, packet: Packet): boolean {
  const { proto } = one;
  if (proto === 'tcp' ? packet.protocol !== 6 : proto === 'udp' ? packet.protocol !== 17 : proto === '!tcp' && packet.protocol === 6) return false;
  const hasPorts = proto === 'tcp' || proto === 'udp';
  return given(one.src, net => inNet(packet.src, net)) && given(one.in, name => nameMatches(packet.in, name)) && given(one.out, name => nameMatches(packet.out, name))
    && (!hasPorts || one.ports === undefined || (!packet.fragment && given(one.ports, list => list.some(range => inRange(packet.dport, range)))))
    && given(one.states, list => list.includes(packet.state)) && (one.local === undefined || one.local === packet.local)
    && given(one.mark, ([value, mask]) => (packet.mark & mask) === value);
}

/** One way of a packet: the rules it matched, in order, and its fate. */
export interface Way {
  readonly matched: readonly ToyRule[];
  readonly fate: string;
}

const ends = new Set(['-j ACCEPT', '-j DROP', '-j REJECT', '-j REJECT --reject-with tcp-reset']);

/** A rule set, and a rule that does not count. */
export interface World {
  readonly toys: ToyRuleset;
  /** This rule is noted where it matches, and does nothing. */
  readonly without?: ToyRule | undefined;
}

interface Unfinished {
  readonly matched: readonly ToyRule[];
  readonly fate: string | undefined;
}

/** All ways of a packet through a built-in chain. */
export function ways(world: World, hook: string, packet: Packet): readonly Way[] {
  return runChain(world, hook, packet, []).map(({ matched, fate }) => ({ matched, fate: fate ?? (world.toys.policies[hook] === 'DROP' ? '-j DROP' : '-j ACCEPT') }));
}

function runChain(world: World, chain: string, packet: Packet, before: readonly ToyRule[]): readonly Unfinished[] {
  const done: Unfinished[] = [];
  let open: (readonly ToyRule[])[] = [before];
  for (const one of world.toys.rules.filter(rule => rule.chain === chain && meets(rule, packet))) {
    const next: (readonly ToyRule[])[] = [];
    for (const past of open) {
      if (one.limit) next.push(past);
      const matched = [...past, one];
      if (one === world.without || one.target === '' || one.target === '-j LOG') next.push(matched);
      else if (ends.has(one.target)) done.push({ matched, fate: one.target });
      else if (one.target === '-j RETURN') done.push({ matched, fate: undefined });
      else if (one.target.startsWith('-j NFQUEUE')) {
        done.push({ matched, fate: 'unknown' });
        next.push(matched);
      } else {
        for (const way of runChain(world, one.target.slice(3), packet, matched)) {
          if (way.fate !== undefined || one.target.startsWith('-g')) done.push(way);
          else next.push(way.matched);
        }
      }
    }
    open = next;
  }
  return [...done, ...open.map(matched => ({ matched, fate: undefined }))];
}

/**
 * The rules that a packet can match if all rules but `certain` may be missing. (All ways would be too many: whether a
 * chain can be left is all that its caller need know.)
 */
export function arrivals(toys: ToyRuleset, certain: ReadonlySet<ToyRule>, hook: string, packet: Packet): Set<ToyRule> {
  const met = new Set<ToyRule>();
  const falls = (chain: string): boolean => {
    let left = false;
    for (const one of toys.rules.filter(rule => rule.chain === chain && meets(rule, packet))) {
      met.add(one);
      const isCertain = certain.has(one) && !one.limit;
      if (one.target === '-j RETURN') {
        left = true;
        if (isCertain) return true;
      } else if (ends.has(one.target)) {
        if (isCertain) return left;
      } else if (/^-[jg] [ABC]$/u.test(one.target)) {
        const back = falls(one.target.slice(3));
        if (one.target.startsWith('-g')) left ||= back;
        if (isCertain && (one.target.startsWith('-g') || !back)) return left;
      }
    }
    return true;
  };
  falls(hook);
  return met;
}
