import test from 'ava';
import * as fc from 'fast-check';
import type { OptionScope, OptionShape } from '../../grammar/option-shape.js';
import { detectFormat, statements } from '../../grammar/statements.js';
import { StatementParser } from '../../grammar/statement-parser.js';
import { printStatement } from '../../grammar/print-syntax.js';
import type { CommandStatement, Statement } from '../../grammar/syntax.js';

/** A small world: -A, -j and --to take a word, --pair two, --maybe one or none, --flag none. */
const arities: Record<string, OptionShape> = {
  '-A': { required: 1, optional: 0 }, '-j': { required: 1, optional: 0 }, '--to': { required: 1, optional: 0 },
  '--pair': { required: 2, optional: 0 }, '--maybe': { required: 0, optional: 1 }, '--flag': { required: 0, optional: 0 },
};
const scope: OptionScope = {
  resolve: word => {
    const shape = arities[word];
    return shape === undefined ? undefined : { shape, valueAt: 0, rest: undefined, loads: false, scope };
  },
  after: () => scope,
};

function read(text: string): Statement[] {
  return [...statements({ path: 'test', text }, { format: 'save', scope: () => scope })];
}

function command(line: string): CommandStatement {
  const [statement] = read(`${line}\n`);
  if (statement?.kind !== 'command') throw new Error(`no command: ${line}`);
  return statement;
}

function words(line: string): string[] {
  return command(line).words.map(word => word.text);
}

test('the grammar has no mistake that Chevrotain can find', t => {
  t.notThrows(() => new StatementParser(true));
});

test('words are cut as iptables-restore cuts them', t => {
  t.deepEqual(words('-A x\t y'), ['-A', 'x', 'y']);
  t.deepEqual(words('-A "two words"'), ['-A', 'two words']);
  t.deepEqual(words(String.raw`-A "a\"b\\c"`), ['-A', String.raw`a"b\c`]);
  t.deepEqual(words('-A ab"c d"'), ['-A', 'abc d'], 'a quote may open in a word');
  t.deepEqual(words('-A "a"b'), ['-A', 'a', 'b'], 'and the closing one ends it');
  t.deepEqual(words('-A ""'), ['-A', '']);
  t.deepEqual(words(String.raw`-A 'a\b'`), ['-A', String.raw`'a\b'`], 'nothing else quotes');
});

test('a quote that is never closed takes the line end in, with a warning', t => {
  const statement = command('-A "abc');
  t.is(statement.words[1]?.text, 'abc\n');
  t.deepEqual(statement.problems.map(one => one.severity), ['warning']);
});

test('options take the words that their shape says, whatever these look like', t => {
  const { options, problems } = command('-A x --pair -1 ! --maybe --flag ! --to -j');
  t.deepEqual(problems, []);
  t.deepEqual(options.map(one => [one.bang !== undefined, one.name.text, ...one.args.map(word => word.text)]), [
    [false, '-A', 'x'], [false, '--pair', '-1', '!'], [false, '--maybe'], [false, '--flag'], [true, '--to', '-j'],
  ]);
});

test('every node has the span of its words', t => {
  const line = '-A x ! --to "a b" -j y';
  const { options } = command(line);
  t.deepEqual(options.map(one => line.slice(one.start, one.end)), ['-A x', '! --to "a b"', '-j y']);
  t.is(line.slice(options[1]?.args[0]?.start, options[1]?.args[0]?.end), '"a b"');
});

test('a line that cannot be read costs one line', t => {
  const all = read('*filter\n:INPUT DROP [0:0]\n-A x --to\n-A x stray\n-A x ! !\n-A ok -j y\nCOMMIT\n');
  t.deepEqual(all.map(one => one.problems.filter(problem => problem.severity === 'error').length > 0), [false, false, true, true, true, false, false]);
  t.regex(all[2]?.problems[0]?.message ?? '', /"--to" requires an argument/u);
  t.regex(all[3]?.problems[0]?.message ?? '', /`stray` belongs to no option/u);
  t.is(command('-A x --to -j y').problems[0]?.help, '`--to` takes `-j` for its value: write its own before that');
});

test('an option that took the next one for its value is named', t => {
  t.regex(read('*filter\n-A x --to -j ACCEPT\nCOMMIT\n')[1]?.problems[0]?.help ?? '', /`--to` takes `-j` for its value/u);
  t.regex(read('*filter\n-A x --to a b\nCOMMIT\n')[1]?.problems[0]?.help ?? '', /quotes missing around `a b`/u);
});

