/**
 * Trees of parameters as safetensors files and as JSON, without an optimizer: to ship a model, or to read one.
 *
 * Tensors are named by their path with dots, as other frameworks name them: `{ layers: [{ w }] }` is `layers.0.w`. Files
 * of other writers are read into a tree of one's own (`like`), by these names. A file written here also keeps the tree's
 * structure, so it can be read without one.
 *
 * The state of an optimizer is saved by `Checkpoint`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * import * as Cpu from "@optim/core/cpu"
 * import { Params } from "@optim/serialize"
 *
 * const model = { layers: [{ w: Float32Array.of(1, 2), b: 0.5 }] }
 * const program = Effect.gen(function*() {
 *   // tensors -> data -> bytes or text, and back
 *   const data = yield* Params.take(model)
 *   assert.ok(Params.isParams(data))
 *   const again = Params.fromJson(Params.toJson(Params.fromBytes(Params.toBytes(data), { like: model })), { like: model })
 *
 *   // the same in one go, and with files
 *   const fs = yield* FileSystem.FileSystem
 *   const path = `${yield* fs.makeTempDirectoryScoped()}/model.safetensors`
 *   yield* Params.save(path, model)
 *   const trees = [
 *     yield* Params.restore(again),
 *     yield* Params.decode(yield* Params.encode(model), { like: model }),
 *     yield* Params.decodeJson(yield* Params.encodeJson(model), { like: model }),
 *     yield* Params.load(path, { like: model })
 *   ]
 *   return trees.map(({ layers }) => layers.map(({ b, w }) => [[...w.dataSync()], b.dataSync()[0]]))
 * })
 * const trees = await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide([Cpu.layer, NodeServices.layer])))
 * for (const tree of trees) assert.deepStrictEqual(tree, [[[1, 2], 0.5]])
 * ```
 */
import type { DisposedTensor, BackendError } from "@optim/core/OptimError"
import type { Promoted } from "@optim/core/Optimizer"
import type { HostTensor, Tensors } from "@optim/core/Tensors"
import { PyTree, type TreeDef } from "@optim/pytree"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import { hasProperty } from "effect/Predicate"
import type * as Schema from "effect/Schema"
import { entriesOf } from "./internal/assemble.ts"
import { atomicWrite } from "./internal/atomicWrite.ts"
import {
  flattening,
  inFile,
  type ReadError,
  readingInto,
  type TreeFault,
  writing,
  type WriteError
} from "./internal/attempt.ts"
import { codecs } from "./internal/codecs.ts"
import * as Document from "./internal/document.ts"
import * as Like from "./internal/like.ts"
import { pathsOf } from "./internal/leaves.ts"
import * as Manifest from "./internal/manifest.ts"
import * as Names from "./internal/names.ts"
import { makeAll, readAll } from "./internal/transfer.ts"
import * as Safetensors from "./Safetensors.ts"
import type { CheckpointMismatch } from "./SerializeError.ts"

export type { Metadata } from "./internal/document.ts"
export type { ReadError, TreeFault, WriteError } from "./internal/attempt.ts"

const TypeId = "~@optim/serialize/Params"

/** Parameters as data; `P` is the tree of tensors that they become. */
export class Params<out P = unknown> {
  readonly [TypeId]: typeof TypeId = TypeId
  /** Text of the user's own. */
  readonly metadata: Document.Metadata
  /** The structure of the tree. */
  readonly treeDef: TreeDef.TreeDef<P>
  /** Its tensors, in the order of the tree. */
  readonly leaves: ReadonlyArray<HostTensor>

  constructor(fields: Omit<Params<P>, typeof TypeId>) {
    this.metadata = fields.metadata
    this.treeDef = fields.treeDef
    this.leaves = fields.leaves
  }
}

/** Are these parameters as data? */
export const isParams = (u: unknown): u is Params => hasProperty(u, TypeId)

/** What is written with the parameters. */
export interface WriteOptions {
  /** Text to keep with them, under any keys but `optim`. */
  readonly metadata?: Document.Metadata | undefined
}

/** How parameters are read. */
export interface ReadOptions<P> {
  /** A tree of the structure, shapes and dtypes that are called for; its numbers are not looked at. */
  readonly like: P
  /** Whether F16, BF16 and F64 tensors become float32. Default false: they do not fit. */
  readonly convertFloats?: boolean | undefined
}

const taken = Effect.fnUntraced(function* <P>(operation: string, params: P, { metadata = {} }: WriteOptions = {}) {
  const { leaves: likes, treeDef } = yield* flattening(() => Like.flatten(operation, params))
  const leaves = yield* readAll(operation, likes, pathsOf(treeDef))
  // promotion keeps the structure
  return new Params({ metadata, treeDef: treeDef as TreeDef.TreeDef<Promoted<P>>, leaves })
})

