/**
 * Saving in the background: at most one save is in flight, and of those that wait, the newest wins.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type { Store } from "../../CheckpointStore.ts"
import { type CheckpointDamaged, type LeaseLost, SaveFailed, StoreError } from "../../SerializeError.ts"
import type { Checksum } from "../checksum.ts"
import { type Catalog, freshId } from "./catalog.ts"
import type { Lease } from "./lease.ts"
import { readTensors } from "./read.ts"
import { type Retention, superfluous } from "./retention.ts"
import { manifestName, publish, sizeOf, type Snapshot, type Target, writeFiles } from "./write.ts"

/** What happens to saves, as it happens. */
export type SaveEvent =
  | { readonly _tag: "Started"; readonly step: number; readonly bytes: number }
  | { readonly _tag: "Progress"; readonly step: number; readonly written: number; readonly bytes: number }
  | { readonly _tag: "Saved"; readonly step: number; readonly bytes: number; readonly seconds: number }
  | { readonly _tag: "Failed"; readonly step: number; readonly error: SaveFailed }
  | { readonly _tag: "Superseded"; readonly step: number }
  | { readonly _tag: "Removed"; readonly step: number }

/** What a saver works with. */
export interface Setting {
  readonly store: Store
  readonly lease: Lease
  readonly catalog: Catalog
  readonly checksum: Checksum
  readonly retention: Retention
  readonly shardSize: number
  /** Read what was written before anything older is removed? */
  readonly verify: boolean
  readonly publish: (event: SaveEvent) => Effect.Effect<void>
}

const saved = Metric.counter("optim_checkpoint_saves", { description: "Checkpoints saved", incremental: true })
const failed = Metric.counter("optim_checkpoint_failures", { description: "Saves that failed", incremental: true })
const written = Metric.counter("optim_checkpoint_bytes", { description: "Bytes of tensors saved", incremental: true })
const duration = Metric.timer("optim_checkpoint_save_duration", { description: "Duration of saves in the background" })

/** Takes a checkpoint away: first it is no longer there, then its bytes go. */
const remove = (
  { catalog, publish: tell, store }: Setting,
  { id, step }: { readonly id: string; readonly step: number }
) =>
  store.remove(`${id}/${manifestName}`).pipe(
    Effect.andThen(store.remove(id)),
    Effect.tap(() => Effect.sync(() => catalog.remove(id))),
    Effect.andThen(tell({ _tag: "Removed", step }))
  )

const hasRule = ({ best, every, last, youngerThan }: Retention): boolean =>
  best !== undefined || every !== undefined || last !== undefined || youngerThan !== undefined

/**
 * Removes what no rule keeps. What cannot be removed now is tried again after the next save; whoever has lost the lease
 * removes nothing, since the one who has it may have removed what was just saved.
 */
const prune = Effect.fnUntraced(function* (setting: Setting) {
  const { catalog, lease, retention } = setting
  const now = yield* Clock.currentTimeMillis
  const damaged = hasRule(retention) ? catalog.damaged : []
  const unwanted = [...superfluous(retention, catalog.sound, now), ...damaged]
  if (unwanted.length === 0) return
  const removed = Effect.forEach(unwanted, (one) => remove(setting, one), { discard: true })
  yield* Effect.ignore(Effect.andThen(lease.check, removed), { log: "Warn" })
})

const progressOf = ({ publish: tell }: Setting, step: number, bytes: number) => {
  let sum = 0
  return (count: number) =>
    Effect.suspend(() => {
      sum += count
      return tell({ _tag: "Progress", step, written: sum, bytes })
    })
}

