/** Every match, one line each. */
import type { AnyMatch } from '../define.js';
import { addrtype } from './addrtype.js';
import { cgroup } from './cgroup.js';
import { cluster } from './cluster.js';
import { comment } from './comment.js';
import { cpu } from './cpu.js';
import { devgroup } from './devgroup.js';
import { iprange } from './iprange.js';
import { mac } from './mac.js';
import { nfacct } from './nfacct.js';
import { osf } from './osf.js';
import { owner } from './owner.js';
import { physdev } from './physdev.js';
import { pkttype } from './pkttype.js';
import { policy } from './policy.js';
import { realm } from './realm.js';
import { rpfilter } from './rpfilter.js';
import { setMatch } from './set.js';
import { socket } from './socket.js';
import { tcp } from './tcp.js';

export const matches: readonly AnyMatch[] = [
  addrtype,
  cgroup,
  cluster,
  comment,
  cpu,
  devgroup,
  iprange,
  mac,
  nfacct,
  osf,
  owner,
  physdev,
  pkttype,
  policy,
  realm,
  rpfilter,
  setMatch,
  socket,
  tcp,
];
