/** Rule sets near the packets of generated scenarios: they name the same addresses, ports and states. */
import type { Hook, TableName } from '../../extensions/define.js';
import { load } from '../../model/load.js';
import { builtInChains } from '../../model/ruleset.js';
import { quoteForInput } from '../../values/text.js';
import type { Arbitrary, Backend, Family, Fc } from '../../values/value.js';
import { ruleWords } from '../rule.js';
import { places } from './places.js';

export interface ScenarioPlace {
  readonly family: Family;
  readonly backend: Backend;
}

interface RulePlace extends ScenarioPlace {
  readonly table: TableName;
  /** The hook of a built-in chain; of a user's chain, one of those that lead to it. */
  readonly hook: Hook;
}

const states = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED', 'NEW,ESTABLISHED', 'RELATED,ESTABLISHED', 'SNAT', 'DNAT'];
const statuses = ['NONE', 'EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED'];

/** Matches of any protocol, by what people use most. State that hangs on real time is kept slow enough to stand still. */
function matchesAnywhere({ family, hook }: RulePlace): readonly string[] {
  const [first = '', second = ''] = places[family].own;
  const hop = family === 'ipv4' ? 'ttl --ttl' : 'hl --hl';
  return [
    ...states.map(state => `-m conntrack --ctstate ${state}`), ...states.map(state => `-m conntrack ! --ctstate ${state}`),
    ...statuses.map(status => `-m conntrack --ctstatus ${status}`), '-m conntrack ! --ctstatus NONE',
    '-m conntrack --ctdir ORIGINAL', '-m conntrack --ctdir REPLY', `-m conntrack --ctorigdst ${first}`, `-m conntrack ! --ctreplsrc ${second}`, '-m conntrack --ctproto 6', '-m conntrack --ctorigdstport 80',
    '-m mark --mark 0x1', '-m mark ! --mark 0x1/0x3', '-m connmark --mark 0x2', '-m connmark ! --mark 0x0/0xff',
    `-m ${hop}-eq 64`, `-m ${hop}-lt 63`, `-m ${hop}-gt 3`, '-m length --length 0:60', '-m length ! --length 40', '-m dscp --dscp 0x0a', '-m tos --tos 0x10/0x3f',
    '-m addrtype --dst-type LOCAL', '-m addrtype --src-type UNICAST', '-m addrtype ! --dst-type LOCAL', '-m addrtype --dst-type MULTICAST',
    '-m pkttype --pkt-type unicast', '-m pkttype --pkt-type broadcast', '-m statistic --mode nth --every 3 --packet 1', '-m statistic --mode nth --every 2',
    '-m limit --limit 1/hour --limit-burst 2', '-m quota --quota 150', '-m recent --name R --set', '-m recent --name R --rcheck', '-m recent --name R --update --hitcount 3', '-m recent --name R --remove', '-m recent --name R ! --rcheck --rdest',
    '-m connlimit --connlimit-above 1', '-m connlimit --connlimit-upto 2 --connlimit-mask 0', '-m connbytes --connbytes 2: --connbytes-dir both --connbytes-mode packets',
    '-m hashlimit --hashlimit-name H --hashlimit-mode srcip --hashlimit-upto 1/hour --hashlimit-burst 2', '-m hashlimit --hashlimit-name I --hashlimit-mode dstip,dstport --hashlimit-above 1/hour --hashlimit-burst 3',
    '-m comment --comment x', '-m helper --helper ftp', '-m cpu --cpu 0', '-m realm --realm 0',
    ...family === 'ipv4' ? ['-m iprange --src-range 198.51.100.7-198.51.100.9', '-m iprange ! --dst-range 10.0.0.1-10.0.0.5', '-f', '! -f', '-m u32 --u32 "6&0xFF=6"', '-m string --algo bm --string abc'] : ['-m ipv6header --soft --header frag', '-m string --algo kmp --string abc'],
    ...hook === 'PREROUTING' ? ['-m rpfilter', '-m rpfilter --invert', '-m mac ! --mac-source 02:00:00:00:00:99'] : [],
    ...hook === 'OUTPUT' || hook === 'POSTROUTING' ? ['-m owner --uid-owner 1000', '-m owner ! --uid-owner 0', '-m owner --socket-exists'] : [],
  ];
}

const flagMatches = ['--syn', '! --syn', '--tcp-flags SYN,ACK,FIN,RST SYN', '--tcp-flags ALL NONE', '--tcp-flags RST RST', '--tcp-flags ACK,PSH ACK,PSH', '--tcp-option 2', '! --tcp-option 3'];

/** What the protocol itself is asked. */
function protocolMatches(fc: Fc, { family }: RulePlace): Arbitrary<string> {
  const port = fc.constantFrom(...places[family].ports);
  const ports = fc.oneof(port.map(String), port.map(one => `${String(one)}:`), port.map(one => `:${String(one)}`));
  const side = fc.constantFrom('--dport', '--dport', '--sport', '! --dport');
  const icmp = family === 'ipv4'
    ? ['-p icmp', '-p icmp --icmp-type 8', '-p icmp --icmp-type echo-reply', '-p icmp --icmp-type 3', '-p icmp ! --icmp-type 3/3']
    : ['-p icmpv6', '-p icmpv6 --icmpv6-type 128', '-p icmpv6 --icmpv6-type 129', '-p icmpv6 --icmpv6-type 1', '-p icmpv6 ! --icmpv6-type 135'];
  return fc.oneof(
    fc.constantFrom('', ''),
    fc.tuple(fc.constantFrom('tcp', 'tcp', 'udp'), side, ports).map(([protocol, name, value]) => `-p ${protocol} ${name.startsWith('!') ? `! --dport ${value}` : `${name} ${value}`}`),
    fc.tuple(fc.constantFrom('tcp', 'udp'), fc.constantFrom('--dports', '--sports', '--ports'), fc.uniqueArray(port, { minLength: 1, maxLength: 3 })).map(([protocol, name, list]) => `-p ${protocol} -m multiport ${name} ${list.join(',')}`),
    fc.constantFrom(...flagMatches).map(match => `-p tcp ${match}`),
    fc.constantFrom('-p tcp', '-p udp', '! -p tcp', '! -p udp', '-p sctp', '-p 47', ...icmp),
    fc.constantFrom('-p tcp -m tcpmss --mss 1000:1500', '-p tcp -m ecn --ecn-tcp-ece', '-p sctp --chunk-types any INIT', '-p sctp --dport 80'),
  );
}

