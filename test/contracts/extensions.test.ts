/** What every match and target promises, held over the whole registry. */
import { readdirSync } from 'node:fs';
import test from 'ava';
import * as fc from 'fast-check';
import type { AnyExtension, AnyOption, Example } from '../../analyzer/extensions/define.js';
import { matches } from '../../analyzer/extensions/matches/index.js';
import { targets } from '../../analyzer/extensions/targets/index.js';
import { meaningOf } from '../../analyzer/extensions/use.js';
import { isOpaque } from '../../analyzer/model/ruleset.js';
import { load, type Loaded } from '../../analyzer/model/load.js';
import { generateRules, judge } from '../kernel/conformance.js';
import { exampleFile, printedRules } from './example-file.js';

const all: readonly AnyExtension[] = [...matches, ...targets].map(one => one.define());

function loadExample(example: Example): Loaded {
  return load({ path: 'example', text: exampleFile(example) }, { family: example[2]?.family ?? 'ipv4', backend: 'legacy' });
}

for (const definition of all) {
  const title = `${definition.kind} ${definition.name}${definition.families === undefined ? '' : ` (${definition.families.join()})`}`;

  test(`${title} prints its examples as it says, or refuses them`, t => {
    t.true(definition.examples.length > 0, 'it has no examples');
    for (const example of definition.examples) {
      const [rule, saved, where] = example;
      const loaded = loadExample(example);
      const errors = loaded.diagnostics.filter(one => one.severity === 'error').map(one => one.message);
      if (saved === undefined) t.true(errors.length > 0, `${rule} is accepted`);
      else t.deepEqual({ errors, printed: printedRules(loaded, 'legacy') }, { errors: [], printed: [`-A ${where?.chain ?? 'INPUT'} ${saved === '=' ? rule : saved}`] });
    }
  });

  test(`${title} is declared in full`, t => {
    t.regex(definition.doc, /^[A-Z].*\.$/u);
    for (const [key, option] of Object.entries(definition.options as Record<string, AnyOption>)) {
      t.true(option.names.every(name => name.startsWith('--')), key);
      t.true(option.doc.length > 0, key);
      for (const other of [...option.excludes, ...option.needs]) t.true(other in (definition.options as object), `${key} names ${other}`);
    }
  });
}

test('every file of matches/ and targets/ is in its index', t => {
  for (const [folder, definitions] of [['matches', matches], ['targets', targets]] as const) {
    const files = readdirSync(`analyzer/extensions/${folder}`).filter(name => name.endsWith('.ts') && name !== 'index.ts');
    t.is(definitions.length, files.length, folder);
  }
});

/**
 * What iptables-save prints and iptables-restore cannot read back as the same, each tried with the real tools:
 * we print as they do, and read as they do.
 */
const lossy: readonly (readonly [RegExp, string])[] = [
  [/--(?:month|week)days {2}/u, 'no day at all is saved as nothing'],
  [/-j IDLETIMER .*--label (?![\w.'-]+( --alarm)?$)/u, 'the label is saved without quotes'],
  [/--name (?:\S*"|\S+ [^-])/u, 'so is that of a recent list'],
  [/--hashlimit-name \S+ [^-]|--hashlimit-\w+ 0b/u, 'and a hash limit may be rounded to nothing'],
  [/-m ipcomp --compres/u, 'an inverted range of everything is not saved'],
  [/--hashlimit-name (?![\w.'-]+( |$))/u, 'the name is saved without quotes'],
  [/--hashlimit-(?:name "|burst \d+[a-z])/u, 'so is one with quotes in it; and a burst may be rounded below the rate'],
  [/-m recent .*--seconds -/u, 'seconds beyond 2^31 are saved as negative'],
  [/--physdev-(?:in|out) {2}|--physdev-(?:in|out) $/u, 'an empty name is saved as nothing'],
  [/--cluster-local-nodemask/u, 'the mask of a node above 6 exceeds what is read'],
  [/--u32 "[^"]{1000,}"/u, 'the program is longer than a word may be'],
  [/-j [SD]NPT/u, 'a prefix of ::/0 is not saved'],
  [/:\d+(?:-\d+)?\/\d+|--to-ports \d+(?:-\d+)?\/\d+/u, 'a shifted range is saved with a base that is not read'],
  [/-j RATEEST/u, 'averages are rounded on their way to the kernel and back'],
  [/--genre \S+ [^-]|--oif \S* [^-]|--rateest-name \S+ [^-]/u, 'the name is saved without quotes'],
];

for (const family of ['ipv4', 'ipv6'] as const) for (const backend of ['legacy', 'nft'] as const) {
  test(`what is printed is read back as the same: ${family}, ${backend}`, t => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 0x7fff_ffff }), seed => {
      for (const rule of generateRules(family, backend, 40, seed)) {
        const once = judge(rule, family, backend);
        for (const line of once.printed ?? []) {
          if (lossy.some(([pattern]) => pattern.test(line))) continue;
          const again = judge({ ...rule, line }, family, backend);
          t.deepEqual({ printed: again.printed, why: again.printed === undefined ? again.why : '' }, { printed: [line], why: '' });
        }
      }
    }), { numRuns: 25, seed: 1 });
  });
}

test('the quick way and the careful way to read a line agree', t => {
  for (const family of ['ipv4', 'ipv6'] as const) for (const rule of generateRules(family, 'nft', 1500, 7)) {
    const { line, table } = rule;
    // The second of two equal lines is recognised by its shape; the quotes make the third a shape of its own.
    const text = `*${table}\n${line}\n${line}\nCOMMIT\n`;
    const printed = printedRules(load({ path: 'twice', text }, { family, backend: 'nft' }), 'nft');
    const half = printed.length / 2;
    t.deepEqual(printed.slice(half), printed.slice(0, half), line);
  }
});

test('every use has a meaning', t => {
  for (const family of ['ipv4', 'ipv6'] as const) for (const rule of generateRules(family, 'nft', 1500, 11)) {
    const { rulesets } = load({ path: 'meaning', text: `*${rule.table}\n${rule.line}\nCOMMIT\n` }, { family, backend: 'nft' });
    for (const one of rulesets[0]?.tables.get(rule.table)?.chains.get(rule.chain)?.rules ?? []) for (const use of one.matches) {
      if (isOpaque(use)) continue;
      const cx = { family, backend: 'nft', protocol: undefined, table: rule.table, ordered: [] } as const;
      t.notThrows(() => meaningOf(use, cx), rule.line);
    }
  }
});
