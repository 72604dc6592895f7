/** Tiny worlds for the pipeline: rule sets of all tables over a handful of values, and every packet there is in them. */
import * as fc from 'fast-check';
import type { PathLike } from './enumerate.js';

export interface World {
  readonly text: string;
  readonly path: PathLike;
}

const tables: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'], mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'], filter: ['INPUT', 'FORWARD', 'OUTPUT'],
};
const hasIn = ['PREROUTING', 'INPUT', 'FORWARD'];
const hasOut = ['OUTPUT', 'FORWARD', 'POSTROUTING'];
const addresses = ['10.0.0.0/31', '10.0.0.1/32', '10.0.0.2/32'];

const maybe = <T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | ''> => fc.oneof({ weight: 10 - weight, arbitrary: fc.constant('' as const) }, { weight, arbitrary });
const negated = (words: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.tuple(fc.constantFrom('', '', '', '! '), words).map(([not, text]) => ` ${not}${text}`);

interface Features {
  readonly marks: boolean;
  readonly ports: boolean;
  readonly limits: boolean;
  readonly states: boolean;
  readonly atoms: boolean;
  readonly places: boolean;
}

function conditions(chain: string, on: Features, proto: boolean): fc.Arbitrary<string> {
  return fc.tuple(
    maybe(4, negated(fc.constantFrom(...addresses).map(one => `-s ${one}`))), maybe(4, negated(fc.constantFrom(...addresses).map(one => `-d ${one}`))),
    on.places && hasIn.includes(chain) ? maybe(2, negated(fc.constant('-i eth0'))) : fc.constant(''), on.places && hasOut.includes(chain) ? maybe(2, negated(fc.constant('-o eth0'))) : fc.constant(''),
    fc.constant(proto ? ' -p tcp' : ''), on.ports && proto ? maybe(5, negated(fc.constantFrom('--dport 80', '--dport 80', '--dport 0:79'))).map(one => one === '' ? '' : ` -m tcp${one}`) : fc.constant(''),
    on.marks ? maybe(3, fc.tuple(fc.constantFrom('mark', 'mark', 'connmark'), fc.constantFrom('', '! '), fc.constantFrom('0x1/0x1', '0x2/0x2', '0x0/0x3', '0x3/0x3')).map(([name, not, value]) => ` -m ${name} ${not}--mark ${value}`)) : fc.constant(''),
    on.states ? maybe(3, fc.tuple(fc.constantFrom('', '', '! '), fc.constantFrom('NEW', 'ESTABLISHED', 'RELATED,ESTABLISHED', 'INVALID', 'UNTRACKED')).map(([not, value]) => ` -m conntrack ${not}--ctstate ${value}`)) : fc.constant(''),
    on.limits ? maybe(2, fc.constant(' -m limit --limit 1/sec')) : fc.constant(''), on.atoms ? maybe(2, fc.constantFrom(' -m addrtype --dst-type LOCAL', ' -m addrtype ! --dst-type LOCAL')) : fc.constant(''),
  ).map(parts => parts.join(''));
}

const markTargets = ['MARK --set-xmark 0x1/0x1', 'MARK --set-xmark 0x2/0x3', 'MARK --set-xmark 0x0/0x3', 'CONNMARK --set-xmark 0x1/0x3', 'CONNMARK --save-mark', 'CONNMARK --restore-mark', 'CONNMARK --restore-mark --nfmask 0x1 --ctmask 0x1'];

function targets(table: string, chain: string, callees: readonly string[], on: Features, proto: boolean): fc.Arbitrary<string> {
  const calls = callees.flatMap(name => [` -j ${name}`, ` -j ${name}`, ` -g ${name}`]);
  const marks = on.marks ? markTargets.map(one => ` -j ${one}`) : [];
  const port = proto ? ':80' : '';
  const nat = chain === 'PREROUTING' || chain === 'OUTPUT' || chain.endsWith('D')
    ? [' -j DNAT --to-destination 10.0.0.1', ` -j DNAT --to-destination 10.0.0.2${port}`, ' -j DNAT --to-destination 10.0.0.0-10.0.0.1', ...proto ? [' -j REDIRECT --to-ports 80'] : []]
    : [' -j SNAT --to-source 10.0.0.1', ' -j SNAT --to-source 10.0.0.2', ...chain === 'INPUT' ? [] : [' -j MASQUERADE']];
  switch (table) {
    case 'raw': return fc.constantFrom(' -j NOTRACK', ' -j ACCEPT', ' -j DROP', ' -j RETURN', ...calls);
    case 'mangle': return fc.constantFrom(' -j ACCEPT', ' -j DROP', ' -j RETURN', ...marks, ...calls);
    case 'nat': return fc.constantFrom(' -j ACCEPT', ' -j RETURN', ...nat, ...nat, ...marks, ...calls);
    default: return fc.constantFrom(' -j ACCEPT', ' -j ACCEPT', ' -j DROP', ' -j DROP', ' -j RETURN', '', ...calls, ...calls);
  }
}

function chainRules(table: string, chain: string, callees: readonly string[], on: Features, max: number): fc.Arbitrary<string[]> {
  const rule = fc.boolean().chain(proto => fc.tuple(conditions(chain.length > 3 ? chain : '', on, proto), targets(table, chain, callees, on, proto)).map(([ask, act]) => `-A ${chain}${ask}${act}`));
  return fc.array(rule, { maxLength: max });
}

function tableText(table: string, on: Features): fc.Arbitrary<string> {
  const users = table === 'nat' ? ['uD', 'uS'] : ['u1', 'u2'];
  const callees = (chain: string): string[] => {
    if (table === 'nat') return chain.length === 2 ? [] : chain === 'PREROUTING' || chain === 'OUTPUT' ? ['uD'] : ['uS'];
    return chain === 'u1' ? ['u2'] : chain === 'u2' ? [] : users;
  };
  const built = tables[table] ?? [];
  const policies = built.map(() => table === 'filter' ? fc.constantFrom('ACCEPT', 'DROP') : fc.constant('ACCEPT'));
  const hasUsers = table !== 'nat';
  return fc.tuple(fc.tuple(...policies), fc.tuple(...[...built, ...users].map(chain => chainRules(table, chain, callees(chain).filter(one => hasUsers || one.startsWith('u')), on, table === 'filter' ? 5 : 3)))).map(([given, rules]) => [
    `*${table}`, ...built.map((chain, i) => `:${chain} ${given[i] ?? 'ACCEPT'} [0:0]`), ...users.map(chain => `:${chain} - [0:0]`), ...rules.flat(), 'COMMIT', '',
  ].join('\n'));
}

export const worlds: fc.Arbitrary<World> = fc.record({
  marks: fc.constantFrom(false, false, true), ports: fc.constantFrom(false, false, true), limits: fc.constantFrom(false, false, true), states: fc.boolean(), atoms: fc.constantFrom(false, false, true), places: fc.constantFrom(false, false, true),
  raw: fc.constantFrom(false, false, true), mangle: fc.boolean(), nat: fc.constantFrom(true, true, false), path: fc.constantFrom<PathLike[]>('in', 'through', 'out', 'loop'),
}).chain(on => fc.tuple(...(['raw', 'mangle', 'nat', 'filter'] as const).map(table => table === 'filter' || on[table] ? tableText(table, on) : fc.constant(''))).map(texts => ({ text: texts.join(''), path: on.path })));
