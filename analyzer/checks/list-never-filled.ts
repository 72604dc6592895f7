import type { Hook, KeptList } from '../extensions/define.js';
import { didYouMean } from '../model/suggest.js';
import type { Table } from '../model/ruleset.js';
import { setsNamedBy } from '../model/with-ip-sets.js';
import type { RuleAt } from '../packet-space/answers.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { hooksInto } from './shared/hooks-into.js';
import { listsOf } from './shared/kept-lists.js';
import { isOwnDoing } from './shared/owners.js';
import { effectOf, targetText } from './shared/targets.js';
import { othersTold, theSame } from './shared/the-same.js';

/** A rule that asks for a list, or fills it, and whose addresses that is about. */
interface Use {
  readonly at: RuleAt;
  readonly kept: KeptList;
  readonly whose: ReadonlySet<'own' | 'others' | 'any'>;
}

function whoseAt(hook: Hook, side: KeptList['side']): 'own' | 'others' | 'any' {
  if (hook !== 'INPUT' && hook !== 'OUTPUT') return 'any';
  return (hook === 'INPUT') === (side === 'dst') ? 'own' : 'others';
}

/** Those that packets come to. */
function usesIn(cx: CheckContext, table: Table): readonly Use[] {
  return cx.rules(table).flatMap(at => listsOf(at.rule).flatMap((kept): Use[] => {
    const kind = cx.reach(table).get(at.rule)?.kind;
    // Criteria are asked one after the other, so that a rule that matches nothing may fill a list.
    if (kind === 'shadowed' || kind === 'unreachable-chain' || (kind === 'contradiction' && kept.does === 'asks')) return [];
    return [{ at, kept, whose: new Set(hooksInto(table, at.chain).map(hook => whoseAt(hook, kept.side))) }];
  }));
}

/** Whether what one puts on a list is what the other asks for: this host's addresses are no others'. */
function fills({ whose: put }: Use, { whose: asked }: Use): boolean {
  return put.has('any') || asked.has('any') || [...put].some(one => asked.has(one));
}

/** What is told of together. */
function keyOf({ list, negated, side }: KeptList): string {
  return [negated, side, list].join(' ');
}

/** Rules that ask for one list. `put`: those that fill it, with other addresses than these rules ask for. */
function report({ ruleset }: CheckContext, [first, ...more]: readonly [Use, ...Use[]], put: readonly Use[], lists: readonly string[]): Report {
  const { at, kept: { list, negated } } = first;
  const also = more.length === 0 ? '' : ` (nor ${more.length === 1 ? 'does another' : `do ${String(more.length)} others`} that ask for it)`;
  const why = put.length === 0 ? `no rule puts anybody on the list ${list} (--set)`
    : `the list ${list} is one of ${put.some(({ whose }) => whose.has('own')) ? 'this host’s own addresses' : 'other hosts’ addresses'}, which is no ${first.kept.side === 'src' ? 'source' : 'destination'} here`;
  const near = put.length === 0 ? didYouMean(list, lists.filter(one => one !== list)) : undefined;
  const hits = at.rule.counters?.packets ?? 0n;
  return {
    at, certainty: 'possible',
    ...isOwnDoing(ruleset, at, put.map(one => one.at)) ? { mutedIn: 'generated' as const } : {},
    // Who was counted was on the list.
    ...hits > 0n && !negated ? { severity: 'info' as const } : {},
    alike: more.length + 1,
    message: negated ? `this rule asks that an address is not on a list, and that is always so: ${why}`
      : `this rule never matches${also}: ${why}${hits > 0n ? `; but the counter of the rule says ${String(hits)}, so something else may fill it` : ''}`,
    because: [
      ...put.map(one => ({ rule: referenceOf(one.at), line: one.at.rule.line, message: `puts ${one.kept.side === 'src' ? 'sources (--rsource)' : 'destinations (--rdest)'} on the list` })),
      ...more.map(one => ({ rule: referenceOf(one.at), line: one.at.rule.line, message: `asks for it as well: ${targetText(ruleset, one.at)}` })),
    ],
    help: near ?? (put.length > 0 ? 'write --rsource, or --rdest, in all rules of the list'
      : effectOf(at.rule) === 'drop' && !negated ? `put on the list whoever connects: -m recent --set --name ${list}, in a rule that all of these packets match; or leave it as it is where something else fills it (/proc/net/xt_recent)`
        : `write the rule that puts them on the list (-m recent --set --name ${list}), or leave it as it is where something else does (/proc/net/xt_recent)`),
  };
}

