/** The kernel's table of connections, as `conntrack -L` would print it. */
import { protocolName } from '../analyzer/netfilter/conntrack/protocol-words.js';
import type { ConntrackAnswer } from '../analyzer/netfilter/scenario.js';
import { printAddress } from '../analyzer/values/address.js';
import type { Family } from '../analyzer/values/value.js';
import type { Helper } from './helper-process.js';
import { attribute, flags, messagesIn, messageTypes, nested, request, type Attributes } from './netlink.js';

const withPorts = new Set([6, 17, 132, 136]);
const gre = 47;

/** enum tcp_conntrack */
const tcpStates = ['NONE', 'SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'FIN_WAIT', 'CLOSE_WAIT', 'LAST_ACK', 'TIME_WAIT', 'CLOSE', 'SYN_SENT2'];

/** enum ip_conntrack_status, without NAT's own notes that it has been. */
const statusBits: Readonly<Record<string, number>> = { EXPECTED: 1, SEEN_REPLY: 2, ASSURED: 4, CONFIRMED: 8, SNAT: 16, DNAT: 32, SEQ_ADJUST: 64, DYING: 512, FIXED_TIMEOUT: 1024, NAT_CLASH: 4096, HELPER: 8192 };

export function statusNames(status: number): readonly string[] {
  return Object.entries(statusBits).filter(([, bit]) => (status & bit) !== 0).map(([name]) => name);
}

function addressText(bytes: Buffer): string {
  return printAddress(bytes.length === 4 ? bytes.readUInt32BE() : BigInt(`0x${bytes.toString('hex')}`));
}

/** `tcp 192.0.2.9:40000>10.0.0.5:80`, `tcp [2001:db8::1]:40000>[2001:db8::2]:80`, `icmp 192.0.2.9>10.0.0.5 type 8 code 0 id 1`, `gre 192.0.2.9>10.0.0.5 key 0x0>0x1` */
function tupleText(tuple: Attributes | undefined): string {
  const [ip, proto] = [tuple?.nested(1), tuple?.nested(2)];
  const number = proto?.u8(1) ?? 0;
  const [src, dst] = [ip?.bytes(1) ?? ip?.bytes(3), ip?.bytes(2) ?? ip?.bytes(4)].map(bytes => bytes === undefined ? '?' : addressText(bytes));
  const end = (address = '', port: number | undefined): string => withPorts.has(number) ? `${address.includes(':') ? `[${address}]` : address}:${String(port ?? 0)}` : address;
  const flow = `${protocolName(number) ?? String(number)} ${end(src, proto?.u16(2))}>${end(dst, proto?.u16(3))}`;
  if (number === gre) return `${flow} key 0x${(proto?.u16(2) ?? 0).toString(16)}>0x${(proto?.u16(3) ?? 0).toString(16)}`;
  if (number !== 1 && number !== 58) return flow;
  const [id, type, code] = number === 1 ? [proto?.u16(4), proto?.u8(5), proto?.u8(6)] : [proto?.u16(7), proto?.u8(8), proto?.u8(9)];
  return `${flow} type ${String(type ?? 0)} code ${String(code ?? 0)} id ${String(id ?? 0)}`;
}

function answerOf(entry: Attributes): ConntrackAnswer {
  const [orig, reply] = [entry.nested(1), entry.nested(2)];
  const [state, helper] = [entry.nested(4)?.nested(1)?.u8(1), entry.nested(5)?.string(1)];
  return {
    orig: tupleText(orig), reply: tupleText(reply), status: statusNames(entry.u32(3) ?? 0), ...(state === undefined ? {} : { tcp: tcpStates[state] ?? String(state) }),
    timeout: entry.u32(7) ?? 0, mark: entry.u32(8) ?? 0, zone: entry.u16(18) ?? orig?.u16(3) ?? reply?.u16(3) ?? 0, ...(helper === undefined ? {} : { helper }),
  };
}

const family = (name: Family): number => name === 'ipv4' ? 2 : 10;

/**
 * The connections of a namespace. The kernel tells of each new one, and is then asked for them one by one:
 * its table is that of the whole machine, and to walk it takes far longer than a packet does.
 */
export class ConntrackTable {
  readonly #helper: Helper;
  readonly #family: Family;
  /** Requests by original tuple and zone, with the tuple. */
  readonly #known = new Map<string, { readonly original: Buffer; readonly question: Buffer }>();

  constructor(helper: Helper, name: Family) {
    this.#helper = helper;
    this.#family = name;
  }

  /** Notes the new connections that a `gather` told of. */
  listen(told: readonly string[]): void {
    for (const { attributes } of told.flatMap(word => word.startsWith('C') ? messagesIn(Buffer.from(word.slice(1), 'hex')) : [])) {
      const [original, zone] = [attributes.bytes(1), attributes.bytes(18)];
      if (original === undefined) continue;
      const question = [attribute(1 | nested, original), ...(zone === undefined ? [] : [attribute(18, zone)])];
      const key = Buffer.concat(question).toString('hex');
      this.#known.delete(key);
      this.#known.set(key, { original, question: request(messageTypes.conntrackGet, { flag: flags.ack, family: family(this.#family) }, ...question) });
    }
  }

  /** Those alive, the oldest first. */
  async read(): Promise<readonly ConntrackAnswer[]> {
    const answers = await Promise.all([...this.#known].map(async ([key, { original, question }]) => {
      // Where the connection is gone, the kernel answers with one that has begun the other way since.
      const found = messagesIn(await this.#helper.netlink('questions', question)).filter(({ attributes }) => attributes.bytes(1)?.equals(original) === true);
      if (found.length === 0) this.#known.delete(key);
      return found.map(({ attributes }) => answerOf(attributes));
    }));
    return answers.flat();
  }
}
