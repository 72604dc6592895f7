/**
 * The ways of packets through a host, as lists of what stands on them. What a table does not say, the kernel does: states
 * of connections, translations of what is under way, routing.
 */
import type { Hook, TableName } from '../../extensions/define.js';
import { always, ctstates, type Constraint, type Field } from '../../packet/constraint.js';
import type { Rewriting } from '../../packet/rewriting.js';
import type { Backend } from '../../values/value.js';
import { isAboutConnections } from './atoms.js';
import { baseChain, Step, type Chains, type ExtraChain, type PipelineChain } from './chains.js';
import { Does } from './classes.js';

/** `in`: to this host; `through`: forwarded; `out`: sent by this host; `loop`: sent by lo to itself. */
export type Path = 'in' | 'through' | 'out' | 'loop';
export const paths: readonly Path[] = ['in', 'through', 'out', 'loop'];

/** The path of the answers to what comes along a path. */
export const backPath: Readonly<Record<Path, Path>> = { in: 'out', out: 'in', through: 'through', loop: 'loop' };

/** Something that a packet passes. */
export interface Stage {
  readonly hook: Hook;
  readonly table: TableName | 'routing';
  /** The chain that is run, or -1. With `byState` it is the one for NEW. */
  readonly chain: number;
  /** nat: another chain stands for packets of connections that are under way. */
  readonly byState: boolean;
  readonly underWay: number;
  /** All that may come of it. */
  readonly does: number;
  /** Its rules test what they write: only the very same way through it proves anything. */
  readonly strict: boolean;
  /** Which properties mean the same: they may change where addresses are rewritten, and from hook to hook. */
  readonly epoch: number;
}

const inputOrder: Readonly<Record<Backend, readonly TableName[]>> = { legacy: ['mangle', 'filter', 'security', 'nat'], nft: ['mangle', 'filter', 'nat', 'security'] };

const sendingTables: readonly TableName[] = ['raw', 'mangle', 'nat', 'filter', 'security'];

/** Where is what, in order. `route` stands where it is decided where a packet goes. */
export function layout(path: Path, backend: Backend): readonly (readonly [Hook, TableName | 'routing'])[] {
  const at = (hook: Hook, tables: readonly TableName[]): [Hook, TableName][] => tables.map(table => [hook, table]);
  const arrives = at('PREROUTING', ['raw', 'mangle', 'nat']);
  const leaves = at('POSTROUTING', ['mangle', 'nat']);
  const sends = at('OUTPUT', sendingTables);
  switch (path) {
    case 'in': return [...arrives, ['PREROUTING', 'routing'], ...at('INPUT', inputOrder[backend])];
    case 'through': return [...arrives, ['PREROUTING', 'routing'], ...at('FORWARD', ['mangle', 'filter', 'security']), ...leaves];
    case 'out': return [...sends, ['POSTROUTING', 'routing'], ...leaves];
    // nat is asked once for a connection, on its way out.
    case 'loop': return [...sends, ['POSTROUTING', 'routing'], ...leaves, ...at('PREROUTING', ['raw', 'mangle']), ...at('INPUT', inputOrder[backend].filter(table => table !== 'nat'))];
  }
}

/** Which fields a translation at this hook rewrites. */
export function translates(hook: Hook): readonly Field[] {
  return hook === 'PREROUTING' || hook === 'OUTPUT' ? ['dst', 'dport'] : ['src', 'sport'];
}

/** Addresses of this host, and where else packets are sent: the first that holds the destination decides. */
export interface Routing {
  readonly local: Constraint;
  readonly routes: readonly { readonly to: Constraint; readonly out: string }[];
}

const free = (fields: readonly Field[]): Rewriting[] => fields.map(field => ({ kind: 'unknown', field }));

