/** What means the same is told the same: rule sets of `rules-examples/`, written in other words, yield the same findings about the same rules. */
import { readFileSync, readdirSync } from 'node:fs';
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { checks } from '../../analyzer/checks/index.js';
import { knownOwners } from '../../analyzer/checks/shared/known-owners.js';
import { inputOfExample } from '../../analyzer/examine.js';
import { load } from '../../analyzer/model/load.js';
import { printBody } from '../../analyzer/model/print.js';
import type { Ruleset, Table } from '../../analyzer/model/ruleset.js';
import type { Family } from '../../analyzer/values/value.js';

/** A rule set on its way to be written in other words: names of chains, and rules without them. */
interface Sketch {
  readonly family: Family;
  readonly tables: readonly { readonly name: string; readonly chains: readonly { readonly name: string; readonly policy: string; readonly rules: readonly string[] }[] }[];
}

function sketchOf({ family, backend, tables }: Ruleset): Sketch {
  const chainsOf = (table: Table): Sketch['tables'][number]['chains'] => [...table.chains.values()].map(({ name, policy = '-', rules }) => ({ name, policy, rules: rules.map(rule => printBody(rule, { table: table.name, family, backend })) }));
  return { family, tables: [...tables.values()].map(table => ({ name: table.name, chains: chainsOf(table) })) };
}

function textOf({ tables }: Sketch): string {
  return tables.map(({ name, chains }) => [
    `*${name}`, ...chains.map(chain => `:${chain.name} ${chain.policy} [0:0]`), ...chains.flatMap(chain => chain.rules.map(rule => `-A ${chain.name}${rule}`)), 'COMMIT', '',
  ].join('\n')).join('');
}

function withRules(sketch: Sketch, written: (rule: string, chain: string) => string): Sketch {
  return { ...sketch, tables: sketch.tables.map(table => ({ ...table, chains: table.chains.map(chain => ({ ...chain, rules: chain.rules.map(rule => written(rule, chain.name)) })) })) };
}

// All checks, those that are off as well. That nothing says why a rule is there hangs on comments.
const severities = { ...Object.fromEntries(checks.flatMap(({ name, isOff, severity }) => isOff === true ? [[name, severity]] : [])), 'missing-comment': 'off' } as const;

function findings(sketch: Sketch, nameOf: (chain: string) => string = name => name): string[] {
  const { findings: found, internalErrors } = analyze({ path: 'x.rules', text: textOf(sketch) }, { family: sketch.family, severities });
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  const place = (rule: string | null): string => rule?.replace(/:([^:]+)(?=:)/u, (_, chain: string) => `:${nameOf(chain)}`) ?? '(file)';
  return found.map(({ check, severity, certainty, rule }) => [check, severity, certainty, place(rule)].join(' ')).sort();
}

const long: Readonly<Record<string, string>> = { '-s': '--source', '-d': '--destination', '-i': '--in-interface', '-o': '--out-interface', '-p': '--protocol', '-m': '--match', '-j': '--jump', '-g': '--goto' };
const numbers: Readonly<Record<string, string>> = { tcp: '6', udp: '17' };

/** Long options, numbers of protocols, and what asks nothing. */
function inOtherWords(sketch: Sketch): Sketch {
  const any = sketch.family === 'ipv4' ? '0.0.0.0/0' : '::/0';
  return withRules(sketch, (rule, chain) => {
    const asked = ['-s', '-d'].filter(flag => !rule.includes(` ${flag} `)).map(flag => ` ${flag} ${any}`).join('');
    const by = ['INPUT', 'FORWARD', 'PREROUTING'].includes(chain) && !rule.includes(' -i ') ? ' -i +' : '';
    return `${asked}${by}${rule}`.replace(/(?<= -p )(?:tcp|udp)\b/u, word => numbers[word] ?? word).replace(/(?<= )-[sdiopmjg](?= )/gu, word => long[word] ?? word);
  });
}

/** A comment in every rule that has none; but a bare RETURN is known as docker's. */
function withComments(sketch: Sketch): Sketch {
  return withRules(sketch, rule => rule === ' -j RETURN' || rule.includes('--comment') ? rule : rule.replace(/(?= -[jg] )|$/u, ' -m comment --comment "it is wanted"'));
}

const someonesNames = knownOwners.flatMap(({ chains, yours, telltale }) => [...telltale === undefined && chains !== undefined ? [chains] : [], ...yours === undefined ? [] : [yours], ...telltale === undefined ? [] : [telltale]]);

/** Other names for chains that no program is known by, the last declared first, and so the tables. */
function renamed(sketch: Sketch): { readonly sketch: Sketch; readonly nameOf: (chain: string) => string } {
  const all = sketch.tables.flatMap(({ chains }) => chains);
  const isSomeones = all.some(({ name }) => someonesNames.some(one => one.source !== '^' && one.test(name)));
  const names = new Map(isSomeones ? [] : all.filter(({ policy }) => policy === '-').map(({ name }, index) => [name, `own${String(index)}z`]));
  const old = new Map([...names].map(([before, now]) => [now, before]));
  const nameOf = (name: string): string => names.get(name) ?? name;
  const own = withRules(sketch, rule => rule.replace(/(?<= -[jg] )\S+/u, nameOf));
  const tables = own.tables.map(({ name, chains }) => ({ name, chains: [...chains].reverse().map(chain => ({ ...chain, name: nameOf(chain.name) })) })).reverse();
  return { sketch: { ...own, tables }, nameOf: name => old.get(name) ?? name };
}

