import { asks } from '../asks.js';
import { isInState } from '../connection-tests.js';
import { defineMatch, option } from '../define.js';
import { inStates, stateSet } from './conntrack.js';

/** @see libxt_conntrack.c: the kernel's conntrack match, which remembers that it was called state. */
export const state = defineMatch('state', () => ({
  doc: 'Matches packets by their connection state; the old name of `conntrack --ctstate`.',
  tracks: true,
  options: {
    state: option({ names: ['--state'], doc: 'states of which the packet has one', value: stateSet, negatable: true, required: true, means: inStates }),
  },
  matches: given => asks(given.state, isInState),
  examples: [
    ['-m state --state RELATED,ESTABLISHED', '='],
    ['-m state ! --state new,INV', '-m state ! --state INVALID,NEW'],
    ['-m state --state SNAT', undefined],
    ['-m state', undefined],
  ],
}));
