/** All properties, in the order in which they are tested. */
import type { Property } from '../property.js';
import { claimsHold } from './claims-hold.js';
import { establishedSurvives } from './established-survives.js';
import { newOnlyToListedPorts } from './new-only-to-listed-ports.js';
import { repliesPass } from './replies-pass.js';
import { unaskedStaysOut } from './unasked-stays-out.js';

/** Every property of conversations that `fuzz` tests. */
export const properties: readonly Property[] = [repliesPass, establishedSurvives, unaskedStaysOut, newOnlyToListedPorts, claimsHold];
