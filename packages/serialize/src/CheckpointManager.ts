/**
 * The manager of a run's checkpoints: it saves them in the background, keeps the ones that are worth it, and gives back
 * the newest that is sound.
 *
 * `save` copies what it is given and returns; the copy is written while training goes on. A checkpoint is written under
 * names of its own, with a checksum for every tensor, and becomes visible with its manifest, which is written last: a
 * process that dies in between leaves the earlier checkpoints as they were. Whatever is read is checked; a damaged
 * checkpoint is reported and passed over.
 *
 * `docs/checkpoints.md` has the format and what is guaranteed.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 * import { CheckpointManager, CheckpointStore, Item } from "@optim/serialize"
 *
 * const optimizer = Optimizer.adam({ stepSize: 0.1 })
 * const params = { w: 1 }
 * const program = Effect.gen(function*() {
 *   const manager = yield* CheckpointManager.make({
 *     items: { state: Item.state(optimizer, params), data: Item.json(Schema.Struct({ epoch: Schema.Int })) },
 *     retention: { last: 2, best: { metric: "loss" } }
 *   })
 *   let state = yield* optimizer.init(params)
 *   for (let step = 1; step <= 5; step++) {
 *     state = yield* optimizer.update(step - 1, { w: 1 }, state, { donate: true })
 *     yield* manager.save(step, { state, data: { epoch: step } }, { metrics: { loss: Math.abs(step - 2) } })
 *     yield* manager.flush // a run does not wait for it
 *   }
 *   assert.deepStrictEqual(yield* manager.steps, [2, 4, 5])
 *   const latest = yield* manager.restore()
 *   const best = yield* manager.restore({ at: { metric: "loss" } })
 *   return [latest.step, latest.items.data.epoch, best.step]
 * })
 * const found = await Effect.runPromise(
 *   Effect.scoped(program).pipe(Effect.provide([Cpu.layer, CheckpointStore.layerMemory]))
 * )
 * assert.deepStrictEqual(found, [5, 5, 2])
 * ```
 */
import { InvalidStep } from "@optim/core/OptimError"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PubSub from "effect/PubSub"
import type * as Schedule from "effect/Schedule"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as CheckpointStore from "./CheckpointStore.ts"
import * as Checksum from "./internal/checksum.ts"
import { type Captured, contract } from "./internal/item/contract.ts"
import * as Catalog from "./internal/manager/catalog.ts"
import * as Lease from "./internal/manager/lease.ts"
import type { ItemRecord, Manifest } from "./internal/manager/manifest.ts"
import { type At, CheckpointReader, type LookError } from "./internal/manager/reader.ts"
import type { Contracts, RestoreFailure } from "./internal/manager/restorer.ts"
import type { Retention } from "./internal/manager/retention.ts"
import { type SaveEvent, Saver } from "./internal/manager/saver.ts"
import type * as Item from "./Item.ts"
import type * as Safetensors from "./Safetensors.ts"
import {
  type CheckpointDamaged,
  type NoCheckpoint,
  SaveFailed,
  StoreError,
  type StoreInUse,
  UnencodableCheckpoint
} from "./SerializeError.ts"

export type { At, LookError } from "./internal/manager/reader.ts"
export type { RestoreFailure } from "./internal/manager/restorer.ts"
export type { Best, Retention } from "./internal/manager/retention.ts"
export type { SaveEvent } from "./internal/manager/saver.ts"

/** The items of a checkpoint, by name: letters, digits, `_` and `-`. */
export type Items = { readonly [name: string]: Item.Any }

/** A value for each item. */
export type Values<I extends Items> = { readonly [K in keyof I]: Item.Value<I[K]> }

/** What the items need. */
export type Requirements<I extends Items> = Item.Requirements<I[keyof I]>

/** When a run saves by itself: whenever any of these says so. With neither steps nor seconds, at every step. */
export interface Policy {
  /** After every so many steps. */
  readonly everySteps?: number | undefined
  /** When so much time has passed since the last save. */
  readonly every?: Duration.Input | undefined
  /** When the run is interrupted. Default true. */
  readonly onInterrupt?: boolean | undefined
}

