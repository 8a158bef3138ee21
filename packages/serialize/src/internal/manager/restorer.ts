/**
 * Restoring: from one checkpoint, or from the first sound one of several.
 */
import * as Effect from "effect/Effect"
import type { CaptureError, Contract, Filler, Fitted } from "../item/contract.ts"
import type { FitOptions } from "../item/fit.ts"
import { type CheckpointDamaged, CheckpointMismatch, type StoreError } from "../../SerializeError.ts"
import type { Fault } from "../show.ts"
import type { Manifest, TensorRecord } from "./manifest.ts"
import { readManifest, readTensors, type Source } from "./read.ts"

/** What restoring from one checkpoint can fail with. */
export type RestoreFailure = CheckpointMismatch | CheckpointDamaged | StoreError | CaptureError

/** The items that are wanted, by name. */
export type Contracts<R> = ReadonlyArray<readonly [name: string, contract: Contract<unknown, R>]>

type Fits<R> = ReadonlyArray<readonly [name: string, fitted: Fitted<unknown, R>]>

const missing = (name: string, there: ReadonlyArray<string>): Fitted<unknown, never> => ({
  faults: [{ path: name, expected: "an item", found: there.length === 0 ? "no items" : `only ${there.join(", ")}` }],
  wanted: [],
  begin: Effect.die(new Error("an item that is not there is not begun"))
})

/** All faults: first those of whole items, which are often the reason of the others. */
const faultsOf = <R>(fits: Fits<R>): ReadonlyArray<Fault> => {
  const faults = fits.flatMap(([name, one]) => one.faults.map((fault) => ({ isWhole: isWhole(name, fault), fault })))
  const those = (whole: boolean) => faults.flatMap(({ fault, isWhole }) => (isWhole === whole ? [fault] : []))
  return [...those(true), ...those(false)]
}

const isWhole = (item: string, { path }: Fault): boolean => path === item || path === `${item}: optimizer`

/** How everything fits; all that does not is one error. */
const fitAll = Effect.fnUntraced(function* <R>(
  contracts: Contracts<R>,
  { items }: Manifest,
  options: FitOptions
): Effect.fn.Return<Fits<R>, CheckpointMismatch | CaptureError, R> {
  const fits = yield* Effect.forEach(contracts, ([name, contract]) => {
    const stored = Object.hasOwn(items, name) ? items[name] : undefined
    const fitted =
      stored === undefined ? Effect.succeed(missing(name, Object.keys(items))) : contract.fit(name, stored, options)
    return Effect.map(fitted, (one): readonly [string, Fitted<unknown, R>] => [name, one])
  })
  const faults = faultsOf(fits)
  if (faults.length > 0) return yield* new CheckpointMismatch({ operation: "CheckpointManager.restore", faults })
  return fits
})

/** Begins with every item, reads all tensors, and hands over; if it fails, all that was made is disposed. */
const fill = Effect.fnUntraced(function* <R>(source: Source, manifest: Manifest, fits: Fits<R>) {
  const fillers: Array<readonly [string, Filler<unknown, R>]> = []
  const takers = new Map<TensorRecord, Filler<unknown, R>>()
  const abandoned = Effect.suspend(() => Effect.forEach(fillers, ([, { abandon }]) => abandon, { discard: true }))
  const filled = Effect.gen(function* () {
    for (const [name, { begin, wanted }] of fits) {
      const filler = yield* Effect.uninterruptible(
        Effect.tap(begin, (one) => Effect.sync(() => fillers.push([name, one])))
      )
      for (const record of wanted) takers.set(record, filler)
    }
    yield* readTensors(source, manifest, [...takers.keys()], (record, bytes) =>
      Effect.uninterruptible(takers.get(record)?.receive(record, bytes) ?? Effect.void)
    )
    return fillers.map(([name, filler]) => [name, filler.finish()] as const)
  })
  return yield* Effect.onError(filled, () => abandoned)
})

/** The items of one checkpoint. */
export const restoreFrom = Effect.fnUntraced(function* <R>(
  source: Source,
  contracts: Contracts<R>,
  options: FitOptions
): Effect.fn.Return<
  { readonly manifest: Manifest; readonly items: ReadonlyArray<readonly [string, unknown]> },
  RestoreFailure,
  R
> {
  const manifest = yield* readManifest(source)
  const fits = yield* fitAll(contracts, manifest, options)
  return { manifest, items: yield* fill(source, manifest, fits) }
})
