/** What became of the packets of a scenario, step by step, for people to read. */
import pc from 'picocolors';
import type { DetailedStep } from '../analyzer/netfilter/engine.js';
import type { NearMiss } from '../analyzer/netfilter/trail/near-misses.js';
import { packetLine } from '../analyzer/netfilter/scenario/packet-line.js';
import type { Way } from '../analyzer/netfilter/scenario/ways.js';
import type { ConntrackAnswer, GeneratedAnswer, ScenarioStep } from '../analyzer/netfilter/scenario.js';
import { hang } from './hang.js';
import type { Style } from './report.js';
import { trailLines } from './trace-trail.js';
import { visible } from './visible.js';

export interface TracedStep {
  /** What the packet is in a conversation: `the client's SYN`. */
  readonly title?: string;
  /** Who gets what was delivered, where that is known. */
  readonly listener?: string | undefined;
  readonly step: ScenarioStep;
  readonly answer: DetailedStep;
}

type Colors = ReturnType<typeof pc.createColors>;

const widest = 160;

/** `filter:INPUT:policy` in words; other deciders are names already. */
function deciderText(by: string): string {
  const parts = by.split(':');
  return parts.length === 3 && parts[2] === 'policy' ? `the policy of ${parts[0] ?? ''} ${parts[1] ?? ''}` : by.startsWith('kernel: ') ? `the kernel: ${by.slice(8)}` : by;
}

/** The line of the file where the deciding rule stands. */
function lineOf(by: string, { trail }: DetailedStep): string {
  const rule = trail.find(entry => entry.kind === 'rule' && entry.ref === by);
  return rule?.kind === 'rule' && rule.line > 0 ? ` (line ${String(rule.line)})` : '';
}

function verdictLine(answer: DetailedStep, colors: Colors): string {
  const { verdict, by } = answer;
  const isLost = verdict === 'drop' || verdict.startsWith('reject');
  const words = verdict === 'drop' ? 'dropped' : verdict.startsWith('reject') ? verdict.replace('reject', 'rejected with').replace('with (nothing sent)', '(nothing is sent)') : verdict.replace(/^(forwarded|sent) /u, '$1 by ');
  const paint = isLost ? colors.red : colors.green;
  const reason = by === null ? '' : ` ${colors.dim('by')} ${visible(deciderText(by))}${colors.dim(lineOf(by, answer))}`;
  return `${paint(colors.bold(`${isLost ? '✖' : '✔'} ${visible(words)}`))}${reason}`;
}

/** Of packets that the host sent, where the trail itself does not tell. */
function* generatedLines({ packet, path, out }: GeneratedAnswer): Generator<readonly [string, string], void> {
  yield ['the host sends', packetLine(packet)];
  if (path.length > 0) yield ['through', path.join(', ')];
  if (out.length === 0) yield ['and it', 'does not leave'];
}

function missText({ rule, line, missed }: NearMiss): string {
  return `${rule}${line > 0 ? ` (line ${String(line)})` : ''} would accept it, but for ${missed}`;
}

/** What there is to say behind the verdict, each with a name. */
function* remarks({ answer, listener }: TracedStep): Generator<readonly [string, string], void> {
  if (listener !== undefined) yield ['listener', listener];
  for (const { oif, ...packet } of answer.out) yield [`out ${oif}`, packetLine(packet)];
  const isTold = answer.trail.some(entry => entry.kind === 'generated');
  for (const generated of answer.generated) {
    if (!isTold) yield* generatedLines(generated);
    for (const { oif, ...packet } of generated.out) yield [`out ${oif}`, packetLine(packet)];
  }
  for (const why of answer.chance ?? []) yield ['chance', `${why}: drawn from the seed`];
  for (const entry of answer.trail) if (entry.kind === 'missed') yield ['near miss', missText(entry)];
  const unknown = new Set(answer.unknown?.map(({ rule }) => rule));
  if (unknown.size > 0) yield ['unknown', `whether ${[...unknown].join(', ')} match; --unknown both tells all ways`];
}