/** How checkpoints are managed. */
export interface Options<I extends Items> {
  readonly items: I
  /** Which checkpoints are kept. Default: all. */
  readonly retention?: Retention | undefined
  /** When a run saves by itself. */
  readonly policy?: Policy | undefined
  /** The most bytes of tensors in one file, unless a single tensor has more. Default 2^30. */
  readonly shardSize?: number | undefined
  /** Read each checkpoint after it was written, before older ones are removed? Default false. */
  readonly verify?: boolean | undefined
  /** How the store is tried again where it may succeed then. Default `CheckpointStore.defaultRetry`. */
  readonly retry?: Schedule.Schedule<unknown> | undefined
  /** After how much silence another manager may take the store over. Default 6 seconds. */
  readonly lease?: Duration.Input | undefined
  /** Who this is, for the one who finds the store in use. */
  readonly holder?: string | undefined
  /** Only restore: needs no lease, and may look while another manager saves. Default false. */
  readonly readOnly?: boolean | undefined
}

/** What is saved beside the items. */
export interface SaveOptions {
  /** Numbers by which checkpoints are compared. */
  readonly metrics?: Readonly<Record<string, number>> | undefined
}

/** What is restored, and how strictly it must fit. */
export interface RestoreOptions<K> extends Item.FitOptions {
  /** The latest (default), that of a step, or the best by a metric. */
  readonly at?: At | undefined
  /** The items that are wanted. Default: all. */
  readonly items?: ReadonlyArray<K> | undefined
}

/** A checkpoint that was restored. Its tensors are the caller's. */
export interface Restored<V> {
  readonly step: number
  /** Milliseconds since 1970. */
  readonly savedAt: number
  readonly metrics: Readonly<Record<string, number>>
  readonly items: V
  /** Later checkpoints that were passed over because they are damaged. */
  readonly damaged: ReadonlyArray<CheckpointDamaged>
}

/** What is in a checkpoint. */
export interface Metadata {
  readonly step: number
  /** Milliseconds since 1970. */
  readonly savedAt: number
  readonly metrics: Readonly<Record<string, number>>
  readonly bytes: number
  readonly items: Readonly<Record<string, ItemMetadata>>
}

/** What is known of an item: of JSON the value, of tensors their names. */
export interface ItemMetadata {
  readonly kind: "json" | "tree"
  readonly version: number
  readonly value: Schema.Json
  readonly tensors: ReadonlyArray<Pick<Safetensors.Entry, "name" | "dtype" | "shape"> & { readonly path: string }>
}

/** What saving can fail with: what is saved now, or what was saved before. */
export type SaveError = SaveFailed | InvalidStep | Item.CaptureError

/** What restoring can fail with. */
export type RestoreError = RestoreFailure | NoCheckpoint

/** The checkpoints of a run. */
export interface CheckpointManager<I extends Items> {
  /**
   * Takes a snapshot and saves it in the background, as the checkpoint of `step`: how many updates were made.
   *
   * One save is in flight at a time; if one still waits, this one takes its place. Fails with what an earlier save has
   * failed with: this one is in line nevertheless.
   */
  readonly save: (
    step: number,
    values: Values<I>,
    options?: SaveOptions
  ) => Effect.Effect<void, SaveError, Requirements<I>>
  /** Is it time to save, by the policy? */
  readonly isDue: (step: number) => Effect.Effect<boolean>
  /** The policy. */
  readonly policy: Policy
  /** Waits for all saves; fails with what one of them has failed with. */
  readonly flush: Effect.Effect<void, SaveFailed>
  /**
   * Restores the latest sound checkpoint, the best, or that of a step.
   *
   * Damaged ones are passed over, unless a step was asked for. Fails with one `CheckpointMismatch` that lists all that
   * does not fit, with `NoCheckpoint` where there is none.
   */
  readonly restore: <K extends keyof I = keyof I>(
    options?: RestoreOptions<K>
  ) => Effect.Effect<Restored<Pick<Values<I>, K>>, RestoreError, Requirements<I>>
  /** The steps that can be restored, as far as is known, in order. */
  readonly steps: Effect.Effect<ReadonlyArray<number>, StoreError>
  /** What is in the checkpoint of a step. */
  readonly metadata: (step: number) => Effect.Effect<Metadata, LookError>
  /** One tensor of a checkpoint, read by its range and checked. */
  readonly readTensor: (step: number, item: string, name: string) => Effect.Effect<Safetensors.Entry, LookError>
  /** Reads and checks all of a checkpoint. */
  readonly verify: (step: number) => Effect.Effect<void, LookError>
  /** What happens to saves from now on. */
  readonly events: Stream.Stream<SaveEvent>
}

const snapshots = Metric.timer("optim_checkpoint_snapshot_duration", {
  description: "How long training paused for a snapshot"
})

const isItemName = (name: string): boolean =>
  /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/.test(name) && name !== "manifest" && name !== "__proto__"

