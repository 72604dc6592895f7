/** What the kernel says of findings, for people: a line for each finding with packets, and how many there are of each kind. */
import pc from 'picocolors';
import type { KernelWord } from '../analyzer/finding.js';
import { countOf } from './report.js';
import { visible } from './visible.js';

interface Shown {
  readonly check: string;
  readonly line: number;
  readonly rule: string | null;
  /** Null: there are no packets that show it. */
  readonly witness: readonly unknown[] | null;
}

export interface ReplayedFile<F extends Shown = Shown> {
  readonly path: string;
  readonly findings: readonly { readonly finding: F; readonly word: KernelWord }[];
}

type Colors = ReturnType<typeof pc.createColors>;

const said = { confirmed: 'confirmed', contradicted: 'contradicted', 'not-replayed': 'not replayed' } as const;
const signs = { confirmed: '✔', contradicted: '✖', 'not-replayed': '-' } as const;

function paint(colors: Colors, kernel: KernelWord['kernel']): (text: string) => string {
  return { confirmed: colors.green, contradicted: colors.red, 'not-replayed': colors.yellow }[kernel];
}

function* fileLines({ path, findings }: ReplayedFile, colors: Colors): Generator<string, void> {
  const shown = findings.filter(({ finding }) => finding.witness !== null);
  if (shown.length === 0) return;
  yield colors.underline(visible(path));
  for (const { finding: { check, line, rule }, word } of shown) {
    const color = paint(colors, word.kernel);
    yield `  ${color(signs[word.kernel])} ${visible(check)} in line ${String(line)}${rule === null ? '' : ` (${visible(rule)})`}: ${color(said[word.kernel])}`;
    if (word.kernel !== 'confirmed') yield `      ${visible(word.reason)}`;
  }
  yield '';
}

/** `12 findings confirmed by the kernel, 1 contradicted, 3 not replayed; 40 without packets` */
function summary(files: readonly ReplayedFile[], colors: Colors): string {
  const all = files.flatMap(({ findings }) => findings);
  const shown = all.filter(({ finding }) => finding.witness !== null);
  const count = (kernel: KernelWord['kernel']): number => shown.filter(({ word }) => word.kernel === kernel).length;
  const some = (kernel: KernelWord['kernel']): readonly string[] => count(kernel) === 0 ? [] : [paint(colors, kernel)(`${String(count(kernel))} ${said[kernel]}`)];
  const without = all.length - shown.length;
  const parts = [paint(colors, 'confirmed')(`${countOf(count('confirmed'), 'finding')} confirmed by the kernel`), ...some('contradicted'), ...some('not-replayed')];
  return `${parts.join(', ')}${without === 0 ? '' : `; ${String(without)} without packets`}`;
}

export function printReplay(files: readonly ReplayedFile[], { color }: { readonly color: boolean }): string {
  const colors = pc.createColors(color);
  return `${[...files.flatMap(file => [...fileLines(file, colors)]), summary(files, colors)].join('\n')}\n`;
}
