/** What losses can be given wrongly, and what is said about it, letter by letter. */
import { Autodiff, InvalidArgument, LossFailed, Losses, TensorMismatch, Tensors } from "@optim/core"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { backends } from "./support/lossCalls.ts"
import { leavesNothing } from "./support/memory.ts"
import { message } from "./support/thrown.ts"

const lines = (...lines: ReadonlyArray<string>): string => lines.join("\n")

const mismatch = (operation: string, ...faults: ReadonlyArray<string>): string =>
  lines(
    `Losses.${operation}: shapes or dtypes differ`,
    ...faults.map((fault) => `  ${fault}`),
    "Nothing is broadcast or converted: use reshape, tile or cast of @tensorflow/tfjs-core."
  )

const floats = (...shape: Array<number>): Tensor => tf.zeros(shape)

const ints = (...shape: Array<number>): Tensor => tf.zeros(shape, "int32")

// The types forbid what is no tensor; JavaScript does not.
const anything = (value: unknown): Tensor => value as Tensor

/** Calls that are wrong, each with what is said. */
const complaints: { readonly [name: string]: readonly [() => unknown, string] } = {
  "targets of another shape": [
    () => Losses.squaredError(floats(2, 3), floats(3)),
    mismatch("squaredError", "targets   expected float32, int32 or bool [2, 3]   found float32 [3]")
  ],
  "predictions that are no numbers of the right kind, and targets that are no tensor": [
    () => Losses.huberLoss(ints(2), anything([1, 2])),
    mismatch(
      "huberLoss",
      "predictions   expected float32 [...]                found int32 [2]",
      "targets       expected float32, int32 or bool [2]   found array"
    )
  ],
  "no tensors at all": [
    () => Losses.hingeLoss(anything(1), anything(null)),
    mismatch(
      "hingeLoss",
      "predictorOutputs   expected float32 [...]               found number",
      "targets            expected float32, int32 or bool []   found null"
    )
  ],
  "logits without an axis of classes": [
    () => Losses.softmaxCrossEntropy(floats(), floats()),
    mismatch("softmaxCrossEntropy", "logits   expected float32 [..., classes]   found float32 []")
  ],
  "one-hot labels in place of classes": [
    () => Losses.softmaxCrossEntropyWithIntegerLabels(floats(2, 3), floats(2, 3)),
    mismatch("softmaxCrossEntropyWithIntegerLabels", "labels   expected int32 [2]   found float32 [2, 3]")
  ],
  "classes in place of one-hot labels": [
    () => Losses.softmaxCrossEntropy(floats(2, 3), ints(2)),
    mismatch("softmaxCrossEntropy", "labels   expected float32, int32 or bool [2, 3]   found int32 [2]")
  ],
  "a mask that is of nothing there": [
    () => Losses.softmaxCrossEntropy(floats(2, 3), floats(2, 3), { where: tf.zeros([3], "bool") }),
    mismatch("softmaxCrossEntropy", "where   expected bool [2, 3] or [2]   found bool [3]")
  ],
  "a mask of numbers": [
    () => Losses.klDivergence(floats(2, 3), floats(2, 3), { where: floats(2, 3) }),
    mismatch("klDivergence", "where   expected bool [2, 3]   found float32 [2, 3]")
  ],
  "sequences that do not belong together": [
    () => Losses.ctcLoss(floats(2, 5, 4), floats(5, 2), ints(3, 3), floats(3, 2)),
    mismatch(
      "ctcLoss",
      "logitPaddings   expected float32, int32 or bool [2, 5]   found float32 [5, 2]",
      "labels          expected int32 [2, length]               found int32 [3, 3]",
      "labelPaddings   expected float32, int32 or bool [2, 3]   found float32 [3, 2]"
    )
  ],
  "embeddings without labels for each": [
    () => Losses.ntxent(floats(3, 2), ints(2)),
    mismatch("ntxent", "labels   expected float32, int32 or bool [3]   found int32 [2]")
  ],
  "triplets of different sizes": [
    () => Losses.tripletMarginLoss(floats(2, 3), floats(2, 3), floats(2, 4)),
    mismatch("tripletMarginLoss", "negatives   expected float32 [2, 3]   found float32 [2, 4]")
  ],
  "weights of other classes": [
    () => Losses.diceLoss(floats(1, 4, 3), floats(1, 4, 3), { classWeights: floats(2) }),
    mismatch("diceLoss", "classWeights   expected float32 [3]   found float32 [2]")
  ],
  "a maximum that does not reduce": [
    () => Losses.makeFenchelYoungLoss((scores) => scores)(floats(2, 3), floats(2, 3)),
    mismatch("makeFenchelYoungLoss", "maxFun(scores)   expected float32 [2]   found float32 [2, 3]")
  ],
  "nothing to sum over": [
    () => Losses.softmaxCrossEntropy(floats(2, 0), floats(2, 0)),
    lines(
      "Losses.softmaxCrossEntropy: shapes or dtypes differ",
      "  logits   expected elements along axis 1   found float32 [2, 0]",
      "A loss of nothing is not defined."
    )
  ],
  "an axis that is not there": [
    () => Losses.cosineSimilarity(floats(2, 3), floats(2, 3), { axis: 2 }),
    "Losses.cosineSimilarity: axis is 2, expected different axes of a tensor of rank 2, from -2 to 1"
  ],
  "one axis twice": [
    () => Losses.klDivergence(floats(2, 3), floats(2, 3), { axis: [1, -1] }),
    "Losses.klDivergence: axis is [1,-1], expected different axes of a tensor of rank 2, from -2 to 1"
  ],
  "the axis of the classes as a region": [
    () => Losses.diceLoss(floats(1, 4, 3), floats(1, 4, 3), { axis: [1, 2] }),
    "Losses.diceLoss: axis is [1,2], expected axes of a region, not the last one, which is that of the classes"
  ],
  "a corner of no size": [
    () => Losses.huberLoss(floats(1), undefined, { delta: 0 }),
    "Losses.huberLoss: delta is 0, expected a finite number > 0"
  ],
  "a smoothing that is not a number": [
    () => Losses.smoothLabels(floats(2), Number.NaN),
    "Losses.smoothLabels: alpha is NaN, expected a finite number"
  ],
  "a weight that is text": [
    // The types forbid it; JavaScript does not.
    () => Losses.sigmoidFocalLoss(floats(2), floats(2), { alpha: "0.25" as unknown as number }),
    'Losses.sigmoidFocalLoss: alpha is "0.25", expected a finite number or null'
  ],
  "an unknown reduction": [
    () => Losses.rankingSoftmaxLoss(floats(2), floats(2), { reduceFn: "max" as "mean" }),
    'Losses.rankingSoftmaxLoss: reduceFn is "max", expected "mean", "sum" or null'
  ],
  "a blank that is no class": [
    () => Losses.ctcLoss(floats(1, 2, 4), floats(1, 2), ints(1, 1), floats(1, 1), { blankId: 4 }),
    "Losses.ctcLoss: blankId is 4, expected a class from 0 to 3"
  ],
  "a label that is no class": [
    () =>
      Losses.softmaxCrossEntropyWithIntegerLabels(
        floats(2, 2, 3),
        tf.tensor2d(
          [
            [0, 1],
            [2, 3]
          ],
          [2, 2],
          "int32"
        )
      ),
    "Losses.softmaxCrossEntropyWithIntegerLabels: labels[1, 1] is 3, expected a class from 0 to 2"
  ],
  "a single label that is no class": [
    () => Losses.multiclassHingeLoss(floats(3), tf.scalar(-1, "int32")),
    "Losses.multiclassHingeLoss: labels is -1, expected a class from 0 to 2"
  ],
  "a label of a sequence that is no class": [
    () =>
      Losses.ctcLoss(
        floats(1, 4, 3),
        floats(1, 4),
        tf.tensor2d([[1, 5, 7]], [1, 3], "int32"),
        tf.tensor2d([[0, 0, 1]])
      ),
    "Losses.ctcLoss: labels[0, 1] is 5, expected a class from 0 to 2"
  ],
  "labels that are padded at their beginning": [
    () => Losses.ctcLoss(floats(1, 4, 3), floats(1, 4), ints(1, 3), tf.tensor2d([[1, 1, 0]])),
    "Losses.ctcLoss: labelPaddings[0, 2] is 0, expected 1: labels are padded at their end"
  ],
  "embeddings that all stand alone": [
    () => Losses.ntxent(tf.ones([3, 2]), tf.tensor1d([0, 1, 2])),
    "Losses.ntxent: the number of labels that are equal is 0, expected at least one pair"
  ],
  "logits in place of probabilities": [
    () => Losses.diceLoss(tf.ones([1, 2, 3]), floats(1, 2, 3), { applySoftmax: false }),
    "Losses.diceLoss: the sum over classes of predictions[0, 0] is 3, expected 1, or logits and applySoftmax"
  ]
}

