/**
 * Saving a run while it trains.
 *
 * A trainer knows when there is something to save, and whoever keeps checkpoints knows whether it is time; how they are
 * kept is not looked at here. `CheckpointManager` of `@optim/serialize` is a `Checkpointer`.
 */
import * as Effect from "effect/Effect"
import type { Snapshot, TrainStep } from "../../Train.ts"

/** Who keeps checkpoints, each made of a `V`. */
export interface Checkpointer<in V, out E, out R> {
  /** Is it time to save, after so many steps? */
  readonly isDue: (step: number) => Effect.Effect<boolean>
  /** Takes what it is given, which stays as it is until this ends, and saves it. */
  readonly save: (
    step: number,
    values: V,
    options: { readonly metrics?: Readonly<Record<string, number>> }
  ) => Effect.Effect<void, E, R>
  /** Waits until all is saved. */
  readonly flush: Effect.Effect<void, E>
  readonly policy: { readonly onInterrupt?: boolean | undefined }
}

/**
 * How a run is saved: by whom, and what.
 *
 * It is saved after each step that is due, with the loss of the step as a metric, and once more when the steps are
 * interrupted, unless that was just done or the policy says otherwise; that last save is waited for. A save that fails
 * ends the steps; a failure of the last one is logged.
 */
export interface Checkpoints<in P, in out S, in out V, out E, out R> {
  readonly manager: Checkpointer<V, E, R>
  /** What to save of what the trainer holds; it belongs to the trainer. */
  readonly values: (held: Snapshot<P, S>) => NoInfer<V>
}

/** What a trainer does about checkpoints. */
export interface Saver<in P, in out S, out E, out R> {
  readonly afterStep: (held: Snapshot<P, S>, step: TrainStep) => Effect.Effect<void, E, R>
  readonly onInterrupt: (held: Snapshot<P, S>) => Effect.Effect<void, never, R>
}

const nobody = { afterStep: () => Effect.void, onInterrupt: () => Effect.void }

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const logged = <E, R>(effect: Effect.Effect<void, E, R>): Effect.Effect<void, never, R> =>
  effect.pipe(Effect.catch((error) => Effect.logError(`Train: the last save failed\n${messageOf(error)}`)))

/** The saver of a run; without checkpoints it does nothing. */
export const saverOf = <P, S, V, E, R>(checkpoints: Checkpoints<P, S, V, E, R> | undefined): Saver<P, S, E, R> => {
  if (checkpoints === undefined) return nobody
  const { manager, values } = checkpoints
  let metrics: Readonly<Record<string, number>> = {}
  let lastSaved: number | undefined
  const save = (held: Snapshot<P, S>) =>
    Effect.map(manager.save(held.step, values(held), { metrics }), () => {
      lastSaved = held.step
    })
  return {
    afterStep: (held, { loss }) =>
      Effect.suspend(() => {
        metrics = { loss }
        return Effect.flatMap(manager.isDue(held.step), (isDue) => (isDue ? save(held) : Effect.void))
      }),
    onInterrupt: (held) => {
      if (manager.policy.onInterrupt === false) return Effect.void
      const last = Effect.suspend(() => (held.step === lastSaved ? Effect.void : save(held)))
      // the save may be told of an earlier failure; it is waited for nevertheless
      return Effect.andThen(logged(last), logged(manager.flush))
    }
  }
}
