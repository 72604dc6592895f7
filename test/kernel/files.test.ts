/** Files as people write them, right and wrong in every way we know of: the real iptables takes or refuses them, and so do we. */
import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import { inNamespace, RealIptables, reasonToSkip } from './real-iptables.js';

const onKernel = reasonToSkip() === undefined ? test.serial : test.skip;

const head = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n';

const files: readonly (readonly [name: string, text: string])[] = [
  ["dupchain", `${head}:A - [0:0]\n:A - [0:0]\nCOMMIT\n`],
  ["poluser", `${head}:A ACCEPT [0:0]\nCOMMIT\n`],
  ["polminus", `*filter\n:INPUT - [0:0]\nCOMMIT\n`],
  ["polqueue", `*filter\n:INPUT QUEUE [0:0]\nCOMMIT\n`],
  ["polbad", `*filter\n:INPUT FOO [0:0]\nCOMMIT\n`],
  ["nopol", `*filter\n:INPUT\nCOMMIT\n`],
  ["loop_unreach", `${head}:A - [0:0]\n:B - [0:0]\n-A A -j B\n-A B -j A\nCOMMIT\n`],
  ["selfloop_unreach", `${head}:A - [0:0]\n-A A -j A\nCOMMIT\n`],
  ["loop_reach", `${head}:A - [0:0]\n:B - [0:0]\n-A INPUT -j A\n-A A -j B\n-A B -j A\nCOMMIT\n`],
  ["loop_goto", `${head}:A - [0:0]\n:B - [0:0]\n-A INPUT -g A\n-A A -g B\n-A B -g A\nCOMMIT\n`],
  ["later", `${head}-A INPUT -j A\n:A - [0:0]\nCOMMIT\n`],
  ["laterg", `${head}-A INPUT -g A\n:A - [0:0]\nCOMMIT\n`],
  ["undef", `${head}-A INPUT -j A\nCOMMIT\n`],
  ["undefg", `${head}-A INPUT -g A\nCOMMIT\n`],
  ["undefchain", `${head}-A FOO -j ACCEPT\nCOMMIT\n`],
  ["jumpbuiltin", `${head}-A INPUT -j OUTPUT\nCOMMIT\n`],
  ["gotobuiltin", `${head}-A INPUT -g OUTPUT\nCOMMIT\n`],
  ["gotoaccept", `${head}-A INPUT -g ACCEPT\nCOMMIT\n`],
  ["len28", `${head}:aaaaaaaaaaaaaaaaaaaaaaaaaaaa - [0:0]\nCOMMIT\n`],
  ["len29", `${head}:aaaaaaaaaaaaaaaaaaaaaaaaaaaaa - [0:0]\nCOMMIT\n`],
  ["chaintarget", `${head}:LOG - [0:0]\nCOMMIT\n`],
  ["chainACCEPT", `${head}:ACCEPT - [0:0]\nCOMMIT\n`],
  ["chainmatch", `${head}:tcp - [0:0]\nCOMMIT\n`],
  ["chaindash", `${head}:-foo - [0:0]\nCOMMIT\n`],
  ["chainbang", `${head}:!foo - [0:0]\nCOMMIT\n`],
  ["chainodd", `${head}:a/b*c - [0:0]\n-A INPUT -j a/b*c\nCOMMIT\n`],
  ["chainquote", `${head}:a"b - [0:0]\nCOMMIT\n`],
  ["nocommit", head],
  ["commitnonl", `${head}COMMIT`],
  ["commitblank", `${head}COMMIT \n`],
  ["blankline", `${head}\nCOMMIT\n`],
  ["spaceline", `${head} \nCOMMIT\n`],
  ["tabrule", `${head}\t-A INPUT -j ACCEPT\nCOMMIT\n`],
  ["sprule", `${head} -A INPUT -j ACCEPT\nCOMMIT\n`],
  ["spchain", `${head} :A - [0:0]\nCOMMIT\n`],
  ["spcomment", `${head} # hello\nCOMMIT\n`],
  ["sptable", ` ${head}COMMIT\n`],
  ["star space", `* filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n`],
  ["tabletrail", `*filter x\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n`],
  ["spcommit", `${head} COMMIT\n`],
  ["A1", `${head}-A INPUT 1 -j ACCEPT\nCOMMIT\n`],
  ["I1", `${head}-I INPUT 1 -j ACCEPT\nCOMMIT\n`],
  ["I2", `${head}-I INPUT 2 -j ACCEPT\nCOMMIT\n`],
  ["I0", `${head}-I INPUT 0 -j ACCEPT\nCOMMIT\n`],
  ["D1", `${head}-A INPUT -j ACCEPT\n-D INPUT 1\nCOMMIT\n`],
  ["D2", `${head}-A INPUT -j ACCEPT\n-D INPUT 2\nCOMMIT\n`],
  ["Dspec", `${head}-A INPUT -p tcp --dport 22 -j ACCEPT\n-D INPUT -p tcp -m tcp --dport ssh -j ACCEPT\nCOMMIT\n`],
  ["Dmiss", `${head}-D INPUT -p tcp -m tcp --dport ssh -j ACCEPT\nCOMMIT\n`],
  ["Rnonum", `${head}-A INPUT -j ACCEPT\n-R INPUT -j DROP\nCOMMIT\n`],
  ["N", `${head}-N A\n-A INPUT -j A\nCOMMIT\n`],
  ["Ndup", `${head}-N A\n-N A\nCOMMIT\n`],
  ["X", `${head}-N A\n-X A\nCOMMIT\n`],
  ["Xused", `${head}-N A\n-A INPUT -j A\n-X A\nCOMMIT\n`],
  ["Xfull", `${head}-N A\n-A A -j ACCEPT\n-X A\nCOMMIT\n`],
  ["Xall", `${head}-N A\n-X\nCOMMIT\n`],
  ["Xbuiltin", `${head}-X INPUT\nCOMMIT\n`],
  ["F", `${head}-A INPUT -j DROP\n-F INPUT\nCOMMIT\n`],
  ["Fundef", `${head}-F FOO\nCOMMIT\n`],
  ["Pol", `${head}-P INPUT DROP\nCOMMIT\n`],
  ["Poluser", `${head}:A - [0:0]\n-P A DROP\nCOMMIT\n`],
  ["Polnat", `*nat\n-P PREROUTING DROP\nCOMMIT\n`],
  ["Polnat2", `*nat\n:PREROUTING DROP [0:0]\nCOMMIT\n`],
  ["natdrop", `*nat\n-A PREROUTING -j DROP\nCOMMIT\n`],
  ["natINPUTbad", `*nat\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j ACCEPT\nCOMMIT\n`],
  ["L", `${head}-L\nCOMMIT\n`],
  ["Z", `${head}-Z\nCOMMIT\n`],
  ["C", `${head}-A INPUT -j ACCEPT\n-C INPUT -j ACCEPT\nCOMMIT\n`],
  ["Cmiss", `${head}-C INPUT -j ACCEPT\nCOMMIT\n`],
  ["t", `${head}-t filter -A INPUT -j ACCEPT\nCOMMIT\n`],
  ["v4", `${head}-4 -A INPUT -j ACCEPT\n-6 -A INPUT -j DROP\nCOMMIT\n`],
  ["v4cluster", `${head}-4A INPUT -j ACCEPT\nCOMMIT\n`],
  ["nat4mismatch", `${head}-6 -A INPUT -s ::1 -p foo -j DROP\nCOMMIT\n`],
  ["twotables", `${head}-A INPUT -j DROP\nCOMMIT\n${head}-A INPUT -j ACCEPT\nCOMMIT\n`],
  ["notcommittedtable", `${head}*nat\nCOMMIT\n`],
  ["unknowntable", `*foo\nCOMMIT\n`],
  ["outside", `-A INPUT -j ACCEPT\n${head}COMMIT\n`],
  ["junk", `hello\n${head}COMMIT\n`],
  ["bom", `\uFEFF${head}COMMIT\n`],
  ["bomc", `\uFEFF# c\n${head}COMMIT\n`],
  ["crlf", `*filter\r\n:INPUT ACCEPT [0:0]\r\n:FORWARD ACCEPT [0:0]\r\n:OUTPUT ACCEPT [0:0]\r\nCOMMIT\r\n`],
  ["noj", `${head}-A INPUT\nCOMMIT\n`],
  ["jempty", `${head}-A INPUT -j ""\nCOMMIT\n`],
  ["cnt", `${head}[1:2] -A INPUT -j ACCEPT\nCOMMIT\n`],
  ["cntbad", `${head}[x] -A INPUT -j ACCEPT\nCOMMIT\n`],
  ["cntopen", `${head}[1:2 -A INPUT -j ACCEPT\nCOMMIT\n`],
  ["c", `${head}-A INPUT -c 1 2 -j ACCEPT\nCOMMIT\n`],
  ["ccomma", `${head}-A INPUT -c 1,2 -j ACCEPT\nCOMMIT\n`],
  ["cmiss", `${head}-A INPUT -c 1 -j ACCEPT\nCOMMIT\n`],
  ["bangend", `${head}-A INPUT -j ACCEPT !\nCOMMIT\n`],
  ["bang2", `${head}-A INPUT ! ! -s 1.2.3.4 -j ACCEPT\nCOMMIT\n`],
  ["oin", `${head}-A INPUT -o eth0 -j ACCEPT\nCOMMIT\n`],
  ["iout", `${head}-A OUTPUT -i eth0 -j ACCEPT\nCOMMIT\n`],
  ["oinuser", `${head}:A - [0:0]\n-A INPUT -j A\n-A A -o eth0 -j ACCEPT\nCOMMIT\n`],
  ["n", `${head}-A INPUT -n -j ACCEPT\nCOMMIT\n`],
  ["w", `${head}-w -A INPUT -j ACCEPT\nCOMMIT\n`],
  ["v", `${head}-v -A INPUT -j ACCEPT\nCOMMIT\n`],
  ["quotedopt", `${head}-A INPUT "-j" "ACCEPT"\nCOMMIT\n`],
  ["attached", `${head}-A INPUT -ptcp -s10.0.0.1 -jACCEPT\nCOMMIT\n`],
  ["eq", `${head}-A INPUT --protocol=tcp --dport=80 --jump=ACCEPT\nCOMMIT\n`],
  ["abbr", `${head}-A INPUT --proto tcp --dpo 80 --ju ACCEPT\nCOMMIT\n`],
  ["ambig", `${head}-A INPUT --s 10.0.0.1 -j ACCEPT\nCOMMIT\n`],
  ["dashdash", `${head}-A INPUT -j ACCEPT --\nCOMMIT\n`],
  ["dashdash2", `${head}-A INPUT -- -j ACCEPT\nCOMMIT\n`],
  ["dash", `${head}-A INPUT - -j ACCEPT\nCOMMIT\n`],
  ["twice", `${head}-A INPUT -s 1.2.3.4 -s 1.2.3.5 -j ACCEPT\nCOMMIT\n`],
  ["jg", `${head}:A - [0:0]\n-A INPUT -j A -g A\nCOMMIT\n`],
  ["pall", `${head}-A INPUT -p all -j ACCEPT\nCOMMIT\n`],
  ["npall", `${head}-A INPUT ! -p all -j ACCEPT\nCOMMIT\n`],
  ["PTCP", `${head}-A INPUT -p TCP --dport 80 -j ACCEPT\nCOMMIT\n`],
  ["p6", `${head}-A INPUT -p 6 --dport 80 -j ACCEPT\nCOMMIT\n`],
  ["unterminated", `${head}-A INPUT -m comment --comment "abc -j ACCEPT\nCOMMIT\n`],
  ["midquote", `${head}-A INPUT -m comment --comment ab"c d" -j ACCEPT\nCOMMIT\n`],
  ["quoteend", `${head}-A INPUT -m comment --comment "a"b -j ACCEPT\nCOMMIT\n`],
  ["emptyquote", `${head}-A INPUT -m comment --comment "" -j ACCEPT\nCOMMIT\n`],
  ["lonelyA", `${head}-A\nCOMMIT\n`],
  ["AD", `${head}-A INPUT -D INPUT -j ACCEPT\nCOMMIT\n`],
  ["notA", `${head}! -A INPUT -j ACCEPT\nCOMMIT\n`],
  ["jlower", `${head}-A INPUT -j accept\nCOMMIT\n`],
  ["legacy stops behind a verdict", `${head}-A OUTPUT -j ACCEPT\n-A OUTPUT -m policy --dir in --pol none -j DROP\nCOMMIT\n`],
  ["wrong hook before it", `${head}-A OUTPUT -m policy --dir in --pol none -j DROP\nCOMMIT\n`],
  ["wrong hook in own chain", `${head}:a - [0:0]\n-A OUTPUT -j a\n-A a -m policy --dir in --pol none -j DROP\nCOMMIT\n`],
  ["tcpmss without syn", `*mangle\n-A FORWARD -p tcp -j TCPMSS --set-mss 1400\nCOMMIT\n`],
  ["protocol behind the option", `*nat\n-A PREROUTING -j DNAT --to-destination 192.0.2.1:80 -p tcp\nCOMMIT\n`],
  ...[15, 16, 17].flatMap(depth => (['j', 'g'] as const).map(jump => [`${String(depth)} chains deep by -${jump}`, nested(depth, jump, true)] as const)),
  ['20 chains deep that nobody calls', nested(20, 'j', false)],
  ['a chain of one’s own without a policy', `${head}:a [0:0]\n-A INPUT -j a\n-A a -j DROP\nCOMMIT\n`],
  ['a chain that is only put into', `${head}-A INPUT -j a\n-A a -j DROP\nCOMMIT\n`],
  ['a word of 1,024 bytes', `${head}-A INPUT -m comment --comment ${'x'.repeat(1024)} -j ACCEPT\nCOMMIT\n`],
  ['251 words', `${head}-A INPUT${' -m comment --comment x'.repeat(61)} -p tcp -j ACCEPT -v\nCOMMIT\n`],
  ['260 words', `${head}-A INPUT${' -m comment --comment x'.repeat(65)} -j ACCEPT\nCOMMIT\n`],
];

