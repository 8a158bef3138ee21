/** What the compiler knows of transforms: states under their names, and what an update needs. */
import { type Expr, type Leaves, Optimizer, OptimizerState, Transform } from "@optim/core"
import type * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { describe, expectTypeOf, it } from "vitest"

interface Params {
  readonly w: tf.Tensor2D
  readonly b: Array<tf.Tensor>
}

declare const params: Params
declare const grads: Params

interface Moments {
  readonly count: number
  readonly mu: { readonly w: tf.Tensor; readonly b: Array<tf.Tensor> }
  readonly nu: { readonly w: tf.Tensor; readonly b: Array<tf.Tensor> }
}

const clip = Transform.clipByGlobalNorm({ maxNorm: 1 })
const adam = Transform.scaleByAdam()
const decay = Transform.addDecayedWeights({ weightDecay: 0.1 })
const needsLoss: Transform.Transform<null, "value"> = {
  name: "needsLoss",
  hyperParameters: {},
  needs: { value: "needsLoss" },
  init: () => null,
  update: (updates, state) => ({ updates, state })
}

describe("states", () => {
  it("have the user's trees under their names", () => {
    const init = Transform.init(adam, params)
    expectTypeOf(init).toExtend<Effect.Effect<Moments, unknown, unknown>>()
    expectTypeOf<Effect.Success<typeof init>["mu"]["w"]>().toEqualTypeOf<tf.Tensor>()
    expectTypeOf<Effect.Success<typeof init>["count"]>().toEqualTypeOf<number>()
  })

  it("of a chain are the tuple of its members' states", () => {
    const chain = Transform.chain(clip, adam, decay)
    type Symbols = Transform.StateOf<typeof chain>
    expectTypeOf<Symbols>().toEqualTypeOf<readonly [null, Transform.MomentsState, Transform.Counted]>()
    type State = Effect.Success<ReturnType<typeof initOf>>
    const initOf = () => Transform.init(chain, params)
    expectTypeOf<State[0]>().toEqualTypeOf<null>()
    expectTypeOf<State[1]["nu"]["b"]>().toEqualTypeOf<Array<tf.Tensor>>()
    expectTypeOf<State[2]["count"]>().toEqualTypeOf<number>()
  })

  it("of a named chain and of a partition stand under names and labels", () => {
    const named = Transform.namedChain(["clip", clip], ["adam", adam])
    const initNamed = () => Transform.init(named, params)
    type Named = Effect.Success<ReturnType<typeof initNamed>>
    expectTypeOf<Named["adam"]["mu"]["w"]>().toEqualTypeOf<tf.Tensor>()
    const partition = Transform.partition({ slow: adam, fast: clip }, { w: "slow", b: "fast" })
    const initPartition = () => Transform.init(partition, params)
    type Parts = Effect.Success<ReturnType<typeof initPartition>>
    expectTypeOf<Parts["innerStates"]["slow"]["innerState"]["count"]>().toEqualTypeOf<number>()
  })

  it("of a masked transform keep the user's tree, with null where nothing is", () => {
    const masked = Transform.masked(Transform.chain(clip, adam), { w: true, b: false })
    const initMasked = () => Transform.init(masked, params)
    type Masked = Effect.Success<ReturnType<typeof initMasked>>
    expectTypeOf<Masked["innerState"][1]["mu"]["w"]>().toEqualTypeOf<tf.Tensor | null>()
    expectTypeOf<Masked["innerState"][1]["mu"]["b"]>().toEqualTypeOf<Array<tf.Tensor | null>>()
  })

  it("of a flattened transform are single tensors", () => {
    const initFlat = () => Transform.init(Transform.flatten(adam), params)
    expectTypeOf<Effect.Success<ReturnType<typeof initFlat>>["mu"]>().toEqualTypeOf<tf.Tensor>()
  })

  it("hold the hyper-parameters that were injected, and no flags", () => {
    const injected = Transform.injectHyperparams(Transform.adamw, { learningRate: 0.1, nesterov: true })
    const init = () => Transform.init(injected, params)
    type State = Effect.Success<ReturnType<typeof init>>
    expectTypeOf<State["hyperparams"]["learningRate"]>().toEqualTypeOf<number>()
    // @ts-expect-error -- a flag stays what it is
    type _Flag = State["hyperparams"]["nesterov"]
    expectTypeOf<State["innerState"][0]["mu"]["w"]>().toEqualTypeOf<tf.Tensor>()
  })

  it("hold nothing that is no symbol, and nothing that is static", () => {
    const injected = Transform.injectHyperparams(Transform.adafactor, { learningRate: 0.1 }, { staticArgs: ["eps"] })
    const init = () => Transform.init(injected, params)
    type Names = keyof Effect.Success<ReturnType<typeof init>>["hyperparams"]
    expectTypeOf<"learningRate">().toExtend<Names>()
    expectTypeOf<Extract<Names, "eps" | "minDimSizeToFactor">>().toBeNever()
    // @ts-expect-error -- there is no such option
    Transform.injectHyperparams(Transform.adafactor, { learningRate: 0.1 }, { staticArgs: ["epsilon"] })
  })

  it("are found in the state of an optimizer", () => {
    const optimizer = Optimizer.fromTransform(Transform.chain(clip, adam))
    const state = () => Effect.map(optimizer.init(params), (state) => OptimizerState.transform(state))
    expectTypeOf<Effect.Success<ReturnType<typeof state>>[1]["mu"]["w"]>().toEqualTypeOf<tf.Tensor>()
    const seed = () => Effect.map(Optimizer.sgd({ stepSize: 1 }).init(params), (state) => state)
    // @ts-expect-error -- an optimizer that was not made of a transform has none
    void Effect.map(seed(), (state) => OptimizerState.transform(state))
  })
})

