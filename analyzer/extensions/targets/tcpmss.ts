import { Verdict, type Traversal } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { integer, parseInteger } from '../../values/number.js';
import { refuse, type Value } from '../../values/value.js';
import { clampMss } from '../clamp-mss.js';
import { defineTarget, option, type OtherMatch } from '../define.js';

/** What fits into a packet besides the IP header. */
const size: Value<number> = {
  ...integer(0, 65_495),
  parse: ([word = ''], { family }) => {
    const max = family === 'ipv4' ? 65_515 : 65_495;
    return parseInteger(word, 0, max) ?? refuse(`\`${word}\` is not a segment size of 0 to ${String(max)}`);
  },
};

/** Whether a match of the rule asks for packets with SYN. */
function asksForSyn({ name, given }: OtherMatch): boolean {
  const { syn, flags } = given;
  if (name !== 'tcp') return false;
  if (syn !== undefined) return !syn.negated;
  const value = flags?.value;
  return flags?.negated === false && typeof value === 'object' && value !== null && 'comp' in value && (Number(value.comp) & 2) !== 0;
}

/** What fits into a packet on the way there and on the way back, besides headers without options; undefined where they leave no room. */
function pathMss(t: Traversal): number | undefined {
  const mtu = t.world.pathMtu(t.packet);
  const headers = t.packet.family === 'ipv4' ? 40 : 60;
  return mtu > headers ? (mtu - headers) & 0xffff : undefined;
}

/** @see tcpmss_tg4_check() in net/netfilter/xt_TCPMSS.c. Legacy demands a `-m tcp` that asks for SYN; nft does not. */
export const tcpmss = defineTarget('TCPMSS', () => ({
  doc: 'Changes the maximum segment size that a SYN packet offers.',
  usesOrder: true,
  effect: 'continue',
  changes: ['tcp'],
  protocols: ['tcp'],
  // The option that was given last counts.
  hooks: given => Object.keys(given).at(-1) === 'clamp' ? ['FORWARD', 'OUTPUT', 'POSTROUTING'] : undefined,
  options: {
    set: option({ names: ['--set-mss'], doc: 'the new maximum', value: size }),
    clamp: option({ names: ['--clamp-mss-to-pmtu'], doc: 'what the path allows', value: flag }),
  },
  check: ({ set, clamp }) => set === undefined && clamp === undefined ? '--set-mss or --clamp-mss-to-pmtu must be given' : undefined,
  checkRule: (matches, backend) => backend === 'nft' || matches.some(asksForSyn) ? undefined : 'the rule must ask for SYN packets, as by --syn',
  save: ({ set }, { ordered }) => ordered.at(-1)?.key === 'clamp' || set === undefined ? '--clamp-mss-to-pmtu' : `--set-mss ${String(set.value)}`,
  // A packet without the option grows by four bytes.
  rewrites: () => [{ kind: 'unknown', field: 'length' }],
  apply: ({ set }, { ordered }) => {
    const fixed = ordered.at(-1)?.key === 'clamp' ? undefined : set?.value;
    return t => {
      const mss = fixed ?? pathMss(t);
      return mss !== undefined && clampMss(t.packet, mss) ? Verdict.Continue : Verdict.Drop;
    };
  },
  arbitrary: (fc, cx) => fc.tuple(
    size.arbitrary(fc, cx).map(words => ['--set-mss', ...words]), fc.constantFrom('set', 'clamp', 'both', 'reversed'), fc.constantFrom(['--syn'], ['--tcp-flags', 'SYN,RST', 'SYN']),
  ).map(([set, form, syn]) => [
    ...form === 'reversed' ? ['--clamp-mss-to-pmtu'] : [], ...form === 'clamp' ? [] : set,
    ...form === 'clamp' || form === 'both' ? ['--clamp-mss-to-pmtu'] : [], ...syn,
  ]),
  examples: [
    ['-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu', '=', { table: 'mangle', chain: 'FORWARD' }],
    ['-p tcp --syn -j TCPMSS --set-mss 0x5b4', '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 1460'],
    ['-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu --set-mss 9', '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 9'],
    ['-p tcp --syn -j TCPMSS --set-mss 65515', '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 65515'],
    ['-p tcp --syn -j TCPMSS --set-mss 65515', undefined, { family: 'ipv6' }],
    ['-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu', undefined],
    ['-j TCPMSS --set-mss 1460', undefined],
  ],
}));