function nested(depth: number, jump: 'j' | 'g', called: boolean): string {
  const chains = Array.from({ length: depth }, (_, i) => `:c${String(i)} - [0:0]\n`).join('');
  const jumps = Array.from({ length: depth - 1 }, (_, i) => `-A c${String(i)} -${jump} c${String(i + 1)}\n`).join('');
  return `${head}${chains}${called ? `-A INPUT -${jump} c0\n` : ''}${jumps}COMMIT\n`;
}

/** What only one backend refuses, or ignores in a way that no user wants, is an error with us for both. */
const stricter = new Set(['duplicate-chain', 'policy-on-user-chain', 'invalid-chain-name', 'chain-in-use']);

for (const backend of ['legacy', 'nft'] as const) {
  onKernel(`hand-written files fare with us as with iptables-${backend}-restore`, t => {
    const real = new RealIptables();
    try {
      for (const [name, text] of files) {
        const errors = load({ path: name, text }, { family: 'ipv4', backend }).diagnostics.filter(one => one.severity === 'error');
        const { accepted, message } = real.loadFresh(text, 'ipv4', backend);
        if (accepted && errors.length > 0) t.deepEqual(errors.filter(one => !stricter.has(one.check)).map(one => one.message), [], `${name}: it is taken`);
        else t.is(errors.length === 0, accepted, `${name}: ${message} / ${errors[0]?.message ?? ''}`);
      }
    } finally {
      real.close();
    }
  });
}

for (const [backend, left] of [['nft', 'ACCEPT'], ['legacy', 'DROP']] as const) {
  onKernel(`a chain that a file does not declare has the policy ACCEPT with us; iptables-${backend}-restore has ${left} where it was DROP`, t => {
    const text = '*filter\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n';
    const saved = inNamespace(`iptables-${backend} -P INPUT DROP\niptables-${backend} -N old\niptables-${backend}-restore <<'END'\n${text}END\niptables-${backend}-save -t filter\n`);
    t.deepEqual(saved.split('\n').filter(line => line !== '' && !line.startsWith('#')), ['*filter', `:INPUT ${left} [0:0]`, ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', '-A INPUT -i lo -j ACCEPT', 'COMMIT']);
    t.is(load({ path: 'x', text }, { backend }).rulesets[0]?.tables.get('filter')?.chains.get('INPUT')?.policy, 'ACCEPT');
  });
}
