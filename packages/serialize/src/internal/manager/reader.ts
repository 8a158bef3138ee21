/**
 * Looking into the checkpoints of a store, and restoring from the first sound one of those that will do.
 */
import * as Effect from "effect/Effect"
import type { Store } from "../../CheckpointStore.ts"
import { CheckpointDamaged, NoCheckpoint, type StoreError } from "../../SerializeError.ts"
import type * as Safetensors from "../../Safetensors.ts"
import * as Checksum from "../checksum.ts"
import type { FitOptions } from "../item/fit.ts"
import type { Catalog } from "./catalog.ts"
import type { Manifest } from "./manifest.ts"
import { readManifest, readTensors, type Source } from "./read.ts"
import { type Contracts, restoreFrom, type RestoreFailure } from "./restorer.ts"
import { type Best, type Known, ranking } from "./retention.ts"

/** Which checkpoint: the latest, that of a step, or the best by a metric. */
export type At = "latest" | number | Best

/** What looking at one checkpoint can fail with. */
export type LookError = NoCheckpoint | CheckpointDamaged | StoreError

const describe = (at: At): string => {
  if (typeof at === "number") return `step ${at}`
  return at === "latest" ? at : `the best by ${at.metric}`
}

/** Those that will do, the one that is wanted most first. */
const candidates = ({ sound }: Catalog, at: At): ReadonlyArray<Known> => {
  const latestFirst = sound.toReversed()
  if (typeof at === "number") return latestFirst.filter(({ step }) => step === at).slice(0, 1)
  return at === "latest" ? latestFirst : ranking(latestFirst, at)
}

const reject = (catalog: Catalog, error: CheckpointDamaged): Effect.Effect<void> =>
  Effect.andThen(
    Effect.sync(() => catalog.reject(error)),
    Effect.logWarning(error.message)
  )

/** What was restored. */
export interface Found {
  readonly manifest: Manifest
  readonly items: ReadonlyArray<readonly [name: string, value: unknown]>
  readonly damaged: ReadonlyArray<CheckpointDamaged>
}

/** Reads the checkpoints of a store; `current` says which there are. */
export class CheckpointReader {
  readonly #store: Store
  readonly #current: Effect.Effect<Catalog, StoreError>

  constructor(store: Store, current: Effect.Effect<Catalog, StoreError>) {
    this.#store = store
    this.#current = current
  }

  /** The steps that can be restored. */
  get steps(): Effect.Effect<ReadonlyArray<number>, StoreError> {
    return Effect.map(this.#current, ({ sound }) => [...new Set(sound.map(({ step }) => step))])
  }

  /** The items of the first sound one of those that will do. A step that was asked for is not replaced by another. */
  restore<R>(at: At, contracts: Contracts<R>, fit: FitOptions): Effect.Effect<Found, RestoreFailure | NoCheckpoint, R> {
    const { none, source, current } = this.#parts
    return Effect.gen(function* () {
      const damaged: Array<CheckpointDamaged> = []
      const catalog = yield* current
      for (const candidate of candidates(catalog, at)) {
        const found = yield* Effect.result(restoreFrom(yield* source(candidate), contracts, fit))
        if (found._tag === "Success") return { ...found.success, damaged }
        if (!(found.failure instanceof CheckpointDamaged)) return yield* found.failure
        yield* reject(catalog, found.failure)
        if (typeof at === "number") return yield* found.failure
        damaged.push(found.failure)
      }
      return yield* none(catalog, describe(at))
    })
  }

  /** The manifest of a step's checkpoint. */
  manifest(step: number): Effect.Effect<Manifest, LookError> {
    return Effect.map(this.#known(step), ([, manifest]) => manifest)
  }

  /** Reads and checks all tensors. */
  verify(step: number): Effect.Effect<void, LookError> {
    return Effect.flatMap(this.#known(step), ([source, manifest]) => {
      const all = Object.values(manifest.items).flatMap(({ tensors }) => tensors)
      return readTensors(source, manifest, all, () => Effect.void)
    })
  }

  /** One tensor, read by its range. */
  tensor(step: number, item: string, name: string): Effect.Effect<Safetensors.Entry, LookError> {
    const { current, none } = this.#parts
    return Effect.flatMap(this.#known(step), ([source, manifest]) =>
      Effect.gen(function* () {
        const tensors = Object.hasOwn(manifest.items, item) ? (manifest.items[item]?.tensors ?? []) : []
        const wanted = tensors.filter((record) => record.name === name)
        const entries: Array<Safetensors.Entry> = []
        yield* readTensors(source, manifest, wanted, ({ dtype, shape }, bytes) =>
          Effect.sync(() => void entries.push({ name, dtype, shape, bytes }))
        )
        const [entry] = entries
        const there = Object.keys(manifest.items).join(", ")
        return (
          entry ?? (yield* none(yield* current, `tensor ${name} of ${item} at step ${step}, whose items are ${there}`))
        )
      })
    )
  }

  get #parts() {
    const store = this.#store
    const none = ({ damaged, sound }: Catalog, wanted: string): NoCheckpoint =>
      new NoCheckpoint({ location: store.location, wanted, steps: sound.map(({ step }) => step), damaged })
    const source = ({ id, step }: Known) =>
      Effect.map(Checksum.make, (checksum): Source => ({ store, id, step, checksum }))
    return { current: this.#current, none, source }
  }

  #known(step: number): Effect.Effect<readonly [Source, Manifest], LookError> {
    const { current, none, source } = this.#parts
    return Effect.gen(function* () {
      const catalog = yield* current
      const [one] = candidates(catalog, step)
      if (one === undefined) return yield* none(catalog, describe(step))
      const from = yield* source(one)
      return [from, yield* readManifest(from)] as const
    })
  }
}
