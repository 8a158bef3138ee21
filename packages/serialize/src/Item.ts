/**
 * Items: the parts of a checkpoint, each with what it takes to save it and to get it back.
 *
 * A run consists of more than tensors. `state` is the state of an optimizer, `tree` any tree of tensors, numbers and
 * typed arrays (an average of the parameters, the state of a transformation with its counters), and `json` is data under
 * a `Schema` of one's own: a schedule, a seed, the position in the data, settings.
 *
 * An item tells the manager what is expected. Its value is taken at `save`, copied at once, and made anew at `restore`.
 */
import { type OptimError, type BackendError } from "@optim/core/OptimError"
import type { Promoted } from "@optim/core/Optimizer"
import { held, OptimizerState } from "@optim/core/OptimizerState"
import { dispose, type Tensors } from "@optim/core/Tensors"
import { PyTree, type TreeDef } from "@optim/pytree"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { asking, flattening, writing } from "./internal/attempt.ts"
import { fromOptimizer, HyperParameters } from "./internal/hyperParameters.ts"
import { capture, shareAll } from "./internal/item/capture.ts"
import { contract, type Contract, fitLayout, type Layout } from "./internal/item/contract.ts"
import { type FitOptions, isPartial } from "./internal/item/fit.ts"
import { isTensor } from "./internal/leaves.ts"
import * as Slots from "./internal/item/slots.ts"
import * as JsonText from "./internal/jsonText.ts"
import * as Manifest from "./internal/manifest.ts"
import type { ItemRecord } from "./internal/manager/manifest.ts"
import * as Names from "./internal/names.ts"
import type { Savable } from "./internal/savable.ts"
import type { Fault } from "./internal/show.ts"
import { joined, separated, type Structure } from "./internal/stateLeaves.ts"
import * as Migrations from "./Migrations.ts"
import { UnencodableCheckpoint } from "./SerializeError.ts"

export type { FitOptions, LeafKey } from "./internal/item/fit.ts"
export type { CaptureError } from "./internal/item/contract.ts"

/** A part of a checkpoint, whose value is an `A`; saving and restoring it needs `R`. */
export interface Item<in out A, out R = never> {
  /** @internal */
  readonly [contract]: Contract<A, R>
}

/** An item, whatever its value. */
// An item is neither co- nor contravariant in its value, so no other type holds all of them.
// oxlint-disable-next-line typescript/no-explicit-any
export type Any = Item<any, unknown>

/** The value of an item. */
export type Value<I> = I extends Item<infer A, infer _R> ? A : never

/** What saving and restoring an item needs. */
export type Requirements<I> = I extends Item<infer _A, infer R> ? R : never

const make = <A, R>(parts: Contract<A, R>): Item<A, R> => ({ [contract]: parts })

/**
 * A tree of tensors, numbers and typed arrays, like this one: of the same structure, dtypes and shapes.
 *
 * Numbers are kept exactly, as 0-dimensional F64 tensors. What is restored is a new tree whose tensors are the caller's;
 * where leaves keep what they have (`missing: "keep"`, `only`), that is the number, or a handle of the tensor, in `like`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import * as Cpu from "@optim/core/cpu"
 * import { CheckpointManager, CheckpointStore, Item } from "@optim/serialize"
 *
 * const ema = { count: 0, mean: [Float64Array.of(0, 0)] }
 * const program = Effect.gen(function*() {
 *   const manager = yield* CheckpointManager.make({ items: { ema: Item.tree(ema) } })
 *   yield* manager.save(1, { ema: { count: 2 ** 40, mean: [Float64Array.of(0.1, -0)] } })
 *   yield* manager.flush
 *   return (yield* manager.restore()).items.ema
 * })
 * const restored = await Effect.runPromise(
 *   Effect.scoped(program).pipe(Effect.provide([Cpu.layer, CheckpointStore.layerMemory]))
 * )
 * assert.deepStrictEqual(restored, { count: 2 ** 40, mean: [Float64Array.of(0.1, -0)] })
 * ```
 */
export const tree = <P>(like: P): Item<P, Tensors> =>
  make<P, Tensors>({
    capture: (operation, _, value) =>
      Effect.gen(function* () {
        const { leaves, slots, treeDef } = yield* flattening(() => Slots.flatten(operation, value))
        const tensors = yield* capture(operation, leaves, slots)
        const manifest = slots.every(({ form }) => form === "tensor") ? paramsManifest(operation, treeDef) : undefined
        return { kind: "tree", version: 0, value: null, tensors, manifest }
      }),
    fit: (item, stored, options) =>
      Effect.map(
        flattening(() => Slots.flatten("Item.tree", like)),
        (flat) => fitLayout(item, treeLayout<P>(flat), stored, options)
      )
  })

