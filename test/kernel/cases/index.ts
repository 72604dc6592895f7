/** All cases. */
import { backendCases } from './backends.js';
import type { Case } from './define.js';
import { forwardingCases } from './forwarding.js';

/** By the file in which they are told; answers of the kernel are kept in a file of the same name. */
export const allCases: Readonly<Record<string, readonly Case[]>> = {
  backends: backendCases, forwarding: forwardingCases,
};
