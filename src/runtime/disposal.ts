/** Something that holds device memory, or the device itself. */
export interface Disposable {
  dispose(): Promise<void>;
}

/** Disposes of an owner that may have failed: it may refuse this too, but the first failure is the one to report. */
export async function disposeQuietly(owner: Disposable, tell: (error: unknown) => void = () => undefined): Promise<void> {
  try {
    await owner.dispose();
  } catch (error) {
    tell(error);
  }
}

/** Disposes of each, even if another one throws; the first failure is thrown when all are done. */
export async function disposeAll(owners: Iterable<Disposable>): Promise<void> {
  const failures: unknown[] = [];
  for (const owner of owners) await disposeQuietly(owner, (error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** Disposes of the owner if the work fails, because another device may need the memory. */
export async function disposedOnFailure<Result>(owner: Disposable, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await disposeQuietly(owner);
    throw error;
  }
}
