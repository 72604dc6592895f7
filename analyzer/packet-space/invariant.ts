/** We are wrong, not the user's file: a proof that contradicts itself must never become a finding. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}
