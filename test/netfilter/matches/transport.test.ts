/** Matches that read transport headers; each answer was seen in a kernel's counters (Linux 6.18). */
import test from 'ava';
import type { Packet } from '../../../analyzer/packet/packet.js';
import { fakeWorld } from '../fake-world.js';
import { ruleOf } from '../compiled.js';
import { ipv4, ipv6, tcp } from './hex.js';

const legacy = { world: fakeWorld('ipv4', 'legacy') };
const nft = { world: fakeWorld('ipv4', 'nft') };
const nft6 = { world: fakeWorld('ipv6', 'nft') };
const legacy6 = { world: fakeWorld('ipv6', 'legacy') };

const cutTo = (length: number): Packet => ipv4(6, tcp().replace(/\s/gu, '').slice(0, 2 * length));

test('a TCP header that is cut short is dropped by x_tables, and by nftables just not matched', t => {
  t.is(ruleOf('-p tcp --dport 80', legacy)(cutTo(19)), 'hotdrop');
  t.is(ruleOf('-p tcp --dport 81', legacy)(cutTo(19)), 'hotdrop');
  t.is(ruleOf('-p tcp --dport 80', nft)(cutTo(4)), 'match');
  t.is(ruleOf('-p tcp --dport 80', nft)(cutTo(3)), 'no match');
  t.is(ruleOf('-p tcp ! --dport 80', nft)(cutTo(3)), 'no match');
  t.is(ruleOf('-p tcp --syn', nft)(cutTo(14)), 'match');
  t.is(ruleOf('-p tcp --syn', nft)(cutTo(13)), 'no match');
});

test('what iptables-nft leaves to the kernel\'s match drops a header that is cut short as well', t => {
  t.is(ruleOf('-p tcp --tcp-option 9', nft)(cutTo(19)), 'hotdrop');
  t.is(ruleOf('-p tcp -m multiport --dports 80', nft)(cutTo(4)), 'match');
  t.is(ruleOf('-p tcp -m multiport --dports 80', nft)(cutTo(3)), 'hotdrop');
});

test('a later fragment has no ports in x_tables; in nftables it has those of its payload', t => {
  const fragment = ipv4(6, tcp(), 2);
  t.is(ruleOf('-p tcp --dport 80', legacy)(fragment), 'no match');
  t.is(ruleOf('-p tcp --dport 80', nft)(fragment), 'match');
  t.is(ruleOf('-p tcp -m multiport --dports 80', nft)(fragment), 'no match');
});

test('in IPv6 nftables takes the flow label of a later fragment for its ports', t => {
  const fragment = ipv6(44, `06 00 0008 00000007 ${tcp()}`);
  t.is(ruleOf('-p tcp --dport 80', nft6)(fragment), 'no match');
  t.is(ruleOf('-p tcp --dport 9029', nft6)(fragment), 'match');
  t.is(ruleOf('-p tcp --dport 9029', legacy6)(fragment), 'no match');
});

test('a TCP fragment at offset 8 is dropped in IPv4 by the kernel\'s match', t => {
  t.is(ruleOf('-p tcp --dport 80', legacy)(ipv4(6, tcp(), 1)), 'hotdrop');
  t.is(ruleOf('-p tcp --tcp-option 9', nft)(ipv4(6, tcp(), 1)), 'hotdrop');
  t.is(ruleOf('-p tcp --dport 80', legacy6)(ipv6(44, `06 00 0008 00000007 ${tcp()}`)), 'no match');
});

test('`! --sport A ! --dport B` is one comparison in nftables, and two in x_tables', t => {
  const rule = '-p tcp ! --sport 1000 ! --dport 81';
  t.is(ruleOf(rule, legacy)(ipv4(6, tcp())), 'no match');
  t.is(ruleOf(rule, nft)(ipv4(6, tcp())), 'match');
});

