import type { SetFlag } from '../../packet/ip-sets.js';
import { Verdict, type Traversal } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { integer } from '../../values/number.js';
import { setReference, type SetReference } from '../../values/set-reference.js';
import type { Value, ValueContext } from '../../values/value.js';
import { defineTarget, option, type Given, type OptionDefinition } from '../define.js';

/** A `!` is read and forgotten (`set_target_parse_v3`, libxt_SET.c). */
function forgetful<T>(name: `--${string}`, doc: string, value: Value<T>, more: Partial<OptionDefinition<T>> = {}): OptionDefinition<T> {
  const save = (given: Given<T>, cx: ValueContext): string => `${name} ${value.print(given.value, cx)}`.trimEnd();
  return option({ names: [name], doc, value, negatable: true, save, ...more });
}

function reference(name: `--${string}`, doc: string): OptionDefinition<SetReference> {
  return forgetful(name, doc, setReference);
}

/** The kernel cuts longer timeouts, so that they can be counted in milliseconds of 32 bits. */
const maxTimeout = 4_294_967;

interface Lookup {
  readonly name: string;
  readonly flags: readonly SetFlag[];
}

function lookupOf({ value: { name, directions } }: Given<SetReference>): Lookup {
  return { name, flags: directions };
}

/** What the entry says replaces what the packet has; what it does not say is 0, but a mark of no bits. */
function takeInfo(t: Traversal, lookup: Lookup, takes: { readonly mark: boolean; readonly priority: boolean }): void {
  const info = t.world.sets.info(t.packet, lookup);
  if (info === undefined) return;
  const { mark = { value: 0, mask: 0 }, priority = 0 } = info;
  if (takes.mark) t.packet.mark = ((t.packet.mark & ~mark.mask) ^ mark.value) >>> 0;
  if (takes.priority) t.packet.priority = priority;
}

function reportMissing(t: Traversal, name: string): void {
  t.unknown(`what is in the set ${name}`);
}

/** @see set_target_v3_checkentry() in net/netfilter/xt_set.c; for the order of options, libxt_SET.c */
export const setTarget = defineTarget('SET', () => ({
  doc: 'Adds what the packet has to an ipset, or deletes it there, or takes values from the entry.',
  effect: 'continue',
  changes: ['sets', 'mark'],
  hooks: ({ prio, queue }) => prio === undefined && queue === undefined ? undefined : ['FORWARD', 'OUTPUT', 'POSTROUTING'],
  options: {
    add: reference('--add-set', 'the set to which the entry is added'),
    exist: forgetful('--exist', 'an entry that is there already gets the new timeout', flag, { repeat: 'last', needs: ['add'] }),
    timeout: forgetful('--timeout', 'seconds until the entry is deleted', integer(0, 0xffff_fffe), { repeat: 'last', needs: ['add'] }),
    del: reference('--del-set', 'the set from which the entry is deleted'),
    map: reference('--map-set', 'the set whose entry says mark, priority or queue'),
    mark: forgetful('--map-mark', 'takes the mark', flag, { repeat: 'last', needs: ['map'] }),
    prio: forgetful('--map-prio', 'takes the priority', flag, { repeat: 'last', needs: ['map'] }),
    queue: forgetful('--map-queue', 'takes the hardware queue', flag, { repeat: 'last', needs: ['map'] }),
  },
  check: ({ add, del, map, mark, prio, queue }, { table }) => {
    if (add === undefined && del === undefined && map === undefined) return 'one of --add-set, --del-set and --map-set must be given';
    if (map === undefined) return undefined;
    if (mark === undefined && prio === undefined && queue === undefined) return '--map-set needs --map-mark, --map-prio or --map-queue with it';
    return table === 'mangle' ? undefined : '--map-set is allowed in table mangle only';
  },
  rewrites: ({ map, mark }) => map === undefined || mark === undefined ? [] : [{ kind: 'unknown', field: 'mark' }],
  // @see set_target_v3(). The hardware queue of --map-queue is of no consequence for the packet's fate.
  apply: ({ add, exist, timeout, del, map, mark, prio }) => {
    const adds = add === undefined ? undefined : { ...lookupOf(add), exist: exist !== undefined, ...timeout === undefined ? {} : { timeout: Math.min(timeout.value, maxTimeout) } };
    const removes = del === undefined ? undefined : lookupOf(del);
    const maps = map === undefined ? undefined : lookupOf(map);
    const takes = { mark: mark !== undefined, priority: prio !== undefined };
    return t => {
      const { packet, world: { sets } } = t;
      if (adds !== undefined && !sets.add(packet, adds)) reportMissing(t, adds.name);
      if (removes !== undefined && !sets.remove(packet, removes)) reportMissing(t, removes.name);
      if (maps !== undefined) takeInfo(t, maps, takes);
      return Verdict.Continue;
    };
  },
  examples: [
    ['-j SET --add-set web src --exist --timeout 60 --del-set nets dst', '='],
    ['-j SET --del-set nets dst --timeout 0x3c --add-set web source', undefined],
    ['-j SET --timeout 0x3c --add-set web srcip,dst', '-j SET --add-set web src,dst --timeout 60'],
    ['-j SET ! --add-set web src', '-j SET --add-set web src'],
    ['-j SET --map-set web src --map-mark', '=', { table: 'mangle', chain: 'INPUT' }],
    ['-j SET --map-set web src --map-mark', undefined],
    ['-j SET --map-set web src --map-prio', undefined, { table: 'mangle', chain: 'INPUT' }],
    ['-j SET --del-set web src --exist', undefined],
  ],
}));
