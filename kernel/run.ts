/** The packets of one scenario, sent one by one, and what the kernel told of each. */
import { buildPacket } from '../analyzer/netfilter/scenario/build-packet.js';
import type { Scenario, ScenarioInterface, ScenarioPacket, ScenarioStep, StepAnswer } from '../analyzer/netfilter/scenario.js';
import type { Backend, Family } from '../analyzer/values/value.js';
import { ConntrackTable } from './conntrack-table.js';
import { reasonsIn, type DropReasons } from './drop-reasons.js';
import { eventsIn } from './events.js';
import { hexWord, type Helper } from './helper-process.js';
import { journeysOf } from './journeys.js';
import type { RuleBook } from './rule-book.js';
import { macOf, setSysctls, SetUpError } from './set-up.js';
import { fateOf, untracked, type Fate, type Left } from './step-answer.js';

/** Longer than one tick of the kernel's clock, in milliseconds. */
const tick = 11;

/** Who sends a packet that comes in, where it does not say itself. */
const neighbour = Buffer.from('0200000000fe', 'hex');
const etherTypes = { ipv4: Buffer.from('0800', 'hex'), ipv6: Buffer.from('86dd', 'hex') } as const;

/** A frame's destination: said, or as a real neighbour's. */
function destinationOf({ dmac }: ScenarioPacket, bytes: Uint8Array, family: Family, own: Buffer, isBroadcast: boolean): Buffer {
  if (dmac !== undefined) return Buffer.from(dmac.replaceAll(':', ''), 'hex');
  if (isBroadcast) return Buffer.alloc(6, 0xff);
  const [at, first] = family === 'ipv4' ? [16, 0xe0] : [24, 0xff];
  if (family === 'ipv4' && ((bytes[at] ?? 0) & 0xf0) === first) return Buffer.from([0x01, 0x00, 0x5e, (bytes[17] ?? 0) & 0x7f, bytes[18] ?? 0, bytes[19] ?? 0]);
  if (family === 'ipv6' && bytes[at] === first) return Buffer.from([0x33, 0x33, ...bytes.subarray(36, 40)]);
  return own;
}

/** Where a scenario takes place. */
export interface Place {
  readonly family: Family;
  readonly backend: Backend;
  readonly book: RuleBook;
  readonly reasons: DropReasons;
  /** All devices of the namespace, in the order in which they were made. */
  readonly devices: readonly ScenarioInterface[];
}

/** One scenario under way. */
export class Run {
  readonly #helper: Helper;
  readonly #interfaces: readonly ScenarioInterface[];
  readonly #family: Family;
  readonly #backend: Backend;
  readonly #book: RuleBook;
  readonly #reasons: DropReasons;
  readonly #conntrack: ConntrackTable;
  /** All that the scenario says: a port that is not in it was chosen by chance. */
  readonly #said: string;
  #isTracking: boolean;

  constructor(helper: Helper, scenario: Scenario, { family, backend, book, reasons, devices }: Place) {
    this.#helper = helper;
    this.#interfaces = devices;
    this.#family = family;
    this.#backend = backend;
    this.#book = book;
    this.#reasons = reasons;
    this.#isTracking = book.isTracking;
    this.#said = JSON.stringify(scenario);
    this.#conntrack = new ConntrackTable(helper, family);
  }

  /** What the making of the namespace set off is not of interest; but flows that are there already are. */
  async begin(): Promise<void> {
    this.#conntrack.listen(await this.#helper.ask('gather'));
  }

  async step(step: ScenarioStep): Promise<StepAnswer> {
    const { advance = 0, sysctls = {} } = step;
    const wait = Math.max(Math.round(advance * 1000), this.#book.countsByTick ? tick : 0);
    if (wait > 0) await this.#helper.ask('sleep', wait);
    await Promise.all(setSysctls(this.#helper, sysctls));
    const fates: Fate[] = [];
    for (const bytes of buildPacket(step.packet, this.#family)) fates.push(await this.#send(step, bytes));
    const last = fates.at(-1);
    const conntrack = await this.#conntrack.read();
    const chosen = conntrack.flatMap(({ reply }) => /(?::| id )(\d+)$/u.exec(reply)?.[1] ?? []).filter(port => !this.#said.includes(port));
    return {
      path: fates.flatMap(fate => fate.path), verdict: last?.verdict ?? 'drop', by: last?.by ?? null, out: fates.flatMap(fate => fate.out), ct: last?.ct ?? null,
      conntrack, generated: fates.flatMap(fate => fate.generated),
      ...(chosen.length === 0 ? {} : { chance: chosen.map(port => `port or id ${port}`) }),
    };
  }

  async #send(step: ScenarioStep, bytes: Uint8Array): Promise<Fate> {
    const isLocal = step.in === 'local';
    const sent = isLocal ? this.#sendLocal(step.packet, bytes) : this.#receive(step, bytes);
    const [[failed], told] = await Promise.all([sent, this.#helper.ask('gather')]);
    if (told.includes('!lost')) throw new Error('the kernel told more than there was room for');
    this.#conntrack.listen(told);
    const journeys = journeysOf(eventsIn(told, this.#backend, this.#book));
    this.#isTracking ||= journeys.some(journey => journey.seen.ct !== undefined && journey.seen.ct.state !== untracked);
    return fateOf({ family: this.#family, book: this.#book, isLocal, journeys, left: this.#leftIn(told), reasons: reasonsIn(told, this.#reasons), isTracking: this.#isTracking, failed: Number(failed) });
  }

  #sendLocal({ dst, uid = 0, gid = 0, mark = 0 }: ScenarioPacket, bytes: Uint8Array): Promise<readonly string[]> {
    return this.#helper.ask('local', this.#family === 'ipv4' ? 4 : 6, uid, gid, mark, dst ?? '-', hexWord(bytes));
  }

  #receive(step: ScenarioStep, bytes: Uint8Array): Promise<readonly string[]> {
    const number = this.#interfaces.findIndex(one => one.name === step.in);
    const device = this.#interfaces[number];
    if (device === undefined) throw new SetUpError(`there is no interface ${step.in}`);
    if (device.kind === 'tun') return this.#helper.ask('frame', number, hexWord(bytes));
    const { smac } = step.packet;
    const source = smac === undefined ? neighbour : Buffer.from(smac.replaceAll(':', ''), 'hex');
    const destination = destinationOf(step.packet, bytes, this.#family, macOf(device, number), step.broadcast === true);
    return this.#helper.ask('frame', number, hexWord(Buffer.concat([destination, source, etherTypes[this.#family], bytes])));
  }

  #leftIn(told: readonly string[]): readonly Left[] {
    return told.filter(word => word.startsWith('F')).flatMap(word => {
      const colon = word.indexOf(':');
      const number = Number(word.slice(1, colon));
      const frame = Buffer.from(word.slice(colon + 1), 'hex');
      const device = this.#interfaces[number];
      if (device === undefined) return [];
      if (device.kind === 'tun') return [{ device: device.name, index: number + 2, bytes: frame }];
      return frame.subarray(12, 14).equals(etherTypes[this.#family]) ? [{ device: device.name, index: number + 2, bytes: frame.subarray(14) }] : [];
    });
  }
}
