/** Looks for services that one side lets strangers connect to, and the other does not. */
import { all, not, type Constraint } from '../../../../packet/constraint.js';
import { valuesOf } from '../../../packets.js';
import { deciderOf } from '../../deciders.js';
import { isCertain } from '../../fate.js';
import type { Trip } from '../../passes.js';
import { firstPacket, type Sighting } from '../../samples.js';
import type { SolveBudget } from '../../solve.js';
import type { FamilyGap } from './family-difference.js';
import type { Mentions } from './mentions.js';
import { isOfTheLink, portStarts, splitAt } from './services.js';
import { askSide, packetsOf, type Asked, type Service, type Side } from './side.js';

/** More interfaces than this are not told apart. */
const interfaceLimit = 12;

/** An interface, or all that no rule names. */
interface Link {
  readonly name: string;
  readonly asks: Constraint;
}

type Field = 'in' | 'out';
type Place = Pick<FamilyGap, 'in' | 'out'>;

export class FamilySearch {
  readonly gaps: FamilyGap[] = [];
  complete: boolean;
  readonly #strict: Side;
  readonly #open: Side;
  readonly #budget: SolveBudget;
  readonly #starts: readonly number[];
  readonly #links: Readonly<Record<Field, readonly Link[]>>;

  constructor(strict: Side, open: Side, mentions: readonly Mentions[], budget: SolveBudget) {
    this.#strict = strict;
    this.#open = open;
    this.#budget = budget;
    this.#starts = portStarts(mentions);
    this.#links = { in: linksOf('in', mentions), out: linksOf('out', mentions) };
    this.complete = this.#links.in.length <= interfaceLimit && this.#links.out.length <= interfaceLimit;
  }

  /** Goes through the parts of a service that the open side lets anybody connect to. */
  look(path: FamilyGap['path'], service: Service): void {
    const left = [service];
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      const found = this.#accepted(this.#open, { path, service: one, fromStrangers: true });
      if (typeof found === 'string') continue;
      const { own, rest } = splitAt(one, Math.max('low' in one ? one.low : 0, portOf(this.#open, found.trip)), this.#starts);
      left.push(...rest);
      if (path === 'through' || !isOfTheLink(own)) this.#compare(path, own);
    }
  }

  /** A packet that gets through. */
  #accepted(side: Side, asked: Asked): Sighting | 'none' | 'undecided' {
    const solved = askSide(side, asked, 'accept', this.#budget);
    if (solved.kind === 'undecided') this.complete = false;
    return solved.kind === 'found' ? solved : solved.kind;
  }

  #compare(path: FamilyGap['path'], service: Service): void {
    const parts = this.#parts(path, service, this.#links.in, link => ({ in: link.name }), []);
    const whole = parts.length === this.#links.in.length && parts.every(part => part.out === undefined);
    for (const place of whole && parts.length > 0 ? [{}] : parts) this.#note(path, service, place);
  }

  /** By which interfaces the one side lets in what the other does not. */
  #parts(path: FamilyGap['path'], service: Service, links: readonly Link[], place: (link: Link) => Place, above: readonly Constraint[]): readonly Place[] {
    return links.flatMap((link): readonly Place[] => {
      const by = all([...above, link.asks]);
      const asked = { path, service, by, fromStrangers: true };
      if (typeof this.#accepted(this.#open, asked) === 'string') return [];
      const strict = this.#accepted(this.#strict, asked);
      if (strict === 'none') return [place(link)];
      const isDeep = above.length > 0 || path === 'in';
      return strict === 'undecided' || isDeep ? [] : this.#parts(path, service, this.#links.out, out => ({ ...place(link), out: out.name }), [link.asks]);
    });
  }

  #note(path: FamilyGap['path'], service: Service, place: Place): void {
    const by = all((['in', 'out'] as const).flatMap(field => this.#links[field].find(link => link.name === place[field])?.asks ?? []));
    const asked = { path, service, by, fromStrangers: true };
    const passing = this.#accepted(this.#open, asked);
    const losing = askSide(this.#strict, asked, 'drop', this.#budget);
    const some = this.#accepted(this.#strict, { ...asked, fromStrangers: false });
    if (typeof passing === 'string' || losing.kind !== 'found' || some === 'undecided') return;
    this.gaps.push({
      path, service, ...place, ipv4: some === 'none' ? 'nobody' : 'some', certain: isCertain(this.#open.pipeline, passing),
      passes: shown(this.#open, passing, asked), lost: shown(this.#strict, losing, asked),
    });
  }
}

function linksOf(field: Field, mentions: readonly Mentions[]): readonly Link[] {
  const names = [...new Set(mentions.flatMap(one => [...one.interfaces[field]]))].filter(name => name !== 'lo' && name !== '').sort();
  const is = (name: string): Constraint => ({ kind: 'interface', field, name, prefix: false });
  const others: Link = { name: '*', asks: all(names.map(name => not(is(name)))) };
  return [...names.slice(0, interfaceLimit).map((name): Link => ({ name, asks: is(name) })), others];
}

/** The port that the packet was sent to. */
function portOf({ pipeline: { chains: { dimensions } } }: Side, { run }: Trip): number {
  const d = dimensions.fields.get('dport')?.[0];
  const own = d === undefined ? undefined : dimensions.list[d];
  if (d === undefined || own?.kind !== 'range') return 0;
  const at = run.point.inputs[d] ?? 0;
  return Number(valuesOf(own, at, at).low);
}

function shown(side: Side, sighting: Sighting, asked: Asked): FamilyGap['passes'] {
  const { sample, trip } = firstPacket(side.pipeline, sighting, packetsOf(side, asked));
  const stages = trip.run.stages.filter(({ dropped, stage }) => trip.dropped ? dropped : stage.table === 'filter');
  const [stage] = stages;
  return { packet: sample, by: stage === undefined ? undefined : deciderOf(side.pipeline, stage) };
}
