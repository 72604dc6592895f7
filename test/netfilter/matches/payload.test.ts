/** Matches that look at any bytes of a packet; each answer was seen in a kernel's counters (Linux 6.18). */
import test from 'ava';
import { ruleOf } from '../compiled.js';
import { ipv4, tcp } from './hex.js';

/** 20 bytes of IP header, 20 of TCP and `GET /Abc`. */
const packet = ipv4(6, `${tcp()} 474554202f416263`);
const answer = (rule: string): string => ruleOf(rule)(packet);

test('u32 follows header lengths, and fails beyond the packet even where every number would do', t => {
  t.is(answer('-m u32 --u32 "0>>22&0x3C@0&0xffff=80"'), 'match');
  t.is(answer('-m u32 --u32 "0>>22&0x3C@12>>26&0x3C@0=0x47455420"'), 'match');
  t.is(answer('-m u32 --u32 "44=0:0xffffffff"'), 'match');
  t.is(answer('-m u32 --u32 "45=0:0xffffffff"'), 'no match');
  t.is(answer('-m u32 ! --u32 "45=0:0xffffffff"'), 'match');
  t.is(answer('-m u32 --u32 "0@0xfffffff0=0:0xffffffff"'), 'no match');
  t.is(answer('-m u32 --u32 "6&0xFF=1,5:6&&8>>24=64"'), 'match');
});

test('a string must lie whole between --from and --to, which count from the IP header', t => {
  t.is(answer('-m string --string GET --algo bm --from 40 --to 43'), 'match');
  t.is(answer('-m string --string GET --algo kmp --from 40 --to 42'), 'no match');
  t.is(answer('-m string --string GET --algo bm --from 41'), 'no match');
  t.is(answer('-m string --hex-string "|c0000201|" --algo bm --to 20'), 'match');
  t.is(answer('-m string ! --string PUT --algo bm'), 'match');
});

test('--icase folds letters as the kernel knows them: those of Latin-1', t => {
  t.is(answer('-m string --string aBC --algo kmp'), 'no match');
  t.is(answer('-m string --string aBC --algo kmp --icase'), 'match');
  const accented = ruleOf('-m string --hex-string "|e9|" --algo kmp --icase');
  t.is(accented(ipv4(17, '03e80050 00080000 c9')), 'match');
});

test('a BPF program reads from the IP header on, and from beyond the packet it answers no', t => {
  t.is(answer('-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"'), 'match');
  t.is(answer('-m bpf --bytecode "5,177 0 0 0,72 0 0 2,21 0 1 80,6 0 0 1,6 0 0 0"'), 'match');
  t.is(answer('-m bpf --bytecode "2,32 0 0 45,6 0 0 1"'), 'no match');
  t.is(answer('-m bpf --bytecode "2,32 0 0 44,6 0 0 1"'), 'match');
  // skb->protocol, skb->len, and a division by X, which is 0.
  t.is(answer('-m bpf --bytecode "4,40 0 0 4294963200,21 0 1 2048,6 0 0 1,6 0 0 0"'), 'match');
  t.is(answer('-m bpf --bytecode "4,128 0 0 0,21 0 1 48,6 0 0 1,6 0 0 0"'), 'match');
  t.is(answer('-m bpf --bytecode "3,0 0 0 5,60 0 0 0,6 0 0 1"'), 'no match');
  // The same byte, counted from SKF_NET_OFF.
  t.is(answer('-m bpf --bytecode "4,48 0 0 4293918729,21 0 1 6,6 0 0 1,6 0 0 0"'), 'match');
});
