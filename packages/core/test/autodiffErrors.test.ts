/** What losses and parameters can do wrong, and what is said about it, letter by letter. */
import { Autodiff } from "@optim/core"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { backends } from "./support/backends.ts"
import { leavesNothing } from "./support/memory.ts"

const { valueAndGrad } = Autodiff

const message = (...lines: ReadonlyArray<string>): string => lines.join("\n")

const notScalar = (found: string): string =>
  message(
    `Autodiff: the loss is ${found}, expected a float32 tensor of shape []`,
    "Return one number, for example tf.mean(x) or tf.sum(x) of @tensorflow/tfjs-core."
  )

const cyclic: { self?: unknown } = {}
cyclic.self = cyclic

/** What a loss of { a, b } can do wrong, and what is said about it. */
const complaints: { readonly [name: string]: readonly [(params: never) => unknown, unknown, string] } = {
  "a vector": [
    ({ b }: { readonly b: Tensor1D }) => tf.square(b),
    { a: 1, b: Float32Array.of(1, 2) },
    notScalar("a float32 tensor of shape [2]")
  ],
  "a vector of one element": [
    ({ b }: { readonly b: Tensor1D }) => tf.square(b),
    { a: 1, b: Float32Array.of(1) },
    notScalar("a float32 tensor of shape [1]")
  ],
  "an integer": [
    ({ a }: { readonly a: Scalar }) => tf.cast(a, "int32"),
    { a: 1, b: 2 },
    notScalar("a int32 tensor of shape []")
  ],
  "a number": [() => 3, { a: 1, b: 2 }, notScalar("of type number")],
  nothing: [() => undefined, { a: 1, b: 2 }, notScalar("undefined")],
  "a promise": [async () => tf.scalar(1), 1, notScalar("a promise")],
  "a pair without hasAux": [(x: Scalar) => [tf.square(x), 1], 1, notScalar("of type object")],
  "an exception": [
    () => {
      throw new RangeError("no such row: 7")
    },
    1,
    "Autodiff: the loss function threw: no such row: 7"
  ],
  "a value that depends on some leaves": [
    ({ a }: { readonly a: Scalar }) => tf.square(a),
    { a: 1, b: 2, c: [3, { d: 4 }] },
    message(
      "Autodiff.valueAndGrad: the loss does not depend on these leaves",
      "  ['b']",
      "  ['c'][0]",
      "  ['c'][1]['d']",
      "Use every leaf in the loss with differentiable operations, or leave it out of the parameters."
    )
  ],
  "a value that depends on nothing": [
    () => tf.scalar(1),
    1,
    message(
      "Autodiff.valueAndGrad: the loss does not depend on these leaves",
      "  (root)",
      "Use every leaf in the loss with differentiable operations, or leave it out of the parameters."
    )
  ],
  "parameters that are no float32": [
    () => tf.scalar(1),
    { a: true, b: "1", c: 1 },
    message(
      "Autodiff.valueAndGrad: leaves that cannot be used",
      "  ['a']   expected float32   found boolean",
      "  ['b']   expected float32   found string",
      "Leaves are float32 tensors, numbers, or typed arrays (which become float32 vectors)."
    )
  ],
  "parameters that contain themselves": [
    () => tf.scalar(1),
    cyclic,
    message(
      "PyTree.flatten: the tree contains itself",
      "  ['self']   expected a new node   found one of the nodes around it",
      "Take the reference out of the tree, or hold it in a JoinPoint, which is a leaf."
    )
  ]
}

for (const backend of backends) {
  layer(backend.layer)(`complaints about losses on ${backend.name}`, (it) => {
    for (const [name, [loss, params, text]] of Object.entries(complaints)) {
      it.effect(name, () =>
        leavesNothing(
          Effect.gen(function* () {
            // The types forbid most of this; JavaScript does not.
            const error = yield* Effect.flip(valueAndGrad(loss as (params: unknown) => Tensor)(params))
            assert.strictEqual(error.message, text)
          })
        )
      )
    }

    it.effect("disposed parameters", () =>
      Effect.gen(function* () {
        const gone = tf.scalar(1)
        gone.dispose()
        assert.strictEqual(
          (yield* Effect.flip(valueAndGrad((x: Scalar) => tf.square(x))(gone))).message,
          message(
            "Autodiff.valueAndGrad: tensors that were disposed or donated before",
            "  (root)",
            "Use tensors before they are disposed; a tensor given away with { donate: true } must not be used again."
          )
        )
      })
    )
  })
}