/** What the kernel does beside the tables. */
export function extraChains(routing: Routing | undefined): readonly ExtraChain[] {
  const tracked = (['PREROUTING', 'POSTROUTING'] as const).map((hook): ExtraChain => ({
    name: `translated ${hook === 'PREROUTING' ? 'destination' : 'source'}`, policy: 'ACCEPT',
    rules: [{ asks: always, step: Step.Write, rewritings: free(translates(hook)), soft: true }],
  }));
  const rule = (asks: Constraint, step: 1 | 2): ExtraChain['rules'][number] => ({ asks, step, rewritings: [], soft: false });
  const byLo: Constraint = { kind: 'interface', field: 'out', name: 'lo', prefix: false };
  // What OUTPUT sends another way is on the path that it leaves by.
  const rerouted: readonly ExtraChain[] = [{ name: 'routing out', policy: 'ACCEPT', rules: [rule(byLo, Step.Drop)] }, { name: 'routing loop', policy: 'DROP', rules: [rule(byLo, Step.Accept)] }];
  if (routing === undefined) return [...tracked, ...rerouted];
  return [
    ...tracked, ...rerouted,
    { name: 'routing in', policy: 'DROP', rules: [rule(routing.local, Step.Accept)] },
    {
      name: 'routing through', policy: 'DROP',
      rules: [rule(routing.local, Step.Drop), ...routing.routes.flatMap(({ to, out }) => [
        rule({ kind: 'all', of: [to, { kind: 'interface', field: 'out', name: out, prefix: false }] }, Step.Accept), rule(to, Step.Drop),
      ])],
    },
  ];
}

/** Some rule translates. */
function hasNat(chains: Chains): boolean {
  return [...chains.writers.keys()].some(rule => chains.rules[rule]?.table === 'nat');
}

/** What mangle and nat OUTPUT may write so that the packet is routed anew. @see ipt_mangle_out() in net/ipv4/netfilter/iptable_mangle.c */
export const rerouting: Readonly<Partial<Record<TableName, { readonly fields: readonly Field[]; readonly bits: number }>>> = {
  mangle: { fields: ['mark', 'src', 'dst', 'dscp', 'ecn'], bits: Does.mark | Does.src | Does.dst | Does.other },
  nat: { fields: ['dst'], bits: Does.dst },
};

/** Chains that stand at a hook, and those that are called from them. */
function* chainsAt(chains: Chains, hook: Hook, tables: readonly TableName[]): Generator<PipelineChain, void> {
  for (const table of tables) for (const id of chains.below(baseChain(chains, table, hook))) {
    const one = chains.list[id];
    if (one !== undefined) yield one;
  }
}

const rerouted = new WeakMap<Chains, boolean>();

/** Something at OUTPUT may send packets another way than they were routed first, and somebody asks which. */
export function isRerouting(chains: Chains): boolean {
  let is = rerouted.get(chains);
  if (is === undefined) rerouted.set(chains, is = mayReroute(chains));
  return is;
}

function mayReroute(chains: Chains): boolean {
  const out = chains.dimensions.fields.get('out')?.[0] ?? -1;
  const asks = (some: Iterable<PipelineChain>): boolean => [...some].some(one => one.asks.includes(out));
  return (asks(chainsAt(chains, 'OUTPUT', sendingTables)) || asks(chainsAt(chains, 'POSTROUTING', ['mangle']))) && sendsElsewhere(chains);
}

/** Something at OUTPUT may send packets another way than they were routed first. */
export function sendsElsewhere(chains: Chains): boolean {
  const { fields } = chains.dimensions;
  const dimensions = new Set(rerouting.mangle?.fields.flatMap(field => fields.get(field) ?? []));
  const writes = (one: PipelineChain): boolean => one.writing.some(some => some.writes.some(write => dimensions.has(write.dimension)));
  if ([...chainsAt(chains, 'OUTPUT', ['mangle'])].some(writes)) return true;
  if (!chains.tracking.connections) return false;
  // What nat did to a connection at INPUT, or to one that lo gives back, it undoes at OUTPUT.
  if ([...chainsAt(chains, 'OUTPUT', ['nat']), ...chainsAt(chains, 'INPUT', ['nat'])].some(writes)) return true;
  const out = fields.get('out')?.[0] ?? -1;
  return [...chainsAt(chains, 'POSTROUTING', ['nat'])].some(one => writes(one) && writesBy(one, out, nameClass(chains, 'lo')));
}

/** The class of an interface's name. */
function nameClass({ dimensions }: Chains, name: string): number {
  const one = dimensions.list[dimensions.fields.get('out')?.[0] ?? -1];
  return one?.kind === 'name' ? one.names.classOf(name) : 0;
}

