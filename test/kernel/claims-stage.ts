/** From a packet that an answer of exact reasoning speaks of to a scenario in which the kernel gets just that packet. */
import type { Scenario, ScenarioPacket, ScenarioStep, StepAnswer } from '../../analyzer/netfilter/scenario.js';
import type { PacketSample } from '../../analyzer/packet-space/answers.js';
import type { Backend, Family } from '../../analyzer/values/value.js';

export type FilterHook = 'INPUT' | 'FORWARD' | 'OUTPUT';

export interface Wanted {
  readonly hook: FilterHook;
  readonly sample: PacketSample;
}

/** A packet, and what the host must be like for it to get to its hook. */
export interface Staged extends Wanted {
  readonly step: ScenarioStep;
  /** What the packet's destination is: `local` on this interface, or behind it. */
  readonly destination: { readonly address: string; readonly isLocal: boolean; readonly device: string };
  readonly source: string;
  /** A line of `conntrack -L`, where it belongs to a flow that is there already. */
  readonly flow: string | undefined;
  /** Ends of the flow: no two packets of a scenario may have the same. */
  readonly ends: string;
}

const protocolNames: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6' };
const flagLetters = ['F', 'S', 'R', 'P', 'A', 'U'];
/** Networks that stand for any other: no rule of the judged rule sets names them. */
const anywhere = { ipv4: { src: '198.18', dst: '198.19' }, ipv6: { src: '2001:db8:fff0', dst: '2001:db8:fff1' } } as const;

function flagsText(bits: number): string {
  const text = flagLetters.filter((_, bit) => ((bits >> bit) & 1) === 1).join('');
  return text === '' ? 'none' : text;
}

/** An address that a packet on a link may have. */
function isUnicast(address: string): boolean {
  if (address.includes(':')) return /^(?:[23]...|f[cd]..):/u.test(address);
  const first = Number(address.split('.', 1)[0]);
  return first > 0 && first < 224 && first !== 127;
}

function anyAddress(field: 'src' | 'dst', family: Family, number: number): string {
  return family === 'ipv4' ? `${anywhere.ipv4[field]}.${String(number >> 8)}.${String((number & 255) || 254)}` : `${anywhere.ipv6[field]}::${(number + 1).toString(16)}`;
}

/** What makes connection tracking call the packet as the sample has it. */
function stateWords({ ctstate, tcpFlags }: PacketSample, proto: string | number, isLocal: boolean): Partial<ScenarioPacket> {
  const flags = tcpFlags === undefined ? undefined : flagsText(tcpFlags);
  if (ctstate === 'INVALID') return proto === 'tcp' ? { flags: flags ?? 'SF', ...flags !== undefined && !isLocal && { badcsum: true } } : { badcsum: true };
  return proto === 'tcp' ? { flags: flags ?? (ctstate === 'ESTABLISHED' ? 'A' : 'S') } : {};
}

function packetOf({ hook, sample }: Wanted, family: Family, number: number): ScenarioPacket {
  const proto = sample.protocol === undefined ? 'tcp' : protocolNames[sample.protocol] ?? sample.protocol;
  const hasPorts = proto === 'tcp' || proto === 'udp';
  const isIcmp = proto === 'icmp' || proto === 'icmpv6';
  return {
    proto, src: sample.src ?? anyAddress('src', family, number), dst: sample.dst ?? anyAddress('dst', family, number),
    ...hasPorts && { sport: sample.sport ?? 40_000 + number, dport: sample.dport ?? 50_000 + number },
    ...isIcmp && { type: sample.icmpType ?? (family === 'ipv4' ? 8 : 128), code: sample.icmpCode ?? 0, id: 1000 + number },
    ...stateWords(sample, proto, hook === 'OUTPUT'), ...sample.ttl !== undefined && { ttl: sample.ttl }, ...hook === 'OUTPUT' && sample.mark !== undefined && { mark: sample.mark },
  };
}

/** The flow that an ESTABLISHED packet belongs to, as `conntrack -L` would print it. */
function flowOf({ proto, src = '', dst = '', sport, dport, type, id }: ScenarioPacket): string | undefined {
  const numbers: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 };
  const number = numbers[proto];
  if (number === undefined) return undefined;
  const ends = (from: string, to: string, fromPort = 0, toPort = 0): string => sport === undefined
    ? `src=${from} dst=${to} type=${String(type ?? 0)} code=0 id=${String(id ?? 0)}` : `src=${from} dst=${to} sport=${String(fromPort)} dport=${String(toPort)}`;
  return `${String(proto)} ${String(number)} 300 ${proto === 'tcp' ? 'ESTABLISHED ' : ''}${ends(src, dst, sport, dport)} ${ends(dst, src, dport, sport)} [ASSURED] mark=0`;
}

