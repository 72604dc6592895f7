import { all, atom, not } from '../../packet/constraint.js';
import { everyPacket, noPacket } from '../../packet/predicates.js';
import { flag } from '../../values/flag.js';
import { hostMask } from '../../values/host-mask.js';
import { keyword } from '../../values/keyword.js';
import { integer, parseInteger } from '../../values/number.js';
import type { Arbitrary, Fc, Value, ValueContext } from '../../values/value.js';
import { defineMatch, option, type AnyOption, type Hook, type OrderedOption, type RuleContext } from '../define.js';

const id = integer(0, 0xffff_ffff);
const spi = integer(0, 0xffff_ffff, { hex: true });
const protocolName = keyword({ esp: 50, 'IPSEC-ESP': 50, ah: 51, 'IPSEC-AH': 51, ipcomp: 108, IPCOMP: 108 }, { name: 'protocol of IPsec' });
/** By name or number. */
const protocol: Value<number> = {
  ...protocolName,
  parse: (words, cx) => [50, 51, 108].find(number => parseInteger(words[0] ?? '', number, number) === number) ?? protocolName.parse(words, cx),
  arbitrary: (fc, cx) => fc.oneof(protocolName.arbitrary(fc, cx), fc.constantFrom(['50'], ['0x33'], ['0154'])),
};
const mode = keyword({ transport: 'transport', tunnel: 'tunnel' }, { name: 'mode (transport or tunnel)' });

/** What describes one element of the policy, in the order in which it is saved. */
const elementOptions = {
  reqid: option({ names: ['--reqid'], doc: 'number of the request', value: id, negatable: true, repeat: 'last' }),
  spi: option({ names: ['--spi'], doc: 'security parameter index', value: spi, negatable: true, repeat: 'last' }),
  proto: option({ names: ['--proto'], doc: 'protocol of the encapsulation', value: protocol, negatable: true, repeat: 'last' }),
  mode: option({ names: ['--mode'], doc: 'transport or tunnel mode', value: mode, negatable: true, repeat: 'last' }),
  tunnelDst: option({ names: ['--tunnel-dst'], doc: 'end of the tunnel', value: hostMask, negatable: true, repeat: 'last' }),
  tunnelSrc: option({ names: ['--tunnel-src'], doc: 'beginning of the tunnel', value: hostMask, negatable: true, repeat: 'last' }),
};
const elementEntries: readonly (readonly [string, AnyOption])[] = Object.entries(elementOptions);
const maxElements = 4;

type Element = readonly OrderedOption[];

/** The options of each element; `--next` stands between two. */
function elementsOf(ordered: readonly OrderedOption[]): readonly Element[] {
  const elements: OrderedOption[][] = [[]];
  for (const one of ordered) {
    if (one.key === 'next') elements.push([]);
    else if (one.key in elementOptions) elements.at(-1)?.push(one);
  }
  return elements;
}

function doubled(element: Element): string | undefined {
  return elementEntries.find(([key]) => element.filter(one => one.key === key).length > 1)?.[1].names[0];
}

/** Tunnel addresses without `--mode` are refused as in transport mode, whose number is zero. */
function isTunnel(element: Element): boolean {
  const given = element.find(one => one.key === 'mode');
  return given !== undefined && (given.value === 'tunnel') !== given.negated;
}

function checkElement(element: Element, strict: boolean): string | undefined {
  if (strict && element.length === 0) return 'with --strict each element must be described, by --reqid, --spi, --proto, --mode, --tunnel-src or --tunnel-dst';
  const hasTunnel = element.some(one => one.key === 'tunnelSrc' || one.key === 'tunnelDst');
  return hasTunnel && !isTunnel(element) ? '--tunnel-src and --tunnel-dst need --mode tunnel with them' : undefined;
}

function printElement(element: Element, cx: RuleContext): string {
  return elementEntries.flatMap(([key, { names, value }]) => element.filter(one => one.key === key)
    .map(one => `${one.negated ? '! ' : ''}${names[0]} ${value.print(one.value, cx)}`)).join(' ');
}

function arbitraryElement(fc: Fc, cx: ValueContext): Arbitrary<readonly string[]> {
  const words = (key: keyof typeof elementOptions): Arbitrary<readonly string[]> => {
    const { names, value }: AnyOption = elementOptions[key];
    return fc.tuple(fc.boolean(), value.arbitrary(fc, cx)).map(([bang, list]) => [...bang ? ['!'] : [], names[0], ...list]);
  };
  const tunnel = fc.tuple(fc.constantFrom(['--mode', 'tunnel'], ['!', '--mode', 'transport']), words('tunnelDst'), words('tunnelSrc'));
  return fc.tuple(fc.tuple(words('reqid'), words('spi'), words('proto')), fc.oneof(tunnel, words('mode').map(one => [one]))).chain(([plain, rest]) => {
    const parts: readonly (readonly string[])[] = [...plain, ...rest];
    const [last] = rest;
    return fc.shuffledSubarray([...parts]).map(list => [...list.filter(one => one !== last), last].flat());
  });
}

