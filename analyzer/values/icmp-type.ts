import { scanNumber } from './number.js';
import { refuse, type Arbitrary, type Fc, type Problem, type Value } from './value.js';

/** A type and the codes of it, inclusive; the codes may be upside down, and then none will do. */
export interface IcmpType {
  readonly type: number;
  readonly lowCode: number;
  readonly highCode: number;
}

/** `name type[/code]`, a line each (IANA icmp-parameters and the older names that iptables has). */
const icmpTable = `
any 255
echo-reply 0
pong 0
destination-unreachable 3
network-unreachable 3/0
host-unreachable 3/1
protocol-unreachable 3/2
port-unreachable 3/3
fragmentation-needed 3/4
source-route-failed 3/5
network-unknown 3/6
host-unknown 3/7
network-prohibited 3/9
host-prohibited 3/10
TOS-network-unreachable 3/11
TOS-host-unreachable 3/12
communication-prohibited 3/13
host-precedence-violation 3/14
precedence-cutoff 3/15
source-quench 4
redirect 5
network-redirect 5/0
host-redirect 5/1
TOS-network-redirect 5/2
TOS-host-redirect 5/3
echo-request 8
ping 8
router-advertisement 9
router-solicitation 10
time-exceeded 11
ttl-exceeded 11
ttl-zero-during-transit 11/0
ttl-zero-during-reassembly 11/1
parameter-problem 12
ip-header-bad 12/0
required-option-missing 12/1
timestamp-request 13
timestamp-reply 14
address-mask-request 17
address-mask-reply 18
`;

const icmpv6Table = `
destination-unreachable 1
no-route 1/0
communication-prohibited 1/1
beyond-scope 1/2
address-unreachable 1/3
port-unreachable 1/4
failed-policy 1/5
reject-route 1/6
packet-too-big 2
time-exceeded 3
ttl-exceeded 3
ttl-zero-during-transit 3/0
ttl-zero-during-reassembly 3/1
parameter-problem 4
bad-header 4/0
unknown-header-type 4/1
unknown-option 4/2
echo-request 128
ping 128
echo-reply 129
pong 129
router-solicitation 133
router-advertisement 134
neighbour-solicitation 135
neighbor-solicitation 135
neighbour-advertisement 136
neighbor-advertisement 136
redirect 137
`;

interface NamedType extends IcmpType {
  readonly name: string;
}

function readTable(table: string): readonly NamedType[] {
  return table.trim().split('\n').map(row => {
    const [name = '', numbers = ''] = row.split(' ');
    const [type, code] = numbers.split('/');
    return { name, type: Number(type), lowCode: Number(code ?? 0), highCode: Number(code ?? 255) };
  });
}

/** `number[:number]` of 0 to 255 at the start of `text`. */
function scanRange(text: string): { readonly low: number; readonly high: number; readonly rest: string } | undefined {
  const low = scanNumber(text);
  if (low === undefined || low.value > 255n) return undefined;
  const high = low.rest.startsWith(':') ? scanNumber(low.rest.slice(1)) : low;
  return high === undefined || high.value > 255n ? undefined : { low: Number(low.value), high: Number(high.value), rest: high.rest };
}

function parseNumbers(word: string): IcmpType | Problem {
  const type = scanRange(word);
  if (type === undefined) return refuse(`\`${word}\` is neither the name of a type nor a number of 0 to 255`);
  if (type.rest !== '' && !type.rest.startsWith('/')) return refuse(`\`${type.rest}\` behind the type is not \`/\` and a code`);
  const code = type.rest === '' ? { low: 0, high: 255, rest: '' } : scanRange(type.rest.slice(1));
  if (code?.rest !== '') return refuse(`\`${type.rest.slice(1)}\` is not a code (0 to 255)`);
  if (type.low !== type.high) return refuse('a range of types is not supported', 'write one rule for each type');
  return { type: type.low, lowCode: code.low, highCode: code.high };
}

/** The names, also cut short and in any case, as far as they stay unique. */
function arbitraryName(fc: Fc, names: readonly NamedType[]): Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...names), fc.nat(40), fc.boolean()).map(([{ name }, cut, upper]) => {
    const short = name.slice(0, Math.max(1, cut));
    const unique = names.filter(one => one.name.toLowerCase().startsWith(short.toLowerCase())).length === 1;
    const word = unique ? short : name;
    return upper ? word.toUpperCase() : word.toLowerCase();
  });
}

/**
 * A type by name (a unique start of it will do) or `type[/code[:code]]` in any base.
 * Of a range of codes only the first is saved: a rule set does not survive saving with it.
 * @see __parse_icmp() in libxt_icmp.h
 */
function icmpTypeValue(table: string, protocol: string, print: (type: IcmpType) => string): Value<IcmpType> {
  const names = readTable(table);
  return {
    syntax: 'name or type[/code]',
    words: 1,
    parse: ([word = '']) => {
      const found = names.filter(one => one.name.toLowerCase().startsWith(word.toLowerCase()));
      const [first, second] = found;
      if (first === undefined) return parseNumbers(word);
      if (second === undefined) return { type: first.type, lowCode: first.lowCode, highCode: first.highCode };
      return refuse(`\`${word}\` could be ${protocol} type \`${first.name}\` or \`${second.name}\``);
    },
    print,
    arbitrary: fc => {
      const byte = fc.oneof(fc.constantFrom(0, 3, 8, 255), fc.integer({ min: 0, max: 255 }));
      const numbers = fc.tuple(byte, byte, byte, fc.constantFrom('type', 'code', 'code', 'codes', 'same', 'hex')).map(([type, code, other, form]) => {
        const forms: Record<typeof form, string> = {
          type: String(type), code: `${String(type)}/${String(code)}`, codes: `${String(type)}/${String(code)}:${String(other)}`,
          same: `${String(type)}:${String(type)}/${String(code)}`, hex: `0x${type.toString(16)}/0${code.toString(8)}`,
        };
        return forms[form];
      });
      return fc.oneof(arbitraryName(fc, names), numbers).map(word => [word]);
    },
  };
}

function printType({ type, lowCode, highCode }: IcmpType): string {
  return lowCode === 0 && highCode === 255 ? String(type) : `${String(type)}/${String(lowCode)}`;
}

/** Type 255 stands for any type, with whatever code. */
export const icmpType = icmpTypeValue(icmpTable, 'ICMP', type => type.type === 255 ? 'any' : printType(type));

export const icmpv6Type = icmpTypeValue(icmpv6Table, 'ICMPv6', printType);
