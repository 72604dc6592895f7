/** A YAML or JSON text held against a schema: what it says, or what is wrong and where. */
import * as v from 'valibot';
import { isMap, isScalar, parseDocument, visit, type Alias, type Document } from 'yaml';
import type { Span } from '../../grammar/source-text.js';

/** What is wrong, and with which part of the text. */
export interface YamlProblem {
  readonly message: string;
  readonly span: Span;
}

export type YamlPath = readonly (string | number)[];

export type ReadYaml<T> =
  | { readonly kind: 'read'; readonly value: T; /** Where a value stands; what is missing is where it would be. */ readonly spanAt: (path: YamlPath) => Span }
  | { readonly kind: 'wrong'; readonly problems: readonly YamlProblem[] };

export const mostProblems = 20;
/** Characters of a message: it may quote what stands in the file. */
const longest = 200;

type Place = Document['contents'];

function nodeAt(document: Document, path: YamlPath): Place | undefined {
  return path.length === 0 ? document.contents : document.getIn(path, true) as Place | undefined;
}

function keyAt(document: Document, path: YamlPath): Place | undefined {
  const parent = path.length === 0 ? undefined : nodeAt(document, path.slice(0, -1));
  const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(path.at(-1))) : undefined;
  return pair?.key as Place | undefined;
}

/** The value that this path leads to; in place of an object or a list its key, and of what is missing that which lacks it. */
function placeOf(document: Document, path: YamlPath): Place | undefined {
  const value = nodeAt(document, path);
  if (isScalar(value)) return value;
  return keyAt(document, path) ?? value ?? (path.length === 0 ? undefined : placeOf(document, path.slice(0, -1)));
}

/** Of an object or a list only where it begins. */
function spanOf(place: Place | undefined): Span {
  const [start, end] = place?.range ?? [0, 1];
  return { start, end: isScalar(place) ? end : start + 1 };
}

function pathOf(issue: v.BaseIssue<unknown>): YamlPath {
  return issue.path?.map(item => item.key as string | number) ?? [];
}

/** `steps[2].packet.ttl` */
function nameOf(path: YamlPath): string {
  return path.map(key => (typeof key === 'number' ? `[${String(key)}]` : `.${key}`)).join('').replace(/^\./u, '');
}

function problemOf(issue: v.BaseIssue<unknown>, document: Document): YamlProblem {
  const path = pathOf(issue);
  const text = issue.message.length > longest ? `${issue.message.slice(0, longest)}…` : issue.message;
  const isKey = (issue.type === 'strict_object' && issue.expected === 'never') || issue.path?.at(-1)?.origin === 'key';
  return {
    message: text.startsWith('must ') ? `\`${nameOf(path)}\` ${text}` : text,
    span: spanOf((isKey ? keyAt(document, path) : undefined) ?? placeOf(document, path)),
  };
}

/** Keys that objects have from birth: what stands there would be lost. */
function lostKeys(document: Document): readonly YamlProblem[] {
  const problems: YamlProblem[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      if (isScalar(key) && ['__proto__', 'constructor', 'prototype'].includes(String(key.value))) problems.push({ message: `no key can be called \`${String(key.value)}\``, span: spanOf(key) });
    },
  });
  return problems;
}

/** Where the alias stands that stands for nothing; where none does, the last: with it they are too many. */
function wrongAlias(document: Document): Span {
  const aliases: Alias[] = [];
  visit(document, { Alias: (_, alias) => { aliases.push(alias); } });
  const [start, end] = (aliases.find(alias => alias.resolve(document) === undefined) ?? aliases.at(-1))?.range ?? [0, 1];
  return { start, end };
}

type Parsed = { readonly document: Document; readonly value: unknown } | readonly YamlProblem[];

function valued(document: Document): Parsed {
  try {
    return { document, value: document.contents === null ? undefined : document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return [{ message: error.message, span: wrongAlias(document) }];
  }
}

/** The document and what it says, which is undefined where there is nothing in it; or what is wrong with it as YAML. */
function parse(text: string): Parsed {
  try {
    const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
    if (document.errors.length > 0) return document.errors.map(({ code, message, pos: [start, end] }) => ({ message: code === 'MULTIPLE_DOCS' ? 'there is more than one document in it' : message, span: { start, end } }));
    const lost = lostKeys(document);
    if (lost.length > 0) return lost;
    return valued(document);
  } catch (error) {
    // A nesting that exhausts the stack is a RangeError.
    return [{ message: error instanceof RangeError ? 'it is nested too deeply' : error instanceof Error ? error.message : String(error), span: { start: 0, end: 1 } }];
  }
}

/** Never throws on bad input. An empty text is `undefined`. */
export function readYaml<S extends v.GenericSchema>(schema: S, text: string): ReadYaml<v.InferOutput<S>> {
  const parsed = parse(text);
  if (!('document' in parsed)) return { kind: 'wrong', problems: parsed.slice(0, mostProblems) };
  const { document, value } = parsed;
  const checked = v.safeParse(schema, value);
  if (checked.success) return { kind: 'read', value: checked.output, spanAt: path => spanOf(placeOf(document, path)) };
  return { kind: 'wrong', problems: checked.issues.slice(0, mostProblems).map(issue => problemOf(issue, document)) };
}
