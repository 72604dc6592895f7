/** A packet's way through the tables, line by line. */
import pc from 'picocolors';
import type { RuleEntry, TrailEntry } from '../analyzer/netfilter/trail/trail.js';
import { displayWidth } from './display-width.js';
import { hang } from './hang.js';
import type { Style } from './report.js';
import { visible } from './visible.js';

type Colors = ReturnType<typeof pc.createColors>;
type Paint = (text: string) => string;

interface Mark {
  readonly sign: string;
  readonly paint: (colors: Colors) => Paint;
}

const marks = {
  accept: { sign: '✔', paint: colors => colors.green },
  drop: { sign: '✖', paint: colors => colors.red },
  return: { sign: '↩', paint: colors => colors.yellow },
  call: { sign: '↳', paint: colors => colors.blue },
  passOn: { sign: '·', paint: colors => colors.dim },
} as const satisfies Record<string, Mark>;

/** ACCEPT and DROP of a rule are its target's answer: DNAT accepts, REJECT drops. */
function markOf(verdict: string): Mark {
  if (verdict === 'ACCEPT') return marks.accept;
  if (verdict === 'DROP' || verdict === 'STOLEN' || verdict === 'QUEUE') return marks.drop;
  if (verdict === 'RETURN') return marks.return;
  return verdict.startsWith('jump') || verdict.startsWith('goto') ? marks.call : marks.passOn;
}

const statePaint: Readonly<Record<string, (colors: Colors) => Paint>> = {
  NEW: colors => colors.cyan, ESTABLISHED: colors => colors.green, RELATED: colors => colors.green, INVALID: colors => colors.red, UNTRACKED: colors => colors.yellow,
};

type Stage = Extract<TrailEntry, { kind: 'stage' }>;

/** Draws one trail; how deep it stands grows with the chains and the packets within packets. */
class TrailPrinter {
  readonly #colors: Colors;
  readonly #width: number;
  /** Columns before what is said; a base chain's name stands two to the left of its rules. */
  #indent: number;
  /** Where the base chains of a packet stand: the last is that of the packet that is told of. */
  readonly #bases: number[];
  /** How deep the chains were in which the host sent packets of its own. */
  readonly #left: number[] = [];

  constructor({ color, width }: Style, indent: number) {
    this.#colors = pc.createColors(color);
    this.#width = width;
    this.#indent = indent;
    this.#bases = [indent];
  }

  *print(trail: readonly TrailEntry[]): Generator<string, void> {
    for (let at = 0; at < trail.length; at++) {
      const [entry, next] = [trail[at], trail[at + 1]];
      if (entry?.kind !== 'stage') yield* this.#entry(entry);
      // A base chain in which no rule matched is told in one line with its policy; one in which nothing happened is not.
      else if (next?.kind === 'policy') yield* this.#stage(entry, trail[++at]);
      else if (next !== undefined && next.kind !== 'stage' && next.kind !== 'generated-end') yield* this.#stage(entry);
    }
  }

