import type { Twins } from '../dimensions.js';

/**
 * Fields whose values move from one to another: a reply comes from where its connection went to, a saved mark becomes the
 * connection's. They get the same classes, so that a value keeps its class on the way.
 */
export const twins: Twins = { src: 'dst', dst: 'src', sport: 'dport', dport: 'sport', in: 'out', out: 'in', mark: 'connmark', connmark: 'mark' };