const files = readdirSync('rules-examples').filter(name => /\.(?:rules|sh|txt)$/u.test(name));

for (const name of files) {
  test(`${name} in other words`, t => {
    for (const ruleset of load({ path: name, text: readFileSync(`rules-examples/${name}`, 'utf8') }).rulesets) {
      const sketch = sketchOf(ruleset);
      const told = findings(sketch);
      t.deepEqual(findings(inOtherWords(sketch)), told, 'long options, and what asks nothing');
      t.deepEqual(findings(withComments(sketch)), told, 'comments');
      const other = renamed(sketch);
      t.deepEqual(findings(other.sketch, other.nameOf), told, 'names and order of chains and tables');
    }
  });
}

/** What stood in built-in chains stands in others, to which they lead everything. */
function inChains(text: string): string {
  return text.replace(/(?<=^\*\w+\n).*?(?=^COMMIT$)/gmsu, rules => {
    const hooks = [...new Set(rules.match(/(?<=^-A )(?:PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING)\b/gmu))];
    return `${hooks.map(hook => `:in-${hook} - [0:0]\n`).join('')}${hooks.map(hook => `-A ${hook} -j in-${hook}\n`).join('')}${rules.replace(/(?<=^-A )(?=(?:PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING)\b)/gmu, 'in-')}`;
  });
}

/** Rules of table nat that translate, each in a chain of its own, to which all that it asks leads but the protocol. */
function inOwnChains(text: string): string {
  const [, nat = ''] = /^\*nat\n(.*?)COMMIT\n/msu.exec(text) ?? [];
  const chains: string[] = [], own: string[] = [];
  const lines = nat.split('\n').map(line => {
    const [, asks = '', target = ''] = /^(-A \S+ .*?)(-j (?:DNAT|SNAT|MASQUERADE|REDIRECT)\b.*)$/u.exec(line) ?? [];
    if (target === '') return line;
    const chain = `own${String(chains.push(line))}`;
    own.push(`-A ${chain} ${/(?<=\s)-p \S+ /u.exec(asks)?.[0] ?? ''}${target}`);
    return `${asks}-j ${chain}`;
  });
  return text.replace(nat, [...chains.map((_, index) => `:own${String(index + 1)} - [0:0]`), ...lines.filter(line => line !== ''), ...own, ''].join('\n'));
}

const translating = ['dnat-catches-outbound', 'dnat-not-forwarded', 'dnat-to-loopback', 'exposed-service', 'hairpin-missing', 'masquerade-not-forwarded', 'masquerade-incomplete', 'masquerade-wrong-interface', 'outbound-smtp-open', 'redirect-loop', 'redirect-without-accept'];

const gateway = `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i ppp0 -p tcp -m tcp --dport 16379 -j DNAT --to-destination 192.168.7.5:6379
-A POSTROUTING -s 192.168.7.0/24 -o ppp0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -s 192.168.7.0/24 -i eth1 -o ppp0 -j ACCEPT
-A FORWARD -d 192.168.7.5/32 -o eth1 -p tcp -m tcp --dport 6379 -j ACCEPT
COMMIT
`;

test('a translation is the same in a chain of its own', t => {
  const told = (text: string, name: string): boolean => analyze({ path: 'x.rules', text }, { severities }).findings.some(({ check }) => check === name);
  for (const name of translating) {
    const bad = checks.find(check => check.name === name)?.bad;
    const text = typeof bad === 'string' ? bad : bad?.rules ?? '';
    if (!text.includes('*nat')) continue;
    t.true(told(text, name), name);
    t.true(told(inOwnChains(text), name), `${name}: ${inOwnChains(text)}`);
  }
  for (const name of ['exposed-service', 'outbound-smtp-open']) t.deepEqual([told(gateway, name), told(inOwnChains(gateway), name)], [true, true], name);
});

/** The rules of table filter that accept lead to a chain which writes it down and accepts. */
function acceptedByChain(text: string): string {
  return text.replace(/(?<=^\*filter\n).*?(?=^COMMIT$)/gmsu, rules => `:known - [0:0]\n${rules.replace(/(?<=^-A .*-j )ACCEPT$/gmu, 'known')}-A known -j LOG\n-A known -j ACCEPT\n`);
}

/** Of these the finding is another where something is logged, or another check's: what is logged is not redundant, and limits what is logged. */
const otherwiseTold = new Set(['partially-shadowed-rule', 'correlated-rules', 'redundant-rule', 'related-missing', 'rate-limit-without-effect']);

for (const { name, bad } of checks) {
  test(`${name} where built-in chains lead everything to others, and where a chain accepts`, t => {
    const [source, options] = inputOfExample(bad, { severities });
    const told = (text: string): number => analyze({ ...source, text }, options).findings.filter(({ check }) => check === name).length;
    t.is(told(inChains(source.text)), told(source.text), inChains(source.text));
    if (!otherwiseTold.has(name)) t.is(told(acceptedByChain(source.text)), told(source.text), acceptedByChain(source.text));
  });
}

test('a limit that is upside down is so where a chain accepts', t => {
  const text = '*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 --syn -m hashlimit --hashlimit-above 3/min --hashlimit-name ssh --hashlimit-mode srcip -j ACCEPT\nCOMMIT\n';
  for (const one of [text, acceptedByChain(text)]) {
    t.deepEqual(analyze({ path: 'x.rules', text: one }).findings.flatMap(({ check, message }) => check === 'rate-limit-without-effect' ? [message.replace(/: .*/u, '')] : []), ['the limit is upside down'], one);
  }
});
