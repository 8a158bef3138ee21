/**
 * One tfjs backend among several: brought up once, made current only while we compute.
 *
 * tfjs keeps its current backend in a global. A layer must not depend on it nor change it for others, so every
 * computation runs between a switch and a switch back; with both backends up, tfjs switches synchronously.
 */
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Semaphore from "effect/Semaphore"
import { BackendUnavailable } from "../../OptimError.ts"

/** Before its first use tfjs has no current backend, whatever the type of the name says. */
const isAbsent = (name: string | null | undefined): boolean => name === undefined || name === null

/** Runs `compute` with the backend as tfjs' current one. */
export const onBackend = <A>(name: string, compute: () => A): A => {
  const engine = tf.engine()
  const previous = engine.backendName
  if (previous === name) return compute()
  void engine.setBackend(name)
  try {
    return compute()
  } finally {
    if (!isAbsent(previous)) void engine.setBackend(previous)
  }
}

// tfjs throws plain objects with a message, too.
const unavailable = (backend: string, cause: unknown): BackendUnavailable =>
  new BackendUnavailable({ backend, reason: String(hasProperty(cause, "message") ? cause.message : cause), cause })

// Two layers that are built at the same time take turns, so that no backend is made twice.
const turns = Semaphore.makeUnsafe(1)

/**
 * Makes the backend unless it is up; tfjs' current backend stays what it is, if there is one.
 *
 * tfjs' own `setBackend` forbids every computation, on any backend, until a backend that takes time is up. So the
 * backend is made outside of it and registered when it is ready. How it is made is known to tfjs, unless it is said here.
 */
export const bringUp = Effect.fn("Tensors.bringUp")(
  function* (name: string, own?: () => Promise<tf.KernelBackend>): Effect.fn.Return<void, BackendUnavailable> {
    const engine = tf.engine()
    if (!(name in engine.registry)) {
      const make = own ?? engine.registryFactory[name]?.factory
      if (make === undefined)
        return yield* new BackendUnavailable({ backend: name, reason: "tfjs knows no such backend" })
      engine.registry[name] = yield* Effect.tryPromise({
        try: async () => make(),
        catch: (cause) => unavailable(name, cause)
      })
    }
    if (isAbsent(engine.backendName)) yield* Effect.promise(() => engine.setBackend(name))
  },
  (making) => turns.withPermit(making)
)

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
