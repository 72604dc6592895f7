/** Which interfaces lead to the internet, as far as somebody said it, or the rules do. */
import { isPrivate } from '../../packet/address-blocks.js';
import { always, any, not, type Constraint, type Range } from '../../packet/constraint.js';
import { isUnresolved, type Rule, type Ruleset } from '../../model/ruleset.js';
import { forbiddenIn, isSameInterface, type InterfaceName } from '../../values/interface-name.js';
import type { Family } from '../../values/value.js';
import type { CheckContext } from '../define-check.js';
import { isRemark } from './catch-all.js';
import { effectOf } from './targets.js';
import { wholeRules } from './whole-rules.js';

/** How the interfaces of containers, virtual machines and their networks begin: the internet is never behind them. */
export const virtualNames = ['docker', 'virbr', 'vnet', 'veth', 'cni', 'cali', 'tunl', 'flannel', 'podman', 'lxc', 'lxd', 'incus', 'weave', 'cilium_', 'antrea-', 'vmnet', 'vboxnet', 'vif', 'eni', 'azv', 'gke', 'ifb', 'dummy', 'kube-'];
const virtual = new RegExp(`^(?:lo$|br-[0-9a-f]{12}|${virtualNames.join('|')})`, 'u');

/** Who names an interface so says where it leads. */
const outer = /^(?:p?wan|wwan|pppoe-|internet|inet\d*$)/u;

/** Tunnels, meshes, and inner networks by their name: where such a one is all that rules name, the internet is behind another. */
const inner = /^(?:wg|tun|tap|tailscale|zt|nebula|ham\d|tinc|vpn|ipsec|bat\d|mesh|lan|br-?lan|dmz)/u;
/** So is it where no rule speaks of the first card. */
const second = /^eth[1-9]/u;

/** Whether an interface is one of containers or virtual machines, by its name. */
export function isVirtualName(name: string): boolean {
  return virtual.test(name);
}

/** Whether an interface leads inside, or into a tunnel, by its name. */
export function isInnerName(name: string): boolean {
  return virtual.test(name) || inner.test(name);
}

const named = (field: 'in' | 'out', { name, prefix }: InterfaceName): Constraint => ({ kind: 'interface', field, name, prefix });

/** `wg+`, as a rule names it. */
function interfaceName(word: string): InterfaceName {
  return word.endsWith('+') ? { name: word.slice(0, -1), prefix: true } : { name: word, prefix: false };
}

function* rulesOf({ tables }: Ruleset): Generator<Rule, void> {
  for (const table of tables.values()) yield* wholeRules(table);
}

/** Everything that comes by an interface is let in, or all of a private network: whoever writes that trusts who is there. Who lets in some host of the internet does not. */
function trustsAll({ inInterface, source, destination, protocol, matches, target }: Rule): boolean {
  const isFromThere = source === undefined || (!source.negated && !isUnresolved(source.value) && isPrivate(source.value.address));
  return inInterface !== undefined && !inInterface.negated && isFromThere && destination === undefined && protocol === undefined && matches.every(isRemark) && target.kind === 'extension' && target.use.definition.effect === 'accept';
}

/** It translates what leaves by an interface, to anywhere. */
function isWayOut(rule: Rule): boolean {
  const to = rule.destination;
  const isLocal = to !== undefined && !to.negated && !isUnresolved(to.value) && isPrivate(to.value.address);
  return rule.outInterface !== undefined && !rule.outInterface.negated && !isLocal && effectOf(rule) === 'nat';
}

/** What the rules say of interfaces. */
interface Mentioned {
  /** All that are named, other than lo. */
  readonly names: readonly InterfaceName[];
  readonly waysOut: readonly InterfaceName[];
  readonly trusted: readonly InterfaceName[];
}

const known = new WeakMap<Ruleset, Mentioned>();

function mentionedIn(ruleset: Ruleset): Mentioned {
  let found = known.get(ruleset);
  if (found !== undefined) return found;
  const names = new Map<string, InterfaceName>();
  const [waysOut, trusted] = [new Map<string, InterfaceName>(), new Map<string, InterfaceName>()];
  const note = (list: Map<string, InterfaceName>, one: InterfaceName): void => { if (forbiddenIn(one.name) === undefined) list.set(`${one.name}${one.prefix ? '+' : ''}`, one); };
  for (const rule of rulesOf(ruleset)) {
    for (const given of [rule.inInterface, rule.outInterface]) if (given !== undefined && given.value.name !== '' && given.value.name !== 'lo') note(names, given.value);
    if (rule.outInterface !== undefined && !virtual.test(rule.outInterface.value.name) && isWayOut(rule)) note(waysOut, rule.outInterface.value);
    if (rule.inInterface !== undefined && trustsAll(rule)) note(trusted, rule.inInterface.value);
  }
  known.set(ruleset, found = { names: [...names.values()], waysOut: [...waysOut.values()], trusted: [...trusted.values()] });
  return found;
}

/** Devices of default routes, whether in words or as `ip -j` prints them. */
export function defaultDevices({ routes = [] }: NonNullable<CheckContext['host']>): readonly string[] {
  return [...new Set(routes.flatMap((route): readonly string[] => {
    if (typeof route !== 'string') return route['dst'] === 'default' && typeof route['dev'] === 'string' ? [route['dev']] : [];
    return /^(?:default|0\.0\.0\.0\/0|::\/0)\b.*\bdev (\S+)/u.exec(route)?.slice(1, 2) ?? [];
  }))];
}

