/** Cases: scenarios of which it is known what the kernel does. Most are told once, and tried with both backends and both families. */
import type { Scenario, ScenarioInterface, ScenarioPacket, ScenarioStep, StepAnswer } from '../../../analyzer/netfilter/scenario.js';
import type { Backend, Family } from '../../../analyzer/values/value.js';

/** What is said of a step's answer: keys of it, nested objects in part, arrays as a whole. */
export type Expectation = { readonly [K in keyof StepAnswer]?: StepAnswer[K] extends readonly unknown[] | string | null ? StepAnswer[K] : Partial<StepAnswer[K]> };

export interface Case {
  readonly name: string;
  readonly scenario: Scenario;
  /** Step by step. */
  readonly expect: readonly Expectation[];
}

/** A host with two interfaces, and those around it. */
export interface Place {
  readonly family: Family;
  readonly backend: Backend;
  readonly isLegacy: boolean;
  readonly isV6: boolean;
  /** Somewhere behind eth0's gateway. */
  readonly client: string;
  /** On the link of eth0. */
  readonly neighbour: string;
  /** The host's own, on eth0 and eth1. */
  readonly self: string;
  readonly inner: string;
  /** On the link of eth1. */
  readonly server: string;
  readonly other: string;
  readonly loopback: string;
  readonly icmp: string;
  readonly ping: number;
  readonly pong: number;
  /** icmp-port-unreachable, as `verdict` says it. */
  readonly portUnreachable: string;
}

const addresses = {
  ipv4: { client: '198.51.100.7', neighbour: '192.0.2.9', self: '192.0.2.1', inner: '10.0.0.1', server: '10.0.0.5', other: '10.0.0.6', loopback: '127.0.0.1', gateway: '192.0.2.254', icmp: 'icmp', ping: 8, pong: 0, portUnreachable: 'icmp 3/3' },
  ipv6: { client: '2001:db8:1::7', neighbour: '2001:db8::9', self: '2001:db8::1', inner: 'fd00::1', server: 'fd00::5', other: 'fd00::6', loopback: '::1', gateway: '2001:db8::fe', icmp: 'icmpv6', ping: 128, pong: 129, portUnreachable: 'icmp 1/4' },
} as const;

const builtin: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'], mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'], nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'], security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** A table as `iptables-save` prints it: all its built-in chains, with policy ACCEPT unless a line `:CHAIN POLICY` says another. */
export function table(name: string, ...lines: readonly string[]): string {
  const said = lines.filter(line => line.startsWith(':'));
  const chains = (builtin[name] ?? []).filter(chain => !said.some(line => line.startsWith(`:${chain} `))).map(chain => `:${chain} ACCEPT`);
  return [`*${name}`, ...chains, ...said, ...lines.filter(line => !line.startsWith(':')), 'COMMIT', ''].join('\n');
}

export interface Told {
  readonly rules?: string;
  readonly interfaces?: readonly ScenarioInterface[];
  readonly routes?: readonly string[];
  readonly ipRules?: readonly string[];
  readonly sysctls?: NonNullable<Scenario['sysctls']>;
  readonly ipsets?: string;
  readonly conntrack?: string;
  /** Each with what is expected of it. */
  readonly steps: readonly (readonly [ScenarioStep, Expectation?])[];
}

function placeOf(family: Family, backend: Backend): Place {
  return { family, backend, isLegacy: backend === 'legacy', isV6: family === 'ipv6', ...addresses[family] };
}

function hostOf({ self, inner, isV6 }: Place): readonly ScenarioInterface[] {
  const length = isV6 ? 64 : 24;
  return [{ name: 'eth0', addresses: [`${self}/${String(length)}`] }, { name: 'eth1', addresses: [`${inner}/${String(length)}`] }];
}

/** A case for each backend and family, or those named. */
export function cases(name: string, tell: (place: Place) => Told, { families = ['ipv4', 'ipv6'] as readonly Family[], backends = ['legacy', 'nft'] as readonly Backend[] } = {}): readonly Case[] {
  return families.flatMap(family => backends.map(backend => {
    const place = placeOf(family, backend);
    const { steps, ...told } = tell(place);
    return {
      name: `${name} (${family}, ${backend})`,
      scenario: { family, backend, interfaces: hostOf(place), routes: [`default via ${addresses[family].gateway} dev eth0`], ...told, steps: steps.map(([step]) => step) },
      expect: steps.map(([, expectation = {}]) => expectation),
    };
  }));
}

/** A packet that comes in. */
export function from(name: string, packet: ScenarioPacket, more: Partial<ScenarioStep> = {}): ScenarioStep {
  return { in: name, packet, ...more };
}

/** A packet that a local process sends. */
export function local(packet: ScenarioPacket): ScenarioStep {
  return { in: 'local', packet };
}
