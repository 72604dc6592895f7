/** From a scenario file, YAML or JSON, to a scenario. */
import * as v from 'valibot';
import { isMap, isScalar, parseDocument, type Document } from 'yaml';
import type { Span } from '../../../grammar/source-text.js';
import { buildPacket } from './build-packet.js';
import { ScenarioError } from './scenario-error.js';
import { scenarioSchema } from './schema.js';
import type { Scenario, ScenarioPacket } from '../scenario.js';

/** What is wrong, and with which part of the file. */
export interface ScenarioProblem {
  readonly message: string;
  readonly span: Span;
}

export interface ReadScenario {
  /** Undefined where there are problems. */
  readonly scenario: Scenario | undefined;
  readonly problems: readonly ScenarioProblem[];
}

type Path = readonly (string | number)[];

const mostProblems = 20;
/** Characters of a message: it may quote what stands in the file. */
const longest = 200;

type Place = Document['contents'];

function nodeAt(document: Document, path: Path): Place | undefined {
  return path.length === 0 ? document.contents : document.getIn(path, true) as Place | undefined;
}

function keyAt(document: Document, path: Path): Place | undefined {
  const parent = path.length === 0 ? undefined : nodeAt(document, path.slice(0, -1));
  const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(path.at(-1))) : undefined;
  return pair?.key as Place | undefined;
}

/** The value that this path leads to; in place of an object or a list its key, and of what is missing that which lacks it. */
function placeOf(document: Document, path: Path): Place | undefined {
  const value = nodeAt(document, path);
  if (isScalar(value)) return value;
  return keyAt(document, path) ?? value ?? (path.length === 0 ? undefined : placeOf(document, path.slice(0, -1)));
}

/** Of an object or a list only where it begins. */
function spanOf(place: Place | undefined): Span {
  const [start, end] = place?.range ?? [0, 1];
  return { start, end: isScalar(place) ? end : start + 1 };
}

function pathOf(issue: v.BaseIssue<unknown>): Path {
  return issue.path?.map(item => item.key as string | number) ?? [];
}

/** `steps[2].packet.ttl` */
function nameOf(path: Path): string {
  return path.map(key => (typeof key === 'number' ? `[${String(key)}]` : `.${key}`)).join('').replace(/^\./u, '');
}

function shapeProblem(issue: v.BaseIssue<unknown>, document: Document): ScenarioProblem {
  const path = pathOf(issue);
  const text = issue.message.length > longest ? `${issue.message.slice(0, longest)}…` : issue.message;
  const isKey = issue.type === 'strict_object' && issue.expected === 'never';
  return {
    message: text.startsWith('must ') ? `\`${nameOf(path)}\` ${text}` : text,
    span: spanOf(isKey ? keyAt(document, path) : placeOf(document, path)),
  };
}

/** The family that a packet speaks of: that of its source, unless the scenario says. */
function problemOfPacket(packet: ScenarioPacket, family: Scenario['family']): string | undefined {
  try {
    buildPacket(packet, family ?? (packet.src?.includes(':') === true ? 'ipv6' : 'ipv4'));
    return undefined;
  } catch (error) {
    if (error instanceof ScenarioError) return error.message;
    throw error;
  }
}

function packetProblems(scenario: Scenario, document: Document): readonly ScenarioProblem[] {
  return scenario.steps.flatMap((step, index) => {
    const message = problemOfPacket(step.packet, scenario.family);
    return message === undefined ? [] : [{ message: `step ${String(index + 1)}: ${message}`, span: spanOf(placeOf(document, ['steps', index, 'packet'])) }];
  });
}

/** The document, or what is wrong with it as YAML. */
function parse(text: string): { readonly document: Document; readonly value: unknown } | readonly ScenarioProblem[] {
  try {
    const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
    if (document.errors.length > 0) return document.errors.map(({ message, pos: [start, end] }) => ({ message, span: { start, end } }));
    return { document, value: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    // Aliases of aliases (a ReferenceError), or a nesting that exhausts the stack (a RangeError).
    return [{ message: error instanceof RangeError ? 'it is nested too deeply' : error instanceof Error ? error.message : String(error), span: { start: 0, end: 1 } }];
  }
}

/** Reads a scenario of YAML or JSON. Never throws on bad input: what is wrong is in `problems`, with its place in the text. */
export function readScenario(text: string): ReadScenario {
  const parsed = parse(text);
  if (!('document' in parsed)) return { scenario: undefined, problems: parsed.slice(0, mostProblems) };
  const { document, value } = parsed;
  const checked = v.safeParse(scenarioSchema, value);
  if (!checked.success) return { scenario: undefined, problems: checked.issues.slice(0, mostProblems).map(issue => shapeProblem(issue, document)) };
  const problems = packetProblems(checked.output, document);
  return problems.length > 0 ? { scenario: undefined, problems: problems.slice(0, mostProblems) } : { scenario: checked.output, problems: [] };
}
