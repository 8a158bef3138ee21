/** Walks over graphs without recursion: a norm over thousands of leaves is a deep graph. */
import type { Scalar } from "../../Scalar.ts"

/** The scalars that a scalar is computed from. */
export const scalarsOf = ({ definition }: Scalar): ReadonlyArray<Scalar> =>
  definition._tag === "Apply" ? definition.args : []

/** Visits what is not done yet from a root on, arguments before what uses them; a visit must make its node done. */
export const postOrder = <A extends object>(
  root: A,
  argsOf: (node: A) => ReadonlyArray<A>,
  isDone: (node: A) => boolean,
  visit: (node: A) => void
): void => {
  const pending = [root]
  for (let node = pending.at(-1); node !== undefined; node = pending.at(-1)) {
    const missing = isDone(node) ? [] : argsOf(node).filter((arg) => !isDone(arg))
    if (missing.length > 0) {
      pending.push(...missing.toReversed())
      continue
    }
    pending.pop()
    if (!isDone(node)) visit(node)
  }
}
