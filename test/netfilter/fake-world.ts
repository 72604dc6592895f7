/** A host around a single match: nothing is known there but what a test says. */
import type { Connection } from '../../analyzer/packet/connection.js';
import { Packet } from '../../analyzer/packet/packet.js';
import type { HookName, Traversal, World } from '../../analyzer/packet/traversal.js';
import type { Backend, Family } from '../../analyzer/values/value.js';

function unused(what: string): never {
  throw new Error(`the test's world has no ${what}`);
}

/** A world at second 0 without routes, sockets, sets or connections; chance always says 0. */
export function fakeWorld(family: Family, backend: Backend, given: Partial<World> = {}): World {
  const shared = new Map<string, object>();
  return {
    family, backend, now: 0, wallClock: 0, timeZoneOffset: 0,
    sets: { test: () => undefined, add: () => false, remove: () => false, info: () => undefined },
    random: () => 0,
    shared: <T extends object>(kind: string, name: string, make: () => T): T => {
      const key = `${kind} ${name}`;
      const known = shared.get(key) as T | undefined;
      if (known !== undefined) return known;
      const made = make();
      shared.set(key, made);
      return made;
    },
    addressTypes: () => new Set(['UNICAST']),
    reversePath: () => true,
    interfaceGroup: () => 0,
    interfaceIndex: () => 1,
    sourceAddress: () => undefined,
    findSocket: () => undefined,
    connections: (): Iterable<Connection> => [],
    findConnection: () => undefined,
    tupleOf: () => undefined,
    template: () => unused('conntrack'),
    nat: () => unused('nat'),
    pathMtu: () => 1500,
    icmpError: () => undefined,
    reject: () => unused('REJECT'),
    duplicate: () => unused('TEE'),
    sysctl: () => 0,
    ...given,
  };
}

/** What a match was asked, and what came of it besides its answer. */
export interface FakeTraversal extends Traversal {
  readonly asked: string[];
}

/** A packet at a rule of raw PREROUTING, unless said otherwise. What is unknown is taken for a match. */
export function fakeTraversal(packet: Packet, world: World, hook: HookName = 'PREROUTING', assume = true): FakeTraversal {
  const asked: string[] = [];
  return {
    packet, world, hook, asked, table: 'raw', hotdrop: false,
    note: () => undefined,
    unknown: why => {
      asked.push(why);
      return assume;
    },
  };
}

/** A packet of these bytes that came in by eth0, from `sourceMac` 02:00:00:00:00:09. */
export function arrived(family: Family, bytes: Uint8Array): Packet {
  const packet = new Packet(family, bytes);
  packet.in = 'eth0';
  packet.sourceMac = Uint8Array.of(2, 0, 0, 0, 0, 9);
  return packet;
}
