/** Rule sets for the judge, drawn from a seed: in the kinds that people have, and full of rules that get in each other's way. */
import { addressText, type Family } from './bdd-packets.js';

/** Chance, the same each time. */
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e37_79b1) >>> 0;
  }

  /** A number of 0 … `count` − 1 (xorshift of Weyl's sequence). */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let word = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return Math.floor((word ^ (word >>> 14)) >>> 0) % count;
  }

  /** True once in so many times. */
  once(times: number): boolean { return this.below(times) === 0; }

  of<T>(list: readonly T[]): T {
    const one = list[this.below(list.length)];
    if (one === undefined) throw new RangeError('nothing to draw from');
    return one;
  }
}

/** What rules are drawn with. */
interface Pen {
  readonly draw: Draw;
  readonly family: Family;
  /** Networks that hold each other, as `address/length`. */
  readonly nets: readonly string[];
}

const ports = ['22', '53', '80', '443', '8080', '0:1023', '1024:65535', '8000:8999', '1:79', '60000:65535', '81', '5432'];
const flagTests = ['FIN,SYN,RST,ACK SYN', 'SYN,RST SYN,RST', 'ALL NONE', 'FIN,SYN FIN,SYN', 'ACK,URG URG', 'SYN SYN'];
const stateLists = ['NEW', 'RELATED,ESTABLISHED', 'ESTABLISHED', 'INVALID', 'NEW,UNTRACKED', 'INVALID,NEW,RELATED'];
const marks = ['0x1/0x3', '0x2/0x2', '0x4/0xff', '0x0/0x1', '0x10/0xf0'];
const endings = ['ACCEPT', 'ACCEPT', 'ACCEPT', 'DROP', 'DROP', 'REJECT', 'REJECT --reject-with icmp-port-unreachable'];

function penFor(draw: Draw, family: Family, sites: number): Pen {
  const isV4 = family === 'ipv4';
  const base = isV4 ? 10n << 24n : 0x2001_0db8n << 96n;
  const site = (shift: number): bigint => base | (BigInt(draw.below(256)) << BigInt(shift));
  const nets = Array.from({ length: sites }, () => site(isV4 ? 16 : 80)).flatMap(start => {
    const lengths = isV4 ? [16, 16 + draw.below(8), 24, 25 + draw.below(7), 32] : [48, 48 + draw.below(16), 64, 64 + draw.below(60), 128];
    const inside = start | BigInt(draw.below(65_536));
    return lengths.map(length => {
      const rest = BigInt((isV4 ? 32 : 128) - length);
      return `${addressText((inside >> rest) << rest, family)}/${String(length)}`;
    });
  });
  return { draw, family, nets: [...nets, `${addressText(base, family)}/${isV4 ? '8' : '32'}`] };
}

function maybeNot(draw: Draw): string { return draw.once(8) ? '! ' : ''; }

function addresses({ draw, nets }: Pen, loose: number): string {
  return ['-s', '-d'].map(option => draw.once(loose) ? '' : `${maybeNot(draw)}${option} ${draw.of(nets)} `).join('');
}

function transport({ draw, family }: Pen): string {
  const protocol = draw.of(['tcp', 'tcp', 'tcp', 'udp', 'icmp', 'gre', '']);
  if (protocol === '') return draw.once(6) ? '! -p tcp ' : '';
  if (protocol === 'gre') return '-p gre ';
  if (protocol === 'icmp') return family === 'ipv4' ? `-p icmp -m icmp ${maybeNot(draw)}--icmp-type ${draw.of(['8', '3/1', '0', '3/4'])} ` : `-p ipv6-icmp -m icmp6 ${maybeNot(draw)}--icmpv6-type ${draw.of(['128', '129', '1/3'])} `;
  const list = Array.from({ length: 1 + draw.below(4) }, () => draw.of(ports)).join(',');
  const tests = [
    '', `-m ${protocol} ${maybeNot(draw)}--dport ${draw.of(ports)} `, `-m ${protocol} --dport ${draw.of(ports)} `, `-m ${protocol} --sport ${draw.of(ports)} ${maybeNot(draw)}--dport ${draw.of(ports)} `,
    `-m multiport ${maybeNot(draw)}--${draw.of(['dports', 'dports', 'sports', 'ports'])} ${list} `,
    protocol === 'tcp' ? `-m tcp ${maybeNot(draw)}--tcp-flags ${draw.of(flagTests)} ` : '',
  ];
  return `-p ${protocol} ${draw.of(tests)}`;
}

function state({ draw }: Pen, often: number): string {
  return draw.once(often) ? `-m conntrack ${maybeNot(draw)}--ctstate ${draw.of(stateLists)} ` : '';
}