const incoming: readonly Hook[] = ['PREROUTING', 'INPUT', 'FORWARD'];
const outgoing: readonly Hook[] = ['FORWARD', 'OUTPUT', 'POSTROUTING'];

/** @see policy_mt() and policy_mt_check() in net/netfilter/xt_policy.c, policy_check() in libxt_policy.c */
export const policy = defineMatch('policy', () => ({
  doc: 'Matches packets that came, or will go, through IPsec.',
  usesOrder: true,
  options: {
    dir: option({ names: ['--dir'], doc: 'in: how it came; out: how it will go', value: keyword({ in: 'in', out: 'out' }, { name: 'direction (in or out)' }), required: true }),
    pol: option({ names: ['--pol'], doc: 'none: without IPsec; ipsec: with it', value: keyword({ none: 'none', ipsec: 'ipsec' }, { name: 'policy (none or ipsec)' }) }),
    strict: option({ names: ['--strict'], doc: 'the elements describe the whole policy', value: flag }),
    ...elementOptions,
    next: option({ names: ['--next'], doc: 'the next element follows', value: flag, repeat: 'last', needs: ['strict'] }),
  },
  hooks: ({ dir }) => dir?.value === 'out' ? outgoing : incoming,
  check: ({ pol, strict }, { ordered }) => {
    const elements = elementsOf(ordered);
    if (elements.length > maxElements) return `${String(elements.length)} elements are given, and at most ${String(maxElements)} are allowed`;
    const twice = elements.map(doubled).find(name => name !== undefined);
    if (twice !== undefined) return `${twice} is given twice for one element`;
    if (pol?.value === 'none') return strict === undefined ? undefined : '--strict cannot be used together with --pol none';
    return elements.map(element => checkElement(element, strict !== undefined)).find(message => message !== undefined);
  },
  save: ({ dir, pol, strict }, cx) => {
    const start = `--dir ${dir?.value ?? 'in'} --pol ${pol?.value ?? 'ipsec'}`;
    // What is asked besides is lost.
    if (pol?.value === 'none') return start;
    const elements = elementsOf(cx.ordered).map(element => printElement(element, cx)).join(' --next ');
    return `${start}${strict === undefined ? '' : ' --strict'}${elements === '' ? '' : ` ${elements}`}`;
  },
  means: ({ dir, pol, strict }, cx) => {
    const direction = dir?.value ?? 'in';
    const ipsec = atom(`policy ${direction} ipsec`);
    if (pol?.value === 'none') return not(ipsec);
    const elements = elementsOf(cx.ordered).map(element => printElement(element, cx)).join(' --next ');
    return elements === '' ? ipsec : all([ipsec, atom(`policy ${direction}${strict === undefined ? '' : ' strict'} ${elements}`)]);
  },
  // No IPsec is modelled: no packet came through it, and none will.
  matches: ({ pol }) => pol?.value === 'none' ? everyPacket : noPacket,
  arbitrary: (fc, cx) => {
    const element = arbitraryElement(fc, cx);
    const ipsec = fc.constantFrom<readonly string[]>([], ['--pol', 'ipsec']);
    const strict = fc.tuple(ipsec, fc.array(element, { minLength: 1, maxLength: maxElements }))
      .map(([pol, elements]) => [...pol, '--strict', ...elements.flatMap((words, index) => index === 0 ? words : ['--next', ...words])]);
    const loose = fc.tuple(ipsec, fc.oneof(element, fc.constant([]))).map(parts => parts.flat());
    const none = fc.oneof(fc.constant([]), element).map(words => [...words, '--pol', 'none']);
    return fc.tuple(fc.constantFrom('in', 'out'), fc.boolean(), fc.oneof(strict, loose, none))
      .map(([dir, first, words]) => first ? ['--dir', dir, ...words] : [...words, '--dir', dir]);
  },
  examples: [
    ['-m policy --dir in', '-m policy --dir in --pol ipsec'],
    ['-m policy --pol none --dir out --reqid 1', '-m policy --dir out --pol none', { chain: 'OUTPUT' }],
    ['-m policy --dir in --strict --spi 16 ! --reqid 1 --next --proto 50', '-m policy --dir in --pol ipsec --strict ! --reqid 1 --spi 0x10 --next --proto esp'],
    ['-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 10.1.2.3/255.0.255.0', '-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 10.1.2.3'],
    ['-m policy --dir in --tunnel-src 10.0.0.1', undefined],
    ['-m policy --dir in --strict --reqid 1 --next', undefined],
    ['-m policy --dir in', undefined, { chain: 'OUTPUT' }],
  ],
}));