/**
 * Reads parameters from their tensors, which stay as they are. Numbers and typed arrays count as float32 tensors.
 *
 * Fails with `InvalidLeaf` for other leaves, with `DisposedTensor`, and with `UnencodableCheckpoint` for tensors that are
 * neither float32 nor int32 nor bool.
 */
export const take = <P>(
  params: P,
  options?: WriteOptions
): Effect.Effect<Params<Promoted<P>>, TreeFault | DisposedTensor | WriteError, Tensors> =>
  taken("Params.take", params, options)

/** Puts parameters into tensors. The caller owns them. */
export const restore = <P>({ leaves, treeDef }: Params<P>): Effect.Effect<P, BackendError, Tensors> =>
  // filling the structure of a P with tensors makes a P
  Effect.map(makeAll(leaves), (tensors) => PyTree.unflatten(treeDef, tensors) as P)

const toDocument = (operation: string, { leaves, metadata, treeDef }: Params): Document.Document => ({
  manifest: Manifest.encodeParams(operation, treeDef),
  metadata,
  entries: entriesOf(operation, Names.ofTree(treeDef), leaves)
})

const fromDocument = (operation: string, document: Document.Unchecked): Params =>
  new Params({ metadata: document.metadata, ...Like.inItsOwn(operation, document) })

const fromDocumentLike = <P>(operation: string, document: Document.Unchecked, options: ReadOptions<P>) => {
  const { leaves, treeDef } = Like.inThatOf(operation, document, options)
  // promotion keeps the structure
  return new Params({ metadata: document.metadata, treeDef: treeDef as TreeDef.TreeDef<Promoted<P>>, leaves })
}

interface Read<A> {
  (encoded: A): Params
  <P>(encoded: A, options: ReadOptions<P>): Params<Promoted<P>>
}

const reads = <A>(operation: string, parse: (operation: string, encoded: A) => Document.Unchecked): Read<A> => {
  const read = <P>(encoded: A, options?: ReadOptions<P>) => {
    const document = parse(operation, encoded)
    return options === undefined ? fromDocument(operation, document) : fromDocumentLike(operation, document, options)
  }
  return read
}

const chunks = (operation: string, params: Params): ReadonlyArray<Uint8Array> =>
  Document.toChunks(operation, toDocument(operation, params))

/**
 * Parameters as the bytes of a safetensors file.
 *
 * Throws `UnencodableCheckpoint` for a tree with nodes that have no codec, `InvalidEntry` for metadata that is not
 * well-formed text.
 */
export const toBytes = (params: Params): Uint8Array => Safetensors.concat(chunks("Params.toBytes", params))

/**
 * The parameters in the bytes of a safetensors file, which may come from anywhere: in the structure that the file names
 * itself, or in that of `like`, for files of whatever writer. Their numbers are views into `bytes`.
 *
 * Throws `InvalidSafetensors` for what is not a sound file and `InvalidCheckpoint` for a file without a sound structure;
 * with `like`, one `CheckpointMismatch` that lists missing and unexpected tensors, shapes and dtypes.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import { Params, Safetensors } from "@optim/serialize"
 *
 * const w = Safetensors.fromHost("layers.0.w", { shape: [2], data: Float32Array.of(1, -2) })
 * const foreign = Safetensors.encode({ tensors: [w] })
 * const read = Params.fromBytes(foreign, { like: { layers: [{ w: Float32Array.of(0, 0) }] } })
 * assert.deepStrictEqual(read.leaves, [{ shape: [2], data: Float32Array.of(1, -2) }])
 * assert.throws(() => Params.fromBytes(foreign, { like: { layers: [{ b: 0 }] } }), { _tag: "CheckpointMismatch" })
 * ```
 */
export const fromBytes: Read<Uint8Array> = reads("Params.fromBytes", Document.fromBytes)

/** Parameters as JSON text; numbers are exact, NaN and infinities included. Throws `UnencodableCheckpoint`. */
export const toJson = (params: Params): string =>
  Document.toJsonText("Params.toJson", toDocument("Params.toJson", params))

/** The parameters in JSON text, which may come from anywhere; else as `fromBytes`. */
export const fromJson: Read<string> = reads("Params.fromJson", Document.fromJsonText)

const derived = codecs({
  identifier: "Params",
  is: isParams,
  toDocument: (params) => toDocument("Params", params),
  fromDocument: (document) => fromDocument("Params", document)
})

/**
 * The schema of parameters, to be put into schemas of one's own: `Schema.toCodecJson` gives it its JSON form,
 * `SchemaBinary` its bytes.
 */
