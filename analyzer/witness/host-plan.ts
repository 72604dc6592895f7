/** The least host on which the packets of a witness are possible: whose addresses they are, and which way each of them lies. */
import type { HostSetup } from '../netfilter/engine.js';
import { askedFor } from '../netfilter/scenario/assumed-host.js';
import type { WitnessHost } from '../finding.js';
import type { Family } from '../values/value.js';
import { addressKind } from './address-kind.js';
import { earlierFlow } from './earlier-flow.js';
import type { ProposedStep, Shown } from './proposal.js';

/** Where an address is: the host's own, or reached by an interface. `remote`: by any, as long as it is not the host's. */
interface Place {
  readonly kind: 'local' | 'via' | 'remote';
  readonly device: string;
}

export interface HostPlan {
  readonly family: Family;
  /** By name; the default route leads out of the first. */
  readonly interfaces: readonly string[];
  readonly places: ReadonlyMap<string, Place>;
  /** Sets of ipset, and flows that exist already. */
  readonly ipsets: string;
  readonly conntrack: string;
  /** The host that `trace` assumes will do as well. */
  readonly isPlain: boolean;
}

const usual = 'eth0';

/** The hook that a step is about: what it shows says so, else where it comes from. */
export function hookOf(step: ProposedStep, shown: Shown | undefined): string {
  return shown?.at?.split(':')[1] ?? (step.in === 'local' ? 'OUTPUT' : 'INPUT');
}

/** Whether the packet is told of at a hook behind the routing of what arrives: the kernel has taken one from its TTL. */
export function isForwarded(step: ProposedStep, shown: Shown | undefined): boolean {
  const hook = hookOf(step, shown);
  return step.in !== 'local' && (hook === 'FORWARD' || hook === 'POSTROUTING');
}

/** Two wishes for one address; undefined where they exclude each other. */
function both(a: Place | undefined, b: Place): Place | undefined {
  if (a === undefined || a.kind === b.kind) return a === undefined || b.kind !== 'via' || a.device === b.device ? a ?? b : undefined;
  if (a.kind === 'local' || b.kind === 'local') return undefined;
  return a.kind === 'via' ? a : b;
}

/** A plan in the making. */
class Draft {
  readonly interfaces: string[];
  readonly places = new Map<string, Place>();
  conflict: string | undefined;
  isPlain = true;

  constructor(steps: readonly ProposedStep[]) {
    const named = steps.map(step => step.in).filter(name => name !== 'local' && name !== 'lo');
    const out = steps.find(step => step.in === 'local' && step.sample?.out !== undefined && step.sample.out !== 'lo')?.sample?.out;
    this.interfaces = [...new Set(named.length > 0 ? named : [out ?? usual])];
    if (named.length === 0 && out !== undefined && out !== usual) this.isPlain = false;
  }

  get first(): string { return this.interfaces[0] ?? usual; }

  put(address: string, kind: Place['kind'], device: string): void {
    if (device !== 'lo' && !this.interfaces.includes(device)) this.interfaces.push(device);
    const place = both(this.places.get(address), { kind, device });
    if (place === undefined) this.conflict ??= address;
    else this.places.set(address, place);
  }
}

function addressesOf({ packet }: ProposedStep): { readonly src: string; readonly dst: string } {
  return { src: String(packet['src'] ?? ''), dst: String(packet['dst'] ?? '') };
}

function planArrival(draft: Draft, step: ProposedStep, shown: Shown | undefined): void {
  const { src, dst } = addressesOf(step);
  const device = step.in === 'lo' ? draft.first : step.in;
  if (isForwarded(step, shown)) {
    const away = step.in === usual ? 'eth1' : usual;
    draft.put(dst, 'via', step.sample?.out ?? draft.places.get(dst)?.device ?? away);
    draft.isPlain = false;
  } else {
    const own = askedFor(dst) ?? dst;
    if (addressKind(own) === 'unicast' && step.sentOn?.address !== own) draft.put(own, 'local', device);
  }
  if (addressKind(src) === 'unicast' && src !== dst) draft.put(src, 'remote', device);
  if (step.sentOn !== undefined && addressKind(step.sentOn.address) === 'unicast') {
    const { address, device: next } = step.sentOn;
    draft.put(address, next === undefined ? 'local' : 'via', next ?? device);
    draft.isPlain = false;
  }
}

function planSending(draft: Draft, step: ProposedStep): void {
  const { src, dst } = addressesOf(step);
  const out = step.sample?.out ?? draft.places.get(dst)?.device ?? draft.first;
  if (addressKind(src) === 'unicast') draft.put(src, 'local', draft.first);
  if (addressKind(dst) === 'loopback' || dst === src) return;
  if (out === 'lo') draft.put(dst, 'local', draft.first);
  else draft.put(dst, 'via', out);
  if (out !== draft.first) draft.isPlain = false;
}