test('the old way to negate is understood, and reported', t => {
  const { options, problems } = command('-A x --to ! y -j z');
  t.deepEqual(options.map(one => [one.bang !== undefined, one.args.map(word => word.text).join()]), [[false, 'x'], [true, 'y'], [false, 'z']]);
  t.regex(problems[0]?.help ?? '', /write `! --to y`/u);
});

test('lines of one shape are read alike, the first by the grammar and the others by its shape', t => {
  const [first, second] = read('-A x ! --to a --pair b c -j d\n-A y ! --to e --pair f g -j h\n') as [CommandStatement, CommandStatement];
  t.is(first.shape, second.shape);
  t.deepEqual(second.options.map(one => one.args.map(word => word.text).join()), ['y', 'e', 'f,g', 'h']);
});

test('a line that only looks like one of a known shape is read by the grammar', t => {
  const all = read('-A x --flag -j y\n-A x stray -j y\n-A x --to a -j y\n-A x --to -j y\n-A x --flag\n-A x --flag -j y z\n');
  t.deepEqual(all.map(one => one.problems.length), [0, 1, 0, 1, 0, 1]);
});

test('tables, chains, comments and counters', t => {
  const all = read('# hello\n*filter\n:a"b - [1:2]\n[3:4] -A x -j y\nCOMMIT\n');
  t.deepEqual(all.map(one => one.kind), ['comment', 'table', 'chain', 'command', 'commit']);
  t.is(all[2]?.kind === 'chain' ? all[2].name.text : '', 'a"b', 'quotes mean nothing in a chain line');
  t.is(all[3]?.kind === 'command' ? all[3].counters?.text : '', '[3:4]');
});

test('what a file is, is seen by its lines', t => {
  t.is(detectFormat('# x\n*filter\n:INPUT DROP [0:0]\nCOMMIT\n'), 'save');
  t.is(detectFormat('*filter\n-I INPUT -j DROP\nCOMMIT\n'), 'restore');
  t.is(detectFormat('-P INPUT DROP\n-A INPUT -j ACCEPT\n'), 'list-rules');
  t.is(detectFormat(':INPUT DROP [0:0]\n-A INPUT -j ACCEPT\n'), 'save', 'iptables -S prints no such line: *filter is missing');
  t.is(detectFormat('-A INPUT -j ACCEPT\nCOMMIT\n'), 'save');
  t.is(detectFormat('-P INPUT DROP\n-N COMMIT\n-A INPUT -j COMMIT\n'), 'list-rules');
  t.is(detectFormat('iptables -A INPUT -j ACCEPT\n'), 'script');
  t.is(detectFormat('#!/bin/sh\necho hello\n'), 'script');
  t.is(detectFormat('  /sbin/ip6tables -P INPUT DROP\n'), 'script');
});

test('lengths beyond what iptables-restore can read are reported', t => {
  t.regex(command(`-A ${'x'.repeat(1024)}`).problems[0]?.message ?? '', /at most 1023 bytes/u);
  t.deepEqual(command(`-A ${'x'.repeat(1023)}`).problems, []);
  t.regex(read(`# ${'x'.repeat(11_000)}\n`)[0]?.problems[0]?.message ?? '', /at most 10238 bytes/u);
  t.true(command(`-A x${' --flag'.repeat(260)}`).problems.some(one => one.message.includes('at most 251 words')));
});

const word = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'ab0 "\\\'!-#*:[]é\t') });
const line = fc.record({
  chain: word, bang: fc.boolean(), to: word, pair: fc.tuple(word, word),
}).map(({ chain, bang, to, pair }) => ['-A', chain, ...bang ? ['!'] : [], '--to', to, '--pair', ...pair]);

test('what is printed is read back as the same words', t => {
  fc.assert(fc.property(line, list => {
    const statement: CommandStatement = { ...command('-A x'), words: list.map(text => ({ text, start: 0, end: 0 })), counters: undefined };
    t.deepEqual(words(printStatement(statement)), list);
  }), { seed: 1, numRuns: 500 });
});

test('no text at all makes it throw', t => {
  const noise = fc.string({ maxLength: 200, unit: fc.oneof(fc.constantFrom(...'-AI!"\\*:[]#\n\r\t COMMIT'), fc.string({ minLength: 1, maxLength: 1, unit: 'binary' })) });
  fc.assert(fc.property(noise, text => { t.true(Array.isArray(read(text))); }), { seed: 2, numRuns: 2000 });
});
