/**
 * Whether others may hold handles on a state's tensors.
 *
 * A donated update may leave its results under the very handles of the state that was given away, which takes 3 µs less
 * for each tensor than new ones. Whoever had kept such a handle would read other numbers than it showed, so that is done
 * only while a state has shown its tensors to nobody.
 */
import type { Tensor } from "@tensorflow/tfjs-core"

/** Where a state keeps whether somebody may hold its handles. */
export const isShown: unique symbol = Symbol.for("@optim/core/isShown")

/** Where a state keeps its tensors for those who hand them to nobody. */
export const ownLeaves: unique symbol = Symbol.for("@optim/core/ownLeaves")

/** Something that owns handles. */
export interface Shown {
  [isShown]: boolean
  readonly [ownLeaves]: ReadonlyArray<Tensor>
}

/** What was just made, and has been shown to nobody. */
export const unshown = <A extends Shown>(made: A): A => {
  made[isShown] = false
  return made
}
