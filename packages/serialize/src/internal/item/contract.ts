/**
 * What a manager asks of an item: to be captured, and to be filled from what was stored.
 */
import type { OptimError, BackendError } from "@optim/core/OptimError"
import type { Tensors } from "@optim/core/Tensors"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Safetensors from "../../Safetensors.ts"
import type { TreeFault, WriteError } from "../attempt.ts"
import type { ItemRecord, TensorRecord } from "../manager/manifest.ts"
import type { Fault } from "../show.ts"
import { type FitOptions, assign } from "./fit.ts"
import { leafOf, Leaves } from "./fill.ts"
import type { Leaf, Slot } from "./slots.ts"

/** What taking a snapshot can fail with. */
export type CaptureError = OptimError | TreeFault | WriteError

/** An item as data of its own: nothing in it changes when training goes on. */
export interface Captured {
  readonly kind: ItemRecord["kind"]
  readonly version: number
  readonly value: Schema.Json
  readonly tensors: ReadonlyArray<{ readonly path: string; readonly entry: Safetensors.Entry }>
  /** What is written into the metadata of its files, so that they can be read without the manager. */
  readonly manifest: Schema.JsonObject | undefined
}

/** An item that is being restored. */
export interface Filler<out A, out R> {
  /** Takes the bytes of a stored tensor, which nobody else holds. */
  readonly receive: (record: TensorRecord, bytes: Uint8Array) => Effect.Effect<void, BackendError, R>
  /** The item, once all was received; its tensors go to the caller. */
  readonly finish: () => A
  /** Disposes what was made. */
  readonly abandon: Effect.Effect<void>
}

/** How a stored item fits: all that is wrong, the tensors that are needed, and how to begin. */
export interface Fitted<out A, out R> {
  readonly faults: ReadonlyArray<Fault>
  readonly wanted: ReadonlyArray<TensorRecord>
  readonly begin: Effect.Effect<Filler<A, R>, CaptureError, R>
}

/** Where an item keeps its contract. */
export const contract: unique symbol = Symbol("@optim/serialize/Item")

/** An item, as the manager sees it. */
export interface Contract<in out A, out R> {
  readonly capture: (operation: string, step: number, value: A) => Effect.Effect<Captured, CaptureError, R>
  readonly fit: (item: string, stored: ItemRecord, options: FitOptions) => Effect.Effect<Fitted<A, R>, CaptureError, R>
}

/** Slots, how a value is made of their leaves, and what leaves keep that are not restored (the caller's own). */
export interface Layout<A> {
  readonly slots: ReadonlyArray<Slot>
  readonly build: (leaves: ReadonlyArray<Leaf>) => A
  readonly keep: (indices: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<Leaf>, CaptureError, Tensors>
}

const beginFilling = Effect.fnUntraced(function* <A>(
  { build, keep, slots }: Layout<A>,
  sources: ReadonlyArray<TensorRecord | undefined>
): Effect.fn.Return<Filler<A, Tensors>, CaptureError, Tensors> {
  const places = new Map<TensorRecord, Array<number>>()
  const kept: Array<number> = []
  for (const [index, source] of sources.entries()) {
    if (source === undefined) kept.push(index)
    else places.set(source, [...(places.get(source) ?? []), index])
  }
  const initial: Array<Leaf | undefined> = slots.map(() => undefined)
  const owned = yield* keep(kept)
  for (const [at, index] of kept.entries()) initial[index] = owned[at]
  const leaves = new Leaves(initial)
  const receive = (record: TensorRecord, bytes: Uint8Array) =>
    Effect.forEach(
      places.get(record) ?? [],
      (index) => {
        const slot = slots[index]
        if (slot === undefined) return Effect.void
        return Effect.map(leafOf(slot, record, bytes), (leaf) => leaves.set(index, leaf))
      },
      { discard: true }
    )
  return { receive, finish: () => build(leaves.all), abandon: leaves.dispose }
})

/** How stored tensors fit a layout. */
export const fitLayout = <A>(
  item: string,
  layout: Layout<A>,
  { kind, tensors }: ItemRecord,
  options: FitOptions
): Fitted<A, Tensors> => {
  const { faults, sources } = assign(item, layout.slots, tensors, options)
  const kinds = kind === "tree" ? [] : [{ path: item, expected: "tensors", found: "JSON" }]
  const wanted = new Set(sources.filter((source) => source !== undefined))
  return { faults: [...kinds, ...faults], wanted: [...wanted], begin: beginFilling(layout, sources) }
}
