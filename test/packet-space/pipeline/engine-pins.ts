/** Packets that the pipeline's model once had otherwise than the engine, or would have if one thing were left out of it. */
import type { Scenario, ScenarioStep } from '../../../analyzer/netfilter/scenario.js';
import type { Backend } from '../../../analyzer/values/value.js';

export interface Pin {
  readonly what: string;
  readonly scenario: Scenario;
  /** `table:CHAIN:n` of rules of which the last packet, or an answer to it, matches the first ones and none of the others. */
  readonly meets?: readonly string[];
  readonly never?: readonly string[];
  /** No packet at all matches them. */
  readonly dead?: readonly string[];
}

const host = {
  family: 'ipv4', interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }, { name: 'eth1', addresses: ['10.0.0.1/24'] }], routes: ['default via 192.0.2.254 dev eth0', 'default via 10.0.0.254 dev eth1 table 100'], ipRules: ['fwmark 0x1 lookup 100'],
} as const;

function pin(what: string, tables: Readonly<Record<string, readonly string[]>>, steps: readonly ScenarioStep[], expected: Pick<Pin, 'meets' | 'never' | 'dead'>, more: Partial<Scenario> & { readonly backend?: Backend } = {}): Pin {
  const rules = Object.entries(tables).map(([name, lines]) => `*${name}\n${lines.join('\n')}\nCOMMIT\n`).join('');
  return { what, scenario: { backend: 'nft', ...host, ...more, rules, steps }, ...expected };
}