/** Whether what leaves by the interface of this class may be written to by the chain itself. */
function writesBy({ writes, at, dim, lo, hi }: PipelineChain, out: number, name: number): boolean {
  return writes.some((some, box) => {
    if (some === undefined) return false;
    for (let i = at[box] ?? 0; i < (at[box + 1] ?? 0); i++) if (dim[i] === out && ((lo[i] ?? 0) > name || (hi[i] ?? 0) < name)) return false;
    return true;
  });
}

const none = -1;

/**
 * nat is asked about the first packet of a connection. `again`: the packet is NEW, and yet not the first, so that it is translated as that one
 * was, whatever the rules say of it; `asked`: it is RELATED (a helper expected it, or REJECT sends it), and nat is asked about it.
 */
export type NatMode = 'usual' | 'again' | 'asked';

/** The stages of a path; those at which nothing can happen are left out. `isReply`: of packets whose connection is known. */
export function stagesOf(chains: Chains, path: Path, routed: boolean, isReply: boolean, mode: NatMode = 'usual'): readonly Stage[] {
  const { list, ids, ruleset, tracking } = chains;
  const moves = tracking.connections && hasNat(chains);
  const reroutes = (path === 'out' || path === 'loop') && isRerouting(chains);
  const connectionsAsked = [...chains.dimensions.atoms.keys()].some(isAboutConnections);
  const stages: Stage[] = [];
  let epoch = 0;
  let before: Hook | undefined;
  for (const [hook, table] of layout(path, ruleset.backend)) {
    if (before !== undefined && before !== hook) epoch++;
    before = hook;
    if (table === 'nat' && !tracking.connections) continue;
    if (table === 'routing' && hook === 'POSTROUTING' && (!reroutes || isReply)) continue;
    const known = table === 'routing' ? ((routed || hook === 'POSTROUTING') && !isReply ? ids.get(` routing ${path}`) ?? none : none) : baseChain(chains, table, hook);
    const isNat = table === 'nat';
    const isAsked = isNat && mode === 'asked';
    const underWay = isNat && moves ? ids.get(` translated ${translates(hook)[0] === 'dst' ? 'destination' : 'source'}`) ?? none : none;
    // What runs for NEW packets; an empty table is asked, too.
    const chain = isNat && isReply ? none : isNat && mode === 'again' ? underWay : known;
    const policy = list[chain]?.policy;
    const does = (list[chain]?.does ?? 0) | (isNat && !isReply ? list[underWay]?.does ?? 0 : 0) | (policy === 'DROP' ? 2 : 0);
    const isStage = chain !== none || (isNat && moves) || table === 'routing';
    if (isStage) stages.push({ hook, table, chain, byState: isNat && !isReply && !isAsked, underWay: isReply || isAsked ? none : underWay, does, strict: isStrictHere(chains, chain), epoch });
    if ((isNat && moves) || (table === 'raw' && connectionsAsked)) epoch++;
  }
  return stages;
}

const strict = new WeakMap<Chains, Map<number, boolean>>();

/** `isStrict`, found out once: paths share their chains. */
function isStrictHere(chains: Chains, chain: number): boolean {
  let known = strict.get(chains);
  if (known === undefined) strict.set(chains, known = new Map<number, boolean>());
  let is = known.get(chain);
  if (is === undefined) known.set(chain, is = isStrict(chains, chain));
  return is;
}

/** Whether rules below a chain test what rules below it write on the way. */
function isStrict(chains: Chains, chain: number): boolean {
  const seen = new Set<number>();
  const open = [chain];
  const written = new Set<number>();
  const tested = new Set<number>();
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const one = chains.list[id];
    if (one === undefined || seen.has(id)) continue;
    seen.add(id);
    open.push(...one.callees);
    for (const d of one.asks) tested.add(d);
    for (const { act, writes } of one.writing) for (const write of writes) {
      if (write.kind === 'copy') tested.add(write.from);
      if (act === Step.Write) written.add(write.dimension);
    }
  }
  return [...written].some(d => tested.has(d));
}

/** The values of ctstate for which a nat stage does the same. */
export function statesLike(state: number): readonly [number, number] {
  return state === ctstates.ESTABLISHED || state === ctstates.RELATED ? [ctstates.ESTABLISHED, ctstates.RELATED] : [state, state];
}
