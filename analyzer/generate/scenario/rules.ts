/** Rule sets near the packets of generated scenarios: they name the same addresses, ports and states. */
import type { Hook, TableName } from '../../extensions/define.js';
import { load } from '../../model/load.js';
import { builtInChains } from '../../model/ruleset.js';
import { quoteForInput } from '../../values/text.js';
import type { Arbitrary, Fc } from '../../values/value.js';
import { ruleWords } from '../rule.js';
import { matchesAnywhere, protocolMatches } from './matches.js';
import { places } from './places.js';
import type { RulePlace, ScenarioPlace } from './rule-place.js';
import { targetsOf } from './targets.js';

/** A rule near the packets, or any legal rule. */
function rule(fc: Fc, place: RulePlace): Arbitrary<string> {
  const { family, hook } = place;
  const { named, interfaces } = places[family];
  const maybe = (words: Arbitrary<string>): Arbitrary<string> => fc.oneof({ weight: 2, arbitrary: fc.constant('') }, { weight: 1, arbitrary: words });
  const address = (flag: string): Arbitrary<string> => maybe(fc.tuple(fc.constantFrom('', '', '! '), fc.constantFrom(...named)).map(([bang, name]) => `${bang}${flag} ${name}`));
  const device = (flag: string): Arbitrary<string> => maybe(fc.tuple(fc.constantFrom('', '', '! '), fc.constantFrom(...interfaces.map(one => one.name), 'lo', 'eth+', 'e+')).map(([bang, name]) => `${bang}${flag} ${name}`));
  const near = fc.tuple(
    address('-s'), address('-d'),
    hook === 'OUTPUT' || hook === 'POSTROUTING' ? fc.constant('') : device('-i'),
    hook === 'PREROUTING' || hook === 'INPUT' ? fc.constant('') : device('-o'),
    protocolMatches(fc, place), maybe(fc.constantFrom(...matchesAnywhere(place))), fc.constantFrom(...targetsOf(place)),
  ).map(([src, dst, input, output, protocol, match, target]) => {
    // A target that needs a protocol brings it along.
    const own = /^! ?-p|^-p/u.test(target) ? '' : protocol;
    return [src, dst, input, output, own, match, target].filter(part => part !== '').join(' ');
  });
  const any = ruleWords(fc, { ...place, chain: hook }).map(words => words.map(quoteForInput).join(' ')).filter(text => !leftOut.test(text));
  return fc.oneof({ weight: 7, arbitrary: near }, { weight: 1, arbitrary: any }).filter(text => isLegal(text, place));
}

/** What depends on the machine, on real time or on somebody who listens is left out: the kernel's answer could not be foretold. Without its events, a connection is not seen by the harness. */
const leftOut = /SYNPROXY|NFQUEUE|-j QUEUE|TEE|IDLETIMER|RATEEST|rateest|-m time|-m statistic --mode random|--probability|-m osf|-m cgroup|-m nfacct|--random|-m bpf --object|connlabel|--physdev|CT --timeout|-m policy --dir .* --strict|-m cpu ! |TRACE|-m set|SET |LED|SECMARK|AUDIT|-m ipvs|-m socket|--limit (?!\S+\/[hd])|--hashlimit(?:-upto|-above)? (?!\S+\/[hd])|--ctevents|--expevents/u;

function isLegal(text: string, { table, hook, family, backend }: RulePlace): boolean {
  return load({ path: 'generated', text: `*${table}\n-A ${hook} ${text}\nCOMMIT\n` }, { family, backend }).diagnostics.length === 0;
}

const ownChains = ['web', 'guard', 'deep'];

/** Chains call only chains further on in the list: no circles. */
function tableText(fc: Fc, place: ScenarioPlace, table: TableName): Arbitrary<string> {
  const hooks = builtInChains[table];
  const own = fc.constantFrom<readonly string[]>([], [], ownChains.slice(0, 1), ownChains);
  const accepting = table === 'nat' ? 12 : 4;
  const policy = fc.oneof({ weight: accepting, arbitrary: fc.constant('ACCEPT') }, { weight: 1, arbitrary: fc.constant('DROP') });
  return fc.tuple(own, fc.array(policy, { minLength: hooks.length, maxLength: hooks.length }), fc.constantFrom(...hooks)).chain(([names, policies, reached]) => {
    const call = (from: number): Arbitrary<string> => fc.tuple(fc.constantFrom('', '-p tcp ', '-p udp ', '-m mark --mark 0x1 '), fc.constantFrom('-j', '-j', '-g'), fc.constantFrom(...names.slice(from)))
      .map(([criterion, jump, name]) => `${criterion}${jump} ${name}`);
    const rules = (chain: string, hook: Hook, from: number): Arbitrary<string[]> => {
      const one = rule(fc, { ...place, table, hook });
      const mixed = from < names.length && (from > 0 || hook === reached) ? fc.oneof({ weight: 2, arbitrary: one }, { weight: 1, arbitrary: call(from) }) : one;
      return fc.array(mixed, { maxLength: 4 }).map(list => list.map(text => `-A ${chain} ${text}`.trimEnd()));
    };
    const blocks = [...hooks.map(hook => rules(hook, hook, 0)), ...names.map((name, index) => rules(name, reached, index + 1))];
    return fc.tuple(...blocks).map(lines => [`*${table}`, ...hooks.map((hook, index) => `:${hook} ${policies[index] ?? 'ACCEPT'} [0:0]`), ...names.map(name => `:${name} - [0:0]`), ...lines.flat(), 'COMMIT'].join('\n'));
  });
}

/** The text of a rule set: one to three tables, filter and nat most of all. */
export function scenarioRules(fc: Fc, place: ScenarioPlace): Arbitrary<string> {
  const tables = fc.constantFrom<readonly TableName[]>(['filter'], ['filter'], ['nat', 'filter'], ['nat', 'filter'], ['raw', 'filter'], ['mangle', 'filter'], ['mangle', 'nat', 'filter'], ['raw', 'mangle', 'nat', 'filter', 'security']);
  return tables.chain(names => fc.tuple(...names.map(table => tableText(fc, place, table)))).map(texts => `${texts.join('\n')}\n`)
    .filter(text => load({ path: 'generated', text }, place).diagnostics.every(one => one.severity !== 'error'));
}