for (const backend of backends) {
  layer(backend.layer)(`complaints of losses on ${backend.name}`, (it) => {
    for (const [name, [call, text]] of Object.entries(complaints)) {
      it.effect(name, () =>
        leavesNothing(Effect.flatMap(Tensors.Tensors, ({ run }) => run(() => assert.strictEqual(message(call), text))))
      )
    }

    it.effect("disposed tensors", () =>
      Effect.sync(() => {
        const [predictions, targets] = [floats(1), floats(1)]
        targets.dispose()
        assert.strictEqual(
          message(() => Losses.squaredError(predictions, targets)),
          lines(
            "Losses.squaredError: tensors that were disposed or donated before",
            "  targets",
            "Use tensors before they are disposed; a tensor given away with { donate: true } must not be used again."
          )
        )
        predictions.dispose()
      })
    )

    it.effect("a loss that throws within valueAndGrad is a failure that says so, with the error as its cause", () =>
      leavesNothing(
        Effect.gen(function* () {
          const loss = (x: Tensor): Tensor => tf.mean(Losses.softmaxCrossEntropyWithIntegerLabels(x, ints(3)))
          const error = yield* Effect.flip(Autodiff.valueAndGrad(loss)(Float32Array.of(1, 2)))
          assert.instanceOf(error, LossFailed)
          assert.instanceOf(error.cause, TensorMismatch)
          assert.strictEqual(
            error.message,
            `Autodiff: the loss function threw: ${mismatch("softmaxCrossEntropyWithIntegerLabels", "labels   expected int32 []   found int32 [3]")}`
          )
          const label = (x: Tensor): Tensor => Losses.multiclassHingeLoss(x, tf.scalar(2, "int32"))
          const wrong = yield* Effect.flip(Autodiff.valueAndGrad(label)(Float32Array.of(1, 2)))
          assert.instanceOf(wrong, LossFailed)
          assert.instanceOf(wrong.cause, InvalidArgument)
        })
      )
    )
  })
}
