import { firstPacket, question, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import { solveBudget, type SolveBudget } from '../packet-space/pipeline/solve.js';
import { isUnresolved, type Rule } from '../model/ruleset.js';
import { isPrivate, privateRanges } from '../packet/address-blocks.js';
import { all, any, ctstates, is, not, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { printAddressMask } from '../values/address-mask.js';
import { isSameInterface, type InterfaceName } from '../values/interface-name.js';
import { stepOf } from '../witness/step.js';
import { without } from './shared/asked.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { askedOnTheWay, comesElsewhere, liveTranslations, onTheWay, wayOutOf, type Asking } from './shared/nat-rules.js';
import { defaultDevices, isInnerName, namedInterfaces, shownOutside, virtualInterface } from './shared/outside.js';
import { notLoopback } from './shared/replies.js';
import { firstTo } from './shared/strangers.js';

const limits = { packets: 1000, work: 100_000 };
const budget = (): SolveBudget => solveBudget(limits.packets, limits.work);
/** Ways through the host that are asked about. */
const questionLimit = 100;

const by = (field: 'in' | 'out', { name, prefix }: InterfaceName): Constraint => ({ kind: 'interface', field, name, prefix });
const isNew = all([is('ctstate', ctstates.NEW), is('fragment', 0)]);
const carried = any([is('protocol', protocolNumber.tcp), is('protocol', protocolNumber.udp)]);

/** Whether a rule may be asked about what leaves by an interface. */
function admits({ outInterface: out }: Rule, way: InterfaceName): boolean {
  return out === undefined || out.negated || (out.value.prefix && way.name.startsWith(out.value.name)) || (way.prefix && out.value.name.startsWith(way.name)) || isSameInterface(out.value, way);
}

/** Whether a translation may be asked about what leaves by an interface. */
function isAskedAt(cx: CheckContext, { translation: { at } }: Asking, way: InterfaceName): boolean {
  return onTheWay(cx, at, 'POSTROUTING').every(({ rule }) => admits(rule, way));
}

/** Which new connections of TCP or UDP FORWARD lets out by an interface: none, or none but those that came by it. Undefined: others, or nobody knows. */
function letsOut(cx: CheckContext, pipeline: Pipeline, way: InterfaceName): 'none' | 'turning' | undefined {
  const letsNone = (...packets: readonly Constraint[]): boolean => {
    const { kind } = question(pipeline, 'through', all([isNew, carried, notLoopback, by('out', way), ...packets]), 'accept', budget(), true);
    if (kind === 'undecided') cx.undecided();
    return kind === 'no';
  };
  if (letsNone()) return 'none';
  // Of several interfaces one may lead out; and whom nat sends back to a server beside them must be translated there.
  return !way.prefix && letsNone(not(by('in', way))) && letsNone(by('in', way), sentElsewhere(cx)) ? 'turning' : undefined;
}

/** What rules may send elsewhere than where it was sent. */
function sentElsewhere(cx: CheckContext): Constraint {
  return any([...liveTranslations(cx, 'destination')].map(({ translation: { at } }) => askedOnTheWay(cx, at, 'PREROUTING')));
}

/** First packets of people inside, for whom the translation is, and who leave by another interface as they are. `whence`: by which they come. */
function leaving(cx: CheckContext, pipeline: Pipeline, { asks }: Asking, whence: Constraint, to: InterfaceName): { readonly found: Sighting; readonly packets: Constraint } | undefined {
  const { family } = cx.ruleset;
  const meant = without(asks, ['out', 'ctstate']);
  const packets = all([
    ...meant, isNew, { kind: 'within', field: 'src', ranges: privateRanges[family] }, shownOutside(family), firstTo('tcp', [443]), is('mark', 0), is('connmark', 0),
    not(sentElsewhere(cx)), whence, by('out', to), not(virtualInterface('in')), not(virtualInterface('out')),
  ]);
  const answer = question(pipeline, 'through', packets, 'accept', budget(), true);
  if (answer.kind === 'undecided') cx.undecided();
  return answer.kind === 'yes' && answer.certain ? { found: answer.found, packets } : undefined;
}

/** Whether the interface is named by translations only: the host may not have it, or not any more. */
function isNamedByNatOnly({ ruleset: { tables } }: CheckContext, way: InterfaceName): boolean {
  return [...tables.values()].every(({ name, chains }) => name === 'nat' || [...chains.values()].every(({ rules }) => rules.every(({ inInterface, outInterface }) => [inInterface, outInterface].every(one => one === undefined || !isSameInterface(one.value, way)))));
}

/** The private network that the translation says it is for. */
function networkOf({ translation: { at: { rule: { source } } } }: Asking): string | undefined {
  return source === undefined || source.negated || isUnresolved(source.value) || !isPrivate(source.value.address) ? undefined : printAddressMask(source.value);
}

/** `people`: of whom it is told, in words, else those of the interface by which they come; `lets`: who leaves by the interface that is named. */
function report(cx: CheckContext, pipeline: Pipeline, { translation: { at } }: Asking, people: string | undefined, lets: 'none' | 'turning', [from, to]: readonly [InterfaceName, InterfaceName], { found, packets }: NonNullable<ReturnType<typeof leaving>>): Report {
  const { sample } = firstPacket(pipeline, found, packets);
  const { src = '', dst = '', in: device = from.name, out = to.name } = sample;
  const [wrong, right] = [from, to].map(({ name, prefix }) => `${name}${prefix ? '+' : ''}`);
  return {
    at,
    certainty: cx.host !== undefined && defaultDevices(cx.host).includes(out) ? 'certain' : 'possible',
    message: `FORWARD lets no new connection of TCP or UDP out by ${wrong ?? ''}${lets === 'none' ? '' : ' but those that came by it'}, so that this rule translates none that is forwarded${lets === 'none' ? '' : ' elsewhere'}: people of ${people ?? device} leave by ${right ?? ''}, with their private addresses (${src})`,
    witness: [{ ...stepOf(sample, device), sentOn: { address: dst, device: out } }], shows: [{ fate: 'passes', misses: [referenceOf(at)], leavesFrom: src }],
    help: `if the internet is behind ${right ?? ''}, name the way out: -o ${right ?? ''}; if another router translates, or nobody needs it any more, delete the rule`,
  };
}

const tables = (out: string, lines: string): string => `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 10.0.0.0/24 -o ${out} -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
${lines}
COMMIT
`;

export const masqueradeWrongInterface = defineCheck({
  name: 'masquerade-wrong-interface',
  kind: 'nat',
  severity: 'warning',
  summary: 'Sources are translated where nobody leaves, and leave untranslated by another interface',
  why: `\`-o\` of a rule for MASQUERADE or SNAT is the way out to the internet, not the interface of those who are to be translated. Where it names the latter, the rule is asked about
none of their connections: they leave by the other interface with private addresses, and no answer comes back; so it is where the name is that of an interface which the host had once. It is
reported where FORWARD lets no new connection of TCP or UDP out by the interface that the rule names (but for what came by it, and no rule of nat sends back), lets people with private addresses who come by it (or, where no other table speaks of it, those of the network
that the rule names, \`-s\`, or anybody where it names none) out by another to the internet, and no rule translates anything there. Which interface leads to the internet is
known where the host's routes are (\`--host\`): else it is possible.`,
  bad: tables('eth1', '-A FORWARD -i eth1 -o eth0 -j ACCEPT'),
  good: tables('eth0', '-A FORWARD -i eth1 -o eth0 -j ACCEPT'),
  nearMiss: tables('eth1', '-A FORWARD -i eth0 -o eth1 -j ACCEPT'),
  asks: ({ ruleset: { family } }) => [isNew, carried, notLoopback, { kind: 'within', field: 'src', ranges: privateRanges[family] }, shownOutside(family), firstTo('tcp', [443]), virtualInterface('in'), virtualInterface('out')],
  * run(cx) {
    const askings = [...liveTranslations(cx, 'source')].map(({ translation }): Asking => ({ translation, asks: askedOnTheWay(cx, translation.at, 'POSTROUTING') }));
    // The internet is behind a tunnel, or a network inside, only where it is behind nothing else.
    const untranslated = namedInterfaces(cx.ruleset).filter(to => !askings.some(one => isAskedAt(cx, one, to))).sort((a, b) => Number(isInnerName(a.name)) - Number(isInnerName(b.name)));
    if (untranslated.length === 0) return;
    const letting = new Map<string, ReturnType<typeof letsOut>>();
    let left = questionLimit;
    for (const asking of askings) {
      const from = asking.translation.hooks.includes('POSTROUTING') ? wayOutOf(cx, asking.translation.at) : undefined;
      if (from === undefined || (cx.host !== undefined && defaultDevices(cx.host).includes(from.name))) continue;
      const others = untranslated.filter(to => !isSameInterface(to, from));
      const pipeline = others.length === 0 ? undefined : cx.pipeline();
      if (pipeline === undefined) continue;
      const name = `${from.name}${from.prefix ? '+' : ''}`;
      if (!letting.has(name)) letting.set(name, letsOut(cx, pipeline, from));
      const lets = letting.get(name);
      if (lets === undefined) continue;
      for (const to of others) {
        if (left-- <= 0) {
          cx.undecided();
          return;
        }
        const [isForgotten, network] = [isNamedByNatOnly(cx, from), networkOf(asking)];
        const isForAny = asking.translation.at.rule.source === undefined && lets === 'none' && !isInnerName(from.name);
        const behind = (isForgotten && isForAny) || comesElsewhere(cx, asking, from) ? undefined : leaving(cx, pipeline, asking, by('in', from), to);
        const found = behind ?? (isForgotten && (isForAny || network !== undefined) ? leaving(cx, pipeline, asking, all([not(by('in', to)), not(by('in', from))]), to) : undefined);
        if (found === undefined) continue;
        yield report(cx, pipeline, asking, behind === undefined ? network : name, lets, [from, to], found);
        break;
      }
    }
  },
});
