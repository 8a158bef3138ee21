/** What the compiler knows of finished optimizers: what they need, and the states of their parts. */
import { Transform } from "@optim/core"
import type * as tf from "@tensorflow/tfjs-core"
import { describe, expectTypeOf, it } from "vitest"

/** What each of these needs. */
type Needs<Name extends keyof typeof Transform> = {
  readonly [N in Name]: (typeof Transform)[N] extends (options: never) => Transform.Transform<infer _, infer Needs>
    ? Needs
    : "no transform"
}

type Decaying = "adabelief" | "adadelta" | "adamaxw" | "adamw" | "adan" | "lion" | "nadamw" | "novograd"

type Others =
  | "adagrad"
  | "adam"
  | "adamax"
  | "amsgrad"
  | "nadam"
  | "optimisticAdam"
  | "optimisticAdamV2"
  | "optimisticGradientDescent"
  | "radam"
  | "rmsprop"
  | "rprop"
  | "sgd"
  | "signSgd"
  | "signum"
  | "yogi"

describe("needs", () => {
  it("of what decays weights are the parameters", () => {
    expectTypeOf<Needs<Decaying>>().toEqualTypeOf<{ readonly [N in Decaying]: "params" }>()
  })

  it("of the others are none", () => {
    expectTypeOf<Needs<Others>>().toEqualTypeOf<{ readonly [N in Others]: never }>()
  })
})

describe("states", () => {
  type StateOf<S> = Transform.State<S, { readonly w: tf.Tensor2D }>
  type Slot = { readonly w: tf.Tensor }

  it("are those of the parts, in their order, under Optax's names", () => {
    type Adan = StateOf<Transform.StateOf<ReturnType<typeof Transform.adan>>>
    expectTypeOf<Adan[0]["t"]>().toEqualTypeOf<number>()
    expectTypeOf<Adan[0]["g"]>().toExtend<Slot>()
    expectTypeOf<Adan[2]["count"]>().toEqualTypeOf<number>()
  })

  it("are the same whatever the options, with null for what is not there", () => {
    type Sgd = StateOf<Transform.StateOf<ReturnType<typeof Transform.sgd>>>
    expectTypeOf<NonNullable<Sgd[0]>["trace"]>().toExtend<Slot>()
    expectTypeOf<null>().toExtend<Sgd[0]>()
    type Rmsprop = StateOf<Transform.StateOf<ReturnType<typeof Transform.rmsprop>>>
    expectTypeOf<Rmsprop[0]["nu"]>().toExtend<Slot>()
    expectTypeOf<Extract<Rmsprop[0], { readonly mu: unknown }>["mu"]>().toExtend<Slot>()
  })
})

describe("options", () => {
  it("must have a rate, except where the reference goes without", () => {
    void Transform.adadelta()
    // @ts-expect-error -- the rate is missing
    void Transform.adam({ b1: 0.5 })
    // @ts-expect-error -- a rate that changes is for optimisticAdamV2
    void Transform.optimisticAdam({ learningRate: (count: number) => 1 / (count + 1) })
    // @ts-expect-error -- nadam is what looks ahead
    void Transform.nadam({ learningRate: 1, nesterov: false })
  })
})
