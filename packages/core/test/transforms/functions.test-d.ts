/** What the compiler knows of functions that become transforms or measures: what they need, and what is in the state. */
import { Expr, Leaves, Transform } from "@optim/core"
import type * as tf from "@tensorflow/tfjs-core"
import type * as Effect from "effect/Effect"
import { describe, expectTypeOf, it } from "vitest"

declare const params: { readonly w: tf.Tensor2D }

type Needs<T> = Transform.NeedsOf<T>

const ofBoth = (updates: Leaves.Leaves<Expr.Expr>, params: Leaves.Leaves<Expr.Expr>) =>
  Expr.div(Leaves.globalNorm(updates), Leaves.globalNorm(params))

describe("functions of updates", () => {
  it("need the parameters if they take a second argument, and nothing if they do not", () => {
    expectTypeOf<Needs<ReturnType<typeof alone>>>().toEqualTypeOf<never>()
    expectTypeOf<Needs<ReturnType<typeof both>>>().toEqualTypeOf<"params">()
    const alone = () => Transform.stateless((updates) => updates)
    const both = () => Transform.stateless((updates, params) => Leaves.map(updates, params, (u, p) => Expr.add(u, p)))
    expectTypeOf(Transform.statelessWithTreeMap((u) => u)).toEqualTypeOf<Transform.Transform<null>>()
    expectTypeOf(Transform.statelessWithTreeMap((u, p) => Expr.add(u, p))).toEqualTypeOf<
      Transform.Transform<null, "params">
    >()
  })

  it("return leaves", () => {
    // @ts-expect-error: a number is no list of leaves
    Transform.stateless(Leaves.globalNorm)
  })
})

describe("measures", () => {
  it("are in the state under their names", () => {
    const monitor = Transform.monitor({
      norm: Leaves.globalNorm,
      each: (updates) => Leaves.map(updates, (u) => Expr.sum(u)),
      mean: Transform.measureWithEma(Leaves.globalNorm, { decay: 0.5 })
    })
    expectTypeOf<Needs<typeof monitor>>().toEqualTypeOf<never>()
    const init = () => Transform.init(monitor, params)
    type State = Effect.Success<ReturnType<typeof init>>
    expectTypeOf<State["measurements"]["norm"]>().toEqualTypeOf<tf.Tensor>()
    expectTypeOf<State["measurements"]["mean"]>().toEqualTypeOf<tf.Tensor>()
    expectTypeOf<State["measurements"]["each"]["w"]>().toEqualTypeOf<tf.Tensor>()
  })

  it("make the parameters needed if one of them takes them", () => {
    expectTypeOf<Needs<ReturnType<typeof snapshot>>>().toEqualTypeOf<"params">()
    expectTypeOf<Needs<ReturnType<typeof monitor>>>().toEqualTypeOf<"params">()
    expectTypeOf<Needs<ReturnType<typeof mean>>>().toEqualTypeOf<"params">()
    const snapshot = () => Transform.snapshot("ratio", ofBoth)
    const monitor = () => Transform.monitor({ norm: Leaves.globalNorm, ratio: ofBoth })
    const mean = () => Transform.monitor({ ratio: Transform.measureWithEma(ofBoth, { decay: 0.5 }) })
  })

  it("have the name of a snapshot", () => {
    const init = () => Transform.init(Transform.snapshot("norm", Leaves.globalNorm), params)
    type State = Effect.Success<ReturnType<typeof init>>
    expectTypeOf<State["measurement"]>().toEqualTypeOf<{ readonly norm: tf.Tensor }>()
  })
})

describe("what functions of trees give", () => {
  it("has the structure of what they are given", () => {
    const follow = () => Transform.incrementalUpdate(params, params, { stepSize: 0.5 })
    expectTypeOf<Effect.Success<ReturnType<typeof follow>>["w"]>().toExtend<tf.Tensor>()
    const clip = () => Transform.perExampleLayerNormClip(params, { globalL2NormClip: 1 })
    expectTypeOf<Effect.Success<ReturnType<typeof clip>>["numClipped"]["w"]>().toExtend<tf.Tensor>()
    // @ts-expect-error: the old tensors have another leaf
    expectTypeOf(Transform.incrementalUpdate({ w: 1 }, { v: 1 }, { stepSize: 0.5 })).toBeObject()
  })
})
