/**
 * Does the work as a user to whom what has mode 000 is closed: root, as whom tests run in containers, may read everything.
 * Whoever else runs the tests is such a user already.
 */
export function asOtherUser<Result>(work: () => Result): Result {
  if (process.geteuid?.() !== 0) return work();
  const nobody = 65534;
  process.seteuid!(nobody);
  try {
    return work();
  } finally {
    process.seteuid!(0);
  }
}
