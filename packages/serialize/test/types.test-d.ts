import { Optimizer, OptimizerState, type OptimError, type BackendError, type Tensors, Transform } from "@optim/core"
import {
  Checkpoint,
  type CheckpointManager,
  type CheckpointMismatch,
  type InvalidCheckpoint,
  type InvalidEntry,
  type InvalidSafetensors,
  Item,
  Params,
  Safetensors,
  type UnencodableCheckpoint
} from "@optim/serialize"
import type { Scalar, Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { describe, expectTypeOf, it } from "vitest"

interface Model {
  readonly w: Tensor2D
  readonly layers: Array<{ readonly b: Tensor1D }>
}

declare const model: Model
declare const bytes: Uint8Array
declare const needsValue: Transform.Transform<null, "value">

type Lion = ReturnType<typeof Transform.lion>

declare const state: OptimizerState.OptimizerState<Model, { x: Tensor; v: Tensor }>

const momentum = Optimizer.momentum({ stepSize: 0.1, mass: 0.9 })
const adam = Optimizer.adam({ stepSize: 0.1 })

describe("Checkpoint", () => {
  it("resumes with the user's own tree and the optimizer's own slots", () => {
    const resumed = Checkpoint.decode(bytes, { optimizer: momentum, params: model })
    expectTypeOf(resumed).toEqualTypeOf<
      Effect.Effect<
        Checkpoint.Resumed<Model, { x: Tensor; v: Tensor }>,
        InvalidSafetensors | InvalidCheckpoint | CheckpointMismatch | OptimError,
        Tensors.Tensors
      >
    >()
    expectTypeOf<Effect.Success<typeof resumed>["state"]>().toEqualTypeOf(state)
  })

  it("numbers and typed arrays of the target come back as tensors", () => {
    const resumed = Checkpoint.load("file", { optimizer: adam, params: { a: 1, b: [Float32Array.of(1)] } })
    expectTypeOf<Effect.Success<typeof resumed>["state"]>().toEqualTypeOf<
      OptimizerState.OptimizerState<{ a: Scalar; b: Array<Tensor1D> }, { x: Tensor; m: Tensor; v: Tensor }>
    >()
    expectTypeOf<Effect.Services<typeof resumed>>().toEqualTypeOf<Tensors.Tensors | FileSystem.FileSystem>()
  })

  it("saves a state with its own optimizer only", () => {
    const saved = Checkpoint.save("file", { optimizer: momentum, step: 1, state })
    expectTypeOf(saved).toEqualTypeOf<
      Effect.Effect<
        void,
        OptimError | UnencodableCheckpoint | InvalidEntry | PlatformError,
        Tensors.Tensors | FileSystem.FileSystem
      >
    >()
    // @ts-expect-error adam keeps other slots
    void Checkpoint.save("file", { optimizer: adam, step: 1, state })
  })

  it("knows what a transform remembers, and takes an optimizer that needs the loss", () => {
    const lion = Optimizer.fromTransform(Transform.lion({ learningRate: 0.1 }))
    const resumed = Checkpoint.decode(bytes, { optimizer: lion, params: model })
    type Remembered = ReturnType<typeof OptimizerState.transform<Model, Transform.StateOf<Lion>>>
    const transform = Effect.map(resumed, ({ state }) => OptimizerState.transform(state))
    expectTypeOf<Effect.Success<typeof transform>>().toEqualTypeOf<Remembered>()
    const sgd = Optimizer.fromTransform(Transform.sgd({ learningRate: 0.1 }))
    // @ts-expect-error sgd remembers something else
    void Effect.flatMap(resumed, ({ state }) => Checkpoint.take({ optimizer: sgd, step: 1, state }))
    const needy = Optimizer.fromTransform(needsValue)
    const init = needy.init(model)
    void Effect.flatMap(init, (state) => Checkpoint.take({ optimizer: needy, step: 1, state }))
    void Item.state(needy, model)
  })

  it("writes and reads data without tensors", () => {
    const read = Checkpoint.read("file")
    expectTypeOf<Effect.Services<typeof read>>().toEqualTypeOf<FileSystem.FileSystem>()
    expectTypeOf(Checkpoint.fromBytes(bytes)).toEqualTypeOf<Checkpoint.Checkpoint>()
    expectTypeOf(Checkpoint.schema.Type).toEqualTypeOf<Checkpoint.Checkpoint>()
    expectTypeOf(Checkpoint.Bytes.Encoded).toEqualTypeOf<Uint8Array>()
  })
})

describe("Params", () => {
  it("with a tree to read into, that tree; without, unknown", () => {
    expectTypeOf(Params.decode(bytes, { like: model })).toEqualTypeOf<
      Effect.Effect<Model, Params.DecodeError, Tensors.Tensors>
    >()
    expectTypeOf(Params.decode(bytes)).toEqualTypeOf<Effect.Effect<unknown, Params.DecodeError, Tensors.Tensors>>()
    expectTypeOf(Params.fromBytes(bytes, { like: { a: 1 } })).toEqualTypeOf<Params.Params<{ a: Scalar }>>()
    expectTypeOf(Params.fromJson("")).toEqualTypeOf<Params.Params>()
  })

  it("files need a file system", () => {
    expectTypeOf(Params.load("file", { like: model })).toEqualTypeOf<
      Effect.Effect<Model, Params.DecodeError | PlatformError, Tensors.Tensors | FileSystem.FileSystem>
    >()
  })

  it("restore gives the tree of the data", () => {
    const data = Params.fromBytes(bytes, { like: model })
    expectTypeOf(Params.restore(data)).toEqualTypeOf<Effect.Effect<Model, BackendError, Tensors.Tensors>>()
  })
})

describe("Safetensors", () => {
  it("knows the element types by name", () => {
    expectTypeOf<Extract<Safetensors.Dtype, "F32" | "BF16" | "BOOL">>().toEqualTypeOf<"F32" | "BF16" | "BOOL">()
    // @ts-expect-error there is no such type
    void Safetensors.encode({ tensors: [{ name: "w", dtype: "F33", shape: [], bytes }] })
  })
})

describe("CheckpointManager", () => {
  const items = { state: Item.state(momentum, model), data: Item.json(Schema.Struct({ epoch: Schema.Int })) }
  const onlyData = { data: items.data }
  type Manager<I extends CheckpointManager.Items> = CheckpointManager.CheckpointManager<I>
  const manager = {} as Manager<typeof items>
  const dataManager = {} as Manager<typeof onlyData>

  it("takes and gives what the items say", () => {
    expectTypeOf<Parameters<typeof manager.save>[1]>().toEqualTypeOf<{
      readonly state: OptimizerState.OptimizerState<Model, { x: Tensor; v: Tensor }>
      readonly data: { readonly epoch: number }
    }>()
    // @ts-expect-error an item is missing
    void manager.save(1, { data: { epoch: 3 } })
    // @ts-expect-error the state of another optimizer
    void (Item.state(adam, model) satisfies typeof items.state)
  })

  it("gives only the items that are asked for", () => {
    const restored = () => manager.restore({ items: ["data"] })
    expectTypeOf<Effect.Success<ReturnType<typeof restored>>["items"]>().toEqualTypeOf<{
      readonly data: { readonly epoch: number }
    }>()
  })

  it("needs tensors only for items that have some", () => {
    const withTensors = () => manager.restore()
    const without = () => dataManager.restore()
    expectTypeOf<Effect.Services<ReturnType<typeof withTensors>>>().toEqualTypeOf<Tensors.Tensors>()
    expectTypeOf<Effect.Services<ReturnType<typeof without>>>().toEqualTypeOf<never>()
  })
})
