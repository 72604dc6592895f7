/**
 * A packet in one line: `tcp 198.51.100.7:40000 > 192.0.2.1:22 in eth0 flags SA`.
 *
 *     PROTO SRC[:PORT] > DST[:PORT] [in INTERFACE | in local | from local] [KEY VALUE | FLAG]…
 *
 * Keys are those of a scenario's packet and step, with a blank between a key and its value; a key that is true or false
 * stands alone (`df`, `badcsum`). An IPv6 address with a port is in brackets. Quotes keep a value with blanks together.
 */
import * as v from 'valibot';
import type { Span } from '../../../grammar/source-text.js';
import { didYouMean } from '../../model/suggest.js';
import { parseAddress } from '../../values/address.js';
import { Problem, type Family } from '../../values/value.js';
import { findProtocol, hasPorts, nameOfProtocol, protocolNames } from './protocol-names.js';
import { ScenarioError } from './scenario-error.js';
import { packetEntries, packetSchema, stepEntries } from './schema.js';
import { cutWords, type Word } from './words.js';
import type { ScenarioPacket, ScenarioStep } from '../scenario.js';

/** What is wrong with a line, and with which part of it. */
export class WordsError extends ScenarioError {
  readonly line: string;
  readonly span: Span;
  constructor(message: string, line: string, span: Span) {
    super(message);
    this.line = line;
    this.span = span;
  }
}

/** A step; where it says no interface, that is still to be found. */
export interface PacketWords extends Omit<ScenarioStep, 'in'> {
  readonly in: string | undefined;
  readonly family: Family;
}

interface Endpoint {
  readonly address: string;
  readonly family: Family;
  readonly port: number | undefined;
}

/** Keys that a line may set: those whose value fits in a word. */
const { proto, src, dst, quote, ...packetKeys } = packetEntries;
const { in: arrival, sysctls, ...stepKeys } = stepEntries;
const keys = new Map<string, v.GenericSchema>(Object.entries({ ...packetKeys, ...stepKeys }));

/** Reads one line, word by word. */
class WordsReader {
  readonly #line: string;
  readonly #words: readonly Word[];
  #at = 0;

  constructor(line: string) {
    this.#line = line;
    this.#words = cutWords(line);
  }

