/** Files as they are found: what is wrong is said once, and the rest is read. */
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { load } from '../../analyzer/model/load.js';
import { printRuleset } from '../../analyzer/model/print.js';
import type { Backend } from '../../analyzer/values/value.js';

function read(text: string): { readonly problems: string[]; readonly rules: string[] } {
  const loaded = load({ path: 'fw.rules', text });
  return {
    problems: loaded.diagnostics.map(one => `${String(one.line)} ${one.severity} ${one.check}`),
    rules: loaded.rulesets.flatMap(ruleset => [...printRuleset(ruleset)].filter(line => line.startsWith('-A'))),
  };
}

const two = '*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp --dport ssh -j ACCEPT\nCOMMIT\n';
const twoRules = ['-A INPUT -i lo -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'];

test('CR LF line ends cost one finding, on the first line that the loader would trip over', t => {
  t.deepEqual(read(`# a comment\n${two}`.replaceAll('\n', '\r\n')), { problems: ['2 error line-endings'], rules: twoRules });
});

test('so do lines that end in CR alone', t => {
  t.deepEqual(read(`# a comment\n${two}`.replaceAll('\n', '\r')).rules, twoRules);
  t.is(read(`# a comment\n${two}`.replaceAll('\n', '\r')).problems[0], '2 error line-endings');
});

test('so does a byte order mark', t => {
  t.deepEqual(read(`\uFEFF${two}`), { problems: ['1 error line-endings'], rules: twoRules });
});

test('a last COMMIT without a line end is a matter of the backend', t => {
  const text = two.trimEnd();
  t.deepEqual(read(text), { problems: ['5 warning missing-commit'], rules: twoRules });
  t.deepEqual(load({ path: 'x', text }, { backend: 'legacy' }).diagnostics.map(one => one.severity), ['error']);
});

test('the old way to negate is an error, and the rule means what it meant', t => {
  t.deepEqual(read('*filter\n-A INPUT -s ! 192.0.2.0/24 -j DROP\nCOMMIT\n'), { problems: ['2 error syntax-error'], rules: ['-A INPUT ! -s 192.0.2.0/24 -j DROP'] });
});

test('one bad line costs one error, whatever is wrong with it', t => {
  t.deepEqual(read('*filter\n-A INPUT -p tcp --dport 99999 --sport x:y:z -s 1.2.3.4.5 -o eth0 -j DROP\n-A INPUT -j ACCEPT\nCOMMIT\n'), { problems: ['2 error invalid-value'], rules: ['-A INPUT -m mark --mark 0x1/0x0', '-A INPUT -j ACCEPT'] }, 'and its place is kept: it is printed as a rule that matches nothing');
});

test('a line with -t is refused, and nothing else is told of it', t => {
  t.deepEqual(read('*filter\n-t raw -A PREROUTING -j DROP\n-t nat -N x\n-t filter -A INPUT -j DROP\n-A INPUT -j ACCEPT\nCOMMIT\n'), {
    problems: ['2 error invalid-options', '3 error invalid-options', '4 error invalid-options'], rules: ['-A INPUT -m mark --mark 0x1/0x0', '-A INPUT -j ACCEPT'],
  });
});

for (const words of ['-j LOG -j DROP', '-j own -j DROP', '-j DROP -j own', '-j DROP -g own', '-p tcp -j LOG --log-prefix x -j DROP', '-h', '-j DROP --version']) {
  test(`iptables-restore does not load ${words}, and that is told`, t => {
    t.deepEqual(read(`*filter\n:own - [0:0]\n-A INPUT ${words}\nCOMMIT\n`).problems, ['3 error invalid-options']);
  });
}

for (const command of ['-N other -j DROP', '-P INPUT DROP -i eth0', '-F INPUT -s 192.0.2.1', '-X own -n', '-N other -c 1 2', '-N other -w', '-F -t nat', '-Z -h']) {
  test(`${command} is refused for what only rules and lists have, and changes nothing`, t => {
    const { problems, rules } = read(`*filter\n:own - [0:0]\n-A INPUT -j own\n${command}\nCOMMIT\n`);
    t.deepEqual([problems, rules], [['4 error invalid-options'], ['-A INPUT -j own']]);
  });
}

