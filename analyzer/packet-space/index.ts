/**
 * Exact reasoning over all packets of a rule set, table by table. Nothing here guesses: an answer is a proof or a packet
 * that shows it, or it is undecided.
 */
export { ask } from './ask.js';
export { askLike } from './ask-like.js';
export { correlated, generalization } from './overlaps.js';
export { otherwise } from './otherwise.js';
export { partlyShadowed } from './partly-shadowed.js';
export { reach, reachWith } from './reach.js';
export { redundant } from './redundant.js';
export { relations } from './relations.js';
export { packetSpace, type PacketSpace } from './space.js';
