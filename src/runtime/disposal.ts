/** What holds memory of a device, or the device itself. */
export interface Disposable {
  dispose(): Promise<void>;
}

/** Of what may have failed: it may refuse this too, and the failure is the one to tell. */
export async function disposeQuietly(owner: Disposable, tell: (error: unknown) => void = () => undefined): Promise<void> {
  try {
    await owner.dispose();
  } catch (error) {
    tell(error);
  }
}

/** Each of them, whatever another one throws; the first failure is told when all are done. */
export async function disposeAll(owners: Iterable<Disposable>): Promise<void> {
  const failures: unknown[] = [];
  for (const owner of owners) await disposeQuietly(owner, (error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** The owner goes with work that fails: another device may need the room. */
export async function disposedOnFailure<Result>(owner: Disposable, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await disposeQuietly(owner);
    throw error;
  }
}