const out: ScenarioStep = { in: 'local', packet: { proto: 'tcp', src: '192.0.2.1', dst: '198.51.100.7', sport: 40_000, dport: 80 } };
const arrives: ScenarioStep = { in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', sport: 40_000, dport: 80 } };
const crosses: ScenarioStep = { in: 'eth1', packet: { proto: 'tcp', src: '10.0.0.5', dst: '198.51.100.7', sport: 40_000, dport: 80 } };
const loops: ScenarioStep = { in: 'local', packet: { proto: 'udp', src: '127.0.0.1', dst: '127.0.0.1', sport: 5000, dport: 53 } };
const datagram = (size: number): ScenarioStep => ({ in: 'eth0', packet: { proto: 'udp', src: '198.51.100.7', dst: '192.0.2.1', sport: 5000, dport: 53, payload_len: size } });
const ping: ScenarioStep = { in: 'eth0', packet: { proto: 'icmp', src: '198.51.100.7', dst: '192.0.2.1', type: 8, code: 0 } };

export const pins: readonly Pin[] = [
  pin('a mark of mangle OUTPUT routes anew, and POSTROUTING sees it', { mangle: ['-A OUTPUT -j MARK --set-mark 1', '-A POSTROUTING -o eth1 -j ACCEPT'], filter: ['-A OUTPUT -o eth1 -j DROP'] }, [out], { meets: ['mangle:OUTPUT:1', 'mangle:POSTROUTING:1'], never: ['filter:OUTPUT:1'] }),
  pin('a mark of raw OUTPUT does not', { raw: ['-A OUTPUT -j MARK --set-mark 1'], mangle: ['-A POSTROUTING -o eth1 -j ACCEPT'] }, [out], { meets: ['raw:OUTPUT:1'], never: ['mangle:POSTROUTING:1'] }),
  pin('DNAT in OUTPUT routes anew', { mangle: ['-A POSTROUTING -o eth1 -j ACCEPT'], nat: ['-A OUTPUT -o eth0 -p tcp -j DNAT --to-destination 10.0.0.5'] }, [out], { meets: ['nat:OUTPUT:1', 'mangle:POSTROUTING:1'] }),
  pin('what is redirected in OUTPUT comes back by lo', { mangle: ['-A PREROUTING -i lo -j ACCEPT'], nat: ['-A OUTPUT -o eth0 -p tcp -j REDIRECT --to-ports 8080'], filter: ['-A INPUT -i lo -p tcp --dport 8080 -j ACCEPT'] }, [out], { meets: ['nat:OUTPUT:1', 'mangle:PREROUTING:1', 'filter:INPUT:1'] }),
  pin('SNAT in INPUT is undone in OUTPUT, and the answer routed anew', { mangle: ['-A POSTROUTING -o eth1 -j ACCEPT'], nat: ['-A INPUT -i eth1 -p udp -j SNAT --to-source 192.0.2.77'] }, [
    { in: 'eth1', packet: { proto: 'udp', src: '10.0.0.5', dst: '192.0.2.1', sport: 5000, dport: 53 } }, { in: 'local', packet: { proto: 'udp', src: '192.0.2.1', dst: '192.0.2.77', sport: 53, dport: 5000 } },
  ], { meets: ['mangle:POSTROUTING:1'] }),
  pin('POSTROUTING is asked about the RST that REJECT sends, and OUTPUT is not', { nat: [':OUTPUT DROP [0:0]', '-A OUTPUT -p tcp -j RETURN', '-A POSTROUTING -p tcp -j ACCEPT'], filter: ['-A FORWARD -m conntrack --ctstate NEW -p tcp -j REJECT --reject-with tcp-reset'] }, [crosses], { meets: ['nat:POSTROUTING:1'], never: ['nat:OUTPUT:1'] }),
  pin('raw OUTPUT sees the state of what REJECT sends', { raw: ['-A OUTPUT -m conntrack --ctstate RELATED -j ACCEPT', '-A OUTPUT -m conntrack --ctstate INVALID'], filter: ['-A INPUT -p tcp -j REJECT'] }, [arrives], { meets: ['raw:OUTPUT:1'], never: ['raw:OUTPUT:2'] }),
  pin('raw sees every other packet as INVALID', { raw: ['-A PREROUTING -m conntrack --ctstate INVALID', '-A PREROUTING -m conntrack --ctstate NEW'], filter: ['-A INPUT -m conntrack --ctstate NEW -j ACCEPT'] }, [arrives], { meets: ['raw:PREROUTING:1', 'filter:INPUT:1'], never: ['raw:PREROUTING:2'] }),
  pin('what CT gives a template looks NEW to raw, and is not untracked any more', { raw: ['-A PREROUTING -j CT --zone 1', '-A PREROUTING -m conntrack --ctstate NEW', '-A PREROUTING -j NOTRACK'], filter: ['-A INPUT -m conntrack --ctstate UNTRACKED -j DROP', '-A INPUT -m conntrack --ctstate NEW -j ACCEPT'] }, [arrives], { meets: ['raw:PREROUTING:2', 'filter:INPUT:2'], never: ['filter:INPUT:1'] }),
  pin('NOTRACK leaves alone what lo gives back', { raw: ['-A PREROUTING -i lo -j NOTRACK'], filter: ['-A INPUT -m conntrack --ctstate UNTRACKED -j DROP', '-A INPUT -m conntrack --ctstate NEW -j ACCEPT'] }, [loops], { meets: ['raw:PREROUTING:1', 'filter:INPUT:2'], never: ['filter:INPUT:1'] }),
  pin('nat is asked about lo on the way out only', { nat: ['-A OUTPUT -j RETURN', '-A PREROUTING -j RETURN', '-A INPUT -j RETURN', '-A POSTROUTING -j MASQUERADE'] }, [loops], { meets: ['nat:OUTPUT:1', 'nat:POSTROUTING:1'], never: ['nat:PREROUTING:1', 'nat:INPUT:1'] }),
  pin('nothing tracks, and nat is never asked', { nat: [':PREROUTING DROP [0:0]', '-A PREROUTING -p tcp -j ACCEPT'], filter: ['-A INPUT -p tcp -j ACCEPT'] }, [arrives], { meets: ['filter:INPUT:1'], dead: ['nat:PREROUTING:1'] }),
  pin('fragments are put together before any rule', { filter: ['-A INPUT -f -j DROP', '-A INPUT -m conntrack --ctstate NEW -j ACCEPT'] }, [arrives], { meets: ['filter:INPUT:2'], dead: ['filter:INPUT:1'] }),
  pin('what was local is local no more behind DNAT', { nat: ['-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -j DNAT --to-destination 10.0.0.5'], filter: ['-A FORWARD -d 10.0.0.5 -m addrtype ! --dst-type LOCAL -j ACCEPT'] }, [arrives], { meets: ['nat:PREROUTING:1', 'filter:FORWARD:1'] }),
  pin('a connection is confirmed between OUTPUT and INPUT', { mangle: ['-A OUTPUT -m conntrack ! --ctstatus CONFIRMED -j MARK --set-mark 2'], filter: ['-A INPUT -m mark --mark 2 -m conntrack --ctstatus CONFIRMED -j ACCEPT'] }, [loops], { meets: ['mangle:OUTPUT:1', 'filter:INPUT:1'] }),
  pin('the second NEW packet is translated as the first one, whatever the rules say of it', { nat: ['-A PREROUTING -p udp -m length --length 100: -j DNAT --to-destination 10.0.0.5'], filter: ['-A INPUT -m conntrack --ctstate NEW -m length --length 100: -j ACCEPT'] }, [datagram(10), datagram(200)], { meets: ['filter:INPUT:1'], never: ['nat:PREROUTING:1'] }),
  pin('and the other way round', { nat: ['-A PREROUTING -p udp -m length --length 100: -j DNAT --to-destination 10.0.0.5'], filter: ['-A FORWARD -m conntrack --ctstate NEW -m length --length :50 -d 10.0.0.5 -j ACCEPT'] }, [datagram(200), datagram(10)], { meets: ['filter:FORWARD:1'] }),
  pin('a NEW packet that comes in elsewhere is translated as the first one', { nat: ['-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5'], filter: ['-A INPUT -i eth0 -d 192.0.2.1 -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT'] }, [{ ...arrives, in: 'eth1' }, arrives], { meets: ['filter:INPUT:1'] }),
  pin('one that DNAT asks only for what connections have in common is translated for certain', { nat: ['-A PREROUTING -d 192.0.2.1 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5'], filter: ['-A FORWARD -d 10.0.0.5 -m conntrack --ctstate NEW -j ACCEPT', '-A FORWARD -d 192.0.2.1 -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT'] }, [{ ...arrives, in: 'eth1' }, arrives], { meets: ['filter:FORWARD:1'], dead: ['filter:FORWARD:2'] }),
  pin('so is a ping', { nat: ['-A PREROUTING -d 192.0.2.1 -p icmp -m icmp --icmp-type 8 -j DNAT --to-destination 10.0.0.5'], filter: ['-A FORWARD -d 10.0.0.5 -m conntrack --ctstate NEW -j ACCEPT', '-A FORWARD -d 192.0.2.1 -p icmp -m icmp --icmp-type 8 -m conntrack --ctstate NEW -j ACCEPT'] }, [ping, ping], { meets: ['filter:FORWARD:1'], dead: ['filter:FORWARD:2'] }),
  pin('INVALID packets pass nat by', { nat: [':PREROUTING DROP [0:0]', '-A PREROUTING -p tcp --syn -j ACCEPT'], filter: ['-A INPUT -m conntrack --ctstate INVALID -j ACCEPT'] }, [{ in: 'eth0', packet: { ...arrives.packet, flags: 'SA' } }], { meets: ['filter:INPUT:1'] }),
  pin('FORWARD sees the TTL less one', { mangle: ['-A PREROUTING -m ttl --ttl-eq 64'], filter: ['-A FORWARD -m ttl --ttl-eq 64 -j DROP', '-A FORWARD -m ttl --ttl-eq 63 -j ACCEPT'] }, [{ in: 'eth1', packet: { ...crosses.packet, ttl: 64 } }], { meets: ['mangle:PREROUTING:1', 'filter:FORWARD:2'], never: ['filter:FORWARD:1'] }),
  pin('a chain that is called twice writes something else each time', { mangle: [':inc - [0:0]', '-A PREROUTING -j inc', '-A PREROUTING -m ttl --ttl-eq 11 -j MARK --set-mark 1', '-A PREROUTING -j inc', '-A PREROUTING -m mark --mark 1 -m ttl --ttl-eq 12 -j ACCEPT', '-A PREROUTING -m mark --mark 1 -m ttl --ttl-eq 12 -j DROP', '-A inc -j TTL --ttl-inc 1'] }, [{ in: 'eth1', packet: { ...crosses.packet, ttl: 10 } }], { meets: ['mangle:PREROUTING:2', 'mangle:PREROUTING:4'], dead: ['mangle:PREROUTING:5'] }),
  pin('and so does one that stands at two hooks', { mangle: [':inc - [0:0]', '-A PREROUTING -j inc', '-A PREROUTING -m ttl --ttl-eq 11 -j MARK --set-mark 1', '-A POSTROUTING -j inc', '-A POSTROUTING -m mark --mark 1 -m ttl --ttl-eq 12 -j ACCEPT', '-A POSTROUTING -m mark --mark 1 -m ttl --ttl-eq 12 -j DROP', '-A inc -j TTL --ttl-inc 2'] }, [{ in: 'eth1', packet: { ...crosses.packet, ttl: 9 } }], { meets: ['mangle:PREROUTING:2', 'mangle:POSTROUTING:2'], dead: ['mangle:POSTROUTING:3'] }),
  pin('what a chain was called for it may change', { mangle: [':one - [0:0]', '-A INPUT -m mark --mark 0x1/0x1 -j one', '-A PREROUTING -j MARK --set-xmark 0x1/0x1', '-A one -j MARK --set-xmark 0x0/0x1', '-A one -m mark ! --mark 0x1/0x1 -j RETURN'] }, [arrives], { meets: ['mangle:INPUT:1', 'mangle:one:2'] }),
  pin('what SET adds is in the set', { filter: ['-A INPUT -m set --match-set s src -j DROP', '-A INPUT -j SET --add-set s src', '-A INPUT -m set --match-set s src -j ACCEPT'] }, [arrives], { meets: ['filter:INPUT:3'], never: ['filter:INPUT:1'] }, { ipsets: 'create s hash:ip\n' }),
  ...(['legacy', 'nft'] as const).map(backend => pin(`security before nat or behind it: ${backend}`, { nat: ['-A INPUT -p tcp -j SNAT --to-source 192.0.2.77'], security: ['-A INPUT -s 192.0.2.77 -j ACCEPT', '-A INPUT -s 198.51.100.7 -j ACCEPT'] }, [arrives], backend === 'nft' ? { meets: ['security:INPUT:1'], never: ['security:INPUT:2'] } : { meets: ['security:INPUT:2'], never: ['security:INPUT:1'] }, { backend })),
];
