import { ctstates, not, oneOf, type Constraint } from '../packet/constraint.js';
import type { Rewriting } from '../packet/rewriting.js';

/** The packet has a connection; those that are INVALID or UNTRACKED have none (`nf_ct_get`). */
export const tracked: Constraint = not(oneOf('ctstate', [ctstates.INVALID, ctstates.UNTRACKED]));

const { UNTRACKED } = ctstates;
/** What NOTRACK and `CT --notrack` write. A packet that is tracked already, as one that comes in by lo, is left alone; in raw that is not yet a matter of its ctstate. */
export const untracks: readonly Rewriting[] = [{ kind: 'within', field: 'ctstate', ranges: [{ low: UNTRACKED, high: UNTRACKED }] }];