  get isAtEnd(): boolean { return this.#at >= this.#words.length; }

  /** The next word; where there is none, what should have been there is asked for. */
  next(expected: string): Word {
    const word = this.#words[this.#at++];
    if (word !== undefined) return word;
    const end = this.#line.trimEnd().length;
    throw new WordsError(`${expected} is missing`, this.#line, { start: end, end: end + 1 });
  }

  fail(message: string, { start, end }: Span): never {
    throw new WordsError(message, this.#line, { start, end });
  }
}

function readProtocol(reader: WordsReader): { readonly word: Word; readonly name: string | number } {
  const word = reader.next('the protocol');
  const number = findProtocol(word.text);
  if (number !== undefined) return { word, name: nameOfProtocol(number) };
  const near = didYouMean(word.text, protocolNames);
  return reader.fail(`\`${word.text}\` is not a protocol${near === undefined ? '' : `: ${near}`}`, word);
}

/** The address and the port of `192.0.2.1:22`, `[2001:db8::1]:22`, `2001:db8::1`, `192.0.2.1`: texts, and where the port begins. */
function cutEndpoint(text: string): { readonly address: string; readonly port: string | undefined; readonly portAt: number } {
  const bracket = text.startsWith('[') ? text.indexOf(']') : -1;
  const colon = bracket === -1 ? text.indexOf(':') : bracket + 1;
  const hasPort = bracket === -1 ? colon !== -1 && colon === text.lastIndexOf(':') : text[colon] === ':';
  const address = bracket !== -1 ? text.slice(1, bracket) : hasPort ? text.slice(0, colon) : text;
  return { address, port: hasPort ? text.slice(colon + 1) : bracket !== -1 && colon < text.length ? text.slice(bracket) : undefined, portAt: hasPort ? colon + 1 : bracket };
}

function readEndpoint(reader: WordsReader, what: string): Endpoint & { readonly word: Word } {
  const word = reader.next(what);
  if (word.text === '>') reader.fail(`${what} is missing before \`>\``, word);
  const { address, port, portAt } = cutEndpoint(word.text);
  const family: Family = address.includes(':') ? 'ipv6' : 'ipv4';
  const parsed = parseAddress(address, family);
  if (parsed instanceof Problem) reader.fail(parsed.message, word);
  const number = port === undefined ? undefined : Number(port);
  if (number !== undefined && !(port !== '' && Number.isInteger(number) && number >= 0 && number <= 65535)) reader.fail(`\`${port ?? ''}\` is not a port: a number from 0 to 65535`, { start: word.start + portAt, end: Math.max(word.end, word.start + portAt + 1) });
  return { address, family, port: number, word };
}

/** What a key is set to: true where its name says it all, else the next word as text, number or list. */
function readValue(reader: WordsReader, key: Word, schema: v.GenericSchema): unknown {
  if (v.is(schema, true)) return true;
  const word = reader.next(`the value of \`${key.text}\``);
  const number = Number(word.text);
  const asText = v.safeParse(schema, word.text);
  if (asText.success) return word.text;
  for (const value of [number, word.text.split(',').map(Number)]) if (v.is(schema, value)) return value;
  const [issue] = Number.isNaN(number) || word.text === '' ? asText.issues : v.safeParse(schema, number).issues ?? asText.issues;
  const { message } = issue;
  return reader.fail(message.startsWith('must ') ? `\`${key.text}\` ${message}` : message, word);
}

/** What follows the destination: the interface, and keys with their values. */
function readSettings(reader: WordsReader): { readonly in: string | undefined; readonly settings: ReadonlyMap<string, unknown> } {
  let from: string | undefined;
  const settings = new Map<string, unknown>();
  while (!reader.isAtEnd) {
    const key = reader.next('a key');
    const schema = keys.get(key.text);
    if (key.text === 'in') from = reader.next('the interface').text;
    else if (key.text === 'from') {
      const local = reader.next('`local`');
      if (local.text !== 'local') reader.fail('only `from local` is known; write `in` and the interface where it comes from elsewhere', local);
      from = 'local';
    } else if (schema === undefined) {
      const near = didYouMean(key.text, ['in', 'from', ...keys.keys()]);
      reader.fail(`unknown key \`${key.text}\`${near === undefined ? '' : `: ${near}`}`, key);
    } else if (settings.has(key.text)) reader.fail(`\`${key.text}\` is set twice`, key);
    else settings.set(key.text, readValue(reader, key, schema));
  }
  return { in: from, settings };
}

/** What goes from where to where. */
function readHead(reader: WordsReader): { readonly family: Family; readonly packet: Pick<ScenarioPacket, 'proto' | 'src' | 'dst' | 'sport' | 'dport'> } {
  const { name, word } = readProtocol(reader);
  const source = readEndpoint(reader, 'the source');
  const arrow = reader.next('`>` and the destination');
  if (arrow.text !== '>') reader.fail('`>` must stand between source and destination', arrow);
  const destination = readEndpoint(reader, 'the destination');
  const { family } = source;
  if (destination.family !== family) reader.fail(`the source is an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address, and the destination is not`, destination.word);
  const proto = name === 'icmp' && family === 'ipv6' ? 'icmpv6' : name;
  if (proto === 'icmpv6' && family === 'ipv4') reader.fail('icmpv6 goes between IPv6 addresses', word);
  for (const end of [source, destination]) if (end.port !== undefined && !hasPorts(proto)) reader.fail(`${String(proto)} has no ports`, end.word);
  return {
    family, packet: {
      proto, src: source.address, dst: destination.address,
      ...(source.port === undefined ? {} : { sport: source.port }), ...(destination.port === undefined ? {} : { dport: destination.port }),
    },
  };
}

/** Reads a packet in words. @throws {WordsError} which says what is wrong with which word */
export function parsePacketWords(line: string): PacketWords {
  const reader = new WordsReader(line);
  const { family, packet } = readHead(reader);
  const { in: from, settings } = readSettings(reader);
  const of = (names: object): object => Object.fromEntries([...settings].filter(([key]) => Object.hasOwn(names, key)));
  return { in: from, family, ...of(stepKeys), packet: v.parse(packetSchema, { ...packet, ...of(packetKeys) }) };
}
