/** What rules ask of a connection as it began (`--ctorigdst`, `--ctorigdstport`), and whether a rule of table nat makes of it what they ask of its packets. */
import type { Table } from '../../model/ruleset.js';
import { isNothing } from '../../packet-space/packets.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, ctstates, is, not, type Constraint, type Range } from '../../packet/constraint.js';
import { fullMask, parseAddress, prefixMask } from '../../values/address.js';
import { Problem, type Family } from '../../values/value.js';
import type { CheckContext, Report } from '../define-check.js';
import { meet, rangesOf } from './asked.js';
import { conjuncts } from './conjuncts.js';
import { effectOf } from './targets.js';
import { translationsOf, type Translation } from './translations.js';

/** How a connection began, and how its packets go on, where they cannot be the same. */
interface Rewritten {
  readonly before: readonly Range[];
  readonly after: readonly Range[];
}

/** What the option asks, as the atom that stands for it says it: `192.0.2.0/24`, `80:443`. */
function askedBy(asks: Constraint, option: string): string | undefined {
  const [name] = conjuncts(asks).flatMap(one => one.kind === 'atom' && one.name.startsWith(`conntrack ${option} `) ? [one.name] : []);
  return name?.slice(`conntrack ${option} `.length);
}

function addressesOf(text: string, family: Family): readonly Range[] | undefined {
  const [address = '', length = ''] = text.split('/');
  const low = parseAddress(address, family);
  if (low instanceof Problem) return undefined;
  const hosts = BigInt(fullMask(family)) ^ BigInt(prefixMask(Number(length), family));
  return [{ low, high: typeof low === 'number' ? low + Number(hosts) : low | hosts }];
}

function portsOf(text: string): readonly Range[] {
  const [low, high] = text.split(':').map(Number);
  return low === undefined || high === undefined ? [] : [{ low, high }];
}

function rewritten(before: readonly Range[] | undefined, after: readonly Range[] | undefined): Rewritten | undefined {
  return before === undefined || after === undefined || meet(before, after) ? undefined : { before, after };
}

/** Whether packets flow as the connection began: those of the other direction go to who began it. */
function isOriginal({ ruleset: { family } }: CheckContext, asks: Constraint): boolean {
  return [is('ctdir', 0), is('ctstate', ctstates.NEW)].some(one => isNothing(family, all([asks, not(one)])));
}

/** Whether a translation makes the one of the other. */
function makes(cx: CheckContext, { at, address, ports, side }: Translation, dst: Rewritten | undefined, dport: Rewritten | undefined): boolean {
  if (side !== 'destination') return false;
  const asks = constraintsOf(cx.ruleset, 'nat').of(at.rule);
  const places = address === 'own' ? undefined : address === 'same' ? [] : address;
  return (dst === undefined || (meet(rangesOf(asks, 'dst'), dst.before) && meet(places, dst.after)))
    && (dport === undefined || (meet(rangesOf(asks, 'dport'), dport.before) && ports !== undefined && meet(ports, dport.after)));
}

/** A rule for connections whose destination is another by now, as no rule of table nat makes it. Others may (nft), and those that were translated before the rules were loaded stay so. */
export function originReport(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  const { ruleset } = cx;
  const nat = ruleset.tables.get('nat');
  if (nat === undefined || table.name !== 'filter') return undefined;
  const asks = constraintsOf(ruleset, table.name).of(at.rule);
  const [address, port] = [askedBy(asks, '--ctorigdst'), askedBy(asks, '--ctorigdstport')];
  const dst = rewritten(address === undefined ? undefined : addressesOf(address, ruleset.family), rangesOf(asks, 'dst'));
  const dport = rewritten(port === undefined ? undefined : portsOf(port), rangesOf(asks, 'dport'));
  if ((dst === undefined && dport === undefined) || !isOriginal(cx, asks)) return undefined;
  const translations = translationsOf(ruleset);
  const isUnknown = cx.rules(nat).some(({ rule }) => effectOf(rule) === 'unknown' || (effectOf(rule) === 'nat' && !translations.some(one => one.at.rule === rule)));
  if (isUnknown || translations.some(one => makes(cx, one, dst, dport))) return undefined;
  const parts = [...dst === undefined ? [] : [{ what: 'address', option: '--ctorigdst' }], ...dport === undefined ? [] : [{ what: 'port', option: '--ctorigdstport' }]];
  return {
    at, mutedIn: 'generated', severity: 'info', certainty: 'possible',
    message: `no packet matches this rule: it asks for one ${parts.map(({ what }) => what).join(' and ')} as the connection began (${parts.map(({ option }) => option).join(', ')}) and for another by now, and no rule of table nat makes the one of the other`,
    help: 'ask for the same in both, or write the rule of DNAT that it is for; leave it as it is where something else translates (nft)',
  };
}
