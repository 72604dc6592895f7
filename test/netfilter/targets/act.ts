/** Targets compiled for tests. */
import type { Packet } from '../../../analyzer/packet/packet.js';
import { Verdict, type Action, type HookName, type World } from '../../../analyzer/packet/traversal.js';
import { contextOf, loadedRules } from '../compiled.js';
import { fakeTraversal, fakeWorld } from '../fake-world.js';

export interface Acted {
  readonly verdict: keyof typeof Verdict;
  /** What was unknown, and what the target said about the packet. */
  readonly asked: readonly string[];
  readonly notes: readonly string[];
}

export interface Place {
  readonly world?: World;
  readonly table?: string;
  readonly hook?: HookName;
  /** What is unknown is taken for true, unless this says otherwise. */
  readonly assume?: boolean;
}

function actionOf(line: string, world: World, table: string, hook: HookName): Action {
  const [rule] = loadedRules([line], world, table, hook);
  if (rule?.target.kind !== 'extension') throw new Error(`no target in ${line}`);
  const { use } = rule.target;
  const action: Action | undefined = use.definition.apply?.(use.given, { ...contextOf(rule, world, table), ordered: use.ordered });
  if (action === undefined) throw new Error(`${use.definition.name} does nothing`);
  return action;
}

/** Compiles the target of a rule of mangle FORWARD, unless said otherwise; packets are changed in place. */
export function targetOf(line: string, { world = fakeWorld('ipv4', 'legacy'), table = 'mangle', hook = 'FORWARD', assume = true }: Place = {}): (packet: Packet) => Acted {
  const action = actionOf(line, world, table, hook);
  return packet => {
    const notes: string[] = [];
    const t = { ...fakeTraversal(packet, world, hook, assume), note: (text: string) => { notes.push(text); } };
    const verdict = action(t);
    return { verdict: (Object.keys(Verdict) as (keyof typeof Verdict)[]).find(name => Verdict[name] === verdict) ?? 'Continue', asked: t.asked, notes };
  };
}
