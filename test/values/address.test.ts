/** Addresses, against another implementation and against the laws of masks. */
import test from 'ava';
import * as fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { maskAddress, parseAddress, parseMask, prefixLength, prefixMask, printAddress } from '../../analyzer/values/address.js';
import { parseAddressMask, printAddressMask } from '../../analyzer/values/address-mask.js';
import { Problem } from '../../analyzer/values/value.js';

const ipv6Text = fc.bigInt(0n, (1n << 128n) - 1n).chain(value => {
  const words = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  return fc.constantFrom(words.join(':'), words.map(word => word.padStart(4, '0').toUpperCase()).join(':'), ipaddr.fromByteArray(words.flatMap(word => [parseInt(word, 16) >> 8, parseInt(word, 16) & 255])).toString());
});

test('an IPv6 address is read as by another library, and printed so that it is read back', t => {
  fc.assert(fc.property(fc.oneof(ipv6Text, fc.ipV6()), text => {
    const address = parseAddress(text, 'ipv6');
    // The other library takes ::192.0.2.1 for ::ffff:192.0.2.1, which inet_pton does not.
    if (typeof address !== 'bigint' || /^::\d+\./u.test(text)) return fc.pre(false);
    const theirs = ipaddr.parse(text).toByteArray().reduce((all, byte) => (all << 8n) | BigInt(byte), 0n);
    t.is(address, theirs);
    t.is(parseAddress(printAddress(address), 'ipv6'), address);
    return true;
  }), { seed: 1, numRuns: 2000 });
});

test('IPv6 is printed as inet_ntop prints it', t => {
  for (const [text, printed] of [
    ['0:0:0:0:0:0:0:0', '::'], ['::1', '::1'], ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'], ['1:0:2:0:3:0:4:0', '1:0:2:0:3:0:4:0'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'], ['::10.0.0.1', '::10.0.0.1'], ['fe80::', 'fe80::'],
  ] as const) t.is(printAddress(parseAddress(text, 'ipv6') as bigint), printed);
});

test('IPv4 is read as iptables reads it: fewer bytes, other bases, one number', t => {
  const read = (text: string): string => {
    const address = parseAddress(text, 'ipv4');
    return typeof address === 'number' ? printAddress(address) : 'refused';
  };
  t.deepEqual(['192.0.2.1', '10', '10.1', '0x7f.1', '010.0.0.1', '3232235777', '256.0.0.1', '1.2.3.4.5', '::1'].map(read),
    ['192.0.2.1', '10.0.0.0', '10.1.0.0', '127.1.0.0', '8.0.0.1', '192.168.1.1', 'refused', 'refused', 'refused']);
});

test('a prefix length and its mask are the same', t => {
  for (const [family, bits] of [['ipv4', 32], ['ipv6', 128]] as const) for (let length = 0; length <= bits; length++) {
    const mask = prefixMask(length, family);
    t.is(prefixLength(mask), length);
    t.is(parseMask(String(length), family), mask);
    t.is(parseMask(printAddress(mask), family), mask);
  }
  t.is(prefixLength(0xff00_ff00), undefined);
});

test('what lies outside the mask is dropped, and noted', t => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0, max: 32 }), (address, length) => {
    const value = parseAddressMask(`${printAddress(address)}/${String(length)}`, 'ipv4');
    if (value instanceof Problem) return t.fail(value.message);
    const network = maskAddress(address, prefixMask(length, 'ipv4'));
    t.deepEqual([value.address, value.hostBits], [network, network !== address]);
    t.is(printAddressMask(value), `${printAddress(network)}/${String(length)}`);
    return undefined;
  }), { seed: 2, numRuns: 500 });
});

test('with a mask of zero the name is not looked at', t => {
  const value = parseAddressMask('no-such-host.example/0', 'ipv4');
  t.false(value instanceof Problem);
});
