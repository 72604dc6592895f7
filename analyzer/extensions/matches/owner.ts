import { all, always, atom, not, type Constraint } from '../../packet/constraint.js';
import { accountRange, type AccountRange } from '../../values/account-range.js';
import { flag } from '../../values/flag.js';
import { isInRange } from '../asks.js';
import { defineMatch, option, type Given } from '../define.js';

const users = accountRange('user');
const groups = accountRange('group');

function oneOf(kind: string, given: Given<AccountRange> | undefined): Constraint {
  if (given === undefined) return always;
  const same = atom(`owner ${kind} ${String(given.value.low)}-${String(given.value.high)}`);
  return given.negated ? not(same) : same;
}

/**
 * @see owner_mt() and owner_check() in net/netfilter/xt_owner.c. A packet without a socket matches only where
 * everything is negated, and `--suppl-groups` cannot be.
 */
export const owner = defineMatch('owner', () => ({
  doc: 'Matches packets of this machine by the user or group whose socket sent them.',
  usesOrder: true,
  hooks: ['OUTPUT', 'POSTROUTING'],
  options: {
    socket: option({ names: ['--socket-exists'], doc: 'the packet belongs to a socket', value: flag, negatable: true }),
    uid: option({ names: ['--uid-owner'], doc: 'user, or range of user numbers', value: users, negatable: true }),
    gid: option({ names: ['--gid-owner'], doc: 'group, or range of group numbers', value: groups, negatable: true }),
    suppl: option({ names: ['--suppl-groups'], doc: 'looks at the supplementary groups as well', value: flag, needs: ['gid'] }),
  },
  check: (given, { ordered }) => {
    if (Object.keys(given).length === 0) return '--uid-owner, --gid-owner or --socket-exists must be given';
    const keys = ordered.map(one => one.key);
    return keys.includes('suppl') && keys.indexOf('suppl') < keys.indexOf('gid') ? '--gid-owner must stand before --suppl-groups' : undefined;
  },
  means: given => {
    const exists = atom('owner socket');
    return all([
      given.socket === undefined ? always : given.socket.negated ? not(exists) : exists,
      oneOf('uid', given.uid),
      oneOf(given.suppl === undefined ? 'gid' : 'any gid', given.gid),
      given.suppl === undefined ? always : exists,
    ]);
  },
  matches: ({ socket, uid, gid, suppl }) => {
    const matchesNobody = [socket, uid, gid, suppl].every(one => one?.negated !== false);
    return t => {
      const { owner: sender, isFromKernelSocket } = t.packet;
      if (isFromKernelSocket) return socket?.negated !== true && [uid, gid].every(one => one?.negated !== false);
      if (sender === undefined || t.hook === 'INPUT') return matchesNobody;
      if (socket?.negated === true || !isInRange(uid, sender.uid)) return false;
      if (gid === undefined || isInRange({ ...gid, negated: false }, sender.gid)) return gid?.negated !== true;
      const isInOther = suppl !== undefined && (sender.groups ?? []).some(group => isInRange({ ...gid, negated: false }, group));
      return isInOther !== gid.negated;
    };
  },
  arbitrary: (fc, cx) => {
    const bang = fc.constantFrom<readonly string[]>([], [], ['!']);
    const uid = fc.tuple(bang, users.arbitrary(fc, cx)).map(([not, words]) => [...not, '--uid-owner', ...words]);
    const gid = fc.tuple(bang, groups.arbitrary(fc, cx), fc.constantFrom<readonly string[]>([], ['--suppl-groups'])).map(([not, words, suppl]) => [...not, '--gid-owner', ...words, ...suppl]);
    const socket = bang.map(not => [...not, '--socket-exists']);
    return fc.tuple(uid, gid, socket).chain(parts => fc.shuffledSubarray(parts, { minLength: 1 })).map(parts => parts.flat());
  },
  examples: [
    ['-m owner --uid-owner 0', '=', { chain: 'OUTPUT' }],
    ['-m owner --gid-owner www-data ! --uid-owner 010:0x10', '-m owner ! --uid-owner 8-16 --gid-owner 33', { chain: 'OUTPUT' }],
    ['-m owner --socket-exists --gid-owner 0-10 --suppl-groups', '=', { table: 'mangle', chain: 'POSTROUTING' }],
    ['-m owner --suppl-groups --gid-owner 0', undefined, { chain: 'OUTPUT' }],
    ['-m owner --uid-owner 5-3', undefined, { chain: 'OUTPUT' }],
    ['-m owner --uid-owner 0', undefined],
  ],
}));
