/**
 * Checkpoints: the whole state of an optimizer as data, and back, bit for bit.
 *
 * A checkpoint is a plain value on the host: every tensor of the state, the structures that they stand in, the step, and
 * what the optimizer was made with. It is taken from tensors (`take`) and put into tensors (`restore`); it is written as a
 * safetensors file, whose tensors any reader of that layout finds under names like `layers.0.w/m`, or as JSON. `save` and
 * `load` do all of it with files.
 *
 * The state of an optimizer that was made of a transform has, besides, what the transform remembers: its tensors are under
 * names like `transform/1.mu.layers.0.w`, and its numbers (counters, rates that were set) as F64 of shape [] beside them.
 *
 * Hyper-parameters are written down, not restored: code makes the optimizer, the checkpoint tells what it was. Only the
 * optimizer's name and the tensors must fit. Where files are kept, and for how long, is not decided here.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 * import { Checkpoint } from "@optim/serialize"
 *
 * const optimizer = Optimizer.adam({ stepSize: 0.1 })
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, { w: 2 }, yield* optimizer.init({ w: 1 }))
 *   const run = { optimizer, step: 1, state }
 *
 *   // tensors -> data -> bytes or text, and back
 *   const checkpoint = yield* Checkpoint.take(run)
 *   assert.ok(Checkpoint.isCheckpoint(checkpoint))
 *   assert.deepStrictEqual(Checkpoint.fromBytes(Checkpoint.toBytes(checkpoint)).leaves, checkpoint.leaves)
 *   assert.deepStrictEqual(Checkpoint.fromJson(Checkpoint.toJson(checkpoint)).leaves, checkpoint.leaves)
 *   const restored = yield* Checkpoint.restore(checkpoint, { optimizer, params: { w: 0 } })
 *
 *   // the same in one go
 *   const bytes = yield* Checkpoint.encode(run)
 *   const text = yield* Checkpoint.encodeJson(run)
 *   const fromBytes = yield* Checkpoint.decode(bytes, { optimizer, params: { w: 0 } })
 *   const fromText = yield* Checkpoint.decodeJson(text, { optimizer, params: { w: 0 } })
 *   const next = ({ state, step }: Pick<typeof restored, "state" | "step">) => optimizer.update(step, { w: 3 }, state)
 *   const states = yield* Effect.forEach([restored, fromBytes, fromText, run], next)
 *   return states.map(({ leaves }) => leaves.map((leaf) => leaf.dataSync()[0]))
 * })
 * const [restored, ...others] = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * for (const other of others) assert.deepStrictEqual(other, restored)
 * ```
 */
