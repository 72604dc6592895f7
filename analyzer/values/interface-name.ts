import { refuse, type Value } from './value.js';

/** An interface name; with `prefix` (a `+` at the end of what was written) any name that begins so. */
export interface InterfaceName {
  readonly name: string;
  readonly prefix: boolean;
}

/** Whether both are for the same interfaces, written as one name or one prefix. */
export function isSameInterface(a: InterfaceName, b: InterfaceName): boolean {
  return a.name === b.name && a.prefix === b.prefix;
}

/** A letter that the kernel takes in no interface's name, if there is one. Addresses with a label (`eth0:1`) are those of the interface. @see dev_valid_name() in net/core/dev.c */
export function forbiddenIn(name: string): string | undefined {
  return /[:/\s]/u.exec(name)?.[0];
}

/** At most 15 bytes (`xtables_parse_interface`, libxtables/xtables.c). A lone `+` is every interface. */
export const interfaceName: Value<InterfaceName> = {
  syntax: 'interface[+]',
  words: 1,
  parse: ([word = '']) => {
    if (word === '') return refuse('the interface name is empty');
    if (Buffer.byteLength(word) > 15) return refuse(`\`${word}\` is longer than the 15 bytes that an interface name may have`);
    return word.endsWith('+') ? { name: word.slice(0, -1), prefix: true } : { name: word, prefix: false };
  },
  print: ({ name, prefix }) => prefix ? `${name}+` : name,
  arbitrary: fc => fc.constantFrom('eth0', 'eth1', 'lo', 'wlan0', 'ppp+', 'tun+', 'br-lan', 'docker0', 'eth0.100', 'veth123456789ab', 'enp3s0', 'a').map(name => [name]),
};