function odd({ draw, family, nets }: Pen): string {
  if (draw.once(12)) return `-m mark ${maybeNot(draw)}--mark ${draw.of(marks)} `;
  if (family === 'ipv6' || !draw.once(12)) return '';
  const low = (draw.of(nets).split('/')[0] ?? '').split('.').slice(0, 3).join('.');
  const [from, to] = [draw.below(256), draw.below(256)].sort((a, b) => a - b);
  return `-m iprange ${maybeNot(draw)}--${draw.of(['src', 'dst'])}-range ${low}.${String(from)}-${low}.${String(to)} `;
}

function interfaces({ draw }: Pen, chain: string, often: number): string {
  const names = ['eth0', 'eth1', 'eth2', 'eth+', 'lo', 'wg0'];
  const one = (option: string, hasIt: boolean): string => hasIt && draw.once(often) ? `${maybeNot(draw)}${option} ${draw.of(names)} ` : '';
  return one('-i', chain !== 'OUTPUT') + one('-o', chain !== 'INPUT');
}

function ending({ draw, family }: Pen): string {
  return draw.of(endings).replace('icmp-port', family === 'ipv4' ? 'icmp-port' : 'icmp6-port');
}

/** Where many rules take everything, or almost, little is left for the others: mostly one is drawn that names an address without `!`. */
function telling({ draw }: Pen, rule: () => string): string {
  for (let left = draw.once(60) ? 0 : 4; left > 0; left--) {
    const one = rule();
    if (/^(?!.*! -[sd]).*-[sd] /u.test(one)) return one;
  }
  return rule();
}

/** An access list: addresses, ports, states; no chains. */
function accessList(pen: Pen, rules: number): readonly string[] {
  const { draw } = pen;
  return Array.from({ length: rules }, () => {
    const chain = draw.of(['INPUT', 'FORWARD', 'FORWARD', 'FORWARD', 'OUTPUT']);
    return `-A ${chain} ${telling(pen, () => `${addresses(pen, 5)}${interfaces(pen, chain, 9)}${transport(pen)}${odd(pen)}${state(pen, 9)}`)}-j ${ending(pen)}`;
  });
}

/** Single addresses and small networks, dropped; some twice, and some within others. */
function blocklist(pen: Pen, rules: number): readonly string[] {
  const { draw, nets } = pen;
  return Array.from({ length: rules }, (_, index) => index === rules - 1 ? '-A INPUT -j ACCEPT' : `-A INPUT -s ${draw.of(nets)} ${draw.once(9) ? transport(pen) : ''}-j ${draw.once(30) ? 'ACCEPT' : 'DROP'}`);
}

/** Chains below chains; `names` in the order in which they may call. */
function nested(pen: Pen, rules: number, names: readonly string[]): readonly string[] {
  const { draw } = pen;
  const all = ['INPUT', 'FORWARD', 'OUTPUT', ...names];
  return Array.from({ length: rules }, () => {
    const chain = draw.of(draw.once(5) ? all.slice(0, 3) : all);
    const below = all.slice(Math.max(all.indexOf(chain) + 1, 3)).slice(0, 6);
    const calls = below.length > 0 && draw.once(6);
    const target = calls ? `-${draw.of(['j', 'j', 'j', 'g'])} ${draw.of(below)}` : `-j ${draw.of(['RETURN', 'RETURN', ...endings.slice(0, 5), ...draw.once(4) ? ['LOG'] : []])}`;
    const match = calls ? `${interfaces(pen, chain, 2)}${draw.once(3) ? transport(pen) : ''}${draw.once(4) ? addresses(pen, 2) : ''}` : telling(pen, () => `${addresses(pen, 2)}${interfaces(pen, chain, 8)}${transport(pen)}${odd(pen)}${state(pen, 5)}`);
    return `-A ${chain} ${match}${target}`;
  });
}

export const kinds = ['access list', 'blocklist', 'nested'] as const;

export interface Wanted {
  readonly kind: typeof kinds[number];
  readonly family: Family;
  readonly rules: number;
  readonly seed: number;
}

/** The text of a filter table. */
export function drawRuleset({ kind, family, rules, seed }: Wanted): string {
  const draw = new Draw(seed);
  const pen = penFor(draw, family, Math.ceil(rules / (kind === 'blocklist' ? 3 : 60)) + draw.below(5));
  const names = kind === 'nested' ? Array.from({ length: 4 + Math.floor(rules / 25) }, (_, i) => `C${String(i)}`) : [];
  const lines = kind === 'access list' ? accessList(pen, rules) : kind === 'blocklist' ? blocklist(pen, rules) : nested(pen, rules, names);
  return ['*filter', ...['INPUT', 'FORWARD', 'OUTPUT'].map(hook => `:${hook} ${draw.of(['ACCEPT', 'DROP'])} [0:0]`), ...names.map(name => `:${name} - [0:0]`), ...lines, 'COMMIT', ''].join('\n');
}
