import { firstPacket, question, type Path, type PathAnswer, type Pipeline } from '../packet-space/pipeline/index.js';
import { all, any, ctstates, is, not, within, type Constraint } from '../packet/constraint.js';
import { Problem, type Family } from '../values/value.js';
import { parseAddressMask, printAddressMask, type AddressMask } from '../values/address-mask.js';
import { parseAddress, type Address } from '../values/address.js';
import { stepOf } from '../witness/step.js';
import { deciderBecause, isPolicy } from './shared/deciders.js';
import { defineCheck, type CheckContext, type Report } from './define-check.js';
import { defaultDevices } from './shared/outside.js';
import { isSwitchedOff } from './shared/routers.js';
import { firstTo } from './shared/strangers.js';

type Host = NonNullable<CheckContext['host']>;

/** A network of an interface, and the host's own address in it. */
interface Inside {
  readonly interface: string;
  readonly network: AddressMask;
  readonly own: Address;
}

const paths: readonly (readonly [Path, 'INPUT' | 'FORWARD'])[] = [['in', 'INPUT'], ['through', 'FORWARD']];

/** Networks that are behind other interfaces than those to the internet: nobody there has an address of them. */
function insides({ interfaces = [] }: Host, outside: readonly string[], family: Family): readonly Inside[] {
  return interfaces.filter(({ name }) => name !== 'lo' && !outside.includes(name)).flatMap(({ name, addresses = [] }) => addresses.flatMap((one): readonly Inside[] => {
    const word = typeof one === 'string' ? one : one.address;
    const [network, own] = [parseAddressMask(word, family), parseAddress(word.split('/')[0] ?? '', family)];
    if (network instanceof Problem || own instanceof Problem || word.startsWith('fe80:') || !word.includes('/')) return [];
    return [{ interface: name, network, own }];
  }));
}

/** Strict reverse path filtering: the kernel drops what would not go back the way it came (fib_validate_source()). IPv6 has none. */
function isFiltered({ sysctls = {} }: Host, name: string, family: Family): boolean {
  const of = (device: string): number => sysctls[`net.ipv4.conf.${device}.rp_filter`] ?? sysctls[`net/ipv4/conf/${device}/rp_filter`] ?? 0;
  return family === 'ipv4' && Math.max(of('all'), of(name)) === 1;
}

function spoofed(from: string, { network: { address, mask }, own }: Inside): Constraint {
  const last = typeof address === 'number' ? (address | ~Number(mask)) >>> 0 : address | (BigInt(mask) ^ ((1n << 128n) - 1n));
  return all([
    { kind: 'interface', field: 'in', name: from, prefix: false }, within('src', typeof address === 'number' ? address + 1 : address + 1n, last), not(is('src', own)),
    is('ctstate', ctstates.NEW), is('fragment', 0), is('mark', 0), is('connmark', 0), any([firstTo('tcp'), firstTo('udp')]),
  ]);
}

function reportOf(cx: CheckContext, pipeline: Pipeline, from: string, inside: Inside, packets: Constraint, hook: 'INPUT' | 'FORWARD', { by, found, certain }: Extract<PathAnswer, { kind: 'yes' }>): Report {
  const { sample } = firstPacket(pipeline, found, packets);
  const network = printAddressMask(inside.network);
  return {
    ...by === undefined || isPolicy(by) ? {} : { at: by },
    certainty: certain && cx.host?.sysctls !== undefined ? 'certain' : 'possible',
    message: `whoever sends by ${from} passes for somebody of ${network}, which is behind ${inside.interface}: neither the rules nor the kernel ask where the packet came from`,
    because: by === undefined ? [] : [deciderBecause(cx.ruleset, by, `lets such packets ${hook === 'INPUT' ? 'in' : 'through'}`)],
    witness: [stepOf(sample, from)], shows: [{ at: `filter:${hook}`, fate: 'passes' }],
    help: `drop them first: -t raw -I PREROUTING -i ${from} -s ${network} -j DROP${cx.ruleset.family === 'ipv4' ? `, or set net.ipv4.conf.${from}.rp_filter to 1` : ''}`,
  };
}

const gateway = {
  interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }, { name: 'eth1', addresses: ['10.0.0.1/24'] }],
  routes: ['default via 192.0.2.254 dev eth0'], sysctls: { 'net.ipv4.ip_forward': 1, 'net.ipv4.conf.all.rp_filter': 0 },
};

const trusting = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 10.0.0.0/24 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`;

export const spoofableSource = defineCheck({
  name: 'spoofable-source',
  kind: 'exposure',
  severity: 'info',
  auditor: 'warning',
  summary: 'By the interface to the internet come packets with the addresses of those inside, and they are let in',
  why: `A rule that trusts an address trusts whoever writes it on a packet. What says that it comes from a network behind eth1 cannot come in by eth0; the kernel
drops it where reverse path filtering is strict (rp_filter = 1), a rule can, and where neither does, people outside pass for people inside: a flood, or one UDP packet,
needs no answer. It is asked only where the host is known (\`--host\`): its interfaces with their networks, its default route, its switches.`,
  bad: { rules: trusting, host: gateway },
  good: { rules: trusting.replace('-A INPUT -i lo', '-A INPUT -i eth0 -s 10.0.0.0/24 -j DROP\n-A INPUT -i lo'), host: gateway },
  nearMiss: { rules: trusting, host: { ...gateway, sysctls: { 'net.ipv4.ip_forward': 1, 'net.ipv4.conf.all.rp_filter': 1 } } },
  * run(cx) {
    const { host, ruleset: { family } } = cx;
    if (host === undefined) return;
    const outside = defaultDevices(host);
    for (const from of outside.filter(name => !isFiltered(host, name, family))) {
      for (const inside of insides(host, outside, family)) yield* lookAt(cx, from, inside);
    }
  },
});

/** One finding for each network that can be pretended: of what comes in, else of what passes through. */
function* lookAt(cx: CheckContext, from: string, inside: Inside): Generator<Report, void> {
  const pipeline = cx.pipeline();
  if (pipeline === undefined) return;
  const packets = spoofed(from, inside);
  for (const [path, hook] of paths) {
    if (hook === 'FORWARD' && isSwitchedOff(cx)) continue;
    const answer = question(pipeline, path, packets, 'accept', undefined, true);
    if (answer.kind === 'undecided') cx.undecided();
    if (answer.kind !== 'yes') continue;
    yield reportOf(cx, pipeline, from, inside, packets, hook, answer);
    return;
  }
}
