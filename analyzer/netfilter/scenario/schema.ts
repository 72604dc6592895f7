/** What a scenario may hold: its keys, their types and ranges. Files, and packets in words, are held against it. */
import * as v from 'valibot';
import { found, flag, list, noList, object, text, whole } from '../../model/schema-words.js';
import { didYouMean } from '../../model/suggest.js';
import { Problem } from '../../values/value.js';
import { macAddress } from '../../values/mac-address.js';
import type { ScenarioPacket } from '../scenario.js';
import { findProtocol, protocolNames } from './protocol-names.js';
import { chunkType } from './sctp-bytes.js';
import { canonical } from '../host/sysctls.js';
import { sysctlProblem } from '../host/sysctl-names.js';
import { ScenarioError } from './scenario-error.js';
import { flagBits } from './tcp-bytes.js';

const [u4, u8, u16, u32] = [whole(15), whole(255), whole(65535), whole(0xffff_ffff)];
const seconds = v.pipe(v.number(issue => `must be a number of seconds, and is ${found(issue)}`), v.minValue(0, 'must not be negative: time only goes on'), v.finite('must be a number of seconds'));

/** A value of which a function says whether it can be: that throws a ScenarioError where not. */
function accepted<T extends string | number>(schema: v.GenericSchema<T>, read: (value: T) => unknown): v.GenericSchema<T> {
  return v.pipe(schema, v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    try {
      read(dataset.value);
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error;
      addIssue({ message: error.message });
    }
  }));
}

const textOrNumber = v.union([v.string(), v.number()], issue => `must be a name or a number, and is ${found(issue)}`);
const protocol = v.pipe(textOrNumber, v.check(value => findProtocol(value) !== undefined, issue => {
  const near = didYouMean(String(issue.input), protocolNames);
  return `\`${String(issue.input)}\` is not a protocol${near === undefined ? '' : `: ${near}`}`;
}));
const mac = v.pipe(text, v.check(word => !(macAddress.parse([word], { family: 'ipv4', backend: 'nft', protocol: undefined }) instanceof Problem), 'must be an Ethernet address, as 02:00:00:00:00:01'));
const optional = v.exactOptional;

const quoted: v.GenericSchema<ScenarioPacket> = v.lazy(() => packetSchema);

export const packetEntries = {
  proto: protocol, src: optional(text), dst: optional(text), sport: optional(u16), dport: optional(u16),
  flags: optional(accepted(text, flagBits)), seq: optional(u32), ack: optional(u32), win: optional(u16),
  mss: optional(u16), wscale: optional(u8), sackok: optional(flag), urg: optional(u16), doff: optional(u4),
  type: optional(u8), code: optional(u8), id: optional(u16), icmp_seq: optional(u16), rest: optional(u32),
  quote: optional(quoted), quote_len: optional(u16), rest_hex: optional(text),
  chunk: optional(accepted(textOrNumber, chunkType)), vtag: optional(u32), spi: optional(u32), udplen: optional(u16),
  payload: optional(text), payload_hex: optional(text), payload_len: optional(u16),
  ttl: optional(u8), tos: optional(u8), df: optional(flag), ip_id: optional(u32), frag_off: optional(whole(8191)), mf: optional(flag),
  fragsize: optional(u16), fragorder: optional(list(u16)), cut: optional(u16),
  smac: optional(mac), dmac: optional(mac), mark: optional(u32), uid: optional(u32), gid: optional(u32),
  badcsum: optional(flag), badipcsum: optional(flag), nocsum: optional(flag),
} satisfies Record<keyof ScenarioPacket, v.GenericSchema | v.ExactOptionalSchema<v.GenericSchema, undefined>>;

export const packetSchema = object(packetEntries, 'the packet');

const sysctlName = v.pipe(v.string(), v.check(name => sysctlProblem(canonical(name)) === undefined, issue => sysctlProblem(canonical(issue.input)) ?? ''));
const sysctls = noList(v.record(sysctlName, v.number(issue => `must be a number, and is ${found(issue)}`), issue => `must be an object, and is ${found(issue)}`));

/** Of a step, beside its packet. */
export const stepEntries = { in: text, advance: optional(seconds), sysctls: optional(sysctls), broadcast: optional(flag) };

const step = object({ ...stepEntries, packet: packetSchema }, 'the step');

const oneOf = <const T extends readonly string[]>(words: T): v.PicklistSchema<T, (issue: v.PicklistIssue) => string> => v.picklist(words, issue => `must be ${words.join(' or ')}, and is ${found(issue)}`);

const networkInterface = object({
  name: text, addresses: list(text), kind: optional(oneOf(['ethernet', 'tun'])), mac: optional(mac), mtu: optional(u16),
}, 'the interface');

export const scenarioSchema = object({
  family: optional(oneOf(['ipv4', 'ipv6'])), backend: optional(oneOf(['legacy', 'nft'])), interfaces: optional(list(networkInterface)),
  routes: optional(list(text)), ipRules: optional(list(text)), sysctls: optional(sysctls),
  ipsets: optional(text), conntrack: optional(text), rules: optional(text), steps: list(step),
}, 'the scenario');
