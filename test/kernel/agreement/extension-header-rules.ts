/** Rules that ask for extension headers of IPv6, and for what stands behind them. */
import { load } from '../../../analyzer/model/load.js';
import { places } from '../../../analyzer/generate/scenario/places.js';
import { ruleWords } from '../../../analyzer/generate/rule.js';
import type { ScenarioPlace } from '../../../analyzer/generate/scenario/rule-place.js';
import { builtInChains } from '../../../analyzer/model/ruleset.js';
import { quoteForInput } from '../../../analyzer/values/text.js';
import type { Hook, TableName } from '../../../analyzer/extensions/define.js';
import type { Arbitrary, Fc } from '../../../analyzer/values/value.js';

const [self = '', inner = ''] = places.ipv6.own;
const [client = '', , , server = ''] = places.ipv6.peers.map(peer => peer.address);

const headers = ['hop-by-hop', 'ipv6-opts', 'ipv6-route', 'ipv6-frag', 'ah', 'esp', 'ipv6-nonxt', 'protocol', 'hop-by-hop,protocol', 'ipv6-frag,protocol', 'ah,ipv6-opts,protocol'];

const matches: readonly string[] = [
  ...headers.flatMap(list => [`-m ipv6header --header ${list}`, `-m ipv6header --header ${list} --soft`, `-m ipv6header ! --header ${list} --soft`]),
  ...['', '--fragid 7', '! --fragid 8:', '--fragres', '--fragfirst', '--fragmore', '--fraglast', '--fragfirst --fragmore'].map(words => `-m frag ${words}`),
  ...['', '--rt-type 0', '! --rt-type 4', '--rt-segsleft 1:2', '! --rt-segsleft 0', '--rt-len 24', '--rt-type 0 --rt-0-res', `--rt-type 0 --rt-0-addrs ${self},${inner}`, `--rt-type 0 --rt-0-addrs ${self},${client} --rt-0-not-strict`].map(words => `-m rt ${words}`),
  ...['hbh', 'dst'].flatMap(name => ['', '-len 8', '-len 16', '-opts 5:2', '-opts 1', '-opts 5,1', '-opts 30:1,62'].map(words => `-m ${name}${words === '' ? '' : ` --${name}${words}`}`)),
  ...['', '--ahspi 256', '! --ahspi 1:256', '--ahlen 24', '! --ahlen 24', '--ahres'].map(words => `-m ah ${words}`),
  ...['', '--srh-next-hdr 17', '--srh-segs-left-eq 1', '! --srh-segs-left-gt 1', '--srh-last-entry-lt 2', '--srh-tag 1792', `--srh-psid ${self}/64`, `! --srh-nsid ${server}/128`, `--srh-lsid ${client}/64`, '--srh-hdr-len-eq 4'].map(words => `-m srh ${words}`),
  '-p 135 -m mh', '-p 135 -m mh --mh-type 1:5', '-p 135 -m mh ! --mh-type 1',
  '-p tcp', '-p udp', '-p 58', '-p ah', '-p esp', '-p sctp', '-p dccp', '-p 47', '-p 135', '-p 59', '-p 43', '-p 44', '-p 60', '! -p tcp', '! -p udp', '! -p ah', '! -p 44',
  '-p tcp --dport 80', '-p tcp ! --dport 80', '-p tcp --syn', '-p udp --dport 53', '-p udp --sport 1024:', '-p tcp -m multiport --dports 22,80', '-p udp -m multiport --ports 53', '-p icmpv6 --icmpv6-type 128', '-p icmpv6 ! --icmpv6-type 1', '-p esp -m esp --espspi 1:1000', '-p sctp --dport 80',
  ...['NEW', 'ESTABLISHED', 'INVALID', 'UNTRACKED', 'RELATED'].map(state => `-m conntrack --ctstate ${state}`), '-m conntrack ! --ctstate INVALID', '-m conntrack --ctproto 6', '-m conntrack --ctorigdstport 80',
  '-m length --length 40:100', '-m length ! --length 64', '-m hl --hl-lt 2', '-m hl --hl-eq 64', '-m recent --name R --set', '-m hashlimit --hashlimit-name H --hashlimit-mode srcip,dstport --hashlimit-upto 1/hour --hashlimit-burst 2', '-m string --algo bm --string "abc"', '-m connlimit --connlimit-above 1',
  '-m policy --dir in --pol none', '-m rpfilter', '-m addrtype --dst-type LOCAL', '-m dscp --dscp 0', '-m u32 --u32 "6&0xFF=0"', '-m tcpmss --mss 1:2000 -p tcp', '-m ecn --ecn-tcp-ece -p tcp', '-m statistic --mode nth --every 2',
];

