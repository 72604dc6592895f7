/** Worlds so small that every packet there is in them can be looked at: two addresses, one port, one interface, one mark, a few states, and few of these at a time. */
import * as fc from 'fast-check';
import type { PathLike } from './enumerate.js';
import type { World } from './worlds.js';

/** Something that rules may ask; `at`: where they may. */
interface Question {
  readonly words: readonly string[];
  readonly at?: readonly string[];
}

const questions: Readonly<Record<string, Question>> = {
  src: { words: ['-s 10.0.0.1/32', '! -s 10.0.0.1/32', '-s 10.0.0.0/31', '! -s 10.0.0.0/31'] },
  dst: { words: ['-d 10.0.0.1/32', '! -d 10.0.0.1/32', '-d 10.0.0.2/32'] },
  port: { words: ['-p tcp', '! -p tcp', '-p tcp -m tcp --dport 80', '-p tcp -m tcp ! --dport 80'] },
  in: { words: ['-i eth0', '! -i eth0'], at: ['PREROUTING', 'INPUT', 'FORWARD'] },
  out: { words: ['-o eth0', '! -o eth0'], at: ['FORWARD', 'OUTPUT', 'POSTROUTING'] },
  mark: { words: ['-m mark --mark 0x1/0x1', '-m mark ! --mark 0x1/0x1'] },
  state: { words: ['-m conntrack --ctstate NEW', '-m conntrack ! --ctstate NEW', '-m conntrack --ctstate RELATED,ESTABLISHED', '-m conntrack --ctstate INVALID'] },
  ttl: { words: ['-m ttl --ttl-eq 64', '-m ttl ! --ttl-eq 64'] },
  chance: { words: ['-m limit --limit 1/sec'] },
};

const hooks: Readonly<Record<PathLike, readonly string[]>> = {
  in: ['PREROUTING', 'INPUT'], through: ['PREROUTING', 'FORWARD', 'POSTROUTING'], out: ['OUTPUT', 'POSTROUTING'], loop: ['OUTPUT', 'POSTROUTING', 'PREROUTING', 'INPUT'],
};
const standing: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'], mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'], filter: ['INPUT', 'FORWARD', 'OUTPUT'],
};
const calls = [' -j u1', ' -j u1', ' -g u1'];

function writesIn(asked: readonly string[]): readonly string[] {
  return [...asked.includes('mark') ? [' -j MARK --set-xmark 0x1/0x1', ' -j MARK --set-xmark 0x0/0x1'] : [], ...asked.includes('ttl') ? [' -j TTL --ttl-inc 1', ' -j TTL --ttl-set 64'] : []];
}

/** `hooked`: the chains from which the rule may be met. */
function targetsIn(table: string, hooked: readonly string[], asked: readonly string[], port: boolean): readonly string[] {
  const isDestination = hooked[0] === 'PREROUTING' || hooked[0] === 'OUTPUT';
  switch (table) {
    case 'raw': return [' -j NOTRACK', ' -j ACCEPT', ' -j DROP', ' -j RETURN'];
    case 'mangle': return [...writesIn(asked), ...writesIn(asked), ' -j ACCEPT', ' -j DROP', ' -j RETURN'];
    case 'nat': return [' -j ACCEPT', ' -j RETURN', ...isDestination ? [' -j DNAT --to-destination 10.0.0.1', ' -j DNAT --to-destination 10.0.0.2', ...port ? [' -j REDIRECT --to-ports 80'] : []] : [' -j SNAT --to-source 10.0.0.1', ' -j SNAT --to-source 10.0.0.2']];
    default: return [' -j ACCEPT', ' -j DROP', ' -j RETURN', ''];
  }
}

interface Place {
  readonly table: string;
  readonly asked: readonly string[];
  readonly built: readonly string[];
}

function ruleOf({ table, asked, built }: Place, chain: string): fc.Arbitrary<string> {
  const hooked = chain === 'u1' ? built : [chain];
  const words = asked.map(name => {
    const { words: all = [], at } = questions[name] ?? {};
    return at === undefined || hooked.every(hook => at.includes(hook)) ? fc.constantFrom('', ...all.map(one => ` ${one}`)) : fc.constant('');
  });
  return fc.tuple(...words).chain(parts => fc.constantFrom(...targetsIn(table, hooked, asked, parts.some(one => one.includes(' -p tcp') && !one.includes('! -p'))), ...chain === 'u1' ? [] : calls).map(act => `-A ${chain}${parts.join('')}${act}`));
}

/** Up to three rules of one or two built-in chains, and up to two of a chain that these call. */
function tableOf({ table, asked, built }: Place): fc.Arbitrary<string> {
  const some = table === 'nat' ? fc.constantFrom(...built.map(one => [one])) : fc.shuffledSubarray([...built], { minLength: 1, maxLength: Math.min(2, built.length) });
  return some.chain(own => {
    const place = { table, asked, built: own };
    const rules = fc.tuple(fc.array(fc.constantFrom(...own).chain(chain => ruleOf(place, chain)), { minLength: 1, maxLength: 3 }), fc.array(ruleOf(place, 'u1'), { maxLength: 2 }));
    return fc.tuple(rules, fc.constantFrom('ACCEPT', 'DROP')).map(([[above, below], policy]) => [`*${table}`, ...own.map(one => `:${one} ${table === 'filter' ? policy : 'ACCEPT'} [0:0]`), ':u1 - [0:0]', ...above, ...below, 'COMMIT', ''].join('\n'));
  });
}

export const tinyWorlds: fc.Arbitrary<World> = fc.tuple(
  fc.constantFrom<PathLike[]>('in', 'through', 'out', 'loop'), fc.constantFrom(['nat', 'filter'], ['mangle', 'filter'], ['mangle', 'filter'], ['raw', 'filter'], ['mangle', 'nat']),
  fc.shuffledSubarray(Object.keys(questions), { minLength: 2, maxLength: 3 }),
).chain(([path, tables, asked]) => fc.tuple(...tables.map(table => tableOf({ table, asked, built: (standing[table] ?? []).filter(hook => hooks[path].includes(hook)) }))).map(texts => ({ path, text: texts.join('') })));