test('an option that nobody knows is told of every command', t => {
  t.deepEqual(read('*filter\n-P INPUT DROP --foo\n-N own --bar\nCOMMIT\n').problems, ['2 error unknown-option', '3 error unknown-option']);
});

test('counters are shown and set to zero in one command', t => {
  for (const words of ['-L -Z', '-Z INPUT -L -n -v', '-nvL INPUT -Z', '-S -Z']) t.deepEqual(load({ path: 'fw.sh', text: `#!/bin/sh\niptables -A INPUT -i lo -j ACCEPT\niptables ${words}\n` }).diagnostics, [], words);
});

for (const prompt of ['root@gate:~# iptables-save', '[me@gate ~]$ sudo /sbin/iptables-legacy-save', 'gate% ip6tables-save -c']) {
  test(`a prompt that was copied with the rules is named as that: ${prompt}`, t => {
    const { diagnostics: [first] } = load({ path: 'fw.rules', text: `${prompt}\n${two}${prompt.replace(/\S*ip6?tables.*/u, '')}\n` });
    t.regex(first?.help ?? '', /prompt/u);
  });
}

test('dashes of a word processor, and the name of the program, are named as what is wrong', t => {
  const helpFor = (line: string): string => load({ path: 'fw.rules', text: `*filter\n${line}\nCOMMIT\n` }).diagnostics[0]?.help ?? '';
  t.regex(helpFor('\u2013A INPUT -j DROP'), /write `-A`/u);
  t.regex(helpFor('-A INPUT -p tcp \u2014dport 22 -j DROP'), /write `--dport`/u);
  t.is(helpFor('-A INPUT --dport 22 -j DROP'), 'it belongs to `-p tcp` or `-p udp`, which must be named before it');
  t.is(helpFor('-A INPUT --syn -j DROP'), 'it belongs to `-p tcp`, which must be named before it');
  t.is(helpFor('-A INPUT --ctstate NEW -j DROP'), 'it belongs to `-m conntrack`, which must be named before it');
  t.regex(helpFor('/sbin/iptables -A INPUT -j DROP'), /take `\/sbin\/iptables` out/u);
});

test('a line without a command may have been a rule of the chain that it names', t => {
  t.deepEqual(read('*filter\n:own - [0:0]\n\u2013A own -j DROP\nhello\nCOMMIT\n'), { problems: ['3 error syntax-error', '4 error syntax-error'], rules: ['-A own -m mark --mark 0x1/0x0'] });
  const [, ...others] = analyze({ path: 'x', text: '*filter\n:INPUT DROP [0:0]\n\u2013A INPUT -i lo -j ACCEPT\nCOMMIT\n' }).findings;
  t.deepEqual(others.map(({ check }) => check), []);
});

test('the table of what iptables -S prints is known by its policies, of several listings in one file too', t => {
  const listing = (...chains: readonly string[]): string => chains.map(chain => `-P ${chain} ACCEPT\n`).join('');
  const nat = `${listing('PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING')}-A POSTROUTING -o eth0 -j MASQUERADE\n`;
  const mangle = listing('PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING');
  const filter = `${listing('INPUT', 'FORWARD', 'OUTPUT')}-N own\n-A INPUT -j own\n`;
  const raw = `${listing('PREROUTING', 'OUTPUT')}-A PREROUTING -p udp -j CT --notrack\n`;
  for (const [text, tables] of [[nat, ['nat']], [raw, ['raw']], [`${filter}\n# iptables -t nat -S\n${nat}`, ['filter', 'nat']], [`${mangle}${filter}${raw}`, ['mangle', 'filter', 'raw']], ['-A INPUT -j DROP\n', ['filter']]] as const) {
    const { rulesets, diagnostics } = load({ path: 'x', text });
    t.deepEqual(diagnostics, []);
    t.deepEqual([...rulesets[0]?.tables.keys() ?? []], tables);
  }
  t.deepEqual([...load({ path: 'x', text: filter }, { table: 'security' }).rulesets[0]?.tables.keys() ?? []], ['security']);
});

test('the negation of all interfaces stays where it is saved', t => {
  const text = '*filter\n-A FORWARD ! -i + -j DROP\n-A FORWARD ! -o + -j DROP\n-A FORWARD -i + -o + -j DROP\nCOMMIT\n';
  t.deepEqual(read(text).rules, ['-A FORWARD ! -i + -j DROP', '-A FORWARD ! -o + -j DROP', '-A FORWARD -j DROP']);
});