import { InvalidStep, type OptimError } from "@optim/core/OptimError"
import type { Promoted, Traced } from "@optim/core/Optimizer"
import { type Held, held, OptimizerState } from "@optim/core/OptimizerState"
import type { HostTensor, Tensors } from "@optim/core/Tensors"
import type { TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import { hasProperty } from "effect/Predicate"
import type * as Schema from "effect/Schema"
import { checkBudget, entriesOf, leafOf, named, specOf } from "./internal/assemble.ts"
import { atomicWrite } from "./internal/atomicWrite.ts"
import { asking, inFile, reading, type ReadError, writing, type WriteError } from "./internal/attempt.ts"
import * as Document from "./internal/document.ts"
import { hostSpec, type Layout, leafSpec, misfits } from "./internal/fit.ts"
import { fromOptimizer, type HyperParameters } from "./internal/hyperParameters.ts"
import { codecs } from "./internal/codecs.ts"
import * as Manifest from "./internal/manifest.ts"
import * as Names from "./internal/names.ts"
import type { Savable } from "./internal/savable.ts"
import { joined, separated, subtreeLeaves } from "./internal/stateLeaves.ts"
import { makeAll, readAll } from "./internal/transfer.ts"
import * as Safetensors from "./Safetensors.ts"
import { CheckpointMismatch } from "./SerializeError.ts"

export type { HyperParameter, HyperParameters, Opaque } from "./internal/hyperParameters.ts"
export type { Metadata } from "./internal/document.ts"
export type { ReadError, WriteError } from "./internal/attempt.ts"
export type { Savable } from "./internal/savable.ts"

const TypeId = "~@optim/serialize/Checkpoint"

/** The state of an optimizer as data: nothing in it belongs to a backend, nothing needs to be disposed. */
export class Checkpoint {
  readonly [TypeId]: typeof TypeId = TypeId
  /** How many updates led to this state, and so the step of the next one. */
  readonly step: number
  /** What the optimizer was; a hyper-parameter that was a plain function is `Opaque`. */
  readonly optimizer: { readonly name: string; readonly hyperParameters: HyperParameters }
  /** Text of the user's own. */
  readonly metadata: Document.Metadata
  /** The structure of the parameters. */
  readonly treeDef: TreeDef.TreeDef
  /** The structure of each leaf's slots. */
  readonly subtreeDefs: ReadonlyArray<TreeDef.TreeDef>
  /** All tensors of the state, leaf after leaf, slot after slot, then those of what a transform remembers. */
  readonly leaves: ReadonlyArray<HostTensor>
  /** What a transform remembers, without its tensors: structure and numbers. */
  readonly transform: Held | undefined

  constructor(fields: Omit<Checkpoint, typeof TypeId | "transform"> & Partial<Pick<Checkpoint, "transform">>) {
    this.step = fields.step
    this.optimizer = fields.optimizer
    this.metadata = fields.metadata
    this.treeDef = fields.treeDef
    this.subtreeDefs = fields.subtreeDefs
    this.leaves = fields.leaves
    this.transform = fields.transform
  }
}

/** Is this a checkpoint of an optimizer's state? */
export const isCheckpoint = (u: unknown): u is Checkpoint => hasProperty(u, TypeId)

/** A run to be saved: its optimizer, how many updates it has made, and the state after them. */
export interface Run<P, S> {
  readonly optimizer: Savable<S>
  readonly step: number
  readonly state: OptimizerState<P, S>
  /** Text to keep with it, under any keys but `optim`. */
  readonly metadata?: Document.Metadata | undefined
}

/** Where a checkpoint goes: the optimizer, and a tree like the parameters that were given to its `init`. */
export interface Target<P, S> {
  readonly optimizer: Savable<S>
  /** Only structure, shapes and dtypes matter; the numbers are not looked at. */
  readonly params: P
}

/** A run to go on with. The caller owns the state. */
export interface Resumed<P, S> {
  /** The step of the next update. */
  readonly step: number
  readonly state: OptimizerState<P, S>
  readonly metadata: Document.Metadata
  /** What the optimizer was made with when the checkpoint was taken. */
  readonly hyperParameters: HyperParameters
}

const checkStep = (operation: string, step: number) =>
  Number.isSafeInteger(step) && step >= 0
    ? Effect.void
    : Effect.fail(new InvalidStep({ operation, value: String(step) }))

const tensorPaths = (leaves: ReadonlyArray<Tensor>, structure: Parameters<typeof joined>[1]): ReadonlyArray<string> => {
  const places = Names.placesOfState(structure)
  return joined(leaves, structure).flatMap((leaf, index) =>
    typeof leaf === "number" ? [] : (places[index]?.path ?? "")
  )
}

const taken = Effect.fnUntraced(function* <P, S>(
  operation: string,
  { metadata = {}, optimizer, state, step }: Run<P, S>
) {
  yield* checkStep(operation, step)
  yield* asking(() => optimizer.params(state)) // fails for a state that was donated, or is another optimizer's
  const { subtreeDefs, treeDef } = state
  const structure = { treeDef, subtreeDefs, transform: held(state) }
  const leaves = yield* readAll(operation, state.leaves, tensorPaths(state.leaves, structure))
  const description = { name: optimizer.name, hyperParameters: fromOptimizer(optimizer.hyperParameters) }
  return new Checkpoint({ step, optimizer: description, metadata, leaves, ...structure })
})

/**
 * Reads the state of a run from its tensors, which stay as they are.
 *
 * Fails like `optimizer.params` for a state that was donated or belongs to another optimizer, with `DisposedTensor` and
 * with `InvalidStep`. Do not update the state with `donate` in another fiber meanwhile.
 */
export const take = <P, S>(run: Run<P, S>): Effect.Effect<Checkpoint, OptimError | WriteError, Tensors> =>
  taken("Checkpoint.take", run)

const layoutOf = (checkpoint: Checkpoint): Layout => {
  const { leaves, optimizer, subtreeDefs, transform, treeDef } = checkpoint
  const specs = joined(leaves, checkpoint).map((leaf) => leafSpec(leaf, hostSpec))
  return { optimizer: optimizer.name, treeDef, subtreeDefs, transform, specs }
}

const layoutFor = ({ name }: { readonly name: string }, traced: Traced): Layout => {
  const { slots, subtreeDefs, transform, treeDef } = traced
  const specs = joined(slots, traced).map((leaf) => leafSpec(leaf, specOf))
  return { optimizer: name, treeDef, subtreeDefs, transform, specs }
}

const restored = Effect.fnUntraced(function* <P, S>(operation: string, checkpoint: Checkpoint, target: Target<P, S>) {
  const { optimizer, params } = target
  const traced = yield* optimizer.trace(params)
  const faults = misfits(layoutFor(optimizer, traced), layoutOf(checkpoint))
  if (faults.length > 0) return yield* new CheckpointMismatch({ operation, faults })
  const {
    leaves,
    metadata,
    optimizer: { hyperParameters },
    step,
    transform
  } = checkpoint
  // The structures are those of a state of this optimizer for these parameters.
  const state: OptimizerState<Promoted<P>, S> = new OptimizerState(
    traced.treeDef as TreeDef.TreeDef<Promoted<P>>,
    traced.subtreeDefs as ReadonlyArray<TreeDef.TreeDef<S>>,
    yield* makeAll(leaves),
    transform
  )
  return { step, state, metadata, hyperParameters }
})

/**
 * Puts a checkpoint into tensors, as the state of the same optimizer for the same parameters.
 *
 * Fails with one `CheckpointMismatch` that lists every difference: the optimizer's name, missing and unexpected tensors,
 * shapes, dtypes, slots, numbers of a transform. All numbers go through unchanged, bit for bit.
 */
export const restore = <P, S>(
  checkpoint: Checkpoint,
  target: Target<P, S>
): Effect.Effect<Resumed<Promoted<P>, S>, CheckpointMismatch | OptimError, Tensors> =>
  restored("Checkpoint.restore", checkpoint, target)

const toDocument = (operation: string, checkpoint: Checkpoint): Document.Document => ({
  manifest: Manifest.encodeCheckpoint(operation, checkpoint),
  metadata: checkpoint.metadata,
  entries: entriesOf(operation, Names.ofState(checkpoint), joined(checkpoint.leaves, checkpoint))
})

const fromDocument = (operation: string, { entries, manifest, metadata }: Document.Unchecked): Checkpoint => {
  const { nameLength, ...description } = Manifest.decodeCheckpoint(operation, manifest)
  checkBudget(operation, nameLength, entries)
  const remembered = subtreeLeaves(description)
  const leaves = named(operation, Names.ofState(description), entries, (entry, index) =>
    index < remembered ? Safetensors.toHost(entry) : leafOf(entry)
  )
  const { tensors, transform } = separated(leaves, description)
  return new Checkpoint({ ...description, metadata, leaves: tensors, transform })
}

const bytesAs = (operation: string, bytes: Uint8Array): Checkpoint =>
  fromDocument(operation, Document.fromBytes(operation, bytes))

const textAs = (operation: string, text: string): Checkpoint =>
  fromDocument(operation, Document.fromJsonText(operation, text))

const chunks = (operation: string, checkpoint: Checkpoint): ReadonlyArray<Uint8Array> =>
  Document.toChunks(operation, toDocument(operation, checkpoint))

/**
 * A checkpoint as the bytes of a safetensors file.
 *
 * Throws `UnencodableCheckpoint` for a tree with nodes that have no codec and for hyper-parameters that are neither
 * numbers, flags, texts nor step sizes; `InvalidEntry` for metadata that is not well-formed text and for numbers that do
 * not fit their shape.
 */
export const toBytes = (checkpoint: Checkpoint): Uint8Array =>
  Safetensors.concat(chunks("Checkpoint.toBytes", checkpoint))

/**
 * The checkpoint in the bytes of a file, which may come from anywhere. Its numbers are views into `bytes`.
 *
 * Throws `InvalidSafetensors` for what is not a sound file and `InvalidCheckpoint` for what is not a checkpoint.
 */
export const fromBytes = (bytes: Uint8Array): Checkpoint => bytesAs("Checkpoint.fromBytes", bytes)

/**
 * A checkpoint as JSON text; numbers are exact, NaN and infinities included. For small states: a third larger than bytes.
 *
 * Throws `UnencodableCheckpoint` and `InvalidEntry`, as `toBytes` does.
 */
export const toJson = (checkpoint: Checkpoint): string =>
  Document.toJsonText("Checkpoint.toJson", toDocument("Checkpoint.toJson", checkpoint))

/** The checkpoint in JSON text, which may come from anywhere. Throws `InvalidCheckpoint`. */
export const fromJson = (text: string): Checkpoint => textAs("Checkpoint.fromJson", text)

const derived = codecs({
  identifier: "Checkpoint",
  is: isCheckpoint,
  toDocument: (checkpoint) => toDocument("Checkpoint", checkpoint),
  fromDocument: (document) => fromDocument("Checkpoint", document)
})

/**
 * The schema of checkpoints, to be put into schemas of one's own: `Schema.toCodecJson` gives it its JSON form,
 * `SchemaBinary` its bytes.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 * import { Checkpoint } from "@optim/serialize"
 *
 * const program = Effect.gen(function*() {
 *   const optimizer = Optimizer.momentum({ stepSize: 0.1, mass: 0.9 })
 *   return yield* Checkpoint.take({ optimizer, step: 0, state: yield* optimizer.init({ w: 1 }) })
 * })
 * const checkpoint = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 *
 * const Session = Schema.fromJsonString(Schema.toCodecJson(Schema.Struct({ epoch: Schema.Int, checkpoint: Checkpoint.schema })))
 * const text = Schema.encodeSync(Session)({ epoch: 3, checkpoint })
 * assert.deepStrictEqual(Schema.decodeSync(Session)(text).checkpoint.leaves, checkpoint.leaves)
 * ```
 */
export const schema: Schema.Codec<Checkpoint> = derived.schema

/** The codec between checkpoints and the bytes of safetensors files. */
export const Bytes: Schema.Codec<Checkpoint, Uint8Array> = derived.Bytes

/** The codec between checkpoints and JSON values. */
export const Json: Schema.Codec<Checkpoint, Schema.Json> = derived.Json

/** The bytes of a safetensors file for a run: `take`, then `toBytes`. */
export const encode = Effect.fn("Checkpoint.encode")(function* <P, S>(
  run: Run<P, S>
): Effect.fn.Return<Uint8Array, OptimError | WriteError, Tensors> {
  const checkpoint = yield* taken("Checkpoint.encode", run)
  return yield* writing(() => Safetensors.concat(chunks("Checkpoint.encode", checkpoint)))
})

/** A run to go on with, from the bytes of a file: `fromBytes`, then `restore`. */
export const decode = Effect.fn("Checkpoint.decode")(function* <P, S>(
  bytes: Uint8Array,
  target: Target<P, S>
): Effect.fn.Return<Resumed<Promoted<P>, S>, ReadError | CheckpointMismatch | OptimError, Tensors> {
  const checkpoint = yield* reading(() => bytesAs("Checkpoint.decode", bytes))
  return yield* restored("Checkpoint.decode", checkpoint, target)
})

/** JSON text for a run: `take`, then `toJson`. */
export const encodeJson = Effect.fn("Checkpoint.encodeJson")(function* <P, S>(
  run: Run<P, S>
): Effect.fn.Return<string, OptimError | WriteError, Tensors> {
  const checkpoint = yield* taken("Checkpoint.encodeJson", run)
  return yield* writing(() =>
    Document.toJsonText("Checkpoint.encodeJson", toDocument("Checkpoint.encodeJson", checkpoint))
  )
})

/** A run to go on with, from JSON text: `fromJson`, then `restore`. */
export const decodeJson = Effect.fn("Checkpoint.decodeJson")(function* <P, S>(
  text: string,
  target: Target<P, S>
): Effect.fn.Return<Resumed<Promoted<P>, S>, ReadError | CheckpointMismatch | OptimError, Tensors> {
  const checkpoint = yield* reading(() => textAs("Checkpoint.decodeJson", text))
  return yield* restored("Checkpoint.decodeJson", checkpoint, target)
})

/**
 * Writes a checkpoint to a file, as `save` does.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 * import { Checkpoint } from "@optim/serialize"
 *
 * const program = Effect.gen(function*() {
 *   const fs = yield* FileSystem.FileSystem
 *   const path = `${yield* fs.makeTempDirectoryScoped()}/run.safetensors`
 *   const optimizer = Optimizer.sgd({ stepSize: 0.1 })
 *   yield* Checkpoint.write(path, yield* Checkpoint.take({ optimizer, step: 7, state: yield* optimizer.init({ w: 1 }) }))
 *   return yield* Checkpoint.read(path)
 * })
 * const { optimizer, step } = await Effect.runPromise(
 *   program.pipe(Effect.scoped, Effect.provide([Cpu.layer, NodeServices.layer]))
 * )
 * assert.deepStrictEqual([optimizer, step], [{ name: "sgd", hyperParameters: { stepSize: 0.1 } }, 7])
 * ```
 */
export const write = Effect.fn("Checkpoint.write")(function* (
  path: string,
  checkpoint: Checkpoint
): Effect.fn.Return<void, WriteError | PlatformError, FileSystem.FileSystem> {
  yield* atomicWrite(path, yield* writing(() => chunks("Checkpoint.write", checkpoint)))
})

/**
 * Reads the checkpoint in a file, without putting it into tensors: for a look at its step, name and numbers.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import { Checkpoint } from "@optim/serialize"
 *
 * const program = Effect.flip(Checkpoint.read("/no/such/file"))
 * const error = await Effect.runPromise(program.pipe(Effect.provide(NodeServices.layer)))
 * assert.strictEqual(error._tag, "PlatformError")
 * ```
 */
export const read = Effect.fn("Checkpoint.read")(function* (
  path: string
): Effect.fn.Return<Checkpoint, ReadError | PlatformError, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* fs.readFile(path)
  return yield* reading(() => bytesAs("Checkpoint.read", bytes)).pipe(inFile(path))
})