const checkItems = (items: Items): Effect.Effect<void, StoreError> => {
  const wrong = Object.keys(items).find((name) => !isItemName(name))
  if (wrong === undefined) return Effect.void
  const detail = "items are named by letters, digits, '_' and '-', and not 'manifest'"
  return Effect.fail(new StoreError({ operation: "put", name: wrong, reason: "InvalidName", detail }))
}

const contractsOf = <I extends Items>(items: I, wanted: ReadonlyArray<keyof I>): Contracts<Requirements<I>> =>
  // what an item needs is among what all of them need
  wanted.flatMap((name) => {
    const item = items[name]
    return item === undefined ? [] : [[String(name), item[contract]] as const]
  }) as Contracts<Requirements<I>>

const metadataOf = ({ files, items, metrics, savedAt, step }: Manifest): Metadata => ({
  step,
  savedAt,
  metrics,
  bytes: files.reduce((sum, { size }) => sum + size, 0),
  items: Object.fromEntries(Object.entries(items).map(([name, item]) => [name, itemMetadata(item)]))
})

const itemMetadata = ({ kind, tensors, value, version }: ItemRecord): ItemMetadata => ({
  kind,
  version,
  value,
  tensors: tensors.map(({ dtype, name, path, shape }) => ({ name, dtype, shape, path }))
})

/** The operations of a reader, with the types of the items. */
const makeReader = <I extends Items>(reader: CheckpointReader, items: I) => ({
  restore: Effect.fn("CheckpointManager.restore")(function* <K extends keyof I = keyof I>({
    at = "latest",
    items: wanted,
    ...fit
  }: RestoreOptions<K> = {}): Effect.fn.Return<Restored<Pick<Values<I>, K>>, RestoreError, Requirements<I>> {
    const {
      damaged,
      items: values,
      manifest
    } = yield* reader.restore(at, contractsOf(items, wanted ?? Object.keys(items)), fit)
    const { metrics, savedAt, step } = manifest
    // each value is what its item has made
    return { step, savedAt, metrics, damaged, items: Object.fromEntries(values) as Pick<Values<I>, K> }
  }),
  steps: reader.steps,
  metadata: (step: number) => Effect.map(reader.manifest(step), metadataOf),
  verify: (step: number) => Effect.withSpan(reader.verify(step), "CheckpointManager.verify"),
  readTensor: (step: number, item: string, name: string) => reader.tensor(step, item, name)
})

const isDueAt = ({ every, everySteps }: Policy, step: number, sinceLast: number): boolean => {
  if (every === undefined && everySteps === undefined) return true
  if (everySteps !== undefined && step % everySteps === 0) return true
  return every !== undefined && sinceLast >= Duration.toMillis(Duration.fromInputUnsafe(every))
}

const denied = (step: number): SaveFailed => {
  const detail = "this manager was made to read only"
  return new SaveFailed({ step, reason: new StoreError({ operation: "put", name: "", reason: "Denied", detail }) })
}

/** What could not be read again. */
const checkMetrics = (metrics: object): Effect.Effect<void, UnencodableCheckpoint> => {
  if (!Object.hasOwn(metrics, "__proto__")) return Effect.void
  const fault = { path: "metrics", expected: "no key __proto__", found: "one" }
  return Effect.fail(new UnencodableCheckpoint({ operation: "CheckpointManager.save", faults: [fault] }))
}

const makeWriter = Effect.fnUntraced(function* <I extends Items>(
  { items, policy = {} }: Options<I>,
  saver: Saver | undefined
) {
  let lastSaved = yield* Clock.currentTimeMillis
  const capture = (step: number, values: Values<I>) =>
    Effect.forEach(contractsOf(items, Object.keys(items)), ([name, contract]) =>
      Effect.map(
        contract.capture("CheckpointManager.save", step, values[name]),
        (captured): readonly [string, Captured] => [name, captured]
      )
    )
  const save = Effect.fn("CheckpointManager.save")(function* (
    step: number,
    values: Values<I>,
    { metrics = {} }: SaveOptions = {}
  ): Effect.fn.Return<void, SaveError, Requirements<I>> {
    if (saver === undefined) return yield* denied(step)
    if (!Number.isSafeInteger(step) || step < 0) {
      return yield* new InvalidStep({ operation: "CheckpointManager.save", value: String(step) })
    }
    yield* checkMetrics(metrics)
    const captured = yield* Effect.trackDuration(capture(step, values), snapshots)
    const savedAt = (lastSaved = yield* Clock.currentTimeMillis)
    yield* saver.offer({ step, savedAt, metrics, items: captured })
    yield* saver.report
  })
  return {
    save,
    policy,
    isDue: (step: number) => Effect.map(Clock.currentTimeMillis, (now) => isDueAt(policy, step, now - lastSaved)),
    flush: saver === undefined ? Effect.void : Effect.andThen(saver.idle, saver.report)
  }
})