  *#entry(entry: Exclude<TrailEntry, Stage> | undefined): Generator<string, void> {
    const { bold, dim, magenta } = this.#colors;
    switch (entry?.kind) {
      case undefined: return;
      case 'rule': yield* this.#rule(entry); return;
      case 'policy': yield* this.#marked(markOf(entry.policy), `policy ${entry.policy}`, 2); return;
      case 'enter': this.#indent += 4; yield* this.#lines('  ', bold(visible(entry.chain)), text => text); return;
      case 'leave': this.#indent -= 4; return;
      case 'rewrite': yield* this.#rewrite(entry, magenta); return;
      case 'missed': return;
      case 'event': yield* this.#lines('  › ', visible(entry.text), dim); return;
      case 'generated': yield* this.#lines('  ⤷ ', visible(entry.text), bold); this.#begin(); return;
      case 'generated-end': this.#end(); return;
    }
  }

  /** Between two chains it is the kernel's doing, and stands where base chains do. */
  *#rewrite({ what, isBetween }: Extract<TrailEntry, { kind: 'rewrite' }>, paint: Paint): Generator<string, void> {
    if (isBetween === true) this.#indent = this.#bases.at(-1) ?? this.#indent;
    yield* this.#lines(isBetween === true ? '⇒ ' : '    ⇒ ', visible(what), paint);
  }

  /** What follows is told of a packet within the packet. */
  #begin(): void {
    this.#left.push(this.#indent);
    this.#indent += 4;
    this.#bases.push(this.#indent);
  }

  #end(): void {
    this.#indent = this.#left.pop() ?? this.#indent;
    if (this.#bases.length > 1) this.#bases.pop();
  }

  *#stage({ table, hook, state, way }: Stage, decision?: TrailEntry): Generator<string, void> {
    const { bold, dim } = this.#colors;
    // A verdict ends all chains at once, and nobody tells that they are left.
    this.#indent = this.#bases.at(-1) ?? this.#indent;
    const paint = statePaint[state ?? '']?.(this.#colors) ?? dim;
    const policy = decision?.kind === 'policy' ? decision.policy : '';
    const mark = markOf(policy);
    const decided = policy === '' ? '' : `  ${mark.paint(this.#colors)(mark.sign)} ${dim(`policy ${policy}`)}`;
    yield `${' '.repeat(this.#indent)}${bold(`${visible(table)} ${visible(hook)}`)}${way === undefined ? '' : dim(` ${visible(way)}`)}${state === null ? '' : `  ${paint(visible(state))}`}${decided}`;
  }

  *#rule(entry: RuleEntry): Generator<string, void> {
    const mark = markOf(entry.verdict);
    const text = visible(entry.text);
    const known = mark === marks.call || mark === marks.passOn || new RegExp(`-j ${entry.verdict}(?: |$)`, 'u').test(text);
    const place = entry.line > 0 ? `line ${String(entry.line)}` : '';
    yield* this.#marked(mark, `${String(entry.position).padStart(3)}  ${text === '' ? '(any packet)' : text}`, 2, [known ? '' : visible(entry.verdict), place].filter(Boolean).join(', '));
    if (entry.unknown !== undefined) yield* this.#lines('      ? ', `not known offline: ${visible(entry.unknown)}; assumed to match`, this.#colors.yellow);
  }

  /** A line with a mark in front, and a remark behind it where there is room, else below. */
  *#marked({ sign, paint }: Mark, text: string, before: number, remark = ''): Generator<string, void> {
    const { dim } = this.#colors;
    const [color, start] = [paint(this.#colors), this.#indent + before + 2];
    const hanging = /^ *\d+ {2}/u.exec(text)?.[0].length ?? 0;
    const parts = hang(text.slice(hanging), Math.max(20, this.#width - start - hanging));
    const last = parts.length - 1;
    for (const [index, part] of parts.entries()) {
      const lead = index === 0 ? `${' '.repeat(start - 2)}${color(sign)} ${dim(text.slice(0, hanging))}` : ' '.repeat(start + hanging);
      const fits = start + hanging + displayWidth(part) + 3 + displayWidth(remark) <= this.#width;
      yield index === last && remark !== '' && fits ? `${lead}${part}   ${dim(remark)}` : `${lead}${part}`;
      if (index === last && remark !== '' && !fits) yield `${' '.repeat(start + hanging)}${dim(remark)}`;
    }
  }

  *#lines(lead: string, text: string, paint: Paint): Generator<string, void> {
    const before = this.#indent + displayWidth(lead);
    for (const [index, line] of hang(text, Math.max(20, this.#width - before)).entries()) {
      yield `${index === 0 ? ' '.repeat(this.#indent) + lead : ' '.repeat(before)}${paint(line)}`;
    }
  }
}

/** The lines of a trail, `indent` columns from the left. */
export function trailLines(trail: readonly TrailEntry[], style: Style, indent: number): Iterable<string> {
  return new TrailPrinter(style, indent).print(trail);
}