/**
 * Saves a run to a file.
 *
 * The bytes go to a temporary name in the same directory, are synced, and the name is then changed: at any moment there
 * is the old file or the new one, whole. If it fails or is interrupted, the old file is as it was and nothing is left
 * beside it. A symbolic link is replaced by the file.
 *
 * Fails with what `take` and `toBytes` fail with, and with the `PlatformError` of the file system.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 * import { Checkpoint } from "@optim/serialize"
 *
 * const program = Effect.gen(function*() {
 *   const fs = yield* FileSystem.FileSystem
 *   const path = `${yield* fs.makeTempDirectoryScoped()}/run.safetensors`
 *   const optimizer = Optimizer.momentum({ stepSize: 0.1, mass: 0.9 })
 *   const state = yield* optimizer.update(0, { w: 1 }, yield* optimizer.init({ w: 1 }))
 *   yield* Checkpoint.save(path, { optimizer, step: 1, state })
 *
 *   const resumed = yield* Checkpoint.load(path, { optimizer, params: { w: 0 } })
 *   const next = (from: typeof state) => Effect.map(optimizer.update(resumed.step, { w: 1 }, from), optimizer.params)
 *   return [(yield* next(resumed.state)).w.dataSync(), (yield* next(state)).w.dataSync()]
 * })
 * const [resumed, uninterrupted] = await Effect.runPromise(
 *   program.pipe(Effect.scoped, Effect.provide([Cpu.layer, NodeServices.layer]))
 * )
 * assert.deepStrictEqual(resumed, uninterrupted)
 * ```
 */
