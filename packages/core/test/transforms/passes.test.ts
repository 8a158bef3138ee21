/**
 * Passes over memory, asserted: what the norms, the rows and the columns of an update cost beside the update itself.
 *
 * A pass is a kernel that walks over the elements of a leaf. It is told by how many tensors of the leaf's size it reads
 * and writes; numbers and vectors cost nothing beside them.
 */
import { Leaves, Optimizer, type Plan, Transform } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"

const isFused = (step: Plan.Plan["steps"][number]): step is Plan.FusedStep => step._tag === "Fused"

const product = (extents: ReadonlyArray<number>): number => extents.reduce((all, extent) => all * extent, 1)

const isWhole = ({ strides }: Plan.FusedStep["inputs"][number]): boolean => strides.every((stride) => stride !== 0)

const passesOf = ({ steps }: Plan.Plan, elements: number): ReadonlyArray<string> =>
  steps.filter(isFused).flatMap(({ extents, inputs, results }) => {
    if (product(extents) !== elements) return []
    return [`${inputs.filter(isWhole).length} read, ${results.filter(isWhole).length} written`]
  })

const learningRate = 0.1
const descend = Transform.scaleByLearningRate({ learningRate })

const passes: ReadonlyArray<readonly [string, Transform.Any, ReadonlyArray<string>]> = [
  // The moments are written for the state, the update for its use: to make it again takes as much as to read it.
  ["lamb", Transform.lamb({ learningRate, weightDecay: 0.1 }), ["4 read, 3 written", "2 read, 1 written"]],
  // The decayed gradient is made again: gradient and parameter are read anyway.
  ["lars", Transform.lars({ learningRate, weightDecay: 0.1 }), ["2 read, 0 written", "3 read, 2 written"]],
  ["fromage", Transform.fromage({ learningRate }), ["1 read, 0 written", "1 read, 0 written", "2 read, 1 written"]],
  // Rows and columns in one pass; the size of the parameter; that of the update; the update. None is written in between.
  [
    "adafactor",
    Transform.adafactor({ learningRate }),
    ["1 read, 0 written", "1 read, 0 written", "1 read, 0 written", "2 read, 1 written"]
  ],
  [
    "adafactor of a leaf that is not factored",
    Transform.adafactor({ learningRate, factored: false }),
    ["2 read, 2 written", "1 read, 0 written", "2 read, 1 written"]
  ],
  // All sums of the last axes come out of the pass that updates.
  ["sm3", Transform.sm3({ learningRate }), ["3 read, 2 written"]],
  ["polyakSgd", Transform.polyakSgd(), ["1 read, 0 written", "2 read, 1 written"]],
  [
    "adaptiveGradClip",
    Transform.chain(Transform.adaptiveGradClip({ clipping: 0.1 }), descend),
    ["1 read, 0 written", "1 read, 0 written", "2 read, 1 written"]
  ],
  ["centralize", Transform.chain(Transform.centralize(), descend), ["1 read, 0 written", "2 read, 1 written"]],
  // What is measured is measured in the pass that updates.
  [
    "a snapshot of the norm",
    Transform.chain(Transform.snapshot("norm", Leaves.globalNorm), descend),
    ["2 read, 1 written"]
  ]
]

layer(Cpu.layer)("passes over memory", (it) => {
  for (const [name, transform, expected] of passes) {
    it.effect(`of ${name}`, () =>
      Effect.gen(function* () {
        const params = { w: tf.zeros([200, 300]) }
        const { update } = yield* Optimizer.fromTransform(transform).trace(params)
        assert.deepStrictEqual(passesOf(update, params.w.size), expected)
        params.w.dispose()
      })
    )
  }
})
