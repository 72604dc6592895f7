/** Netlink messages of netfilter: building requests, reading what comes back. The headers are in the machine's byte order, netfilter's numbers in the network's. */

export const flags = { request: 1, ack: 4, dump: 0x300 } as const;

/** Subsystem << 8 | message. */
export const messageTypes = { conntrackGet: 0x0101, conntrackDelete: 0x0102, expectationDelete: 0x0202, logPacket: 0x0400, logConfig: 0x0401, nftGetRule: 0x0a07, nftTrace: 0x0a11 } as const;

/** NLA_F_NESTED */
export const nested = 0x8000;

const headerLength = 16;
const familyHeaderLength = 4;

function aligned(length: number): number {
  return (length + 3) & ~3;
}

export function attribute(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(aligned(4 + value.length));
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, 4);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A request; `resource` is, for the packet log, the group. */
export function request(type: number, { flag = flags.ack as number, family = 0, resource = 0 }, ...attributes: readonly Buffer[]): Buffer {
  const body = Buffer.concat(attributes);
  const header = Buffer.alloc(headerLength + familyHeaderLength);
  header.writeUInt32LE(header.length + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags.request | flag, 6);
  header.writeUInt8(family, headerLength);
  header.writeUInt16BE(resource, headerLength + 2);
  return Buffer.concat([header, body]);
}

/** A row of attributes, by their types; where one comes twice, the last holds. */
export class Attributes {
  readonly #values = new Map<number, Buffer>();
  /** In order, for lists whose elements all have one type. */
  readonly list: Buffer[] = [];

  constructor(bytes: Buffer) {
    for (let at = 0; at + 4 <= bytes.length;) {
      const length = bytes.readUInt16LE(at);
      if (length < 4) break;
      const value = bytes.subarray(at + 4, at + length);
      this.#values.set(bytes.readUInt16LE(at + 2) & 0x3fff, value);
      this.list.push(value);
      at += aligned(length);
    }
  }

  bytes(type: number): Buffer | undefined { return this.#values.get(type); }
  u8(type: number): number | undefined { return this.bytes(type)?.readUInt8(); }
  u16(type: number): number | undefined { return this.bytes(type)?.readUInt16BE(); }
  u32(type: number): number | undefined { return this.bytes(type)?.readUInt32BE(); }
  u64(type: number): number | undefined { return this.bytes(type) === undefined ? undefined : Number(this.bytes(type)?.readBigUInt64BE()); }

  string(type: number): string | undefined {
    const bytes = this.bytes(type);
    return bytes?.toString('latin1', 0, bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length);
  }

  nested(type: number): Attributes | undefined {
    const bytes = this.bytes(type);
    return bytes === undefined ? undefined : new Attributes(bytes);
  }
}

export interface Message {
  readonly type: number;
  readonly attributes: Attributes;
}

/** All messages of a buffer, one behind the other. */
export function messagesIn(bytes: Buffer): readonly Message[] {
  const messages: Message[] = [];
  for (let at = 0; at + headerLength <= bytes.length;) {
    const length = bytes.readUInt32LE(at);
    if (length < headerLength) break;
    messages.push({ type: bytes.readUInt16LE(at + 4), attributes: new Attributes(bytes.subarray(at + headerLength + familyHeaderLength, at + length)) });
    at += aligned(length);
  }
  return messages;
}