/** Rules that name a set which the host does not have, one finding a set. */
function* missingSets(cx: CheckContext): Generator<Report, void> {
  const there = cx.ruleset.sets?.names;
  if (there === undefined) return;
  const missing = new Map<string, [RuleAt, ...RuleAt[]]>();
  for (const table of cx.ruleset.tables.values()) for (const at of cx.rules(table)) for (const name of setsNamedBy(at.rule)) {
    const known = missing.get(name);
    if (there.has(name)) continue;
    if (known === undefined) missing.set(name, [at]);
    else known.push(at);
  }
  for (const [name, [at, ...others]] of missing) {
    yield {
      at, certainty: 'possible', alike: others.length + 1,
      message: `this host has no set ${name}: until it has one, iptables-restore refuses all of these rules`,
      because: theSame(others.slice(0, othersTold)),
      help: didYouMean(name, [...there]) ?? `make it before the rules are loaded: ipset create ${name} hash:net family ${cx.ruleset.family === 'ipv4' ? 'inet' : 'inet6'}`,
    };
  }
}

export const listNeverFilled = defineCheck({
  name: 'list-never-filled',
  kind: 'reachability',
  severity: 'warning',
  summary: 'A rule asks for a list of addresses (-m recent) on which no rule puts any, or for a set that the host does not have',
  why: `\`-m recent --rcheck\` and \`--update\` ask whether an address is on a list; only \`--set\` puts it there. Where no rule does so, in any table,
the rule never matches: a limit on connections never holds, and whoever knocked is not let in. The names of lists are told apart by upper and lower case, IPv4 and IPv6 have
lists of their own, and without \`--name\` the list is DEFAULT. A list that INPUT fills with destinations (\`--rdest\`) holds this host’s own addresses, and no sender is among these.
With \`!\` it is the other way round: nobody is on the list, and the rule matches everybody. This is possible only, for a program may write to the list in /proc/net/xt_recent;
where the rule’s own counter says that it matched, it is an info.
Where a host file says which sets of ipset there are, rules that name another are told, too: the kernel takes no rule for a set that it does not have.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 60 --hitcount 4 --name SSH --rsource -j DROP
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name ssh --rsource -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 60 --hitcount 4 --name SSH --rsource -j DROP
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name SSH --rsource -j ACCEPT
COMMIT
`,
  nearMiss: `*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 7123 -m recent --set --name knocked --rsource
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --seconds 30 --name knocked --rsource -j ACCEPT
-A INPUT -p udp -m recent --rcheck --name asked --rsource -j ACCEPT
-A OUTPUT -p udp -m udp --dport 5353 -m recent --set --name asked --rdest
COMMIT
`,
  * run(cx) {
    yield* missingSets(cx);
    const tables = [...cx.ruleset.tables.values()];
    if (tables.some(table => cx.rules(table).some(({ rule }) => rule.isUnread))) return;
    const uses = tables.flatMap(table => usesIn(cx, table));
    const putting = uses.filter(({ kept }) => kept.does === 'puts');
    const groups = new Map<string, { readonly asking: [Use, ...Use[]]; readonly put: readonly Use[] }>();
    for (const one of uses) {
      const put = putting.filter(({ kept }) => kept.list === one.kept.list);
      if (one.kept.does !== 'asks' || put.some(other => fills(other, one))) continue;
      const known = groups.get(keyOf(one.kept));
      if (known === undefined) groups.set(keyOf(one.kept), { asking: [one], put });
      else known.asking.push(one);
    }
    for (const { asking, put } of groups.values()) yield report(cx, asking, put, [...new Set(putting.map(({ kept }) => kept.list))]);
  },
});
