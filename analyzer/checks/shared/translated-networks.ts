/** The private networks whose people nat translates on their way out, and where they are. */
import { isUnresolved, type Rule, type Ruleset } from '../../model/ruleset.js';
import { addressConstraint } from '../../packet-space/rule-constraint.js';
import { isPrivate } from '../../packet/address-blocks.js';
import type { Constraint, Range } from '../../packet/constraint.js';
import { printAddressMask, type AddressMask } from '../../values/address-mask.js';
import type { InterfaceName } from '../../values/interface-name.js';
import { rangesOf } from './asked.js';
import { effectOf } from './targets.js';
import { wholeRules } from './whole-rules.js';

export interface TranslatedNetwork {
  readonly people: readonly Range[];
  /** The interface behind which they are, where a rule says so: `-s 172.17.0.0/16 ! -o docker0`. */
  readonly behind: InterfaceName | undefined;
}

function sourceOf({ source, destination }: Rule): AddressMask | undefined {
  if (source === undefined || source.negated || isUnresolved(source.value) || !isPrivate(source.value.address)) return undefined;
  const isInner = destination !== undefined && !destination.negated && (isUnresolved(destination.value) || isPrivate(destination.value.address));
  return isInner ? undefined : source.value;
}

/** By its text, the private network whose people a rule translates, wherever they go. */
export function networkOf(rule: Rule): string | undefined {
  const source = sourceOf(rule);
  return source === undefined ? undefined : printAddressMask(source);
}

const known = new WeakMap<Ruleset, readonly TranslatedNetwork[]>();

/** The networks for which rules of nat are, with what leads to these. */
export function translatedNetworks(ruleset: Ruleset): readonly TranslatedNetwork[] {
  let found = known.get(ruleset);
  if (found === undefined) known.set(ruleset, found = [...findNetworks(ruleset)]);
  return found;
}

function* findNetworks({ tables, family }: Ruleset): Generator<TranslatedNetwork, void> {
  const nat = tables.get('nat');
  for (const rule of nat === undefined ? [] : wholeRules(nat)) {
    const source = effectOf(rule) === 'nat' ? sourceOf(rule) : undefined;
    const people = source === undefined ? undefined : rangesOf(addressConstraint('src', source, family), 'src');
    if (people !== undefined) yield { people, behind: rule.outInterface?.negated === true ? rule.outInterface.value : undefined };
  }
}

/** Is of these people. */
export function ofNetwork({ people }: TranslatedNetwork): Constraint {
  return { kind: 'within', field: 'src', ranges: people };
}

/** Comes by the interfaces behind which these people are. */
export function fromBehind({ behind }: TranslatedNetwork): readonly Constraint[] {
  return behind === undefined ? [] : [{ kind: 'interface', field: 'in', ...behind }];
}
