/** Every target, one line each. */
import type { AnyTarget } from '../define.js';
import { accept } from './accept.js';
import { drop } from './drop.js';
import { queue } from './queue.js';
import { returnTarget } from './return.js';

export const targets: readonly AnyTarget[] = [
  accept,
  drop,
  queue,
  returnTarget,
];