const incoming: readonly string[] = ['-m eui64', '-m mac --mac-source 02:11:22:33:44:55'];

const names = ['frag', 'rt', 'hbh', 'dst', 'ah', 'srh', 'mh', 'ipv6header'];

function targets(table: TableName, hook: Hook): readonly string[] {
  const common = ['', '', '-j ACCEPT', '-j DROP', '-j RETURN', '-j LOG'];
  switch (table) {
    case 'raw': return [...common, '-j CT --notrack', '-j MARK --set-mark 1'];
    case 'mangle': return [...common, '-j HL --hl-set 9', '-j DSCP --set-dscp 10', '-j MARK --set-mark 1', '-p tcp --syn -j TCPMSS --set-mss 1200', '-p tcp -j TCPOPTSTRIP --strip-options 4'];
    case 'nat': return ['', '-j ACCEPT', ...hook === 'PREROUTING' || hook === 'OUTPUT' ? [`-j DNAT --to-destination ${server}`, `-p tcp -j DNAT --to-destination [${server}]:8080`] : [`-j SNAT --to-source ${inner}`, `-p udp -j SNAT --to-source [${inner}]:600`]];
    default: return table === 'filter' ? [...common, '-j REJECT', '-p tcp -j REJECT --reject-with tcp-reset', '-j REJECT --reject-with icmp6-policy-fail'] : common;
  }
}

function rule(fc: Fc, place: ScenarioPlace, table: TableName, hook: Hook): Arbitrary<string> {
  const near = fc.tuple(fc.constantFrom(...matches, ...hook === 'OUTPUT' || hook === 'POSTROUTING' ? [] : incoming), fc.constantFrom('', '', ...matches), fc.constantFrom(...targets(table, hook)))
    .map(words => words.filter(word => word !== '').join(' '));
  const any = fc.constantFrom(...names).chain(only => ruleWords(fc, { ...place, table, chain: hook }, { only })).map(words => words.map(quoteForInput).join(' '));
  return fc.oneof({ weight: 5, arbitrary: near }, { weight: 1, arbitrary: any })
    .filter(text => load({ path: 'generated', text: `*${table}\n-A ${hook} ${text}\nCOMMIT\n` }, place).diagnostics.length === 0);
}

function tableText(fc: Fc, place: ScenarioPlace, table: TableName): Arbitrary<string> {
  const hooks = builtInChains[table];
  return fc.tuple(...hooks.map(hook => fc.array(rule(fc, place, table, hook).map(text => `-A ${hook} ${text}`), { maxLength: 5 })))
    .map(lists => [`*${table}`, ...hooks.map(hook => `:${hook} ACCEPT`), ...lists.flat(), 'COMMIT', ''].join('\n'));
}

/** The text of a rule set of one to three tables. */
export function extensionRules(fc: Fc, place: ScenarioPlace): Arbitrary<string> {
  return fc.constantFrom<readonly TableName[]>(['filter'], ['filter'], ['raw', 'filter'], ['mangle', 'filter'], ['nat', 'filter'], ['raw', 'mangle', 'nat'])
    .chain(tables => fc.tuple(...tables.map(table => tableText(fc, place, table)))).map(texts => texts.join(''));
}
