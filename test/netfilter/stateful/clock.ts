/** A world whose clock a test moves. */
import type { World } from '../../../analyzer/packet/traversal.js';
import type { Backend, Family } from '../../../analyzer/values/value.js';
import { fakeWorld } from '../fake-world.js';

export interface MovingWorld extends World {
  now: number;
  wallClock: number;
}

/** Starts at second 0, which is `start` by the wall clock. */
export function movingWorld(backend: Backend = 'legacy', given: Partial<World> = {}, family: Family = 'ipv4'): MovingWorld {
  return { ...fakeWorld(family, backend, given) };
}
