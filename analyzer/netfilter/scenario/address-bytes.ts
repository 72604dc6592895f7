/** Addresses in network order. */
import { parseAddress, type Address } from '../../values/address.js';
import { Problem, type Family } from '../../values/value.js';
import { ScenarioError } from './scenario-error.js';

/** @throws {ScenarioError} where the word is missing or no address of the family; names need a name service and are none */
export function addressBytes(word: string | undefined, family: Family, what: string): Uint8Array {
  if (word === undefined) throw new ScenarioError(`the packet has no ${what}`);
  const address = parseAddress(word, family);
  if (address instanceof Problem) throw new ScenarioError(`${what}: ${address.message}`);
  const bytes = new Uint8Array(family === 'ipv4' ? 4 : 16);
  let rest = BigInt(address);
  for (let at = bytes.length - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The address that 4 or 16 bytes are. */
export function addressOf(bytes: Uint8Array): Address {
  if (bytes.length === 4) return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