/** Can the kernel be given such a packet, with nothing but an interface and a flow made for it? */
function isPossible({ hook, sample }: Wanted, packet: ScenarioPacket): boolean {
  const { src = '', dst = '' } = packet;
  if (sample.atoms !== undefined || sample.fragment === true || sample.in === 'lo' || sample.out === 'lo') return false;
  if ((hook !== 'OUTPUT' && (sample.mark ?? 0) !== 0) || sample.length !== undefined) return false;
  if (sample.ctstate === 'RELATED' || sample.ctstate === 'UNTRACKED') return false;
  return isUnicast(src) && isUnicast(dst) && src !== dst && (sample.ctstate !== 'ESTABLISHED' || flowOf(packet) !== undefined);
}

/** The packet as a step; undefined where it cannot be staged. `number` tells it from others of the same scenario. */
export function stage(wanted: Wanted, family: Family, number: number): Staged | undefined {
  const { hook, sample } = wanted;
  const packet = packetOf(wanted, family, number);
  if (!isPossible(wanted, packet)) return undefined;
  const { src = '', dst = '', sport = 0, dport = 0 } = packet;
  const from = sample.in ?? 'eth0';
  return {
    ...wanted, source: src, step: { in: hook === 'OUTPUT' ? 'local' : from, packet },
    destination: { address: dst, isLocal: hook === 'INPUT', device: hook === 'INPUT' ? from : sample.out ?? 'eth1' },
    flow: sample.ctstate === 'ESTABLISHED' ? flowOf(packet) : undefined,
    ends: [String(packet.proto), ...[`${src} ${String(sport)}`, `${dst} ${String(dport)}`].sort()].join(' '),
  };
}

function fits(one: Staged, group: readonly Staged[]): boolean {
  return group.every(other => {
    const [a, b] = [one.destination, other.destination];
    const isLocalSource = (source: string, { address, isLocal }: Staged['destination']): boolean => isLocal && address === source;
    return one.ends !== other.ends && (a.address !== b.address || (a.isLocal === b.isLocal && a.device === b.device)) && !isLocalSource(one.source, b) && !isLocalSource(other.source, a);
  });
}

/** Packets that one host can be sent, together; at most `largest` in a group. */
export function grouped(staged: readonly Staged[], largest: number): readonly (readonly Staged[])[] {
  const groups: Staged[][] = [];
  for (const one of staged) {
    const group = groups.find(some => some.length < largest && fits(one, some));
    if (group === undefined) groups.push([one]);
    else group.push(one);
  }
  return groups;
}

/** A host on which all packets of a group get to their hooks. */
export function scenarioOf(group: readonly Staged[], { family, backend, rules }: { readonly family: Family; readonly backend: Backend; readonly rules: string }): Scenario {
  const names = [...new Set(['eth0', 'eth1', ...group.flatMap(({ step, destination }) => [step.in, destination.device])])].filter(name => name !== 'local');
  const whole = family === 'ipv4' ? '32' : '128';
  const local = (name: string): readonly string[] => group.filter(({ destination }) => destination.isLocal && destination.device === name).map(({ destination }) => `${destination.address}/${whole}`);
  const own = (number: number): string => family === 'ipv4' ? `100.127.${String(number)}.1/24` : `fd7f:ffff:0:${number.toString(16)}::1/64`;
  const routes = group.filter(({ destination }) => !destination.isLocal).map(({ destination }) => `${destination.address}/${whole} dev ${destination.device}`);
  const quiet = Object.fromEntries(['all', ...names.map(name => name.replaceAll('.', '/'))].map(name => [`net.ipv4.conf.${name}.send_redirects`, 0]));
  const flows = [...new Set(group.flatMap(({ flow }) => flow ?? []))];
  return {
    family, backend, rules, interfaces: names.map((name, number) => ({ name, addresses: [own(number), ...new Set(local(name))] })), routes: [...new Set(routes)],
    ...family === 'ipv4' && { sysctls: quiet }, ...flows.length > 0 && { conntrack: flows.join('\n') }, steps: group.map(({ step }) => step),
  };
}

/** Whether the kernel got the packet that was meant: at the hook, and in the state, where any rule asks for states. Else nothing follows from what it did. */
export function isAsMeant({ hook, sample }: Wanted, { path, ct }: StepAnswer): boolean {
  return path.some(word => word.startsWith(`filter:${hook}:`)) && (sample.ctstate === undefined || ct === null || sample.ctstate === ct.state);
}
