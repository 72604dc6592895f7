import { scanDecimal } from './c-decimal.js';
import { findBpfFault, type BpfInstruction } from './bpf-verifier.js';
import { refuse, type Value } from './value.js';

const most = 64;

/** `length,code jt jf k,…`: classic BPF, numbers in decimal; those that are too large are cut. */
export const bpfBytecode: Value<readonly BpfInstruction[]> = {
  syntax: 'length,code jt jf k[,…]',
  words: 1,
  parse: ([word = '']) => {
    const comma = /^[ \t\n\v\f\r]*[+-]?\d+(?=,)/u.exec(word)?.[0];
    if (comma === undefined) return refuse('the number of instructions and a comma must come first');
    const length = scanDecimal(comma).value & 0xffff;
    if (length === 0 || length > most) return refuse(`a program has 1 to ${String(most)} instructions`);
    const lines = word.slice(comma.length + 1).split(',');
    if (lines.at(-1) === '') lines.pop();
    if (lines.length !== length) return refuse(`the program has ${String(lines.length)} instructions, and ${String(length)} were announced`);
    const program: BpfInstruction[] = [];
    for (const line of lines) {
      const fields = /^\s*([+-]?\d+)(?!\d)\s*([+-]?\d+)(?!\d)\s*([+-]?\d+)(?!\d)\s*([+-]?\d+)/u.exec(line)?.slice(1).map(field => scanDecimal(field).value);
      if (fields === undefined) return refuse(`\`${line}\` is not an instruction: four numbers`);
      const [code = 0, jt = 0, jf = 0, k = 0] = fields;
      program.push({ code: code & 0xffff, jt: jt & 0xff, jf: jf & 0xff, k });
    }
    const fault = findBpfFault(program);
    return fault === undefined ? program : refuse(`the kernel refuses the program: ${fault}`);
  },
  print: program => `"${[String(program.length), ...program.map(({ code, jt, jf, k }) => `${String(code)} ${String(jt)} ${String(jf)} ${String(k)}`)].join(',')}"`,
  arbitrary: fc => {
    // Loads, arithmetic, a store with its load, and jumps by one: any sequence of them is legal.
    const step = fc.oneof(
      fc.tuple(fc.constantFrom(48, 40, 32, 0, 1, 80, 4, 36, 84, 164, 12, 7, 135, 132, 177, 128), fc.integer({ min: 0, max: 60 })).map(([code, k]) => [`${String(code)} 0 0 ${String(k)}`]),
      fc.tuple(fc.integer({ min: 0, max: 15 }), fc.boolean()).map(([k, x]) => x ? [`3 0 0 ${String(k)}`, `97  0 0 ${String(k)}`] : [`2 0 0 ${String(k)}`, ` 96 0 0 ${String(k)}`]),
      fc.tuple(fc.constantFrom(21, 37, 53, 69, 29), fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 1 }), fc.nat()).map(([code, jt, jf, k]) => [`${String(code)} ${String(jt)} ${String(jf)} ${String(k)}`, '7 0 0 0']),
      fc.constantFrom(['40 0 0 4294963200'], ['32 0 0 4294963220'], ['100 0 0 31'], ['52 0 0 +3'], ['5 0 0 0'], ['21 0 256 1'], ['6 0 0 1']),
    );
    return fc.tuple(fc.array(step, { maxLength: 12 }), fc.constantFrom('6 0 0 65535', '6 0 0 0', '22 0 0 0', '6 0 0 -1', '6 0 0 0x10', '6 0 0 4294967296'), fc.constantFrom('', '', ',')).map(([steps, end, comma]) => {
      const lines = [...steps.flat(), end];
      return [`${String(lines.length)},${lines.join(',')}${comma}`];
    });
  },
};
