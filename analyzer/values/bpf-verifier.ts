/** One instruction of classic BPF. */
export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const memorySlots = 16;
/** From here on a load is of something about the packet and not of the packet. */
const ancillary = 0xffff_f000;
const ancillaries = 16;

const both = [0x0, 0x8];
const known: ReadonlySet<number> = new Set([
  ...[0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xa0].flatMap(operation => both.map(source => 4 | operation | source)), 0x84,
  ...[0x00, 0x08, 0x10].flatMap(size => [0x20 | size, 0x40 | size]), 0x00, 0x60, 0x80,
  0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x07, 0x87, 0x06, 0x16,
  0x05, ...[0x10, 0x20, 0x30, 0x40].flatMap(operation => both.map(source => 5 | operation | source)),
]);
const divisions = new Set([0x34, 0x94]);
const shifts = new Set([0x64, 0x74]);
const memoryLoads = new Set([0x60, 0x61]);
const memoryStores = new Set([0x02, 0x03]);
const packetLoads = new Set([0x20, 0x28, 0x30]);
const jump = 0x05;

function faultOf({ code, jt, jf, k }: BpfInstruction, left: number): string | undefined {
  if (!known.has(code)) return `there is no instruction ${String(code)}`;
  if (divisions.has(code) && k === 0) return 'it divides by zero';
  if (shifts.has(code) && k > 31) return `it shifts by ${String(k)} bits`;
  if ((memoryLoads.has(code) || memoryStores.has(code)) && k >= memorySlots) return `there is no memory cell ${String(k)}`;
  if (code === jump ? k >= left : (code & 7) === jump && (jt >= left || jf >= left)) return 'it jumps beyond its end';
  if (packetLoads.has(code) && k >= ancillary && ((k - ancillary) % 4 !== 0 || (k - ancillary) / 4 >= ancillaries)) return `there is nothing to load at ${String(k)}`;
  return undefined;
}

/** Cells of memory are written before they are read, whichever way is taken. */
function readsUnwritten(program: readonly BpfInstruction[]): boolean {
  const reached = program.map(() => 0xffff);
  let written = 0;
  const flowTo = (target: number): void => {
    reached[target] = (reached[target] ?? 0xffff) & written;
  };
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    written &= reached[at] ?? 0xffff;
    if (memoryStores.has(code)) written |= 1 << k;
    else if (memoryLoads.has(code) && (written >> k & 1) === 0) return true;
    else if ((code & 7) === jump) {
      if (code === jump) flowTo(at + 1 + k);
      else [jt, jf].forEach(distance => flowTo(at + 1 + distance));
      written = 0xffff;
    }
  }
  return false;
}

/** Why the kernel would not take the program (`bpf_check_classic`, net/core/filter.c); undefined where it would. */
export function findBpfFault(program: readonly BpfInstruction[]): string | undefined {
  for (const [at, instruction] of program.entries()) {
    const fault = faultOf(instruction, program.length - at - 1);
    if (fault !== undefined) return `instruction ${String(at + 1)}: ${fault}`;
  }
  const last = program.at(-1)?.code;
  if (last !== 0x06 && last !== 0x16) return 'it does not end with a return';
  return readsUnwritten(program) ? 'it reads memory that it did not write' : undefined;
}