function isAmong(names: readonly InterfaceName[], device: string): boolean {
  return names.some(one => one.prefix ? device.startsWith(one.name) : device === one.name);
}

/** A name that no rule names: it stands for all of these, for rules cannot tell them apart. */
function unnamed(names: readonly InterfaceName[]): InterfaceName {
  const name = ['eth0', 'wan0', 'outside0', 'uplink0'].find(word => !isAmong(names, word)) ?? 'zz-outside';
  return { name, prefix: false };
}

/** Whether some rule names the interface, so that its name is not one that was thought of for a packet. */
export function isNamed(ruleset: Ruleset, device: string): boolean {
  return isAmong(mentionedIn(ruleset).names, device);
}

/** The interfaces that rules name, other than lo. */
export function namedInterfaces(ruleset: Ruleset): readonly InterfaceName[] {
  return mentionedIn(ruleset).names;
}

/** Goes to the internet, as a person would show it (RFC 5737, RFC 3849). */
export function shownOutside(family: Family): Constraint {
  const range: Range = family === 'ipv4' ? { low: 0xc000_0200, high: 0xc000_02ff } : { low: 0x2001_0db8n << 96n, high: (0x2001_0db9n << 96n) - 1n };
  return { kind: 'within', field: 'dst', ranges: [range] };
}

/** Whether a packet came by an interface that no rule names, or goes out by one. */
export function byUnnamed(ruleset: Ruleset, field: 'in' | 'out' = 'in'): Constraint {
  return named(field, unnamed(mentionedIn(ruleset).names));
}

/** Whether a packet came by, or goes to, an interface of containers or virtual machines, or lo. */
export function virtualInterface(field: 'in' | 'out'): Constraint {
  return any([named(field, interfaceName('lo')), ...virtualNames.map(name => named(field, { name, prefix: true }))]);
}

/** What is known of a host. */
export type Facts = Pick<CheckContext, 'ruleset' | 'settings' | 'host'> & Partial<Pick<CheckContext, 'sibling'>>;

const some = (field: 'in' | 'out', list: readonly InterfaceName[]): Constraint => any(list.map(one => named(field, one)));

/** As `fromOutside`, where somebody said it, or nat does, or a name; and who did. */
export function knownOutside({ ruleset, settings, host, sibling }: Facts, field: 'in' | 'out' = 'in'): { readonly by: 'settings' | 'routes' | 'nat' | 'name'; readonly packets: Constraint } | undefined {
  const declared = settings.trustedInterfaces.map(interfaceName);
  if (declared.length > 0) return { by: 'settings', packets: not(some(field, [interfaceName('lo'), ...declared])) };
  const routed = host === undefined ? [] : defaultDevices(host);
  if (routed.length > 0) return { by: 'routes', packets: some(field, routed.map(interfaceName)) };
  const { waysOut: own, names } = mentionedIn(ruleset);
  const other = own.length > 0 ? undefined : sibling?.();
  const waysOut = other === undefined ? own : mentionedIn(other).waysOut;
  if (waysOut.length > 0) return { by: 'nat', packets: some(field, waysOut) };
  const called = names.filter(({ name }) => outer.test(name));
  return called.length > 0 ? { by: 'name', packets: some(field, called) } : undefined;
}

/**
 * Whether a packet came from outside by the interface of `field` (`out`: goes there). In this order: by what is trusted, where somebody said it; by
 * the host's default routes; by what nat translates on its way out, in either family; by names such as wan0. Else it is any interface that no rule names, and the only one that rules name,
 * unless they trust it, or its name says that it is none: of several nobody knows which is which.
 */
export function fromOutside(facts: Facts, field: 'in' | 'out' = 'in'): Constraint {
  const told = knownOutside(facts, field);
  if (told !== undefined) return told.packets;
  const { names, trusted } = mentionedIn(facts.ruleset);
  const open = names.filter(one => !virtual.test(one.name) && !inner.test(one.name) && !trusted.some(other => isSameInterface(one, other)));
  const isOnly = open.length === 1 && !(names.length === 1 && second.test(open[0]?.name ?? ''));
  return some(field, [...isOnly ? open : [], unnamed(names)]);
}

/** The interfaces by which the internet is, one by one; none where it is behind all but some. */
function outsides(facts: Facts): readonly InterfaceName[] {
  const outside = fromOutside(facts);
  return (outside.kind === 'any' ? outside.of : [outside]).flatMap(one => one.kind === 'interface' ? { name: one.name, prefix: one.prefix } : []);
}

/** Whether rules name an interface by which the internet is: that there is another, which no rule names, is a last word. */
export function namesOutside(facts: Facts): boolean {
  return outsides(facts).some(({ name }) => isNamed(facts.ruleset, name));
}

/** Whether a packet comes by an interface that rules name and behind which the internet is not; where they name none, by any. */
export function fromNamedInside(facts: Facts): Constraint {
  const outer = outsides(facts);
  const inside = namedInterfaces(facts.ruleset).filter(one => !virtual.test(one.name) && !outer.some(other => isSameInterface(one, other)));
  return outer.length === 0 || inside.length === 0 ? always : some('in', inside);
}