test('what every packet meets is no part of a rule, unless somebody meant it otherwise', t => {
  const [ruleset] = load({ path: 'x', text: '*filter\n-A INPUT -s 0.0.0.0/0 -d 0/0 -i + -p all -j ACCEPT\n-A INPUT ! -i + -j ACCEPT\n-A INPUT -s 10.1.2.3/0 -j ACCEPT\nCOMMIT\n' }).rulesets;
  const rules = ruleset?.tables.get('filter')?.chains.get('INPUT')?.rules ?? [];
  t.deepEqual(rules.map(({ source, destination, inInterface, protocol }) => [source, destination, inInterface, protocol].map(one => one !== undefined)), [[false, false, false, false], [false, false, true, false], [true, false, false, false]]);
});

test('several addresses make several rules, inserted ones the other way round', t => {
  t.deepEqual(read('*filter\n-A INPUT -s 192.0.2.1,192.0.2.2 -d 198.51.100.1,198.51.100.2 -j DROP\n-I INPUT -s 203.0.113.1,203.0.113.2 -j ACCEPT\nCOMMIT\n').rules, [
    '-A INPUT -s 203.0.113.2/32 -j ACCEPT', '-A INPUT -s 203.0.113.1/32 -j ACCEPT',
    '-A INPUT -s 192.0.2.1/32 -d 198.51.100.1/32 -j DROP', '-A INPUT -s 192.0.2.1/32 -d 198.51.100.2/32 -j DROP',
    '-A INPUT -s 192.0.2.2/32 -d 198.51.100.1/32 -j DROP', '-A INPUT -s 192.0.2.2/32 -d 198.51.100.2/32 -j DROP',
  ]);
});

test('a jump to what is no chain points at the very word, and suggests another', t => {
  const text = '*filter\n:ssh-guard - [0:0]\n-A INPUT -p tcp -j ssh-gard\nCOMMIT\n';
  const [problem] = load({ path: 'x', text }).diagnostics;
  t.is(text.slice(problem?.span.start, problem?.span.end), 'ssh-gard');
  t.regex(problem?.help ?? '', /did you mean `ssh-guard`/u);
});

test('a chain of one’s own that has the name of a target takes its place', t => {
  const { rulesets } = load({ path: 'x', text: '*filter\n:LOG - [0:0]\n-A INPUT -j LOG\nCOMMIT\n' });
  t.is(rulesets[0]?.tables.get('filter')?.chains.get('INPUT')?.rules[0]?.target.kind, 'chain');
  const named = '*mangle\n:CLASSIFY - [0:0]\n-A PREROUTING -i eth0 -j CLASSIFY\n-A CLASSIFY -p udp -j MARK --set-xmark 0x7/0xffffffff\nCOMMIT\n*filter\n-A INPUT -j MARK --set-xmark 0x7/0xffffffff\nCOMMIT\n';
  t.deepEqual(read(named).problems.slice(0, 1), ['2 warning invalid-chain-name'], 'though the target has options that must be given, and is for another hook');
  t.deepEqual(analyze({ path: 'x', text: named }).findings.filter(one => ['unused-chain', 'wrong-hook', 'invalid-options'].includes(one.check)), []);
  t.deepEqual(read(named.replace('-j CLASSIFY', '-j CLASSIFY --set-class 1:1')).problems.slice(0, 2), ['2 warning invalid-chain-name', '3 error unknown-option'], 'which a chain has not');
  t.deepEqual(read(named.replace(':CLASSIFY', ':OTHER').replace('-A CLASSIFY', '-A OTHER')).problems.slice(0, 1), ['3 error invalid-options'], 'no chain of this table');
});

test('the second table of a name replaces the first, as the loader does it', t => {
  t.deepEqual(read(`${two}*filter\n-A INPUT -j DROP\nCOMMIT\n`), { problems: ['6 warning duplicate-table'], rules: ['-A INPUT -j DROP'] });
});

