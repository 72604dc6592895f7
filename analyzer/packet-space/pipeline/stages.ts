/**
 * The ways of packets through a host, as lists of what stands on them. What a table does not say, the kernel does: states
 * of connections, translations of what is under way, routing.
 */
import type { Hook, TableName } from '../../extensions/define.js';
import { always, ctstates, type Constraint, type Field } from '../../packet/constraint.js';
import type { Rewriting } from '../../packet/rewriting.js';
import type { Backend } from '../../values/value.js';
import { baseChain, Step, type Chains, type ExtraChain } from './chains.js';

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

/** Where is what, in order. `route` stands where it is decided where a packet goes. */
export function layout(path: Path, backend: Backend): readonly (readonly [Hook, TableName | 'routing'])[] {
  const at = (hook: Hook, tables: readonly TableName[]): [Hook, TableName][] => tables.map(table => [hook, table]);
  const arrives = at('PREROUTING', ['raw', 'mangle', 'nat']);
  const leaves = at('POSTROUTING', ['mangle', 'nat']);
  const sends = at('OUTPUT', ['raw', 'mangle', 'nat', 'filter', 'security']);
  switch (path) {
    case 'in': return [...arrives, ['PREROUTING', 'routing'], ...at('INPUT', inputOrder[backend])];
    case 'through': return [...arrives, ['PREROUTING', 'routing'], ...at('FORWARD', ['mangle', 'filter', 'security']), ...leaves];
    case 'out': return [...sends, ...leaves];
    // nat is asked once for a connection, on its way out.
    case 'loop': return [...sends, ...leaves, ...at('PREROUTING', ['raw', 'mangle']), ...at('INPUT', inputOrder[backend].filter(table => table !== 'nat'))];
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
  if (routing === undefined) return tracked;
  const rule = (asks: Constraint, step: 1 | 2): ExtraChain['rules'][number] => ({ asks, step, rewritings: [], soft: false });
  return [
    ...tracked,
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

const none = -1;

/** The stages of a path; those at which nothing can happen are left out. `isReply`: of packets whose connection is known. */
export function stagesOf(chains: Chains, path: Path, routed: boolean, isReply: boolean): readonly Stage[] {
  const { list, ids, ruleset } = chains;
  const moves = hasNat(chains);
  const stages: Stage[] = [];
  let epoch = 0;
  let before: Hook | undefined;
  for (const [hook, table] of layout(path, ruleset.backend)) {
    if (before !== undefined && before !== hook) epoch++;
    before = hook;
    const known = table === 'routing' ? (routed && !isReply ? ids.get(` routing ${path}`) ?? none : none) : baseChain(chains, table, hook);
    const isNat = table === 'nat';
    const underWay = isNat && moves ? ids.get(` translated ${translates(hook)[0] === 'dst' ? 'destination' : 'source'}`) ?? none : none;
    const chain = isNat && isReply ? none : known;
    const policy = list[chain]?.policy;
    const does = (list[chain]?.does ?? 0) | (isNat && !isReply ? list[underWay]?.does ?? 0 : 0) | (policy === 'DROP' ? 2 : 0);
    const isStage = chain !== none || (isNat && moves) || table === 'routing';
    if (isStage) stages.push({ hook, table, chain, byState: isNat && !isReply, underWay: isReply ? none : underWay, does, strict: isStrict(chains, chain), epoch });
    if (isNat && moves) epoch++;
  }
  return stages;
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
    open.push(...one.callee.filter(callee => callee >= 0));
    for (const d of one.dim) tested.add(d);
    one.writes.forEach((some, box) => {
      for (const write of some ?? []) {
        if (write.kind === 'copy') tested.add(write.from);
        if (one.act[box] === Step.Write) written.add(write.dimension);
      }
    });
  }
  return [...written].some(d => tested.has(d));
}

/** The values of ctstate for which a nat stage does the same. */
export function statesLike(state: number): readonly [number, number] {
  return state === ctstates.ESTABLISHED || state === ctstates.RELATED ? [ctstates.ESTABLISHED, ctstates.RELATED] : [state, state];
}
