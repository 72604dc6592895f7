/** Ethernet addresses in network order. */
import { macAddress } from '../../values/mac-address.js';
import { Problem } from '../../values/value.js';
import { ScenarioError } from './scenario-error.js';

/** Six bytes; undefined where nothing is said. @throws {ScenarioError} where the word is no Ethernet address */
export function macBytes(word: string | undefined): Uint8Array | undefined {
  if (word === undefined) return undefined;
  const address = macAddress.parse([word], { family: 'ipv4', backend: 'nft', protocol: undefined });
  if (address instanceof Problem) throw new ScenarioError(address.message);
  return Uint8Array.from({ length: 6 }, (_, index) => Math.floor(address / 256 ** (5 - index)) % 256);
}