/** Sets of one part, with what the packet must be found by; of others nothing is known. */
function setsOf(steps: readonly ProposedStep[], family: Family): string {
  const lines = new Set<string>();
  for (const step of steps) {
    for (const [name, holds] of Object.entries(step.sample?.atoms ?? {})) {
      const [, set, side] = /^set (\S+) (src|dst)$/u.exec(name) ?? [];
      if (!holds || set === undefined || side === undefined) continue;
      lines.add(`create ${set} hash:ip family ${family === 'ipv4' ? 'inet' : 'inet6'}`);
      lines.add(`add ${set} ${String(step.packet[side] ?? '')}`);
    }
  }
  return [...lines].map(line => `${line}\n`).join('');
}

/** What the packets need of a host, or why there is no such host. Steps are complete: they have their addresses. */
export function planHost(steps: readonly ProposedStep[], shows: readonly Shown[], family: Family): HostPlan | string {
  const draft = new Draft(steps);
  const order = steps.map((step, index) => ({ step, shown: shows[index] }));
  for (const { step, shown } of order) if (step.in !== 'local') planArrival(draft, step, shown);
  for (const { step } of order) if (step.in === 'local') planSending(draft, step);
  if (draft.conflict !== undefined) return `${draft.conflict} would have to be in two places`;
  const { interfaces, places, isPlain } = draft;
  const ipsets = setsOf(steps, family);
  const conntrack = steps.map((step, index) => earlierFlow(step, steps.slice(0, index))).join('');
  return { family, interfaces, places, ipsets, conntrack, isPlain: isPlain && ipsets === '' && conntrack === '' };
}

/** A host for the packets of several witnesses, in the making: of tens of thousands, where many rules are found at fault. */
export interface SharedPlan extends HostPlan {
  readonly interfaces: string[];
  readonly places: Map<string, Place>;
  /** Interfaces at which the host has addresses that packets speak of. */
  readonly homes: Set<string>;
  isPlain: boolean;
}

/** A plan that others may join. */
export function shared(plan: HostPlan): SharedPlan {
  return { ...plan, interfaces: [...plan.interfaces], places: new Map(plan.places), homes: homesOf(plan) };
}

/** Adds to a host what another witness needs; false, and nothing is added, where that would spoil it for one of them. */
export function join(host: SharedPlan, plan: HostPlan): boolean {
  if (hasOwnState(host) || hasOwnState(plan)) return false;
  const homes = homesOf(plan);
  // With a spare address on one of the hosts, and one of its own on the other: nat would masquerade behind that.
  const isSpoiled = (name: string): boolean => (host.homes.has(name) && !homes.has(name) && !plan.isPlain) || (homes.has(name) && !host.homes.has(name) && !host.isPlain && host.interfaces.includes(name));
  const joined = [...plan.places].map(([address, place]) => ({ address, place: both(host.places.get(address), place) }));
  if (joined.some(({ place }) => place === undefined) || plan.interfaces.some(isSpoiled)) return false;
  for (const { address, place } of joined) if (place !== undefined) host.places.set(address, place);
  host.isPlain &&= plan.isPlain;
  for (const name of homes) host.homes.add(name);
  for (const name of plan.interfaces) if (!host.interfaces.includes(name)) host.interfaces.push(name);
  return true;
}

function homesOf({ places }: HostPlan): Set<string> {
  return new Set([...places.values()].flatMap(({ kind, device }) => kind === 'local' ? [device] : []));
}

/** The addresses of this host at one of its interfaces that packets speak of. */
function ownOf({ places }: HostPlan, name: string): string[] {
  return [...places].flatMap(([address, { kind, device }]) => kind === 'local' && device === name ? [address] : []);
}

function hasOwnState({ ipsets, conntrack }: HostPlan): boolean {
  return ipsets !== '' || conntrack !== '';
}

/**
 * An address that no packet speaks of, for an interface that needs one: to masquerade behind, to send errors from. It goes by
 * the interface's name, so that it is the same on a host that witnesses share and on the one that is printed.
 */
function spareAddress({ family, places }: HostPlan, name: string): string {
  let number = [...name].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 100, 0) + 100;
  const address = (): string => family === 'ipv4' ? `203.0.113.${String(number)}` : `2001:db8:ff::${String(number)}`;
  while (places.has(address())) number++;
  return address();
}

/** The plan in the words of a scenario. */
export function describeHost(plan: HostPlan): Required<Pick<WitnessHost, 'interfaces' | 'routes'>> & WitnessHost {
  const { family, interfaces, places, ipsets, conntrack } = plan;
  const bits = family === 'ipv4' ? 32 : 128;
  const own = (name: string): string[] => {
    const addresses = ownOf(plan, name);
    return (addresses.length === 0 && !plan.isPlain ? [spareAddress(plan, name)] : addresses).map(address => `${address}/${String(bits)}`);
  };
  return {
    interfaces: interfaces.map(name => ({ name, addresses: own(name) })),
    routes: [
      `default dev ${interfaces[0] ?? usual}`,
      ...[...places].filter(([, { kind, device }]) => kind === 'via' || (kind === 'remote' && device !== interfaces[0])).map(([address, { device }]) => `${address}/${String(bits)} dev ${device}`),
    ],
    ...ipsets === '' ? {} : { ipsets }, ...conntrack === '' ? {} : { conntrack },
  };
}

/** For the engine. */
export function setupOf(plan: HostPlan): HostSetup {
  return describeHost(plan);
}
