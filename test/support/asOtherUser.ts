/**
 * Does the work as a user who cannot access files of mode 000. Root, who runs the tests in containers, may read everything; any
 * other user who runs the tests is such a user already.
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
