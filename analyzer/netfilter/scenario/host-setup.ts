/** A host file as the setup of a host for one family. */
import type { HostSetup } from '../engine.js';
import type { HostDescription } from '../host/host.js';
import type { Family } from '../../values/value.js';

/** What of the host packets of this family can meet. Settings that are no numbers decide on no packet, and are left out. */
export function setupOf(host: HostDescription, family: Family): HostSetup {
  const conntrack = host.conntrack?.[family];
  const sysctls = Object.entries(host.sysctls ?? {}).map(([name, value]) => [name, Number(value)] as const).filter(([, value]) => Number.isFinite(value));
  return {
    ...host.interfaces === undefined ? {} : { interfaces: host.interfaces },
    routes: host.routes?.[family] ?? [], ipRules: host.rules?.[family] ?? [],
    sysctls: Object.fromEntries(sysctls),
    ...host.timeZoneOffset === undefined ? {} : { timeZoneOffset: host.timeZoneOffset },
    ...host.sockets === undefined ? {} : { sockets: host.sockets },
    ...host.ipsets === undefined ? {} : { ipsets: host.ipsets },
    ...conntrack === undefined ? {} : { conntrack },
  };
}