export const save = Effect.fn("Checkpoint.save")(function* <P, S>(
  path: string,
  run: Run<P, S>
): Effect.fn.Return<void, OptimError | WriteError | PlatformError, Tensors | FileSystem.FileSystem> {
  const checkpoint = yield* taken("Checkpoint.save", run)
  yield* atomicWrite(path, yield* writing(() => chunks("Checkpoint.save", checkpoint)))
})

/**
 * Loads a run from a file: `read`, then `restore`.
 *
 * Fails with `InvalidSafetensors` or `InvalidCheckpoint` for a damaged or foreign file, with `CheckpointMismatch` for one
 * that does not fit optimizer and parameters, and with the `PlatformError` of the file system. The example of `save`
 * shows it at work.
 */
export const load = Effect.fn("Checkpoint.load")(function* <P, S>(
  path: string,
  target: Target<P, S>
): Effect.fn.Return<
  Resumed<Promoted<P>, S>,
  ReadError | CheckpointMismatch | OptimError | PlatformError,
  Tensors | FileSystem.FileSystem
> {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* fs.readFile(path)
  return yield* reading(() => bytesAs("Checkpoint.load", bytes)).pipe(
    Effect.flatMap((checkpoint) => restored("Checkpoint.load", checkpoint, target)),
    inFile(path)
  )
})
