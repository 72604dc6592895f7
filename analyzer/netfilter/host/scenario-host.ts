/** The routing of a host as a scenario describes it, or as a host file does. */
import type { Family } from '../../values/value.js';
import type { HostInterface, WordsOrJson } from './host.js';
import { Interfaces, withLinkLocal } from './interfaces.js';
import { Routing } from './routing.js';
import type { Sysctls } from './sysctls.js';

/** The part of a scenario that routing needs. Its interfaces may be those of a host file, its routes and rules what `ip -j` printed. */
export interface RoutedHost {
  readonly interfaces?: readonly HostInterface[];
  readonly routes?: readonly WordsOrJson[];
  readonly ipRules?: readonly WordsOrJson[];
}

/** `sysctls` is read each time: it may change between packets. `routing.problems` says what was not understood. */
export function routingOf(family: Family, { interfaces = [], routes = [], ipRules = [] }: RoutedHost, sysctls: Sysctls, seed = 1): Routing {
  return new Routing({ family, interfaces: new Interfaces(interfaces.map(withLinkLocal)), routes, rules: ipRules, sysctls, seed });
}
