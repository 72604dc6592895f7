/** SIP messages and the session descriptions in them, as far as their addresses go. @see net/netfilter/nf_conntrack_sip.c */
import { parseIPv6 } from '../../values/address.js';
import type { Family } from '../../values/value.js';

export interface SipEndpoint {
  readonly address: number | bigint;
  readonly port: number;
  /** What follows it in its header: parameters. */
  readonly rest: string;
}

export interface SdpMedia {
  readonly kind: 'audio' | 'video' | 'image';
  readonly port: number;
  /** Of its own connection line; undefined where it has none. */
  readonly address: number | bigint | undefined;
}

export interface SessionDescription {
  readonly address: number | bigint | undefined;
  readonly media: readonly SdpMedia[];
}

const compactNames: Readonly<Record<string, string>> = { contact: 'm', 'content-length': 'l' };
const defaultPort = 5060;

export class SipMessage {
  readonly firstLine: string;
  readonly #lines: readonly string[];
  readonly #family: Family;

  constructor(text: string, family: Family) {
    // Continuation lines belong to the line before.
    const [first = '', ...lines] = text.replace(/(?:\r\n|\r|\n)[ \t]+/g, ' ').split(/\r\n|\r|\n/);
    this.firstLine = first;
    this.#lines = lines;
    this.#family = family;
  }

  get isResponse(): boolean { return /^SIP\/2\.0 /i.test(this.firstLine); }

  /** The values of all headers of that name, given in small letters. Where something else than a colon follows it, the search ends. @see ct_sip_get_header() */
  *headers(name: string): IterableIterator<string> {
    const compact = compactNames[name];
    for (const line of this.#lines) {
      const lower = line.slice(0, name.length).toLowerCase();
      const isCompact = compact !== undefined && lower.startsWith(compact) && !/[a-z]/i.test(line.charAt(1));
      if (lower !== name && !isCompact) continue;
      const value = /^ *: *(.*)/.exec(line.slice(lower === name ? name.length : 1))?.[1];
      if (value === undefined) return;
      yield value;
    }
  }

  /** The first value that begins with a number. */
  number(name: string): number | undefined {
    for (const value of this.headers(name)) {
      const digits = /^\d+/.exec(value)?.[0];
      if (digits !== undefined) return Number(digits);
    }
    return undefined;
  }

  /** Number and method of the CSeq header. */
  get sequence(): { readonly number: number; readonly method: string } | undefined {
    for (const value of this.headers('cseq')) {
      const read = /^(\d+).?(.*)/.exec(value);
      if (read !== null) return { number: Number(read[1]), method: read[2] ?? '' };
    }
    return undefined;
  }

  /** Addresses of the Contact headers; `bad` where a port is out of range. Names are passed over. @see ct_sip_parse_header_uri() */
  *contacts(): IterableIterator<SipEndpoint | 'bad'> {
    for (const header of this.headers('contact')) {
      for (const value of header.split(',')) {
        const uri = /sip:(?:[^@]*@)?/i.exec(value);
        if (uri === null) continue;
        const found = readAddress(value.slice(uri.index + uri[0].length), this.#family);
        if (found === undefined) continue;
        const port = /^:(\d+)/.exec(found.rest);
        if (port === null) yield { address: found.address, port: defaultPort, rest: found.rest };
        else {
          const number = Number(port[1]);
          yield number < 1024 || number > 0xffff ? 'bad' : { address: found.address, port: number, rest: found.rest.slice(port[0].length) };
        }
      }
    }
  }

  /** The session description, from its `v=` line on; undefined where there is none. @see process_sdp() */
  get description(): SessionDescription | undefined {
    const start = this.#lines.findIndex(line => /^v=\d/i.test(line));
    if (start < 0) return undefined;
    const media: SdpMedia[] = [];
    let address: number | bigint | undefined;
    let isOther = false;
    for (const line of this.#lines.slice(start + 1)) {
      const described = /^m=([a-z]+) (\d*)/i.exec(line);
      if (described !== null) {
        const [, kind = '', port = ''] = described;
        isOther = !isKnown(kind);
        if (isKnown(kind)) media.push({ kind, port: Number(port), address: undefined });
      } else {
        const connection = this.#connectionAddress(line);
        const last = media.at(-1);
        if (connection === undefined || isOther) continue;
        if (last === undefined) address ??= connection;
        else if (last.address === undefined) media[media.length - 1] = { ...last, address: connection };
      }
    }
    return { address, media };
  }

  #connectionAddress(line: string): number | bigint | undefined {
    const marker = this.#family === 'ipv4' ? 'IN IP4 ' : 'IN IP6 ';
    const at = /^c=/i.test(line) ? line.indexOf(marker) : -1;
    return at < 0 ? undefined : readAddress(line.slice(at + marker.length), this.#family)?.address;
  }
}

function isKnown(kind: string): kind is SdpMedia['kind'] {
  return kind === 'audio' || kind === 'video' || kind === 'image';
}

function readAddress(text: string, family: Family): { readonly address: number | bigint; readonly rest: string } | undefined {
  if (family === 'ipv4') {
    const read = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![\da-f.])/i.exec(text);
    const bytes = read?.slice(1).map(Number) ?? [];
    if (read === null || bytes.some(byte => byte > 255)) return undefined;
    return { address: bytes.reduce((sum, byte) => sum * 256 + byte, 0), rest: text.slice(read[0].length) };
  }
  const read = /^\[([\da-f:.]+)\]|^([\da-f:.]+)/i.exec(text);
  const address = parseIPv6(read?.[1] ?? read?.[2] ?? '');
  return read === null || address === undefined ? undefined : { address, rest: text.slice(read[0].length) };
}
