/**
 * The checkpoints of a store: found once, when the manager is made, and then kept in mind.
 */
import * as Effect from "effect/Effect"
import type { Store } from "../../CheckpointStore.ts"
import { type CheckpointDamaged, StoreError } from "../../SerializeError.ts"
import type { Checksum } from "../checksum.ts"
import { readManifest } from "./read.ts"
import { byStep, type Known } from "./retention.ts"
import { manifestName } from "./write.ts"

const pattern = /^step-(\d{1,15})-[0-9a-f]{8}$/

/** A name for a checkpoint that nobody else has, not even one who saves the same step. */
export const freshId = (step: number): string => `step-${step}-${globalThis.crypto.randomUUID().slice(0, 8)}`

const stepOf = (id: string): number | undefined => {
  const [, digits] = pattern.exec(id) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** A checkpoint that cannot be used. */
export interface Damage {
  readonly id: string
  readonly step: number
  readonly detail: string
}

/** Sound checkpoints, as far as is known, and damaged ones. */
export class Catalog {
  readonly #sound = new Map<string, Known>()
  readonly #damaged = new Map<string, Damage>()

  /** From the oldest to the latest. */
  get sound(): ReadonlyArray<Known> {
    return [...this.#sound.values()].toSorted(byStep)
  }

  get damaged(): ReadonlyArray<Damage> {
    return [...this.#damaged.values()]
  }

  add(known: Known): void {
    this.#sound.set(known.id, known)
  }

  /** From now on it counts for nothing. */
  reject({ detail, id, step }: CheckpointDamaged): void {
    this.#sound.delete(id)
    this.#damaged.set(id, { id, step, detail })
  }

  remove(id: string): void {
    this.#sound.delete(id)
    this.#damaged.delete(id)
  }
}

/** The checkpoints among names of objects: those with a manifest, and the rest of those that were never finished. */
const found = (names: ReadonlyArray<string>) => {
  const ids = new Set(names.flatMap((name) => name.split("/", 1).filter((id) => stepOf(id) !== undefined)))
  const all = new Set(names)
  const complete = [...ids].filter((id) => all.has(`${id}/${manifestName}`))
  return { complete, unfinished: [...ids].filter((id) => !all.has(`${id}/${manifestName}`)) }
}

const enter = Effect.fnUntraced(function* (catalog: Catalog, store: Store, checksum: Checksum, id: string) {
  const step = stepOf(id) ?? 0
  const manifest = yield* Effect.result(readManifest({ store, id, step, checksum }))
  if (manifest._tag === "Success") {
    const { metrics, savedAt } = manifest.success
    return catalog.add({ id, step, metrics, savedAt })
  }
  if (manifest.failure instanceof StoreError) return yield* manifest.failure
  return catalog.reject(manifest.failure)
})

/** Looks what is there; for the one who writes, removes what was never finished. */
export const load = Effect.fnUntraced(function* (
  store: Store,
  checksum: Checksum,
  readOnly: boolean
): Effect.fn.Return<Catalog, StoreError> {
  const { complete, unfinished } = found(yield* store.list)
  const catalog = new Catalog()
  yield* Effect.forEach(complete, (id) => enter(catalog, store, checksum, id), { discard: true })
  if (readOnly) return catalog
  yield* Effect.forEach(unfinished, (id) => store.remove(id), { discard: true })
  yield* store.sweep
  return catalog
})
