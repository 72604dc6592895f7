/** Whole rule files: several tables, chains that call each other, policies, and now and then a mistake. */
import type { Hook, TableName } from '../extensions/define.js';
import { load } from '../model/load.js';
import { builtInChains } from '../model/ruleset.js';
import { quoteForInput } from '../values/text.js';
import type { Arbitrary, Backend, Family, Fc } from '../values/value.js';
import { ruleWords } from './rule.js';

const chainNames = ['web', 'ssh-guard', 'A', 'zz_9', 'LOGDROP', 'fw.in'];

/** For whom rule sets are drawn. */
export interface RulesetPlace {
  readonly family: Family;
  readonly backend: Backend;
  /** Draw undefined chains, circles, second declarations as well. */
  readonly mistakes: boolean;
}

/** A rule for this chain as typed. */
function anyRule(fc: Fc, table: TableName, chain: Hook, place: RulesetPlace): Arbitrary<string> {
  const isLegal = (rule: string): boolean => load({ path: 'generated', text: `*${table}\n-A ${chain} ${rule}\nCOMMIT\n` }, place).diagnostics.every(one => one.severity !== 'error');
  const rules = ruleWords(fc, { ...place, table, chain }).map(words => words.map(quoteForInput).join(' '));
  return place.mistakes ? rules : rules.filter(isLegal);
}

/** `-s … -j CHAIN`: calls go to chains further on in the list, so that there is no circle, unless by mistake. */
function call(fc: Fc, from: number, chains: readonly string[], place: RulesetPlace): Arbitrary<string> {
  const later = chains.slice(from + 1);
  const callees = place.mistakes ? [...later, ...later, ...chains, 'nowhere'] : later;
  if (callees.length === 0) return fc.constant('-j ACCEPT');
  return fc.tuple(fc.constantFrom('', '-p tcp ', '-s 192.0.2.0/24 '), fc.constantFrom('-j', '-j', '-g'), fc.constantFrom(...callees))
    .map(([criterion, jump, callee]) => `${place.family === 'ipv6' && criterion.includes('192') ? '' : criterion}${jump} ${callee}`);
}

function tableText(fc: Fc, table: TableName, place: RulesetPlace): Arbitrary<string> {
  const hooks = builtInChains[table];
  return fc.tuple(fc.subarray(chainNames), fc.array(fc.constantFrom('ACCEPT', 'DROP'), { minLength: hooks.length, maxLength: hooks.length })).chain(([own, policies]) => {
    const lines: Arbitrary<string>[] = [];
    for (const hook of hooks) {
      lines.push(fc.array(fc.oneof({ weight: 3, arbitrary: anyRule(fc, table, hook, place) }, { weight: 2, arbitrary: call(fc, -1, own, place) }), { maxLength: 4 })
        .map(rules => rules.map(rule => `-A ${hook} ${rule}`).join('\n')));
    }
    // Rules in chains of one's own may be reached from any hook: only what is legal at all of them.
    own.forEach((name, index) => {
      lines.push(fc.array(fc.oneof(call(fc, index, own, place), fc.constantFrom('-j RETURN', '-j ACCEPT', '', '-m comment --comment "a note" -j RETURN', '-p udp -j LOG --log-prefix "x "')), { maxLength: 3 })
        .map(rules => rules.map(rule => `-A ${name} ${rule}`.trimEnd()).join('\n')));
    });
    const heads = hooks.map((hook, index) => `:${hook} ${policies[index] ?? 'ACCEPT'} [0:0]`);
    const declared = place.mistakes ? fc.constantFrom(own, own, [...own, ...own.slice(0, 1)]) : fc.constant(own);
    return fc.tuple(declared, ...lines).map(([names, ...blocks]) => [`*${table}`, ...heads, ...names.map(name => `:${name} - [0:0]`), ...blocks.filter(block => block !== ''), 'COMMIT'].join('\n'));
  });
}

/** The text of a file for iptables-restore. */
export function rulesetText(fc: Fc, place: RulesetPlace): Arbitrary<string> {
  return fc.subarray(Object.keys(builtInChains) as TableName[], { minLength: 1, maxLength: 3 })
    .chain(tables => fc.tuple(...tables.map(table => tableText(fc, table, place)))).map(parts => `${parts.join('\n')}\n`);
}
