import { firstPacket, isCertain, onward, question, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import { solveBudget, type SolveBudget } from '../packet-space/pipeline/solve.js';
import { isPrivate, privateRanges } from '../packet/address-blocks.js';
import { all, always, any, ctstates, is, not, oneOf, type Constraint } from '../packet/constraint.js';
import type { Address } from '../values/address.js';
import type { Family } from '../values/value.js';
import { rangesOf } from './shared/asked.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { liveTranslations, type Asking } from './shared/nat-rules.js';
import { destinationText } from './shared/nat-words.js';
import { defaultDevices, fromOutside } from './shared/outside.js';
import { firstTo, parsed, strangers } from './shared/strangers.js';
import { translatedStep } from './shared/translated-step.js';

/** What one question may cost, and about how many rules they are asked. */
const limits = { packets: 1000, work: 100_000 };
const budget = (): SolveBudget => solveBudget(limits.packets, limits.work);
const questionLimit = 100;

/** Servers anywhere. A rule that takes what is sent to each of them takes what is sent to all. */
const anywhere: Readonly<Record<Family, readonly Address[]>> = {
  ipv4: parsed('ipv4', ['198.51.100.7', '93.184.216.34', '23.45.67.89']),
  ipv6: parsed('ipv6', ['2001:db8:1::7', '2607:f8b0::7', '2a02:26f0::7']),
};

const notLo = not({ kind: 'interface', field: 'in', name: 'lo', prefix: false });

/** First packets of people inside to a server on the internet; of those who come by one interface, where it is named. */
function outbound(cx: CheckContext, server: Address, device?: string): Constraint {
  const { family } = cx.ruleset;
  const by = device === undefined ? all([not(fromOutside(cx)), notLo]) : { kind: 'interface', field: 'in', name: device, prefix: false } as const;
  return all([{ kind: 'within', field: 'src', ranges: privateRanges[family] }, is('dst', server), by, is('ctstate', ctstates.NEW), is('fragment', 0), is('mark', 0), is('connmark', 0)]);
}

/** A connection of somebody who comes by the interface, that the rule sends elsewhere, whichever server it was for; undefined where it takes only some. */
function caught(cx: CheckContext, pipeline: Pipeline, { translation: { at }, asks }: Asking, device: string): { readonly found: Sighting; readonly packets: Constraint } | undefined {
  let first: { readonly found: Sighting; readonly packets: Constraint } | undefined;
  for (const server of anywhere[cx.ruleset.family]) {
    const packets = outbound(cx, server, device);
    const answer = onward(pipeline, at.rule, { path: 'through', packets, budget: budget() });
    if (answer.kind === 'undecided') cx.undecided();
    const found = answer.kind === 'passes' ? answer.found : answer.kind === 'lost' ? answer.dies : undefined;
    if (found === undefined || !isCertain(pipeline, found)) return undefined;
    first ??= { found, packets: all([asks, packets]) };
  }
  return first;
}

/** Whether the rule publishes the server: strangers get there. Who sends people inside to a proxy lets no stranger use it. */
function isPublished(cx: CheckContext, pipeline: Pipeline, { translation: { at } }: Asking): boolean {
  const answer = onward(pipeline, at.rule, { path: 'through', packets: strangers(cx), budget: budget() });
  if (answer.kind === 'undecided') cx.undecided();
  return answer.kind === 'passes';
}

/** The ports of which some rule may write another destination. */
function translatedPorts(cx: CheckContext): Constraint {
  return any([...liveTranslations(cx, 'destination')].map(({ asks }): Constraint => {
    const ports = rangesOf(asks, 'dport');
    return ports === undefined ? always : { kind: 'within', field: 'dport', ranges: ports };
  }));
}

/** An interface by which people inside come who are let out to the internet, to whatever port that is left as it is; undefined where nobody is. */
function lineOut(cx: CheckContext, pipeline: Pipeline): string | undefined {
  const [server] = anywhere[cx.ruleset.family];
  if (server === undefined) return undefined;
  const packets = all([outbound(cx, server), fromOutside(cx, 'out'), firstTo('tcp'), not(translatedPorts(cx))]);
  const answer = question(pipeline, 'through', packets, 'accept', budget(), true);
  if (answer.kind === 'undecided') cx.undecided();
  return answer.kind === 'yes' ? firstPacket(pipeline, answer.found, packets).sample.in : undefined;
}

/** `port 80`, `ports 8000-8010`, as the rule asks for them. */
function portText({ asks }: Asking): string {
  const ports = (rangesOf(asks, 'dport') ?? []).map(({ low, high }) => low === high ? String(low) : `${String(low)}-${String(high)}`);
  return ports.length === 0 ? '' : ` ${ports.length === 1 && !ports[0]?.includes('-') ? 'port' : 'ports'} ${ports.join(', ')} of`;
}

/** The interface to the internet: as the host says, or the first rule that translates what leaves. */
function wayOut(cx: CheckContext): string {
  const [known] = cx.host === undefined ? [] : defaultDevices(cx.host);
  if (known !== undefined) return known;
  const [named] = [...liveTranslations(cx, 'source')].flatMap(({ translation: { at: { rule: { outInterface: out } } } }) => out?.negated === false ? [out.value] : []);
  return named === undefined ? 'INTERFACE' : `${named.name}${named.prefix ? '+' : ''}`;
}

function report(cx: CheckContext, pipeline: Pipeline, asking: Asking, { found, packets }: NonNullable<ReturnType<typeof caught>>): Report {
  const { at } = asking.translation;
  const { sample } = firstPacket(pipeline, found, packets);
  return {
    at,
    message: `whoever is inside (${sample.src ?? ''}) and asks for${portText(asking)} any server on the internet is sent to ${destinationText(asking.translation)} as well: the rule says neither for which address nor from where`,
    witness: [translatedStep(pipeline, found, asking.translation, false, packets)], shows: [{ matches: [referenceOf(at)] }],
    help: `name what is published, -d ADDRESS; or by where strangers come, -i ${wayOut(cx)}`,
  };
}

const router = (dnat: string, ...forward: readonly string[]): string => `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING ${dnat}
-A POSTROUTING -s 192.168.1.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -s 192.168.1.0/24 -i eth1 -j ACCEPT
${forward.map(rule => `${rule}\n`).join('')}COMMIT
`;

const published = '-A FORWARD -d 192.168.1.5/32 -i eth0 -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT';

export const dnatCatchesOutbound = defineCheck({
  name: 'dnat-catches-outbound',
  kind: 'nat',
  severity: 'warning',
  summary: 'A rule that publishes a server also takes what people inside send to other servers',
  why: `PREROUTING sees the packets of people inside as well, on their way out. A rule of DNAT for \`--dport 80\` that says neither which address is published (\`-d\`) nor by
where strangers come (\`-i\`) sends their connections to web servers anywhere to the published server instead: they see its pages, or certificates that do not fit. It is reported
where strangers get to the server by the rule, sources are translated on their way out and people inside are let out, so that a rule which means to send them to a proxy or to a name server
is let alone.`,
  bad: router('-p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.5', published),
  good: router('-i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.5', published),
  nearMiss: router('-p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.5:3128'),
  asks: ({ ruleset: { family, tables } }) => tables.has('nat') ? [{ kind: 'within', field: 'src', ranges: privateRanges[family] }, oneOf('dst', anywhere[family])] : [],
  * run(cx) {
    if (liveTranslations(cx, 'source').next().done === true) return;
    let left = questionLimit;
    let inside: { readonly device: string | undefined } | undefined;
    for (const asking of liveTranslations(cx, 'destination')) {
      const { address, hooks, at } = asking.translation;
      // Who says whence, in whatever way, has thought of it.
      if (at.rule.inInterface !== undefined || at.rule.source !== undefined || typeof address === 'string' || !address.every(({ low }) => isPrivate(low)) || !hooks.includes('PREROUTING') || rangesOf(asking.asks, 'dst') !== undefined) continue;
      const pipeline = cx.pipeline();
      if (pipeline === undefined) return;
      if (left-- <= 0) {
        cx.undecided();
        return;
      }
      const { device } = inside ??= { device: lineOut(cx, pipeline) };
      if (device === undefined) return;
      const found = isPublished(cx, pipeline, asking) ? caught(cx, pipeline, asking, device) : undefined;
      if (found !== undefined) yield report(cx, pipeline, asking, found);
    }
  },
});
