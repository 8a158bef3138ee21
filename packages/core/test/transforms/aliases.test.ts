/** Finished optimizers: what they consist of, where they differ from the seed's, and what they refuse. */
import { Optimizer, Transform } from "@optim/core"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { values } from "../support/numbers.ts"
import { ran } from "../support/running.ts"
import { message } from "../support/thrown.ts"

const slopes = [
  { w: Float32Array.of(0.5, -1, 2), b: 1 },
  { w: Float32Array.of(-0.25, 0.75, 1.5), b: 0 },
  { w: Float32Array.of(1, 0.1, -0.5), b: -3 }
]

const start = { w: Float32Array.of(1, -2, 3), b: 0.5 }

/** The numbers of every leaf after each step. */
type Path = ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>

const path = Effect.fnUntraced(function* <S>(optimizer: Optimizer.Optimizer<S>) {
  const found: Array<Path[number]> = []
  let state = yield* optimizer.init(start)
  for (const [step, grads] of slopes.entries()) {
    state = yield* optimizer.update(step, grads, state)
    found.push(yield* values(optimizer.params(state)))
  }
  return found
})

const largestDifference = (a: Path, b: Path): number => {
  const [one, other] = [a.flat(2), b.flat(2)]
  return Math.max(...one.map((x, index) => Math.abs(x - (other[index] ?? Number.NaN))))
}

const pathOf = <S>(transform: Transform.Transform<S>) => path(Optimizer.fromTransform(transform))

/** One name, or one idea, here and among the seed's. */
const pairs: ReadonlyArray<{
  readonly what: string
  readonly here: ReturnType<typeof path>
  readonly seed: ReturnType<typeof path>
  /** How far both are apart after three steps: at least, and at most. */
  readonly apart: readonly [number, number]
}> = [
  {
    what: "sgd is the seed's",
    here: pathOf(Transform.sgd({ learningRate: 0.1 })),
    seed: path(Optimizer.sgd({ stepSize: 0.1 })),
    apart: [0, 0]
  },
  {
    what: "sgd with momentum is the seed's momentum",
    here: pathOf(Transform.sgd({ learningRate: 0.1, momentum: 0.9 })),
    seed: path(Optimizer.momentum({ stepSize: 0.1, mass: 0.9 })),
    apart: [0, 1e-6]
  },
  {
    what: "sgd with nesterov is the seed's nesterov",
    here: pathOf(Transform.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true })),
    seed: path(Optimizer.nesterov({ stepSize: 0.1, mass: 0.9 })),
    apart: [0, 1e-6]
  },
  {
    what: "adam is the seed's",
    here: pathOf(Transform.adam({ learningRate: 0.1 })),
    seed: path(Optimizer.adam({ stepSize: 0.1 })),
    apart: [0, 1e-6]
  },
  {
    what: "rmsprop is the seed's",
    here: pathOf(Transform.rmsprop({ learningRate: 0.1 })),
    seed: path(Optimizer.rmsprop({ stepSize: 0.1 })),
    apart: [0, 1e-6]
  },
  {
    what: "rmsprop with momentum is the seed's rmspropMomentum",
    here: pathOf(Transform.rmsprop({ learningRate: 0.1, momentum: 0.9 })),
    seed: path(Optimizer.rmspropMomentum({ stepSize: 0.1 })),
    apart: [0, 1e-6]
  },
  {
    what: "adamax differs from the seed's by eps",
    here: pathOf(Transform.adamax({ learningRate: 0.1, b2: 0.5, eps: 0.01 })),
    seed: path(Optimizer.adamax({ stepSize: 0.1, b2: 0.5, eps: 0.01 })),
    apart: [1e-4, 0.1 * 0.01]
  },
  {
    what: "adagrad is not the seed's",
    here: pathOf(Transform.adagrad({ learningRate: 0.1 })),
    seed: path(Optimizer.adagrad({ stepSize: 0.1 })),
    apart: [0.05, Number.POSITIVE_INFINITY]
  }
]

