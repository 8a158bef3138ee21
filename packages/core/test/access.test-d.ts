/** What the compiler knows of entries of states: their names and types. */
import { Optimizer, OptimizerState, Transform } from "@optim/core"
import type { KeyPath } from "@optim/pytree"
import type * as tf from "@tensorflow/tfjs-core"
import type * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import { describe, expectTypeOf, it } from "vitest"

interface Params {
  readonly w: tf.Tensor2D
  readonly layers: Array<{ readonly b: tf.Tensor }>
}

declare const params: Params

const inner = Transform.injectHyperparams(Transform.scaleByLearningRate, { learningRate: 0.1 })
const chain = Transform.chain(Transform.scaleByAdam(), Transform.masked(inner, true))
const optimizer = Optimizer.fromTransform(chain)

const init = () => Transform.init(chain, params)
const initOptimizer = () => optimizer.init(params)
declare const state: Effect.Success<ReturnType<typeof init>>
declare const held: Effect.Success<ReturnType<typeof initOptimizer>>

describe("get", () => {
  it("knows what stands under a name, in both kinds of states", () => {
    expectTypeOf(Transform.get(state, "learningRate")).toEqualTypeOf<number>()
    expectTypeOf(Transform.get(held, "learningRate")).toEqualTypeOf<number>()
    expectTypeOf(Transform.get(held, "mu").layers).toEqualTypeOf<Array<{ readonly b: tf.Tensor }>>()
    expectTypeOf(Transform.get(state, "mu").w).toEqualTypeOf<tf.Tensor>()
    expectTypeOf(pipe(held, Transform.get("count"))).toEqualTypeOf<number>()
    expectTypeOf(Transform.getAllWithPath(held, "count")).toEqualTypeOf<
      ReadonlyArray<readonly [KeyPath.KeyPath, number]>
    >()
  })

  it("knows names within the parameters, and nothing of what is unknown", () => {
    expectTypeOf(Transform.get(state, "b")).toEqualTypeOf<tf.Tensor>()
    expectTypeOf(Transform.get(state as unknown, "anything")).toEqualTypeOf<unknown>()
  })

  it("takes no name that is not there, but with a default", () => {
    // @ts-expect-error -- no transform has momentum
    void Transform.get(state, "trace")
    // @ts-expect-error -- nor in the state of an optimizer
    void Transform.get(held, "trace")
    expectTypeOf(Transform.get(held, "trace", { default: null })).toEqualTypeOf<null>()
    expectTypeOf(Transform.get(held, "learningRate", { default: null })).toEqualTypeOf<number | null>()
  })
})

describe("set", () => {
  it("keeps the type of the state", () => {
    expectTypeOf(Transform.set(state, { learningRate: 1 })).toEqualTypeOf<typeof state>()
    expectTypeOf(Transform.set(held, { learningRate: 1 })).toEqualTypeOf<typeof held>()
    expectTypeOf(pipe(held, Transform.set({ learningRate: 1 }))).toEqualTypeOf<typeof held>()
  })

  it("takes the names and types of the state only", () => {
    // @ts-expect-error -- a rate is a number
    void Transform.set(held, { learningRate: "fast" })
    // @ts-expect-error -- there is no such name
    void Transform.set(held, { rate: 1 })
  })
})

describe("mapParams", () => {
  it("replaces what belongs to parameters", () => {
    const mapped = Transform.mapParams(chain, state, params, (slot, param) => {
      expectTypeOf(slot).toEqualTypeOf<tf.Tensor>()
      expectTypeOf(param).toEqualTypeOf<tf.Tensor2D | tf.Tensor>()
      return "label"
    })
    expectTypeOf(mapped[0].mu.layers).toEqualTypeOf<Array<{ readonly b: string }>>()
    expectTypeOf(mapped[0].count).toEqualTypeOf<number>()
    const other = Transform.mapParams(chain, state, params, () => 1, { transformNonParams: () => true })
    expectTypeOf(other[1].innerState.hyperparams.learningRate).toEqualTypeOf<boolean>()
  })

  it("gives the state of an optimizer tensors only", () => {
    expectTypeOf(Transform.mapParams(chain, held, (slot) => slot)).toEqualTypeOf<typeof held>()
    // @ts-expect-error -- a label is no tensor
    void Transform.mapParams(chain, held, () => "label")
    expectTypeOf(OptimizerState.transform(held)[0].count).toEqualTypeOf<number>()
  })
})