export const schema: Schema.Codec<Params> = derived.schema

/** The codec between parameters and the bytes of safetensors files. */
export const Bytes: Schema.Codec<Params, Uint8Array> = derived.Bytes

/** The codec between parameters and JSON values. */
export const Json: Schema.Codec<Params, Schema.Json> = derived.Json

/** What reading into tensors can fail with. */
export type DecodeError = ReadError | TreeFault | CheckpointMismatch | BackendError

interface Decode<A> {
  (encoded: A): Effect.Effect<unknown, DecodeError, Tensors>
  <P>(encoded: A, options: ReadOptions<P>): Effect.Effect<Promoted<P>, DecodeError, Tensors>
}

const decodes = <A>(operation: string, parse: (operation: string, encoded: A) => Document.Unchecked): Decode<A> => {
  const read = reads(operation, parse)
  return <P>(encoded: A, options?: ReadOptions<P>) =>
    readingInto((): Params => (options === undefined ? read(encoded) : read(encoded, options))).pipe(
      Effect.flatMap(restore),
      Effect.withSpan(operation)
    ) as Effect.Effect<Promoted<P>, DecodeError, Tensors> // `unknown` without options, as the overloads say
}

/** The bytes of a safetensors file for a tree of tensors: `take`, then `toBytes`. */
export const encode = Effect.fn("Params.encode")(function* (
  params: unknown,
  options?: WriteOptions
): Effect.fn.Return<Uint8Array, TreeFault | DisposedTensor | WriteError, Tensors> {
  const data = yield* taken("Params.encode", params, options)
  return yield* writing(() => Safetensors.concat(chunks("Params.encode", data)))
})

/** A tree of tensors from the bytes of a file: `fromBytes`, then `restore`. The caller owns the tensors. */
export const decode: Decode<Uint8Array> = decodes("Params.decode", Document.fromBytes)

/** JSON text for a tree of tensors: `take`, then `toJson`. */
export const encodeJson = Effect.fn("Params.encodeJson")(function* (
  params: unknown,
  options?: WriteOptions
): Effect.fn.Return<string, TreeFault | DisposedTensor | WriteError, Tensors> {
  const data = yield* taken("Params.encodeJson", params, options)
  return yield* writing(() => Document.toJsonText("Params.encodeJson", toDocument("Params.encodeJson", data)))
})

/** A tree of tensors from JSON text: `fromJson`, then `restore`. The caller owns the tensors. */
export const decodeJson: Decode<string> = decodes("Params.decodeJson", Document.fromJsonText)

/**
 * Saves a tree of tensors to a file, as `Checkpoint.save` does: whole or not at all.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * import * as Cpu from "@optim/core/cpu"
 * import { Params, Safetensors } from "@optim/serialize"
 *
 * const program = Effect.gen(function*() {
 *   const fs = yield* FileSystem.FileSystem
 *   const path = `${yield* fs.makeTempDirectoryScoped()}/model.safetensors`
 *   yield* Params.save(path, { layers: [{ w: Float32Array.of(1, 2), b: 0.5 }] })
 *   return Safetensors.decode(yield* fs.readFile(path)).tensors.map(({ name }) => name)
 * })
 * const names = await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide([Cpu.layer, NodeServices.layer])))
 * assert.deepStrictEqual(names, ["layers.0.b", "layers.0.w"])
 * ```
 */
export const save = Effect.fn("Params.save")(function* (
  path: string,
  params: unknown,
  options?: WriteOptions
): Effect.fn.Return<void, TreeFault | DisposedTensor | WriteError | PlatformError, Tensors | FileSystem.FileSystem> {
  const data = yield* taken("Params.save", params, options)
  yield* atomicWrite(path, yield* writing(() => chunks("Params.save", data)))
})

interface Load {
  (path: string): Effect.Effect<unknown, DecodeError | PlatformError, Tensors | FileSystem.FileSystem>
  <P>(
    path: string,
    options: ReadOptions<P>
  ): Effect.Effect<Promoted<P>, DecodeError | PlatformError, Tensors | FileSystem.FileSystem>
}

const decodeFile = decodes("Params.load", Document.fromBytes)

/** Loads a tree of tensors from a file: `fromBytes`, then `restore`. The caller owns the tensors. */
export const load: Load = <P>(path: string, options?: ReadOptions<P>) =>
  Effect.flatMap(
    FileSystem.FileSystem.use((fs) => fs.readFile(path)),
    // `unknown` without options, as the overloads say
    (bytes) =>
      (options === undefined ? decodeFile(bytes) : decodeFile(bytes, options)) as ReturnType<typeof decodeFile<P>>
  ).pipe(inFile(path))
