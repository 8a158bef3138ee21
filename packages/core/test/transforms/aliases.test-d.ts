/** What the compiler knows of finished optimizers: what they need, and the states of their parts. */
import { Transform } from "@optim/core"
import type * as tf from "@tensorflow/tfjs-core"
import { describe, expectTypeOf, it } from "vitest"

type Needs<Make extends (options: never) => unknown> = Transform.NeedsOf<ReturnType<Make>>

describe("needs", () => {
  it("of what decays weights are the parameters", () => {
    expectTypeOf<
      | Needs<typeof Transform.adabelief>
      | Needs<typeof Transform.adadelta>
      | Needs<typeof Transform.adamaxw>
      | Needs<typeof Transform.adamw>
      | Needs<typeof Transform.adan>
      | Needs<typeof Transform.lion>
      | Needs<typeof Transform.nadamw>
      | Needs<typeof Transform.novograd>
    >().toEqualTypeOf<"params">()
  })

  it("of the others are none", () => {
    expectTypeOf<
      | Needs<typeof Transform.adagrad>
      | Needs<typeof Transform.adam>
      | Needs<typeof Transform.adamax>
      | Needs<typeof Transform.amsgrad>
      | Needs<typeof Transform.nadam>
      | Needs<typeof Transform.optimisticAdam>
      | Needs<typeof Transform.optimisticAdamV2>
      | Needs<typeof Transform.optimisticGradientDescent>
      | Needs<typeof Transform.radam>
      | Needs<typeof Transform.rmsprop>
      | Needs<typeof Transform.rprop>
      | Needs<typeof Transform.sgd>
      | Needs<typeof Transform.signSgd>
      | Needs<typeof Transform.signum>
      | Needs<typeof Transform.yogi>
    >().toEqualTypeOf<never>()
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