test('a jump to a chain that is not there may do anything: what is found behind it holds', t => {
  const text = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 23 -j NOWHERE\n-A INPUT -j DROP\nCOMMIT\n';
  const { findings, internalErrors } = analyze({ path: 'rules', text });
  t.deepEqual(internalErrors, []);
  t.true(findings.some(({ check, rule }) => check === 'undefined-chain' && rule === 'filter:INPUT:2'));
  t.true(findings.some(({ check, rule }) => check === 'icmp-errors-dropped' && rule === 'filter:INPUT:3'));
});

test('a chain or a rule that is not there: what to do about it, in the words of the file', t => {
  const helps = (text: string): readonly (string | undefined)[] => load({ path: 'x', text }).diagnostics.map(one => one.help?.split(':')[0]);
  const fragment = '*filter\n-F mine\n-A mine -j ACCEPT\n-D INPUT -i eth0 -j DROP\n-A INPUT -j yours\nCOMMIT\n';
  t.true(load({ path: 'x', text: fragment }).diagnostics.every(one => one.help?.endsWith('--noflush, lint what iptables-save prints once it is loaded') === true));
  t.deepEqual(helps(fragment).length, 4);
  const ofUfw = '*filter\n:ufw-before-input - [0:0]\n-A ufw-before-input -j ufw-logging-deny\nCOMMIT\n';
  const isPart = (text: string): boolean => load({ path: 'x', text }).diagnostics.every(({ help }) => help?.includes('--noflush') === true);
  t.true(isPart(ofUfw));
  for (const line of [':INPUT DROP [0:0]', '-A INPUT -j ufw-before-input', '[12:3456] -A INPUT -j ufw-before-input']) t.false(isPart(ofUfw.replace('COMMIT', `${line}\nCOMMIT`)), line);
  t.deepEqual(helps('*filter\n:INPUT DROP\n-A mine -j ACCEPT\n-X yours\nCOMMIT\n'), ['declare it first with a line ', 'leave it out, or make it first']);
  t.deepEqual(load({ path: 'x', text: '#!/bin/sh\nip6tables -A mine -j ACCEPT\niptables -A INPUT -j yours\n' }).diagnostics.map(one => one.help), ['create it first: ip6tables -N mine', 'create it first: -N yours']);
  t.deepEqual(helps('*filter\n:INPUT DROP\n-A INPUT -j XYZZYPLUGH\nCOMMIT\n'), [undefined], 'a target of which nobody has heard');
});

test('a chain that nothing declares is not declared by a rule that is put into it', t => {
  const told = (...lines: readonly string[]): readonly string[] => load({ path: 'x', text: ['*filter', ':INPUT ACCEPT [0:0]', ...lines, 'COMMIT', ''].join('\n') }).diagnostics.map(one => `${String(one.line)} ${one.message} ${one.help?.split(' ')[0] ?? ''}`);
  const [jump, rule] = ['-A INPUT -j FILTERS', '-A FILTERS -p tcp -m tcp --dport 23 -j DROP'];
  t.deepEqual(told(jump, rule), [3, 4].map(line => `${String(line)} there is no chain \`FILTERS\` in table filter declare`));
  t.deepEqual(told(rule, jump), ['3 there is no chain `FILTERS` in table filter declare'], 'it is told once');
  t.deepEqual(told(jump, ':FILTERS - [0:0]', rule), ['3 chain `FILTERS` is declared only later, in line 4 declare']);
});

test('a policy that is missing is not one that a chain cannot have: only the legacy loader refuses it', t => {
  const told = (line: string, backend: 'nft' | 'legacy'): readonly string[] => load({ path: 'x', text: `*filter\n${line}\n-A INPUT -j mine\n-A mine -j DROP\nCOMMIT\n` }, { backend }).diagnostics.map(one => `${one.severity} ${one.check} ${one.help ?? ''}`);
  t.deepEqual(told(':mine [3:4]', 'nft'), ['warning policy-on-user-chain write :mine - [3:4]']);
  t.deepEqual(told(':mine [3:4]', 'legacy'), ['error policy-on-user-chain write :mine - [3:4]']);
  t.deepEqual(told(':mine - [3:4]', 'legacy'), []);
  t.deepEqual(told(':mine DROP [3:4]', 'nft').map(one => one.split(' ')[0]), ['error']);
  t.is(load({ path: 'x', text: '*filter\n:mine [3:4]\n-A mine -j DROP\nCOMMIT\n' }).rulesets[0]?.tables.get('filter')?.chains.get('mine')?.rules.length, 1);
});

