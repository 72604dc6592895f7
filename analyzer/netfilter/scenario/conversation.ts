/** A whole conversation through a host: each packet is sent only if those before it arrived, and answers what the other side saw. */
import type { DetailedStep } from '../engine.js';
import { scriptOf, type Line } from './scripts.js';
import { arrived, Sides, type Opening } from './sides.js';
import type { ScenarioStep } from '../scenario.js';

/** One packet of a conversation, and what became of it. */
export interface Exchange {
  readonly line: Line;
  readonly step: ScenarioStep;
  readonly answer: DetailedStep;
}

/** How an exchange between two sides went. */
export interface Conversation {
  readonly exchanges: readonly Exchange[];
  /** All packets were sent, and each arrived where it should. */
  readonly isWhole: boolean;
  /** How it went, in a sentence. */
  readonly said: string;
}

/** Carries out a step on a host that remembers the steps before. */
export type Send = (step: ScenarioStep) => DetailedStep;

function place(index: number, count: number, { name, from }: Line): string {
  return `packet ${String(index + 1)} of ${String(count)}, the ${from}'s ${name}`;
}

function lostText({ verdict, by }: DetailedStep): string {
  const how = verdict === 'drop' ? 'it is dropped' : verdict.startsWith('reject') ? `it is rejected (${verdict.slice('reject '.length).replace(/^\(|\)$/gu, '')})` : `its verdict is "${verdict}"`;
  return by === null ? how : `${how} by ${by.replace(/^(\w+):(\w+):policy$/u, 'the policy of $1 $2')}`;
}

/**
 * Plays the conversation that `opening` begins: of TCP a handshake, data both ways and a close; of UDP a query and its answer; a
 * ping. Settings of the opening (`ttl`, `mark` …) hold for all packets of the client; `advance` for the first.
 * @throws {ScenarioError} where its packets cannot be
 */
export function converse(send: Send, opening: Opening): Conversation {
  const script = scriptOf(opening.packet.proto);
  const sides = new Sides(opening);
  const exchanges: Exchange[] = [];
  for (const [index, line] of script.entries()) {
    const step = index === 0 && opening.advance !== undefined ? { ...sides.step(line), advance: opening.advance } : sides.step(line);
    const answer = send(step);
    exchanges.push({ line, step, answer });
    const came = arrived(step, answer);
    const wrong = came === undefined ? lostText(answer) : sides.note(line, came);
    if (wrong !== undefined) return { exchanges, isWhole: false, said: `the conversation breaks at ${place(index, script.length, line)}: ${wrong}` };
  }
  return { exchanges, isWhole: true, said: `the conversation is whole: all ${String(script.length)} packets arrived` };
}
