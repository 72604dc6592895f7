/**
 * What the kernel does not do as expected each time that it is asked, three times at most: the first answer in which nothing is
 * amiss is taken. Real time passes while it works, and a machine with much to do lets more of it pass; a mistake of ours stays one.
 */
export async function persisting<T>(ask: () => Promise<readonly T[]>): Promise<readonly T[]> {
  let amiss = await ask();
  for (let more = 2; more > 0 && amiss.length > 0; more--) amiss = await ask();
  return amiss;
}