for (const backend of backends) {
  layer(backend.layer)(`aliases on ${backend.name}`, (it) => {
    for (const { apart, here, seed, what } of pairs) {
      it.effect(what, () =>
        Effect.gen(function* () {
          const distance = largestDifference(yield* here, yield* seed)
          assert.isAtLeast(distance, apart[0])
          assert.isAtMost(distance, apart[1])
        })
      )
    }

    it.effect("a part that was not asked for keeps its place in the state, as null", () =>
      Effect.gen(function* () {
        const states = yield* Effect.forEach(
          [
            Transform.sgd({ learningRate: 1 }),
            Transform.rmsprop({ learningRate: 1 }),
            Transform.adabelief({ learningRate: 1 }),
            Transform.adadelta()
          ],
          (alias: Transform.Any) => ran(alias, [1], [[0]])
        )
        assert.deepStrictEqual(
          states.map(({ state }) => (state as ReadonlyArray<unknown>).map((part) => part === null)),
          [
            [true, false],
            [false, false, true],
            [false, true, false],
            [false, false, true]
          ]
        )
      })
    )

    it.effect("rmsprop keeps a mean where it is centred", () =>
      Effect.gen(function* () {
        const centred = yield* ran(Transform.rmsprop({ learningRate: 1, decay: 0.5, centered: true }), [1], [[4]])
        assert.deepStrictEqual(centred.state, [{ count: 1, mu: [2], nu: [8] }, { count: 1 }, null])
        const plain = yield* ran(Transform.rmsprop({ learningRate: 1, decay: 0.5 }), [1], [[4]])
        assert.deepStrictEqual(plain.state, [{ count: 1, nu: [8] }, { count: 1 }, null])
      })
    )

    it.effect("adabelief runs without parameters as long as nothing decays", () =>
      Effect.gen(function* () {
        const [without, decaying]: [Transform.Any, Transform.Any] = [
          Transform.adabelief({ learningRate: 1 }),
          Transform.adabelief({ learningRate: 1, weightDecay: 0.1 })
        ]
        yield* Transform.update(without, [1], yield* Transform.init(without, [1]), {})
        const error = yield* Effect.flip(Transform.update(decaying, [1], yield* Transform.init(decaying, [1]), {}))
        assert.deepInclude(error, { _tag: "MissingArgument", argument: "params", transform: "addDecayedWeights" })
      })
    )

    it.effect("adadelta decays before it scales, adamw after it", () =>
      Effect.gen(function* () {
        const adadelta = yield* ran(Transform.adadelta({ weightDecay: 0.5, rho: 0.75 }), [4], [[0]])
        const [, means] = adadelta.state as ReadonlyArray<object>
        assert.deepInclude(means, { eG: [1] }) // 0.25·(0.5·4)²
        const adamw = yield* ran(Transform.adamw({ learningRate: 0.25, weightDecay: 0.5 }), [4], [[0]])
        assert.deepStrictEqual(adamw.updates, [[-0.5]])
      })
    )

    it.effect("optimisticAdam is optimisticAdamV2 with the rate taken out of its shares", () =>
      Effect.gen(function* () {
        const first = Transform.optimisticAdam({ learningRate: 0.5, optimism: 0.25 })
        const second = Transform.optimisticAdamV2({ learningRate: 0.5, beta: 0.5 })
        assert.isAtMost(largestDifference(yield* pathOf(first), yield* pathOf(second)), 1e-6)
      })
    )
  })
}

describe("what aliases are made with", () => {
  it("is told under one name, parts and all", () => {
    const { hyperParameters, name } = Transform.lion({ learningRate: 0.1, b1: 0.5 })
    assert.deepStrictEqual(
      { name, hyperParameters },
      {
        name: "lion",
        hyperParameters: { b1: 0.5, b2: 0.99, mode: "hard", smoothBeta: 1, learningRate: 0.1, weightDecay: 1e-3 }
      }
    )
    assert.strictEqual(Transform.nadamw({ learningRate: 1 }).hyperParameters["nesterov"], true)
    assert.strictEqual(Transform.adan({ learningRate: 1 }).hyperParameters["epsRoot"], 1e-8)
    assert.strictEqual(Transform.novograd({ learningRate: 1 }).hyperParameters["eps"], 1e-6)
  })

  it("a rate that is missing is refused by the part that needs it", () => {
    assert.strictEqual(
      message(() => Transform.adam({} as { learningRate: number })),
      "scaleByLearningRate: learningRate is undefined, expected a finite number ≥ 0, a schedule, or a function of the step"
    )
  })

  it("what is out of its range is called as the user calls it, whatever the part says", () => {
    const calls: ReadonlyArray<readonly [() => Transform.Any, string]> = [
      [() => Transform.sgd({ learningRate: 1, momentum: 2 }), "sgd: momentum is 2, expected a number with 0 ≤ x ≤ 1"],
      [
        () => Transform.rmsprop({ learningRate: 1, momentum: 2 }),
        "rmsprop: momentum is 2, expected a number with 0 ≤ x ≤ 1"
      ],
      [() => Transform.lars({ learningRate: 1, momentum: 2 }), "lars: momentum is 2, expected a number with 0 ≤ x ≤ 1"],
      [() => Transform.sm3({ learningRate: 1, momentum: 1 }), "sm3: momentum is 1, expected a number with 0 ≤ x < 1"],
      [() => Transform.signum({ learningRate: 1, beta: 1 }), "signum: beta is 1, expected a number with 0 ≤ x < 1"],
      [
        () => Transform.polyakSgd({ scaling: -1 }),
        "polyakSgd: scaling is -1, expected a finite number ≥ 0, a schedule, or a function of the step"
      ],
      [
        () => Transform.fromage({ learningRate: -1 }),
        "fromage: learningRate is -1, expected a finite number ≥ 0, a schedule, or a function of the step"
      ],
      [() => Transform.adafactor({ momentum: 1 }), "adafactor: momentum is 1, expected a number with 0 ≤ x < 1"],
      [() => Transform.adafactor({ eps: -1 }), "adafactor: eps is -1, expected a finite number ≥ 0"],
      [() => Transform.adafactor({ decayOffset: 0.5 }), "adafactor: decayOffset is 0.5, expected an integer"],
      [() => Transform.adafactor({ clippingThreshold: 0 }), "adafactor: clippingThreshold is 0, expected a number > 0"],
      [
        () => Transform.adafactor({ weightDecayRate: Number.NaN }),
        "adafactor: weightDecayRate is NaN, expected a finite number, a schedule, or a function of the count of updates"
      ]
    ]
    for (const [make, expected] of calls) assert.strictEqual(message(make), expected)
  })

  it("adafactor tells all of it", () => {
    const { hyperParameters } = Transform.adafactor({ decayOffset: 3, multiplyByParameterScale: false })
    assert.deepInclude(hyperParameters, { decayOffset: 3, multiplyByParameterScale: false })
  })

  it("optimisticAdam refuses a schedule", () => {
    assert.strictEqual(
      message(() => Transform.optimisticAdam({ learningRate: (() => 1) as never })),
      "optimisticAdam: learningRate is () => 1, expected a finite number ≥ 0"
    )
  })
})