test('TCP options are walked as the kernel does', t => {
  const option = (kind: number, options: string): string => ruleOf(`-p tcp --tcp-option ${String(kind)}`, legacy)(ipv4(6, tcp(options)));
  t.is(option(2, '01 020405b4 000000'), 'match');
  t.is(option(8, '020405b4'), 'no match');
  // What looks like an option inside another one is none, and the end of the list is not the end.
  t.is(option(5, '03 03 05 00'), 'no match');
  t.is(option(5, '00 00 00 05'), 'match');
  // The header says that it has options which are not there.
  t.is(ruleOf('-p tcp --tcp-option 2', legacy)(ipv4(6, tcp().replace('00000000 50', '00000000 60'))), 'hotdrop');
});

test('an MSS is found where the option has its right length, and one that is missing counts as outside', t => {
  const mss = (rule: string, options: string): string => ruleOf(`-p tcp -m tcpmss ${rule}`, legacy)(ipv4(6, tcp(options)));
  t.is(mss('--mss 1400:1500', '020405b4'), 'match');
  t.is(mss('! --mss 1400:1500', '020405b4'), 'no match');
  t.is(mss('! --mss 1400:1500', ''), 'match');
  t.is(mss('--mss 1400:1500', '02 03 09 02 04 05b4 00'), 'match');
  t.is(ruleOf('-p tcp -m tcpmss --mss 1400', legacy)(cutTo(19)), 'hotdrop');
});

test('ICMP types: `any` is every type, and 8 bytes of header are needed', t => {
  t.is(ruleOf('-p icmp --icmp-type any', legacy)(ipv4(1, '0800 0000 00000000')), 'match');
  t.is(ruleOf('-p icmp ! --icmp-type any', legacy)(ipv4(1, '0800 0000 00000000')), 'no match');
  t.is(ruleOf('-p icmp --icmp-type 8', legacy)(ipv4(1, '0800 0000 000000')), 'hotdrop');
  t.is(ruleOf('-p icmp --icmp-type 3/1', legacy)(ipv4(1, '0301 0000 00000000')), 'match');
});

test('SCTP chunks: all, any and only, with flags', t => {
  const header = '03e8 0050 00000007 00000000';
  const chunks = (rule: string, list: string): string => ruleOf(`-p sctp --chunk-types ${rule}`, legacy)(ipv4(132, `${header} ${list}`));
  const data = '00 03 0004', init = '01 00 0004';
  t.is(chunks('any DATA', init + data), 'match');
  t.is(chunks('all DATA,INIT', init), 'no match');
  t.is(chunks('all DATA,INIT', init + data), 'match');
  t.is(chunks('only DATA', init + data), 'no match');
  t.is(chunks('only DATA:BE', data), 'match');
  t.is(chunks('only DATA:Be', data), 'no match');
  t.is(chunks('only ALL', data), 'match');
  t.is(chunks('all ALL', data), 'no match');
  // Flags of newer chunk types are not looked at.
  t.is(chunks('any I_DATA:B', '40 00 0004'), 'match');
  t.is(chunks('any DATA', ''), 'hotdrop');
  t.is(chunks('any INIT', '00 00 0000'), 'hotdrop');
});

test('DCCP: types, and options behind a header whose length hangs on the type', t => {
  const dccp = (rule: string, offset: string, type: string, rest: string): string => ruleOf(`-p dccp ${rule}`, legacy)(ipv4(33, `03e8 0050 ${offset} 00 0000 ${type} 000000 ${rest}`));
  t.is(dccp('--dccp-types DATA', '03', '04', ''), 'match');
  t.is(dccp('--dccp-types INVALID', '03', '1e', ''), 'match');
  t.is(dccp('--dccp-option 32', '05', '00', '00000000 20040102'), 'match');
  t.is(dccp('--dccp-option 32', '04', '04', '20040102'), 'match');
  t.is(dccp('--dccp-option 32', '03', '00', '00000000'), 'hotdrop');
});

test('a mobility header that something follows is dropped', t => {
  const rule = ruleOf('-p mh --mh-type 1:3', legacy6);
  t.is(rule(ipv6(135, '3b 00 03 00 0000')), 'match');
  t.is(rule(ipv6(135, '3b 00 05 00 0000')), 'no match');
  t.is(rule(ipv6(135, '06 00 03 00 0000')), 'hotdrop');
});
