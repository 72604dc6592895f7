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