const treeLayout = <P>({ leaves, slots, treeDef }: Slots.Flat): Layout<P> => ({
  slots,
  // filling the structure of a P with leaves like its own makes a P
  build: (filled) => PyTree.unflatten(treeDef, filled) as P,
  keep: (indices) => shareAll(indices.flatMap((index) => leaves[index] ?? []))
})

/** What makes a file of tensors alone readable by `Params.load`; nothing for nodes that have no codec. */
const paramsManifest = (operation: string, treeDef: TreeDef.TreeDef): Schema.JsonObject | undefined => {
  try {
    return Manifest.encodeParams(operation, treeDef)
  } catch (error) {
    if (error instanceof UnencodableCheckpoint) return undefined
    throw error
  }
}

/** What is known about a state beside its tensors. */
const About = Schema.Struct({ optimizer: Schema.Struct({ name: Schema.String, hyperParameters: HyperParameters }) })

const aboutJson = Schema.toCodecJson(About)

/**
 * The state of an optimizer for parameters like these (their numbers are not looked at).
 *
 * The optimizer's name and hyper-parameters are written down; a state of another optimizer does not fit, and each slot
 * that differs is named. Where leaves keep what they have, that is what `optimizer.init(params)` gives them.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 * import { CheckpointManager, CheckpointStore, Item } from "@optim/serialize"
 *
 * const params = { w: 1 }
 * const adam = Optimizer.adam({ stepSize: 0.1 })
 * const momentum = Optimizer.momentum({ stepSize: 0.1, mass: 0.9 })
 * const program = Effect.gen(function*() {
 *   const writer = yield* CheckpointManager.make({ items: { state: Item.state(adam, params) } })
 *   yield* writer.save(0, { state: yield* adam.init(params) })
 *   yield* writer.flush
 *   const reader = yield* CheckpointManager.make({ items: { state: Item.state(momentum, params) }, readOnly: true })
 *   return yield* Effect.flip(reader.restore())
 * })
 * const error = await Effect.runPromise(
 *   Effect.scoped(program).pipe(Effect.provide([Cpu.layer, CheckpointStore.layerMemory]))
 * )
 * assert.deepStrictEqual("faults" in error ? error.faults.map(({ path }) => path) : [], [
 *   "state: optimizer",
 *   "state['w'] slot m"
 * ])
 * ```
 */
export const state = <P, S>(optimizer: Savable<S>, params: P): Item<OptimizerState<Promoted<P>, S>, Tensors> =>
  make<OptimizerState<Promoted<P>, S>, Tensors>({
    capture: Effect.fnUntraced(function* (operation, step, value) {
      yield* asking(() => optimizer.params(value)) // fails for a state that was donated, or is another optimizer's
      const { subtreeDefs, treeDef } = value
      const structure = { treeDef, subtreeDefs, transform: held(value) }
      const leaves = joined(value.leaves, structure)
      const tensors = yield* capture(operation, leaves, stateSlots(leaves, structure))
      const description = { name: optimizer.name, hyperParameters: fromOptimizer(optimizer.hyperParameters) }
      return yield* writing(() => ({
        kind: "tree" as const,
        version: 0,
        value: Schema.encodeSync(aboutJson)({ optimizer: description }),
        tensors,
        manifest: Manifest.encodeCheckpoint(operation, { step, optimizer: description, ...structure })
      }))
    }),
    fit: (item, stored, options) =>
      Effect.map(stateLayout(optimizer, params), (layout) => {
        const fitted = fitLayout(item, layout, stored, options)
        return { ...fitted, faults: [...nameFaults(item, optimizer.name, stored, options), ...fitted.faults] }
      })
  })

const stateSlots = (
  specs: ReadonlyArray<Slots.TensorSpec | number>,
  structure: Structure
): ReadonlyArray<Slots.Slot> => {
  const names = Names.ofState(structure)
  const places = Names.placesOfState(structure)
  return specs.map((spec, index) =>
    Slots.stateSlot(spec, { name: names[index] ?? "", path: places[index]?.path ?? "" })
  )
}

