/** Rules as people could write them: any legal rule can come out, in any accepted spelling. */
import type { AnyExtension, AnyOption, Hook, Options, TableName } from '../extensions/define.js';
import { allMatches, allTargets } from '../extensions/registry.js';
import { protocolNumber, type ProtocolName } from '../packet/protocols.js';
import { addressMaskList } from '../values/address-mask.js';
import { interfaceName } from '../values/interface-name.js';
import type { Arbitrary, Backend, Family, Fc, ValueContext } from '../values/value.js';

/** Where a rule is to stand. */
export interface GeneratePlace {
  readonly family: Family;
  readonly backend: Backend;
  readonly table: TableName;
  readonly chain: Hook;
}

const noInput = new Set<Hook>(['OUTPUT', 'POSTROUTING']);
const noOutput = new Set<Hook>(['PREROUTING', 'INPUT']);

/** The extensions of this name. */
function named(family: Family, name: string): readonly AnyExtension[] {
  return [...allMatches(family), ...allTargets(family)].filter(definition => definition.name === name);
}

/** Whether a rule with the wanted extension could stand here at all, with the right protocol. */
export function isUsefulPlace(place: GeneratePlace, filter: GenerateFilter): boolean {
  return filter.only === undefined || named(place.family, filter.only).some(definition => isLegalHere(definition, place, definition.protocols?.[0]));
}

function isLegalHere(definition: AnyExtension, place: GeneratePlace, protocol: ProtocolName | undefined): boolean {
  if (definition.retired !== undefined || definition.needsOnMachine !== undefined) return false;
  if (definition.backends?.includes(place.backend) === false) return false;
  if (definition.tables?.includes(place.table) === false) return false;
  if (typeof definition.hooks === 'object' && !definition.hooks.includes(place.chain)) return false;
  return definition.protocols === undefined || (protocol !== undefined && definition.protocols.includes(protocol));
}

/** A set of option keys that may stand together: required and needed ones added, excluded ones dropped. */
export function compatibleKeys(options: Options, drawn: readonly string[]): string[] {
  const chosen = new Set<string>();
  const add = (key: string): void => {
    const option = options[key];
    if (option === undefined || chosen.has(key)) return;
    for (const one of chosen) if (option.excludes.includes(one) || options[one]?.excludes.includes(key) === true) return;
    chosen.add(key);
    for (const needed of option.needs) add(needed);
  };
  for (const [key, option] of Object.entries(options)) if (option.required) add(key);
  for (const key of drawn) add(key);
  return [...chosen];
}

function optionWords(fc: Fc, option: AnyOption, cx: ValueContext): Arbitrary<readonly string[]> {
  const negated = option.negatable ? fc.constantFrom(false, false, true) : fc.constant(false);
  return fc.tuple(negated, fc.constantFrom(...option.names), option.value.arbitrary(fc, cx))
    .map(([bang, name, words]) => [...bang ? ['!'] : [], name, ...words]);
}

/** The words behind `-m NAME` or `-j NAME`. */
export function extensionWords(fc: Fc, definition: AnyExtension, cx: ValueContext): Arbitrary<readonly string[]> {
  if (definition.arbitrary !== undefined) return definition.arbitrary(fc, cx);
  const options = definition.options as Options;
  const keys = Object.keys(options);
  if (keys.length === 0) return fc.constant([]);
  return fc.shuffledSubarray(keys, { minLength: 1 }).chain(drawn =>
    fc.tuple(...compatibleKeys(options, drawn).map(key => optionWords(fc, options[key] as AnyOption, cx))).map(parts => parts.flat()));
}

function protocolOf(fc: Fc, family: Family, filter: GenerateFilter): Arbitrary<ProtocolName | undefined> {
  const needed = filter.only === undefined ? [] : named(family, filter.only).flatMap(definition => definition.protocols ?? []);
  if (needed.length > 0) return fc.constantFrom(...needed);
  const common: (ProtocolName | undefined)[] = [undefined, 'tcp', 'tcp', 'udp', family === 'ipv4' ? 'icmp' : 'icmpv6'];
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...common) }, { weight: 1, arbitrary: fc.constantFrom(...Object.keys(protocolNumber) as ProtocolName[]) });
}

/** Words of a criterion such as `-s`, sometimes negated, sometimes absent. */
function criterion(fc: Fc, names: readonly string[], value: Arbitrary<readonly string[]>): Arbitrary<readonly string[]> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom(false, false, false, true), fc.constantFrom(...names), value).map(([bang, name, words]) => [...bang && !words.join('').includes(',') ? ['!'] : [], name, ...words]) },
  );
}

/** Restricts generation to one extension, for work on it. */
export interface GenerateFilter {
  readonly only?: string | undefined;
}

/** The words of a rule for `place`, without `-A CHAIN`. */
export function ruleWords(fc: Fc, place: GeneratePlace, filter: GenerateFilter = {}): Arbitrary<readonly string[]> {
  const wanted = (definition: AnyExtension): boolean => filter.only === undefined || filter.only === definition.name;
  return protocolOf(fc, place.family, filter).chain(protocol => {
    const number = protocol === undefined ? undefined : { number: protocolNumber[protocol], negated: false };
    const cx: ValueContext = { family: place.family, backend: place.backend, protocol: number };
    const legalMatches = allMatches(place.family).filter(one => wanted(one) && isLegalHere(one, place, protocol));
    const legalTargets = allTargets(place.family).filter(one => (wanted(one) || filter.only === undefined) && isLegalHere(one, place, protocol) && !(one.name === 'DROP' && place.table === 'nat'));
    const oneMatch = legalMatches.length === 0 ? fc.constant<readonly string[]>([])
      : fc.constantFrom(...legalMatches).chain(one => extensionWords(fc, one, cx).map(words => ['-m', one.name, ...words]));
    // Never the same one twice: iptables-nft joins two `-m tcp` into one.
    const severalMatches = fc.shuffledSubarray(legalMatches, { maxLength: Math.min(3, legalMatches.length) })
      .chain(list => fc.tuple(...list.map(one => extensionWords(fc, one, cx).map(words => ['-m', one.name, ...words])))).map(parts => parts.flat());
    const target = legalTargets.length === 0 ? fc.constant<readonly string[]>([])
      : fc.constantFrom(...legalTargets).chain(one => extensionWords(fc, one, cx).map(words => ['-j', one.name, ...words]));
    const protocolWords = protocol === undefined ? fc.constant<readonly string[]>([])
      : fc.constantFrom('-p', '--protocol').map(name => [name, protocol === 'ipv6' || protocol === 'icmpv6' ? String(protocolNumber[protocol]) : protocol]);
    return fc.tuple(
      criterion(fc, ['-s', '--source', '--src'], addressMaskList.arbitrary(fc, cx)),
      criterion(fc, ['-d', '--destination', '--dst'], addressMaskList.arbitrary(fc, cx)),
      noInput.has(place.chain) ? fc.constant([]) : criterion(fc, ['-i', '--in-interface'], interfaceName.arbitrary(fc, cx)),
      noOutput.has(place.chain) ? fc.constant([]) : criterion(fc, ['-o', '--out-interface'], interfaceName.arbitrary(fc, cx)),
      protocolWords,
      filter.only === undefined ? severalMatches : oneMatch,
      target,
    ).map(parts => parts.flat());
  });
}
