/**
 * One tfjs backend among several: brought up once, made current only while we compute.
 *
 * tfjs keeps its current backend in a global. A layer must not depend on it nor change it for others, so every
 * computation runs between a switch and a switch back; with both backends up, tfjs switches synchronously.
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { BackendUnavailable } from "../../OptimError.ts"

/** Runs `compute` with the backend as tfjs' current one. */
export const onBackend = <A>(name: string, compute: () => A): A => {
  const engine = tf.engine()
  const previous = engine.backendName
  if (previous === name) return compute()
  void engine.setBackend(name)
  try {
    return compute()
  } finally {
    if (previous !== undefined && previous !== null) void engine.setBackend(previous)
  }
}

const unavailable = (backend: string, cause: unknown): BackendUnavailable =>
  new BackendUnavailable({ backend, reason: cause instanceof Error ? cause.message : String(cause), cause })

/** Waits until the backend is up; the current backend stays what it was, if there was one. */
export const bringUp = Effect.fn("Tensors.bringUp")(function* (
  name: string
): Effect.fn.Return<void, BackendUnavailable> {
  const engine = tf.engine()
  const previous: string | undefined = engine.backendName
  const up = yield* Effect.tryPromise({
    try: () => engine.setBackend(name),
    catch: (cause) => unavailable(name, cause)
  })
  if (previous !== undefined && previous !== null && previous !== name) {
    yield* Effect.tryPromise({ try: () => engine.setBackend(previous), catch: (cause) => unavailable(previous, cause) })
  }
  if (!up)
    return yield* new BackendUnavailable({ backend: name, reason: "tfjs could not initialise it on this machine" })
})

/**
 * Registers the derivatives of tfjs' ops unless somebody did; false if they cannot be loaded (in Node they come with
 * `@tensorflow/tfjs-layers`, which who never differentiates does not need).
 */
export const loadGradients: Effect.Effect<boolean> = Effect.suspend(() =>
  hasGradients()
    ? Effect.succeed(true)
    : Effect.tryPromise(() => import("#gradients")).pipe(
        Effect.match({ onSuccess: hasGradients, onFailure: () => false })
      )
)

/** Are the derivatives of tfjs' ops registered? Addition stands for all. */
export const hasGradients = (): boolean => tf.getGradient("Add") !== undefined
