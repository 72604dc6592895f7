/** Every match, one line each. */
import type { AnyMatch } from '../define.js';
import { comment } from './comment.js';
import { tcp } from './tcp.js';

export const matches: readonly AnyMatch[] = [
  comment,
  tcp,
];
