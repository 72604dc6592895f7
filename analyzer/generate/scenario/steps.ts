/**
 * The packets of a scenario: conversations with mistakes in them, and strays. What comes out is a plain list of steps.
 */
import type { Host } from '../../netfilter/engine.js';
import type { ScenarioStep } from '../../netfilter/scenario.js';
import type { Arbitrary, Family, Fc } from '../../values/value.js';
import { flowsOf, moveOf, type Flow, type Move } from './flows.js';
import { Player } from './player.js';
import { switchesOf } from './settings.js';
import { pieces, strays } from './strays.js';

interface Turn {
  /** What is said next, or comes by. */
  readonly next: Move | ScenarioStep;
  readonly sysctls: Readonly<Record<string, number>> | undefined;
}

export interface Script {
  readonly flows: readonly Flow[];
  readonly turns: readonly Turn[];
}

/** Who talks to whom, and what is said in which order. */
export function scripts(fc: Fc, family: Family, maxLength: number): Arbitrary<Script> {
  return flowsOf(fc, family).chain(flows => {
    const talk = fc.oneof({ weight: 9, arbitrary: moveOf(fc, flows.length) }, { weight: 1, arbitrary: strays(fc, family) });
    const sysctls = fc.oneof({ weight: 30, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: switchesOf(fc, family) });
    const turns = (next: Arbitrary<Move | ScenarioStep>): Arbitrary<Turn[]> => fc.array(fc.record<Turn>({ next, sysctls }), { minLength: 1, maxLength, size: 'max' });
    return fc.oneof({ weight: 15, arbitrary: turns(talk) }, { weight: 1, arbitrary: turns(pieces(fc, family)) }).map(drawn => ({ flows, turns: drawn }));
  });
}

/** The steps that come of a script on this host, whose state they change. */
export function stepsOf({ flows, turns }: Script, host: Host): readonly ScenarioStep[] {
  const player = new Player(host, host.family, flows);
  return turns.map(({ next, sysctls }) => player.play('in' in next ? next : player.stepOf(next), sysctls));
}
