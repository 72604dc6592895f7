import { ctstates, not, oneOf, type Constraint } from '../packet/constraint.js';

/** The packet has a connection; those that are INVALID or UNTRACKED have none (`nf_ct_get`). */
export const tracked: Constraint = not(oneOf('ctstate', [ctstates.INVALID, ctstates.UNTRACKED]));