const write = Effect.fnUntraced(function* (
  setting: Setting,
  snapshot: Snapshot
): Effect.fn.Return<void, StoreError | LeaseLost | CheckpointDamaged> {
  const { catalog, checksum, lease, shardSize, store, verify } = setting
  const { metrics, savedAt, step } = snapshot
  const id = freshId(step)
  const target: Target = { store, id, checksum, shardSize, progress: progressOf(setting, step, sizeOf(snapshot)) }
  const whole = Effect.gen(function* () {
    const manifest = yield* writeFiles(target, snapshot)
    yield* lease.check
    yield* publish(target, manifest)
    if (!verify) return
    const all = Object.values(manifest.items).flatMap(({ tensors }) => tensors)
    yield* readTensors({ store, id, step, checksum }, manifest, all, () => Effect.void)
  })
  yield* Effect.onError(whole, () => Effect.ignore(store.remove(id)))
  catalog.add({ id, step, metrics, savedAt })
  yield* prune(setting)
})

/** Why a save failed. A defect of a store fails one save, and not the line of those behind it. */
const reasonOf = (cause: Cause.Cause<SaveFailed["reason"]>): SaveFailed["reason"] =>
  Option.getOrElse(Cause.findErrorOption(cause), () => {
    const detail = Cause.pretty(cause)
    return new StoreError({ operation: "put", name: "", reason: "Unknown", detail, cause: Cause.squash(cause) })
  })

/** Saves what it is given, one after the other. */
export class Saver {
  readonly #setting: Setting
  #waiting: Snapshot | undefined
  #running: Fiber.Fiber<void> | undefined
  #failure: SaveFailed | undefined

  constructor(setting: Setting) {
    this.#setting = setting
  }

  /** Puts a snapshot in line, in the place of one that still waits. */
  offer(snapshot: Snapshot): Effect.Effect<void> {
    return Effect.suspend(() => {
      const former = this.#waiting
      this.#waiting = snapshot
      const told = former === undefined ? Effect.void : this.#setting.publish({ _tag: "Superseded", step: former.step })
      return Effect.andThen(told, this.#running === undefined ? this.#start() : Effect.void)
    })
  }

  /** Fails with what a save since the last time has failed with. */
  readonly report: Effect.Effect<void, SaveFailed> = Effect.suspend(() => {
    const failure = this.#failure
    this.#failure = undefined
    return failure === undefined ? Effect.void : Effect.fail(failure)
  })

  /** Waits until nothing is in flight and nothing waits. */
  readonly idle: Effect.Effect<void> = Effect.suspend(() =>
    this.#running === undefined ? Effect.void : Effect.andThen(Fiber.await(this.#running), this.idle)
  )

  /** The fiber belongs to nobody, so that closing waits for it and does not interrupt it. */
  #start(): Effect.Effect<void> {
    return Effect.map(Effect.forkDetach(this.#work()), (fiber) => {
      this.#running = fiber
    }).pipe(Effect.uninterruptible)
  }

  #work(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const next = this.#waiting
      this.#waiting = undefined
      if (next !== undefined) return Effect.andThen(this.#save(next), this.#work())
      this.#running = undefined
      return Effect.void
    })
  }

  #save(snapshot: Snapshot): Effect.Effect<void> {
    const { publish: tell } = this.#setting
    const { step } = snapshot
    const bytes = sizeOf(snapshot)
    return Effect.andThen(tell({ _tag: "Started", step, bytes }), Effect.timed(write(this.#setting, snapshot))).pipe(
      Effect.flatMap(([time]) =>
        Effect.all([
          Metric.update(saved, 1),
          Metric.update(written, bytes),
          Metric.update(duration, time),
          tell({ _tag: "Saved", step, bytes, seconds: Duration.toSeconds(time) })
        ])
      ),
      Effect.catchCause((cause) => this.#failed(new SaveFailed({ step, reason: reasonOf(cause) }))),
      Effect.withSpan("CheckpointManager.write", { attributes: { step, bytes } }),
      Effect.asVoid
    )
  }

  #failed(failure: SaveFailed): Effect.Effect<void> {
    this.#failure = failure
    return Effect.andThen(
      Metric.update(failed, 1),
      this.#setting.publish({ _tag: "Failed", step: failure.step, error: failure })
    )
  }
}