test('iptables-nft-restore renames no chain that the file makes; the legacy one does, and so do commands', t => {
  const lines = ['*filter', ':old - [0:0]', '-A INPUT -j old', '-E old new', '-A new -j ACCEPT', 'COMMIT', ''].join('\n');
  const told = (text: string, backend?: 'nft' | 'legacy'): readonly string[] => load({ path: 'x', text }, backend === undefined ? {} : { backend }).diagnostics.map(one => `${one.severity} ${one.check} ${String(one.line)}`);
  t.deepEqual(told(lines, 'nft'), ['error undefined-chain 4']);
  t.deepEqual(told(lines), ['warning undefined-chain 4']);
  t.deepEqual(told(lines, 'legacy'), []);
  t.deepEqual(told('#!/bin/sh\niptables -N old\niptables -E old new\niptables -A new -j ACCEPT\n', 'nft'), []);
});

test('blanks behind the star of a table, and words behind its name, are no matter', t => {
  for (const line of ['* filter', '*\tfilter', '*filter ', '*filter x', '* nat # of the host']) {
    const { format, diagnostics, rulesets } = load({ path: 'x', text: `${line}\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j ACCEPT\nCOMMIT\n` });
    t.deepEqual([format, diagnostics.length, rulesets[0]?.tables.size], ['save', 0, 1], line);
  }
});

test('a file that is said to be a listing and is none: the line that shows it', t => {
  const text = '# x\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j ACCEPT\nCOMMIT\n*nat\n-A PREROUTING -p tcp -j ACCEPT\nCOMMIT\n';
  t.deepEqual(load({ path: 'x', text }, { format: 'list-rules' }).diagnostics.map(one => [one.line, one.message]), [[2, 'what `iptables -S` prints has no such line']]);
});

test('-P without a chain, or without a policy, says what it wants', t => {
  const told = (line: string): readonly string[] => load({ path: 'x', text: `*filter\n${line}\nCOMMIT\n` }).diagnostics.map(({ check, message, help }) => `${check} ${message}: ${help ?? ''}`);
  t.deepEqual(told('-P DROP'), ['invalid-policy -P wants a chain and a policy: say for which chain: -P INPUT DROP']);
  t.deepEqual(told('-P INPUT'), ['invalid-policy -P wants a chain and a policy: a policy is ACCEPT or DROP']);
  t.deepEqual(told('-P INPUT REJECT'), ['invalid-policy `REJECT` is not a policy: a policy is ACCEPT or DROP']);
});

test('what iptables-nft made expressions of is printed as one match, unless one could not say both', t => {
  const printed = (backend: Backend, rule: string): string => {
    const [ruleset] = load({ path: 'x.rules', text: `*filter\n:INPUT ACCEPT [0:0]\n-A INPUT ${rule} -j ACCEPT\nCOMMIT\n` }, { backend }).rulesets;
    return ruleset === undefined ? '' : [...printRuleset(ruleset)].find(line => line.startsWith('-A'))?.replace(/^-A INPUT (.*) -j ACCEPT$/u, '$1') ?? '';
  };
  t.is(printed('nft', '-p udp -m udp --sport 67 -m udp --dport 68'), '-p udp -m udp --sport 67 --dport 68');
  t.is(printed('nft', '-p tcp -m comment --comment a -m tcp --dport 5 -m conntrack --ctstate NEW -m tcp --sport 7 --syn'), '-p tcp -m comment --comment a -m tcp --sport 7 --dport 5 --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW');
  for (const rule of ['-p tcp -m tcp --dport 68 -m tcp --tcp-option 5', '-p tcp -m tcp -m tcp --dport 5', '-p sctp -m sctp --dport 5 -m sctp --sport 6']) t.is(printed('nft', rule), rule);
  // Of these iptables-save loses one: nothing that is written back may.
  for (const rule of ['-p udp -m udp --dport 5:9 -m udp ! --dport 6', '-p tcp -m tcp ! --sport 5 -m tcp ! --dport 6']) t.is(printed('nft', rule), rule);
  t.is(printed('legacy', '-p udp -m udp --sport 67 -m udp --dport 68'), '-p udp -m udp --sport 67 -m udp --dport 68');
});