function* namedLine(name: string, text: string, style: Style): Generator<string, void> {
  const { bold } = pc.createColors(style.color);
  const before = 6 + name.length;
  for (const [index, line] of hang(visible(text), Math.max(20, style.width - before)).entries()) {
    yield index === 0 ? `    ${bold(`${visible(name)}:`)} ${line}` : `${' '.repeat(before)}${line}`;
  }
}

/** `from eth0, after 2.5 s` */
function circumstances({ in: from, advance = 0, broadcast = false, sysctls = {} }: ScenarioStep): string {
  const set = Object.entries(sysctls).map(([name, value]) => `, with ${name}=${String(value)}`).join('');
  return `${from === 'local' ? 'from this host' : `in ${from}`}${broadcast ? ' as a broadcast' : ''}${advance > 0 ? `, ${String(advance)} s later` : ''}${set}`;
}

function* stepLines(traced: TracedStep, index: number, count: number, style: Style): Generator<string, void> {
  const colors = pc.createColors(style.color);
  const { title, step, answer } = traced;
  const number = count > 1 ? `${String(index + 1)}. ` : '';
  const [first = '', ...more] = hang(visible(`${number}${packetLine(step.packet)}`), style.width);
  yield colors.bold(colors.underline(first));
  for (const line of more) yield `   ${colors.bold(line)}`;
  yield colors.dim(`${' '.repeat(number.length)}${title === undefined ? '' : `${visible(title)}, `}${visible(circumstances(step))}`);
  yield* trailLines(answer.trail, style, 2);
  yield `  ${verdictLine(answer, colors)}`;
  for (const [name, text] of remarks(traced)) yield* namedLine(name, text, style);
}

function flowText({ orig, reply, status, tcp, timeout, mark, zone, helper }: ConntrackAnswer): string {
  const extra = [mark === 0 ? '' : `mark 0x${mark.toString(16)}`, zone === 0 ? '' : `zone ${String(zone)}`, helper === undefined ? '' : `helper ${helper}`];
  return [orig, `(reply ${reply})`, tcp ?? '', ...status, `${String(timeout)} s`, ...extra].filter(Boolean).join(' ');
}

/** The connections that the kernel would know behind the last step. */
function* connectionLines(steps: readonly TracedStep[], style: Style): Generator<string, void> {
  const flows = steps.at(-1)?.answer.conntrack ?? [];
  if (flows.length === 0) return;
  yield '';
  yield pc.createColors(style.color).bold('connections');
  for (const flow of flows) for (const [index, line] of hang(visible(flowText(flow)), style.width - 4).entries()) yield `${index === 0 ? '  ' : '    '}${line}`;
}

interface TracedWay {
  readonly assumptions: Way['assumptions'];
  readonly steps: readonly TracedStep[];
}

/** Each of the ways that packets may go, with what it hangs on. */
export function printWays(ways: readonly TracedWay[], isCut: boolean, style: Style): string {
  const { bold, yellow } = pc.createColors(style.color);
  const texts = ways.map(({ assumptions, steps }, index) => {
    const title = bold(yellow(`way ${String(index + 1)} of ${isCut ? 'more than ' : ''}${String(ways.length)}`));
    const conditions = assumptions.map(({ rule, why, assumed }) => `  ${assumed === 'match' ? 'if' : 'if not'} ${visible(rule)} matches: ${visible(why)}`);
    // What is unknown has been said in the conditions.
    const told = steps.map(({ answer: { unknown, ...answer }, ...step }): TracedStep => ({ ...step, answer }));
    return [title, ...conditions, '', printTrace(told, style)].join('\n');
  });
  return texts.join('\n');
}

/** The whole run, as text that ends in a newline. */
export function printTrace(steps: readonly TracedStep[], { color, width }: Style): string {
  const style = { color, width: Math.min(width, widest) };
  const lines = steps.flatMap((step, index) => [...(index === 0 ? [] : ['']), ...stepLines(step, index, steps.length, style)]);
  return [...lines, ...connectionLines(steps, style), ''].join('\n');
}
