/** People inside who are sent to a server among their neighbours. */
import { isPrivate } from '../../packet/address-blocks.js';
import { isUnresolved } from '../../model/ruleset.js';
import type { Range } from '../../packet/constraint.js';
import { ask } from '../../packet-space/index.js';
import { fullMask, parseAddress, prefixLength, type Address } from '../../values/address.js';
import { Problem, type Family } from '../../values/value.js';
import type { CheckContext } from '../define-check.js';
import { rangesOf } from './asked.js';
import { networksOf } from './host-networks.js';
import { innerNetwork, type InnerNetwork } from './inner-network.js';
import { behind, liveTranslations, wayOutOf, wholeRule, type Asking } from './nat-rules.js';
import { isVirtualName, namedInterfaces } from './outside.js';

/** Somebody in the network of a server, who asks for it by its outer address. */
export interface Inside {
  readonly server: Address;
  readonly client: Address;
  readonly asked: Address;
  readonly where: InnerNetwork;
  /** Nothing says that the server is behind the interface by which the client comes, but that its network is excepted, or no other leads inside. */
  readonly isAssumed: boolean;
}

const plus = (address: Address, by: number): Address => typeof address === 'number' ? address + by : address + BigInt(by);
const usual: Readonly<Record<Family, string>> = { ipv4: '192.0.2.1', ipv6: '2001:db8::1' };

/** An outer address that the rule is for: one that it names, else one of the host's; where neither says any, one that will do. */
function outerAddress(cx: CheckContext, { asks }: Asking): Address | undefined {
  const { family } = cx.ruleset;
  const [named] = rangesOf(asks, 'dst') ?? [];
  if (named !== undefined) return named.low;
  const own = networksOf(cx.host, family).find(({ address }) => !isPrivate(address))?.address;
  const any = parseAddress(usual[family], family);
  return own ?? (any instanceof Problem ? undefined : any);
}

/** The network that a rule excepts by `! -d`, where the server is in it: who asks for anything but his neighbours is sent to one of them. */
function exceptedAround({ translation: { at: { rule: { destination } } } }: Asking, server: number): Range | undefined {
  if (destination?.negated !== true || isUnresolved(destination.value)) return undefined;
  const { address, mask } = destination.value;
  const [low, high] = [Number(address), Number(address) + (Number(fullMask('ipv4')) - Number(mask))];
  return (prefixLength(mask) ?? 0) >= 16 && low < server && server < high ? { low, high } : undefined;
}

const ways = new WeakMap<CheckContext, readonly string[]>();

/** The interfaces by which sources are translated on their way out; who goes to an address inside is brought back there, and does not get out. */
function waysOutOf(cx: CheckContext): readonly string[] {
  let known = ways.get(cx);
  if (known === undefined) ways.set(cx, known = [...liveTranslations(cx, 'source')].flatMap(({ translation, asks }) => rangesOf(asks, 'dst')?.every(({ low }) => isPrivate(low)) === true ? [] : wayOutOf(cx, translation.at)?.name ?? []));
  return known;
}

/** The network of a server to which those are sent who come by an interface, whatever they ask for, where it is excepted, or no other interface leads inside: neighbours, as home networks have them. */
function besideClients(cx: CheckContext, asking: Asking, server: Address): InnerNetwork | undefined {
  const { translation: { at }, asks } = asking;
  const { inInterface: from } = wholeRule(cx, at, 'PREROUTING');
  if (cx.host !== undefined || typeof server !== 'number' || !isPrivate(server) || from === undefined || from.negated || from.value.prefix || rangesOf(asks, 'dst') !== undefined) return undefined;
  const excepted = exceptedAround(asking, server);
  if (excepted !== undefined) return { network: excepted, device: from.value.name, isKnown: false };
  const waysOut = waysOutOf(cx);
  const [inner, ...others] = namedInterfaces(cx.ruleset).filter(({ name }) => !isVirtualName(name) && !waysOut.includes(name));
  if (waysOut.length === 0 || inner?.name !== from.value.name || others.length > 0) return undefined;
  const low = server - server % 256;
  return { network: { low, high: low + 255 }, device: inner.name, isKnown: false };
}

/** Whether a server has the address that routers like to have in their network, and INPUT lets in what is sent there: the host itself, by all that is known. */
function isLikeOurs(cx: CheckContext, { translation }: Asking, server: Address, { network: { low, high }, isKnown }: InnerNetwork): boolean {
  const filter = cx.ruleset.tables.get('filter');
  if (isKnown || (server !== plus(low, 1) && server !== plus(high, -1))) return false;
  return filter === undefined || ask(cx.space(), filter, 'INPUT', behind(cx, translation), ['accept']).kind === 'yes';
}

/** Undefined where nothing shows that clients of the rule and its server are neighbours. */
export function insideOf(cx: CheckContext, asking: Asking): Inside | undefined {
  const { address } = asking.translation;
  const server = typeof address === 'string' ? undefined : address[0]?.low;
  const shown = server === undefined ? undefined : innerNetwork(cx, server);
  const beside = server === undefined ? undefined : besideClients(cx, asking, server);
  const where = shown === undefined ? beside : { ...shown, device: beside?.device ?? shown.device };
  const asked = outerAddress(cx, asking);
  if (server === undefined || where === undefined || asked === undefined) return undefined;
  const { low, high } = where.network;
  if ((low <= asked && asked <= high) || isLikeOurs(cx, asking, server, where)) return undefined;
  const own = networksOf(cx.host, cx.ruleset.family).map(one => one.address);
  const client = [7, 77, 2, 1].map(by => plus(low, by)).find(one => one < high && one !== server && !own.includes(one));
  return client === undefined ? undefined : { server, client, asked, where, isAssumed: shown === undefined };
}

/** The one interface by which those come for whom it is. */
export function clientsBy(cx: CheckContext, { translation: { at } }: Asking): string | undefined {
  const { inInterface } = wholeRule(cx, at, 'PREROUTING');
  return inInterface?.negated === false ? inInterface.value.name : undefined;
}

/** It is for those who come by the interface behind which the server is, whatever they ask for: a proxy of theirs, not a service that is published. */
export function isForNeighbours(cx: CheckContext, asking: Asking, { where: { device } }: Inside): boolean {
  return clientsBy(cx, asking) === device && rangesOf(asking.asks, 'dst') === undefined;
}
