/** Matches on extension headers of IPv6; each answer was seen in a kernel's counters (Linux 6.18). */
import test from 'ava';
import { ruleOf } from '../compiled.js';
import { fakeWorld } from '../fake-world.js';
import { ipv6, tcp } from './hex.js';

const world = fakeWorld('ipv6', 'legacy');
const address = (last: number): string => `20010db80000000000000000000000${last.toString(16).padStart(2, '0')}`;
const ask = (rule: string, next: number, payload: string): string => ruleOf(rule, { world })(ipv6(next, payload));

test('options of a hop-by-hop header are compared from its start', t => {
  const header = `06 00 0502000001 00 ${tcp()}`;
  t.is(ask('-m hbh', 0, header), 'match');
  t.is(ask('-m dst', 0, header), 'no match');
  t.is(ask('-m hbh --hbh-opts 5:2,1:0', 0, header), 'match');
  t.is(ask('-m hbh --hbh-opts 5,0', 0, header), 'no match');
  t.is(ask('-m hbh --hbh-opts 5,1,1', 0, header), 'no match');
  t.is(ask('-m hbh ! --hbh-len 8', 0, header), 'no match');
});

test('a header that reaches beyond its packet is dropped, except by srh, which does not match', t => {
  t.is(ask('-m dst', 60, '3b 04 0102 00000000'), 'hotdrop');
  t.is(ask('-m rt', 43, '3b 02 0400 00000000'), 'hotdrop');
  t.is(ask('-m ah', 51, '3b 04 0000 000001f4 00000000'), 'hotdrop');
  t.is(ask('-m frag', 44, '3b 00 0000'), 'hotdrop');
  t.is(ask('-m srh', 43, '3b 02 0400 00000000'), 'no match');
  t.is(ask('-m frag', 60, '3b'), 'hotdrop');
});

test('routing headers: addresses strictly are all of them, else some in this order', t => {
  const header = `3b 04 00 01 00000000 ${address(1)} ${address(2)}`;
  t.is(ask('-m rt --rt-type 0 --rt-0-res --rt-0-addrs 2001:db8::1,2001:db8::2', 43, header), 'match');
  t.is(ask('-m rt --rt-type 0 --rt-0-addrs 2001:db8::2', 43, header), 'no match');
  t.is(ask('-m rt --rt-type 0 --rt-0-addrs 2001:db8::2 --rt-0-not-strict', 43, header), 'match');
  t.is(ask('-m rt --rt-type 0 --rt-0-addrs 2001:db8::2,2001:db8::1 --rt-0-not-strict', 43, header), 'no match');
  t.is(ask('-m rt ! --rt-segsleft 1:2', 43, header), 'no match');
  t.is(ask('-m rt --rt-len 40', 43, header), 'match');
});

test('segment routing: neighbours of the present segment, and a tag whose bytes are read in the wrong order', t => {
  const header = `3b 06 04 01 02 00 0001 ${address(1)} ${address(2)} ${address(3)}`;
  t.is(ask('-m srh --srh-segs-left-eq 1 --srh-last-entry-gt 1', 43, header), 'match');
  t.is(ask('-m srh --srh-nsid 2001:db8::1', 43, header), 'match');
  t.is(ask('-m srh --srh-psid 2001:db8::3', 43, header), 'match');
  t.is(ask('-m srh ! --srh-lsid 2001:db8::1', 43, header), 'no match');
  t.is(ask('-m srh --srh-tag 1', 43, header), 'no match');
  t.is(ask('-m srh --srh-tag 256', 43, header), 'match');
  // At the first segment there is none before it, and the negation does not match either.
  t.is(ask('-m srh ! --srh-psid 2001:db8::9', 43, header.replace('04 01', '04 02')), 'no match');
});

test('fragments: the header of a later one is found, what follows it is not', t => {
  const later = `3c 00 0009 00000007 3b 00 01 04 00000000`;
  t.is(ask('-m frag --fragid 7 --fragmore --fragres', 44, later), 'match');
  t.is(ask('-m frag --fragfirst', 44, later), 'no match');
  t.is(ask('-m dst', 44, later), 'no match');
});

test('ipv6header lists the headers; with --soft and `!` none of them may be there', t => {
  const headers = `2b 00 0104 00000000 06 00 0000 00000000 ${tcp()}`;
  t.is(ask('-m ipv6header --header hop,route,prot', 0, headers), 'match');
  t.is(ask('-m ipv6header --header hop,route', 0, headers), 'no match');
  t.is(ask('-m ipv6header --header hop --soft', 0, headers), 'match');
  t.is(ask('-m ipv6header ! --header hop,frag --soft', 0, headers), 'no match');
  t.is(ask('-m ipv6header ! --header frag,esp --soft', 0, headers), 'match');
  t.is(ask('-m ipv6header --header none', 59, ''), 'match');
  t.is(ask('-m ipv6header ! --header none', 60, '3b'), 'no match');
});
