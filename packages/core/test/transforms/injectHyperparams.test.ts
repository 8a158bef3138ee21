/** Injected hyper-parameters: every alias can be made with symbols, and what cannot be one stays as it is. */
import { Tensors, Transform } from "@optim/core"
import { assert, describe, it, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { leavesNothing } from "../support/memory.ts"
import { values } from "../support/numbers.ts"
import { ran } from "../support/running.ts"
import { thrown } from "../support/thrown.ts"

type Maker = (options: { readonly learningRate: number }) => Transform.Any

const makers: { readonly [alias: string]: Maker } = {
  adabelief: Transform.adabelief,
  adadelta: Transform.adadelta,
  adafactor: Transform.adafactor,
  adagrad: Transform.adagrad,
  adam: Transform.adam,
  adamax: Transform.adamax,
  adamaxw: Transform.adamaxw,
  adamw: Transform.adamw,
  adan: Transform.adan,
  amsgrad: Transform.amsgrad,
  fromage: Transform.fromage,
  lamb: Transform.lamb,
  lars: Transform.lars,
  lion: Transform.lion,
  nadam: Transform.nadam,
  nadamw: Transform.nadamw,
  noisySgd: Transform.noisySgd,
  novograd: Transform.novograd,
  optimisticAdam: Transform.optimisticAdam,
  optimisticAdamV2: Transform.optimisticAdamV2,
  optimisticGradientDescent: Transform.optimisticGradientDescent,
  radam: Transform.radam,
  rmsprop: Transform.rmsprop,
  rprop: Transform.rprop,
  sgd: Transform.sgd,
  signSgd: Transform.signSgd,
  signum: Transform.signum,
  sm3: Transform.sm3,
  yogi: Transform.yogi
}

const slopes = [
  [1, -2],
  [3, 0.5],
  [-1, 2]
] as const

for (const backend of backends) {
  layer(backend.layer)(`injected hyper-parameters on ${backend.name}`, (it) => {
    for (const [name, make] of Object.entries(makers)) {
      it.effect(`${name} gives the numbers that it gives without`, () =>
        Effect.gen(function* () {
          const options = { learningRate: 0.125 }
          const plain = yield* ran(make(options), [1, 2], slopes)
          const injected = yield* ran(Transform.injectHyperparams(make, options), [1, 2], slopes)
          assert.deepStrictEqual(injected.updates, plain.updates)
        })
      )
    }

    it.effect("adafactor is factored as without, and its rate can be set", () =>
      leavesNothing(
        Effect.gen(function* () {
          const { scoped } = Tensors
          const injected = Transform.injectHyperparams(Transform.adafactor, { learningRate: 1, minDimSizeToFactor: 2 })
          const params = {
            w: yield* Effect.acquireRelease(
              Effect.sync(() => tf.ones([2, 3])),
              Tensors.dispose
            )
          }
          const state = yield* scoped(Transform.init(injected, params))
          assert.deepStrictEqual(state.innerState[0].vRow.w?.shape, [2])
          assert.notProperty(state.hyperparams, "minDimSizeToFactor")
          const given = { params }
          const first = yield* scoped(Transform.update(injected, params, state, given))
          const half = Transform.set(state, { learningRate: 0.5 })
          const second = yield* scoped(Transform.update(injected, params, half, given))
          assert.deepStrictEqual(
            yield* values(second.updates),
            (yield* values(first.updates)).map((leaf) => leaf.map((x) => x / 2))
          )
        }).pipe(Effect.scoped)
      )
    )

    it.effect("what is static stays a number for the maker, and is not in the state", () =>
      Effect.gen(function* () {
        const seen: Array<unknown> = []
        const make = ({ factor, learningRate }: { factor: number; learningRate: Transform.Hyper }) => {
          seen.push(factor)
          return Transform.chain(
            Transform.scale({ stepSize: factor * factor }),
            Transform.scaleByLearningRate({ learningRate })
          )
        }
        const options = { factor: 3, learningRate: 1 }
        const injected = Transform.injectHyperparams(make, options, { staticArgs: ["factor"] })
        const { state, updates } = yield* ran(injected, [0], [[2]])
        assert.deepStrictEqual(updates, [[-18]])
        assert.deepStrictEqual([...new Set(seen)], [3])
        assert.notProperty((state as { readonly hyperparams: object }).hyperparams, "factor")
      })
    )

    it.effect("what a maker does not take from its options is not there to be set", () =>
      Effect.gen(function* () {
        const recipe = ({ learningRate }: { learningRate: Transform.Hyper }) =>
          Transform.multiSteps(
            Transform.chain(Transform.clipByGlobalNorm({ maxNorm: 1 }), Transform.adam({ learningRate })),
            { everyKSchedule: 2 }
          )
        const injected = Transform.injectHyperparams(recipe, { learningRate: 0.5 })
        const { hyperparams } = yield* Tensors.scoped(Transform.init(injected, { w: 1 }))
        assert.deepStrictEqual(hyperparams, { learningRate: 0.5 })
      }).pipe(Effect.scoped)
    )

    it.effect("the optimism of optimisticAdam follows a rate that is set, unless it is given", () =>
      Effect.gen(function* () {
        const { optimisticAdam } = Transform
        const first = Transform.injectHyperparams(optimisticAdam, { learningRate: 0.5 })
        const state = yield* Tensors.scoped(Transform.init(first, { w: 0 }))
        const half = Transform.set(state, { learningRate: 0.25 })
        const { updates } = yield* Tensors.scoped(Transform.update(first, { w: 1 }, half))
        const plain = optimisticAdam({ learningRate: 0.25 })
        const begun = yield* Tensors.scoped(Transform.init(plain, { w: 0 }))
        const expected = yield* Tensors.scoped(Transform.update(plain, { w: 1 }, begun))
        assert.deepStrictEqual(yield* values(updates), yield* values(expected.updates))
        const second = Transform.injectHyperparams(optimisticAdam, { learningRate: 0.5, optimism: 0.125 })
        const { hyperparams } = yield* Tensors.scoped(Transform.init(second, { w: 0 }))
        assert.deepInclude(hyperparams, { learningRate: 0.5, optimism: 0.125 })
      }).pipe(Effect.scoped)
    )

    it.effect("an option that is left out as undefined has its default", () =>
      Effect.gen(function* () {
        const injected = Transform.injectHyperparams(Transform.scaleByAdam, { b1: undefined, b2: 0.5 })
        const { hyperparams } = yield* Tensors.scoped(Transform.init(injected, { w: 1 }))
        assert.deepStrictEqual(hyperparams, { b1: 0.9, b2: 0.5, eps: 1e-8, epsRoot: 0 })
      }).pipe(Effect.scoped)
    )
  })
}

describe("static arguments", () => {
  it("that are no options are refused with those that there are", () => {
    const make = () =>
      Transform.injectHyperparams(Transform.scale, { stepSize: 1 }, { staticArgs: ["size" as "stepSize"] })
    assert.deepInclude(thrown(make), {
      _tag: "InvalidHyperParameter",
      message: 'injectHyperparams: staticArgs is "size", expected names among "stepSize"'
    })
  })
})
