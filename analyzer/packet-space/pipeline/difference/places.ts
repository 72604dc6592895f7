/** The stages of two pipelines, put side by side. */
import { Does } from '../classes.js';
import type { Pipeline, Ways } from '../passes.js';
import { layout, paths, translates, type NatMode, type Path, type Stage } from '../stages.js';

/** A rule set and its stages. */
type Side = Ways & Pick<Pipeline, 'chains'>;
type ByPath = Record<Path, readonly Stage[]>;

/** Both have the same stages in the same places, so that places have the same names; a stage that only one has is an empty one in the other. */
export function shareStages(a: Side, b: Side): readonly [Ways, Ways] {
  const side = (left: ByPath, right: ByPath, mode: NatMode): readonly [ByPath, ByPath] => {
    const out = [{} as ByPath, {} as ByPath] as const;
    for (const path of paths) [out[0][path], out[1][path]] = merge(a, b, left[path], right[path], path, mode);
    return out;
  };
  const forth = side(a.forth, b.forth, 'usual');
  const again = side(a.unusual.again, b.unusual.again, 'again');
  const asked = side(a.unusual.asked, b.unusual.asked, 'asked');
  return [{ ...a, forth: forth[0], unusual: { again: again[0], asked: asked[0] } }, { ...b, forth: forth[1], unusual: { again: again[1], asked: asked[1] } }];
}

function isPlace(one: Stage | undefined, other: Stage | undefined): boolean {
  return one !== undefined && one.hook === other?.hook && one.table === other.table;
}

type Pair = readonly [Stage | undefined, Stage | undefined];

/** The stages of both in the order of the kernel, as far as that is the same for both. */
function paired({ chains }: Side, left: readonly Stage[], right: readonly Stage[], path: Path): readonly Pair[] {
  const order = layout(path, chains.ruleset.backend);
  const rank = (stage: Stage | undefined): number => stage === undefined ? Infinity : order.findIndex(([hook, table]) => hook === stage.hook && table === stage.table);
  const pairs: Pair[] = [];
  for (let i = 0, j = 0; i < left.length || j < right.length;) {
    if (isPlace(left[i], right[j])) pairs.push([left[i++], right[j++]]);
    else if (rank(left[i]) < rank(right[j])) pairs.push([left[i++], undefined]);
    else pairs.push([undefined, right[j++]]);
  }
  return pairs;
}

function merge(a: Side, b: Side, left: readonly Stage[], right: readonly Stage[], path: Path, mode: NatMode): readonly [Stage[], Stage[]] {
  // A property may have changed where it may have changed for one of the two.
  let epoch = 0;
  const seen: [Stage | undefined, Stage | undefined] = [undefined, undefined];
  const out: [Stage[], Stage[]] = [[], []];
  for (const pair of paired(a, left, right, path)) {
    if (([0, 1] as const).some(side => pair[side] !== undefined && seen[side] !== undefined && pair[side].epoch !== seen[side].epoch)) epoch++;
    ([0, 1] as const).forEach(side => { seen[side] = pair[side] ?? seen[side]; });
    const some = pair[0] ?? pair[1];
    if (some === undefined) continue;
    const moves = pair.some(stage => (stage?.underWay ?? -1) >= 0);
    out[0].push(placed(a, pair[0] ?? empty(a, some, path), epoch, moves, mode));
    out[1].push(placed(b, pair[1] ?? empty(b, some, path), epoch, moves, mode));
  }
  return out;
}

/** A stage that the rule set does not need; where a packet is routed anew, it is asked for the sake of the other one. */
function empty({ chains }: Side, stage: Stage, path: Path): Stage {
  const chain = stage.table === 'routing' && stage.chain >= 0 ? chains.ids.get(` routing ${path}`) ?? -1 : -1;
  return { ...stage, chain, underWay: -1, does: (chains.list[chain]?.does ?? 0) | (chains.list[chain]?.policy === 'DROP' ? Does.drop : 0), strict: false };
}

/** `moves`: connections that are under way may be translated. What is known of them is the host's business: the same for both. */
function placed({ chains }: Side, own: Stage, epoch: number, moves: boolean, mode: NatMode): Stage {
  if (!moves) return { ...own, epoch };
  const underWay = chains.ids.get(` translated ${translates(own.hook)[0] === 'dst' ? 'destination' : 'source'}`) ?? -1;
  return { ...own, epoch, byState: true, underWay, chain: mode === 'again' ? underWay : own.chain, does: own.does | (chains.list[underWay]?.does ?? 0) };
}
