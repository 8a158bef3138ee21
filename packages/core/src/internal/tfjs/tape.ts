/**
 * The tape on which tfjs records a loss, where it does not clean up after a failure.
 *
 * tfjs 4.22 disposes what it saved for the way back when the way back is done, and not otherwise. None of this is
 * documented; the tests refuse every allocation of a loss in turn, and count.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"

/** After a failure tfjs leaves its tape behind, with the tensors that it saved for the way back. */
export const discardTape = (): void => {
  const { state } = tf.engine()
  if (state.gradientDepth > 0 || state.activeTape === undefined || state.activeTape === null) return
  for (const node of state.activeTape) for (const saved of node.saved ?? []) saved.dispose()
  Reflect.deleteProperty(state, "activeTape")
}

type Save = (this: unknown, tensors: ReadonlyArray<Tensor>) => ReadonlyArray<Tensor>

// A method of tfjs' engine that its types keep to themselves.
const isSave = (method: unknown): method is Save => typeof method === "function"

/** Runs with an engine that saves tensors for the way back all or none; its own forgets some if there is no room. */
export const savingAll = <A>(run: () => A): A => {
  const engine = tf.engine()
  const save: unknown = Reflect.get(engine, "saveTensorsForBackwardMode")
  if (!isSave(save)) return run()
  const saveAll: Save = (tensors) => {
    const saved: Array<Tensor> = []
    try {
      for (const tensor of tensors) saved.push(...save.call(engine, [tensor]))
      return saved
    } catch (error) {
      for (const tensor of saved) tensor.dispose()
      throw error
    }
  }
  Object.assign(engine, { saveTensorsForBackwardMode: saveAll })
  try {
    return run()
  } finally {
    Object.assign(engine, { saveTensorsForBackwardMode: save })
  }
}
