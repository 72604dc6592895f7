/** A scenario that asks for what cannot be: a mistake of its author, said in one sentence. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}
