import { refuse, type Family, type Value } from './value.js';

/** Names and their aliases, in the order in which a beginning is looked up. */
const types: Record<Family, readonly (readonly [name: string, alias: string])[]> = {
  ipv4: [
    ['icmp-net-unreachable', 'net-unreach'],
    ['icmp-host-unreachable', 'host-unreach'],
    ['icmp-proto-unreachable', 'proto-unreach'],
    ['icmp-port-unreachable', 'port-unreach'],
    ['icmp-net-prohibited', 'net-prohib'],
    ['icmp-host-prohibited', 'host-prohib'],
    ['tcp-reset', 'tcp-rst'],
    ['icmp-admin-prohibited', 'admin-prohib'],
  ],
  ipv6: [
    ['icmp6-no-route', 'no-route'],
    ['icmp6-adm-prohibited', 'adm-prohibited'],
    ['icmp6-addr-unreachable', 'addr-unreach'],
    ['icmp6-port-unreachable', 'port-unreach'],
    ['tcp-reset', 'tcp-reset'],
    ['icmp6-policy-fail', 'policy-fail'],
    ['icmp6-reject-route', 'reject-route'],
  ],
};

/** With what is rejected, by its full name. The beginning of a name will do, even an empty one; the first that fits is taken. */
export const rejectType: Value<string> = {
  syntax: 'type',
  words: 1,
  parse: ([word = ''], { family }) => {
    const start = word.toLowerCase();
    const found = types[family].find(names => names.some(name => name.startsWith(start)));
    return found === undefined ? refuse(`\`${word}\` is not a reject type`, `the types are ${types[family].map(([name]) => name).join(', ')}`) : found[0];
  },
  print: name => name,
  arbitrary: (fc, { family, protocol }) => {
    const isTcp = protocol?.number === 6 && !protocol.negated;
    const names = types[family].flat().filter(name => isTcp || !name.startsWith('tcp'));
    return fc.tuple(fc.constantFrom(...names), fc.constantFrom('full', 'full', 'upper', 'start')).map(([name, form]) => {
      if (form === 'start') return [name.slice(0, -3)];
      return [form === 'upper' ? name.toUpperCase() : name];
    });
  },
};

/** What REJECT sends where nothing is said. */
export function defaultRejectType(family: Family): string {
  return family === 'ipv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable';
}