const stateLayout = Effect.fnUntraced(function* <P, S>(
  optimizer: Savable<S>,
  params: P
): Effect.fn.Return<Layout<OptimizerState<Promoted<P>, S>>, OptimError> {
  const traced = yield* optimizer.trace(params)
  return {
    slots: stateSlots(joined(traced.slots, traced), traced),
    // the structures are those of a state of this optimizer for these parameters, whose leaves are tensors and numbers
    build: (leaves) => {
      const { tensors, transform } = separated(leaves, traced)
      return new OptimizerState(
        traced.treeDef as TreeDef.TreeDef<Promoted<P>>,
        traced.subtreeDefs as ReadonlyArray<TreeDef.TreeDef<S>>,
        tensors.filter(isTensor),
        transform
      )
    },
    keep: (indices) => (indices.length === 0 ? Effect.succeed([]) : initial(optimizer, params, indices))
  }
})

/** Some leaves of a fresh state; the others are disposed. */
const initial = Effect.fnUntraced(function* <P, S>(
  optimizer: Savable<S>,
  params: P,
  indices: ReadonlyArray<number>
): Effect.fn.Return<ReadonlyArray<Slots.Leaf>, OptimError | BackendError, Tensors> {
  const fresh = yield* optimizer.init(params)
  const { subtreeDefs, treeDef } = fresh
  const leaves = joined(fresh.leaves, { treeDef, subtreeDefs, transform: held(fresh) })
  const kept = new Set(indices)
  yield* dispose(leaves.filter((_, index) => !kept.has(index)))
  return indices.flatMap((index) => leaves[index] ?? [])
})

const isAbout = Schema.is(Schema.Struct({ optimizer: Schema.Struct({ name: Schema.String }) }))

const nameFaults = (
  item: string,
  expected: string,
  { value }: ItemRecord,
  options: FitOptions
): ReadonlyArray<Fault> => {
  const found = isAbout(value) ? value.optimizer.name : "none"
  return found === expected || isPartial(options) ? [] : [{ path: `${item}: optimizer`, expected, found }]
}

const within =
  (item: string) =>
  ({ path, ...rest }: Fault): Fault => ({ path: path === "" ? item : `${item}.${path}`, ...rest })

/** Could a manifest that has this in its place, `{"items":{"name":{"value":…}}}`, be read? */
const isReadable = (json: Schema.Json): boolean => !("fault" in JsonText.parse(`[[[${JSON.stringify(json)}]]]`))

/**
 * Data under a schema of one's own, or under the last of a chain of schemas: what was saved under an earlier one is
 * migrated when it is restored.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { CheckpointManager, CheckpointStore, Item, Migrations } from "@optim/serialize"
 *
 * const first = Schema.Struct({ epoch: Schema.Int })
 * const settings = Migrations.from(first).pipe(
 *   Migrations.to(Schema.Struct({ epoch: Schema.Int, seed: Schema.Int }), ({ epoch }) => ({ epoch, seed: 0 }))
 * )
 * const program = Effect.gen(function*() {
 *   const old = yield* CheckpointManager.make({ items: { settings: Item.json(first) } })
 *   yield* old.save(7, { settings: { epoch: 3 } })
 *   yield* old.flush
 *   const today = yield* CheckpointManager.make({ items: { settings: Item.json(settings) }, readOnly: true })
 *   return (yield* today.restore()).items.settings
 * })
 * const restored = await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(CheckpointStore.layerMemory)))
 * assert.deepStrictEqual(restored, { epoch: 3, seed: 0 })
 * ```
 */
export const json = <A, I = unknown>(schema: Schema.Codec<A, I> | Migrations.Migrations<A>): Item<A> => {
  const migrations = schema instanceof Migrations.Migrations ? schema : Migrations.from(schema)
  return make<A, never>({
    capture: (operation, _, value) =>
      Effect.suspend(() => {
        const encoded = migrations.encode(value)
        if (Result.isFailure(encoded)) {
          return Effect.fail(new UnencodableCheckpoint({ operation, faults: encoded.failure }))
        }
        if (!isReadable(encoded.success)) {
          const fault = { path: "", expected: "flat data without keys __proto__", found: "other data" }
          return Effect.fail(new UnencodableCheckpoint({ operation, faults: [fault] }))
        }
        const { version } = migrations
        return Effect.succeed({ kind: "json", version, value: encoded.success, tensors: [], manifest: undefined })
      }),
    fit: (item, { kind, value, version }) => {
      const decoded = migrations.decode(version, value)
      const wrong = kind === "json" ? [] : [{ path: item, expected: "JSON", found: "tensors" }]
      const faults = Result.isFailure(decoded) ? decoded.failure.map(within(item)) : []
      const finish = () => Result.getOrThrow(decoded)
      const filler = { receive: () => Effect.void, finish, abandon: Effect.void }
      return Effect.succeed({ faults: wrong.length > 0 ? wrong : faults, wanted: [], begin: Effect.succeed(filler) })
    }
  })
}