describe("needs", () => {
  it("of a chain are those of its members together", () => {
    const chain = Transform.chain(adam, decay, needsLoss)
    expectTypeOf<Transform.NeedsOf<typeof chain>>().toEqualTypeOf<"params" | "value">()
    expectTypeOf<Transform.NeedsOf<typeof adam>>().toEqualTypeOf<never>()
  })

  it("cannot be forgotten", () => {
    const state = null as never
    void Transform.update(adam, grads, state)
    void Transform.update(decay, grads, state, { params })
    void Transform.update(Transform.chain(decay, needsLoss), grads, state, { params, value: 1 })
    // @ts-expect-error -- the parameters are missing
    void Transform.update(decay, grads, state)
    // @ts-expect-error -- the loss is missing
    void Transform.update(Transform.chain(decay, needsLoss), grads, state, { params })
    // @ts-expect-error -- parameters are a tree, not a number
    void Transform.update(decay, grads, state, { params: 1 })
  })

  it("may be more than a transform looks at, if that is said", () => {
    const wide = Transform.withExtraArgs(adam, "params", "value")
    expectTypeOf<Transform.NeedsOf<typeof wide>>().toEqualTypeOf<"params" | "value">()
    expectTypeOf<Transform.StateOf<typeof wide>>().toEqualTypeOf<Transform.MomentsState>()
    void Transform.update(wide, grads, null as never, { params, value: 1 })
    // @ts-expect-error -- what is said must be given
    void Transform.update(wide, grads, null as never)
    // @ts-expect-error -- it was not said that there is a loss
    void Transform.update(adam, grads, null as never, { value: 1 })
  })

  it("of an optimizer are what remains beside the parameters", () => {
    const optimizer = Optimizer.fromTransform(Transform.chain(decay, needsLoss))
    const state = null as never
    void optimizer.update(0, grads, state, { value: 1 })
    // @ts-expect-error -- the loss is missing
    void optimizer.update(0, grads, state)
    const plain = Optimizer.fromTransform(decay)
    void plain.update(0, grads, state)
  })

  it("are not met by a transform that asks for more than its context has", () => {
    const inner: Transform.Transform<null> = {
      name: "inner",
      hyperParameters: {},
      needs: {},
      init: () => null,
      update: (updates: Leaves.Leaves<Expr.Expr>, state: null, context) => {
        // @ts-expect-error -- it did not say that it needs the parameters
        void context.params
        return { updates, state }
      }
    }
    expectTypeOf(inner.name).toEqualTypeOf<string>()
  })
})
