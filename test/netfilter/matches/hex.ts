/** Packets in hexadecimal; blanks are for reading. */
import type { Packet } from '../../../analyzer/packet/packet.js';
import { arrived } from '../fake-world.js';

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replace(/\s/gu, ''), 'hex'));
}

const word = (value: number): string => value.toString(16).padStart(4, '0');

/** From 10.0.0.9 to 192.0.2.1; `fragment` is the field with flags and offset. */
export function ipv4(protocol: number, payload: string, fragment = 0): Packet {
  const rest = bytesOf(payload);
  return arrived('ipv4', Uint8Array.from([...bytesOf(`4500 ${word(20 + rest.length)} 0007 ${word(fragment)} 40 ${protocol.toString(16).padStart(2, '0')} 0000 0a000009 c0000201`), ...rest]));
}

/** From 2001:db8::9 to 2001:db8::1, flow label 0x12345. */
export function ipv6(next: number, payload: string): Packet {
  const rest = bytesOf(payload);
  const address = '20010db80000000000000000000000';
  return arrived('ipv6', Uint8Array.from([...bytesOf(`60012345 ${word(rest.length)} ${next.toString(16).padStart(2, '0')} 40 ${address}09 ${address}01`), ...rest]));
}

/** From port 1000 to port 80, a SYN; `options` fill whole words. */
export function tcp(options = '', flags = '02'): string {
  const words = 5 + options.replace(/\s/gu, '').length / 8;
  return `03e8 0050 00000001 00000000 ${words.toString(16)}0 ${flags} 03e8 0000 0000 ${options}`;
}
