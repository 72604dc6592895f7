/** The part of a supposed host that a conversation needs. */
import type { Place } from '../generate/near/packets-near.js';
import { play } from '../generate/near/play.js';
import type { Script } from '../generate/near/script.js';
import { Terrain } from '../generate/near/terrain.js';
import { contains, readAddress, readPrefix } from '../netfilter/host/prefix.js';
import type { HostInterface } from '../netfilter/host/host.js';
import type { Scenario } from '../netfilter/scenario.js';
import { scenarioOf } from '../generate/near/play.js';
import type { Property, Wishes } from './property.js';

interface Used {
  readonly devices: ReadonlySet<string>;
  readonly addresses: readonly (number | bigint)[];
}

function usedIn({ ruleset: { family } }: Place, { steps }: Scenario, outs: readonly string[]): Used {
  const named = steps.flatMap(({ packet: { src = '', dst = '' } }) => [src, dst]).flatMap(one => readAddress(one, family) ?? []);
  return { devices: new Set([...steps.map(one => one.in), ...outs]), addresses: named };
}

/** Addresses that are spoken of, or the last, so that there is one. */
function trimmed({ addresses = [], ...rest }: HostInterface, { addresses: used }: Used, family: Place['ruleset']['family']): HostInterface {
  const kept = addresses.filter(given => {
    const address = readAddress((typeof given === 'string' ? given : given.address).split('/', 1)[0] ?? '', family);
    return address !== undefined && used.includes(address);
  });
  return { ...rest, addresses: kept.length === 0 ? addresses.slice(-1) : kept };
}

/** The place with no more interfaces, addresses and routes than the conversation of `script` needs; the place itself where that would change what happens. */
export function smallerHost(place: Place, script: Script, property: Property, wishes: Wishes): Place {
  const { ruleset, terrain: { setup } } = place;
  const played = play(place, script);
  const breach = property.test(place, wishes)(played);
  const outs = played.events.flatMap(({ answer }) => answer.out.map(one => one.oif));
  const used = usedIn(place, scenarioOf(played), outs);
  const interfaces = (setup.interfaces ?? []).filter(one => used.devices.has(one.name)).map(one => trimmed(one, used, ruleset.family));
  if (interfaces.length === 0) return place;
  const routes = (setup.routes ?? []).filter(route => {
    const prefix = typeof route === 'string' ? readPrefix(route.split(' ', 1)[0] ?? '', ruleset.family) : undefined;
    return prefix !== undefined && (prefix.length === 0 || used.addresses.some(one => contains(prefix, one, ruleset.family)));
  });
  const known = (route: unknown): boolean => typeof route === 'string' && interfaces.some(one => route.endsWith(` ${one.name}`));
  const smaller: Place = { ...place, terrain: new Terrain(ruleset.family, { ...setup, interfaces, routes: routes.filter(known) }) };
  const again = play(smaller, script);
  const isSame = again.events.length === played.events.length && again.events.every(({ step, answer: { verdict, by } }, index) => {
    const other = played.events[index];
    return other !== undefined && JSON.stringify(step) === JSON.stringify(other.step) && verdict === other.answer.verdict && by === other.answer.by;
  });
  const told = isSame ? property.test(smaller, wishes)(again) : undefined;
  return told !== undefined && told.index === breach?.index ? smaller : place;
}