function targetsOf({ table, hook, family }: RulePlace): readonly string[] {
  const [first = '', second = ''] = places[family].own;
  const inside = family === 'ipv4' ? '10.0.0.5' : '2001:db8:2::5';
  const bracket = (address: string): string => family === 'ipv6' ? `[${address}]` : address;
  const common = ['-j ACCEPT', '-j DROP', '-j LOG', '', '-j RETURN'];
  const hop = family === 'ipv4' ? '-j TTL --ttl-' : '-j HL --hl-';
  switch (table) {
    case 'raw': return [...common, '-j ACCEPT', '-j CT --notrack', '-j NOTRACK', '-j CT --zone 1', '-j CT --zone-orig 2', '-j MARK --set-mark 1', '-j TRACE'];
    case 'mangle': return [...common, '-j MARK --set-mark 1', '-j MARK --or-mark 2', '-j MARK --set-xmark 0x1/0x3', '-j MARK --and-mark 0xfffffffe', '-j CONNMARK --set-mark 2', '-j CONNMARK --save-mark', '-j CONNMARK --restore-mark', '-j CONNMARK --set-xmark 0x10/0xff',
      `${hop}set 10`, `${hop}dec 1`, `${hop}inc 5`, '-j DSCP --set-dscp 10', '-j TOS --set-tos 0x10', '-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1200', '-p tcp -j TCPOPTSTRIP --strip-options sack-permitted', '-j CLASSIFY --set-class 1:2'];
    case 'nat': {
      if (hook === 'PREROUTING' || hook === 'OUTPUT') {
        return ['-j ACCEPT', '', '-j RETURN', `-j DNAT --to-destination ${inside}`, `-p tcp -j DNAT --to-destination ${bracket(inside)}:8080`, `-p udp -j DNAT --to-destination ${bracket(first)}:53`, '-p tcp -j REDIRECT --to-ports 8080', '-j REDIRECT', ...family === 'ipv4' ? ['-j NETMAP --to 10.0.0.0/24'] : ['-j NETMAP --to 2001:db8:2::/64']];
      }
      const sources = ['-j ACCEPT', '', `-j SNAT --to-source ${second}`, `-j SNAT --to-source ${first}`, `-p tcp -j SNAT --to-source ${bracket(first)}:1024-1030`, `-p udp -j SNAT --to-source ${bracket(second)}:600`];
      return hook === 'POSTROUTING' ? [...sources, '-j MASQUERADE', '-p tcp -j MASQUERADE --to-ports 2000-2002'] : sources;
    }
    case 'security': return ['-j ACCEPT', '-j DROP', '', '-j RETURN'];
    case 'filter': return [...common, '-j ACCEPT', '-j ACCEPT', '-j REJECT', '-p tcp -j REJECT --reject-with tcp-reset', family === 'ipv4' ? '-j REJECT --reject-with icmp-host-prohibited' : '-j REJECT --reject-with icmp6-adm-prohibited'];
  }
}

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
  const any = ruleWords(fc, { ...place, chain: hook }).map(words => words.map(quoteForInput).join(' '));
  return fc.oneof({ weight: 7, arbitrary: near }, { weight: 1, arbitrary: any }).filter(text => isLegal(text, place));
}

/** What depends on the machine, on real time or on somebody who listens is left out: the kernel's answer could not be foretold. */
const leftOut = /SYNPROXY|NFQUEUE|-j QUEUE|TEE|IDLETIMER|RATEEST|rateest|-m time|-m statistic --mode random|--probability|-m osf|-m cgroup|-m nfacct|--random|-m bpf --object|connlabel|--physdev|CT --timeout|hashlimit-mode.*\/(?:s|m)|-m policy --dir .* --strict|-m cpu ! |TRACE|-m set|SET |LED|SECMARK|AUDIT|-m ipvs/u;

function isLegal(text: string, { table, hook, family, backend }: RulePlace): boolean {
  return !leftOut.test(text) && load({ path: 'generated', text: `*${table}\n-A ${hook} ${text}\nCOMMIT\n` }, { family, backend }).diagnostics.length === 0;
}

const ownChains = ['web', 'guard', 'deep'];

/** Chains call only chains further on in the list: no circles. */
function tableText(fc: Fc, place: ScenarioPlace, table: TableName): Arbitrary<string> {
  const hooks = builtInChains[table];
  const own = fc.constantFrom<readonly string[]>([], [], ownChains.slice(0, 1), ownChains);
  const policy = table === 'nat' ? fc.constant('ACCEPT') : fc.constantFrom('ACCEPT', 'ACCEPT', 'ACCEPT', 'DROP');
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