/** What was not reported before it was too late. */
const closed = (saver: Saver): Effect.Effect<void> =>
  Effect.andThen(saver.idle, saver.report).pipe(Effect.catch((error) => Effect.logError(error.message)))

/**
 * The manager of the checkpoints in the store, alive as long as its scope.
 *
 * It takes the store's lease, so that no two managers write, and removes what a crash has left. When its scope closes, it
 * waits for the save that is in flight and the one that waits; a failure that nobody has heard of is logged, so `flush`
 * where it matters. Fails with `StoreInUse` where another manager writes.
 *
 * `Train` takes a manager, saves by its policy, and once more when it is interrupted:
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { type Scalar, squaredDifference } from "@tensorflow/tfjs-core"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import { Optimizer, Train } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 * import { CheckpointManager, CheckpointStore, Item } from "@optim/serialize"
 *
 * const optimizer = Optimizer.adam({ stepSize: 0.25 })
 * const params = { mean: 0 }
 * const loss = ({ mean }: { readonly mean: Scalar }, target: number) => squaredDifference(mean, target)
 *
 * // Trains up to a step: from the latest checkpoint if there is one.
 * const run = (until: number) =>
 *   Effect.gen(function*() {
 *     const manager = yield* CheckpointManager.make({
 *       items: { state: Item.state(optimizer, params) },
 *       policy: { everySteps: 2 }
 *     })
 *     const start = yield* manager.restore().pipe(
 *       Effect.map(({ items, step }) => ({ state: items.state, step })),
 *       Effect.catchTag("NoCheckpoint", () => Effect.map(optimizer.init(params), (state) => ({ state, step: 0 })))
 *     )
 *     const trainer = yield* Train.make({
 *       optimizer,
 *       loss,
 *       ...start,
 *       batches: Stream.take(Stream.forever(Stream.make(8)), until - start.step),
 *       checkpoints: { manager, values: ({ state }) => ({ state }) }
 *     })
 *     return (yield* Stream.runCollect(trainer.steps)).map(({ loss }) => loss)
 *   }).pipe(Effect.scoped)
 *
 * const program = Effect.all([run(4), run(6)])
 * const whole = run(6)
 * const [first, second] = await Effect.runPromise(program.pipe(Effect.provide([Cpu.layer, CheckpointStore.layerMemory])))
 * const expected = await Effect.runPromise(whole.pipe(Effect.provide([Cpu.layer, CheckpointStore.layerMemory])))
 * assert.strictEqual(second.length, 2)
 * assert.deepStrictEqual([...first, ...second], expected)
 * ```
 */
export const make = Effect.fn("CheckpointManager.make")(function* <const I extends Items>(
  options: Options<I>
): Effect.fn.Return<CheckpointManager<I>, StoreError | StoreInUse, CheckpointStore.CheckpointStore | Scope.Scope> {
  const { holder = "a manager", items, lease = "6 seconds", readOnly = false, retention = {} } = options
  yield* checkItems(items)
  const store = CheckpointStore.retrying(yield* CheckpointStore.CheckpointStore, options.retry)
  const held = readOnly ? undefined : yield* Lease.acquire(store, holder, Duration.fromInputUnsafe(lease))
  const checksum = yield* Checksum.make
  const catalog = yield* Catalog.load(store, checksum, readOnly)
  const events = yield* PubSub.unbounded<SaveEvent>()
  const saver =
    held === undefined
      ? undefined
      : new Saver({
          store,
          lease: held,
          catalog,
          checksum,
          retention,
          shardSize: options.shardSize ?? 2 ** 30,
          verify: options.verify ?? false,
          publish: (event) => Effect.asVoid(PubSub.publish(events, event))
        })
  if (saver !== undefined) yield* Effect.addFinalizer(() => closed(saver))
  // whoever only reads looks anew each time
  const current = readOnly ? Catalog.load(store, checksum, true) : Effect.succeed(catalog)
  const reader = makeReader(new CheckpointReader(store, current), items)
  const writer = yield* makeWriter(options, saver)
  return { ...reader, ...writer, events: Stream.fromPubSub(events) }
})
