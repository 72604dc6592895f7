/** Classic BPF, run over a packet from its IP header on. @see bpf_convert_filter() in net/core/filter.c for what it becomes, whose answers are these */
import type { BpfInstruction } from '../values/bpf-verifier.js';
import type { Packet } from './packet.js';

const memorySlots = 16;
/** From here on, an absolute load asks something about the packet (SKF_AD_OFF). */
const ancillary = 0xffff_f000;
/** From here on, counted from the IP header (SKF_NET_OFF); below it and from the other on, from the Ethernet header (SKF_LL_OFF). */
const network = 0xfff0_0000;
const linkLayer = 0xffe0_0000;
const firstNegative = 0x8000_0000;

/** What a program may ask about a packet, by number; undefined: it cannot be known. */
export type Ancillary = (number: number) => number | undefined;

/** What the program returned; undefined where it asked for something that cannot be known. */
export type BpfAnswer = number | undefined;

const beyond = -1;
const unknowable = -2;

/** `size` bytes of the packet at this offset; `beyond` where they are not there. */
function load(packet: Packet, offset: number, size: number): number {
  let at = offset;
  if (offset >= firstNegative) {
    if (offset < linkLayer) return beyond;
    // The Ethernet header itself is not kept in bytes.
    if (offset < network) return unknowable;
    at = offset - network;
  }
  if (at + size > packet.bytes.length) return beyond;
  return size === 4 ? packet.u32(at) : size === 2 ? packet.u16(at) : packet.u8(at);
}

/** Of an arithmetic instruction; undefined where it divides by zero, which ends the program. */
function compute(operation: number, a: number, operand: number): number | undefined {
  switch (operation) {
    case 0x00: return (a + operand) >>> 0;
    case 0x10: return (a - operand) >>> 0;
    case 0x20: return Math.imul(a, operand) >>> 0;
    case 0x30: return operand === 0 ? undefined : Math.floor(a / operand);
    case 0x40: return (a | operand) >>> 0;
    case 0x50: return (a & operand) >>> 0;
    case 0x60: return (a << (operand & 31)) >>> 0;
    case 0x70: return a >>> (operand & 31);
    case 0x80: return -a >>> 0;
    case 0x90: return operand === 0 ? undefined : a % operand;
    default: return (a ^ operand) >>> 0;
  }
}

function jumps(operation: number, a: number, operand: number): boolean {
  switch (operation) {
    case 0x10: return a === operand;
    case 0x20: return a > operand;
    case 0x30: return a >= operand;
    default: return (a & operand) !== 0;
  }
}

const xor = 40;

class Machine {
  a = 0;
  x = 0;
  readonly #memory = new Uint32Array(memorySlots);
  readonly #packet: Packet;
  readonly #about: Ancillary;

  constructor(packet: Packet, about: Ancillary) {
    this.#packet = packet;
    this.#about = about;
  }

  /** BPF_LD: what is to become A; negative where there is nothing. */
  load(code: number, k: number): number {
    const size = (code & 0x18) === 0 ? 4 : (code & 0x18) === 0x08 ? 2 : 1;
    switch (code & 0xe0) {
      case 0x00: return k;
      case 0x20: return k >= ancillary ? this.#ask(k - ancillary) : load(this.#packet, k, size);
      case 0x40: return load(this.#packet, (this.x + k) >>> 0, size);
      case 0x60: return this.#memory[k] ?? 0;
      default: return this.#packet.bytes.length;
    }
  }

  /** BPF_LDX: what is to become X. */
  loadIndex(code: number, k: number): number {
    switch (code & 0xe0) {
      case 0x00: return k;
      case 0x60: return this.#memory[k] ?? 0;
      case 0x80: return this.#packet.bytes.length;
      // The length of an IPv4 header, from its first byte.
      default: {
        const first = load(this.#packet, k, 1);
        return first < 0 ? first : (first & 15) * 4;
      }
    }
  }

  store(at: number, value: number): void {
    this.#memory[at] = value;
  }

  #ask(number: number): number {
    return number === xor ? (this.a ^ this.x) >>> 0 : this.#about(number) ?? unknowable;
  }
}

/** Runs a program that `findBpfFault` has nothing against. What is loaded from beyond the packet, or divided by zero, ends it with 0. */
export function runBpf(program: readonly BpfInstruction[], packet: Packet, about: Ancillary): BpfAnswer {
  const machine = new Machine(packet, about);
  for (let at = 0; at < program.length; at++) {
    const instruction = program[at];
    if (instruction === undefined) break;
    const { code, jt, jf } = instruction;
    const k = instruction.k >>> 0;
    const operand = (code & 0x08) === 0 ? k : machine.x;
    switch (code & 7) {
      case 0: case 1: {
        const value = (code & 7) === 0 ? machine.load(code, k) : machine.loadIndex(code, k);
        if (value < 0) return value === beyond ? 0 : undefined;
        if ((code & 7) === 0) machine.a = value;
        else machine.x = value;
        break;
      }
      case 2: machine.store(k, machine.a); break;
      case 3: machine.store(k, machine.x); break;
      case 4: {
        const value = compute(code & 0xf0, machine.a, operand);
        if (value === undefined) return 0;
        machine.a = value;
        break;
      }
      case 5:
        if ((code & 0xf0) === 0) at += k;
        else at += jumps(code & 0xf0, machine.a, operand) ? jt : jf;
        break;
      case 6: return (code & 0x18) === 0x10 ? machine.a : k;
      default:
        if ((code & 0x80) === 0) machine.x = machine.a;
        else machine.a = machine.x;
    }
  }
  return 0;
}
