/** Losses: what holds of all of them, what holds of each, and what happens at corners and far out. */
import { Autodiff, Losses, Tensors } from "@optim/core"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import type { Batch, Reading } from "../src/internal/losses/ctc/batch.ts"
import { onDevice } from "../src/internal/losses/ctc/onDevice.ts"
import { onHost } from "../src/internal/losses/ctc/onHost.ts"
import { simplex, thresholdsOnDevice } from "../src/internal/losses/words.ts"
import type { CallRecord } from "./support/goldenCalls.ts"
import { backends, callOf, records, samples, totalWith } from "./support/lossCalls.ts"
import { forAll } from "./support/property.ts"

const { grad } = Autodiff

/** The numbers of what is computed on the layer's backend. */
const numbers = Effect.fnUntraced(function* (compute: () => Tensor) {
  const { run } = yield* Tensors.Tensors
  const tensor = yield* run(compute)
  const data = Array.from(tensor.dataSync())
  yield* Tensors.dispose(tensor)
  return data
})

/** The derivatives of the sum of a loss. */
const derivative = Effect.fnUntraced(function* (loss: (x: Tensor) => Tensor, ...x: ReadonlyArray<number>) {
  const gradient = yield* grad((x: Tensor) => tf.sum(loss(x)))(Float32Array.from(x))
  const data = Array.from(gradient.dataSync())
  yield* Tensors.dispose(gradient)
  return data
})

const close = (found: ReadonlyArray<number>, expected: ReadonlyArray<number>, tolerance = 1e-5): void => {
  assert.strictEqual(found.length, expected.length)
  found.forEach((x, index) => assert.closeTo(x, expected[index] ?? Number.NaN, tolerance, `at ${index}`))
}

const ints = (...values: ReadonlyArray<number>): Tensor => tf.tensor1d([...values], "int32")

// --- laws --------------------------------------------------------------------------------------------------------

/** What a loss can be differentiated with respect to, other than its first argument, which the golden numbers try. */
const furtherArguments = (record: CallRecord): ReadonlyArray<number> =>
  record.extra.grad_of_sum === undefined || /sparsemax|ranking|hinge|perceptron|kl_divergence$/.test(record.name)
    ? []
    : Object.keys(record.args).flatMap((name, position) =>
        position > 0 && !/labels|padding/i.test(name) ? [position] : []
      )

const differentiable = samples.flatMap((record) => furtherArguments(record).map((position) => ({ record, position })))

/** (f(x + h) − f(x − h)) / 2h in each element; in float32 that is good for three digits. */
const differences = (record: CallRecord, position: number): ReadonlyArray<number> => {
  const h = 1 / 64
  const x = callOf(record).tensors[position] ?? assert.fail("no such argument")
  const data = Array.from(x.dataSync())
  const at = (index: number, shift: number): number => {
    const moved = tf.tensor(data.with(index, (data[index] ?? 0) + shift), x.shape)
    return totalWith(record, position, moved).dataSync()[0] ?? Number.NaN
  }
  return data.map((_, index) => (at(index, h) - at(index, -h)) / (2 * h))
}

const logits = fc.array(
  fc.integer({ min: -80, max: 80 }).map((n) => n / 8),
  { minLength: 4, maxLength: 4 }
)

const label = fc.integer({ min: 0, max: 3 })

const weights = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 4, maxLength: 4 })

const distribution = weights.map((weights) => {
  const positive = weights.map((weight) => weight + 1)
  const total = positive.reduce((sum, weight) => sum + weight, 0)
  return positive.map((weight) => weight / total)
})

/** −log of the probability that frames read as the labels, from all ways to read them. */
const everyAlignment = (logP: ReadonlyArray<ReadonlyArray<number>>, labels: ReadonlyArray<number>): number => {
  const read = (path: ReadonlyArray<number>): string =>
    path.filter((id, frame) => id !== 0 && id !== path[frame - 1]).join()
  const paths = logP.reduce<ReadonlyArray<ReadonlyArray<number>>>(
    (paths, frame) => paths.flatMap((path) => frame.map((_, id) => [...path, id])),
    [[]]
  )
  const total = paths
    .filter((path) => read(path) === labels.join())
    .reduce((sum, path) => sum + Math.exp(path.reduce((log, id, frame) => log + (logP[frame]?.[id] ?? 0), 0)), 0)
  return -Math.log(total)
}

const logSoftmaxOf = (x: ReadonlyArray<number>): ReadonlyArray<number> => {
  const peak = Math.max(...x)
  const total = Math.log(x.reduce((sum, one) => sum + Math.exp(one - peak), 0))
  return x.map((one) => one - peak - total)
}

const sequence = fc.record({
  frames: fc.array(
    fc.array(
      fc.integer({ min: -16, max: 16 }).map((n) => n / 4),
      { minLength: 3, maxLength: 3 }
    ),
    {
      minLength: 3,
      maxLength: 4
    }
  ),
  labels: fc.constantFrom([1], [2], [1, 2], [1, 1], [2, 1])
})

for (const backend of backends) {
  layer(backend.layer)(`laws on ${backend.name}`, (it) => {
    for (const { position, record } of differentiable) {
      const name = Object.keys(record.args)[position] ?? ""
      it.effect(`the derivative of ${record.name} with respect to ${name} is its central difference`, () =>
        Effect.gen(function* () {
          const { run } = yield* Tensors.Tensors
          const x = yield* run(() => callOf(record).tensors[position] ?? assert.fail("no such argument"))
          const found = yield* grad((x: Tensor) => totalWith(record, position, x))(x)
          const expected = yield* run(() => differences(record, position))
          const scale = Math.max(1, ...expected.map(Math.abs))
          close(Array.from(found.dataSync()), expected, 4e-3 * scale)
        })
      )
    }

    for (const record of samples) {
      it.effect(`${record.name} of a NaN is NaN, wherever it is`, () =>
        Effect.gen(function* () {
          const { run } = yield* Tensors.Tensors
          const found = yield* run(() => {
            const { run, tensors } = callOf(record)
            const [first = assert.fail("every loss has an argument")] = tensors
            const data = Array.from(first.dataSync())
            // Frames that pad are not looked at.
            const positions = record.name.startsWith("ctc") ? [0] : data.map((_, index) => index)
            return positions.map(
              (index) => run(tensors.with(0, tf.tensor(data.with(index, Number.NaN), first.shape)))[0]
            )
          })
          for (const [index, tensor] of found.entries())
            assert.isTrue(tensor?.dataSync().some(Number.isNaN), `a NaN at ${index}`)
          yield* Tensors.dispose(found)
        })
      )
    }

    it.effect("softmax cross entropy does not see what is added to all logits", () =>
      forAll(fc.tuple(logits, label), ([x, y]) =>
        Effect.gen(function* () {
          const loss = (shift: number) => () =>
            Losses.softmaxCrossEntropyWithIntegerLabels(tf.tensor2d([x.map((one) => one + shift)]), ints(y))
          close(yield* numbers(loss(0)), yield* numbers(loss(512)), 1e-6)
        })
      )
    )

    it.effect("cross entropies of distributions, of classes and of one class against all agree", () =>
      forAll(fc.tuple(logits, label), ([x, y]) =>
        Effect.gen(function* () {
          const all = yield* numbers(() => {
            const [row, oneHot] = [tf.tensor1d(x), tf.oneHot(y, 4)]
            return tf.stack([
              Losses.softmaxCrossEntropyWithIntegerLabels(row, tf.scalar(y, "int32")),
              Losses.softmaxCrossEntropy(row, oneHot),
              Losses.safeSoftmaxCrossEntropy(row, oneHot),
              Losses.polyLossCrossEntropy(row, oneHot, { epsilon: 0 }),
              Losses.rankingSoftmaxLoss(row, oneHot),
              Losses.klDivergence(tf.logSoftmax(row), tf.cast(oneHot, "float32"))
            ])
          })
          close(
            all,
            all.map(() => all[0] ?? Number.NaN),
            1e-5
          )
        })
      )
    )

    it.effect("an axis is an axis: transposed logits along the first are logits along the last", () =>
      forAll(fc.tuple(logits, logits, distribution, distribution), ([a, b, s, t]) =>
        Effect.gen(function* () {
          for (const loss of [
            Losses.softmaxCrossEntropy,
            Losses.klDivergence,
            Losses.cosineSimilarity,
            Losses.tripletMarginLoss
          ]) {
            const call = loss as (...args: ReadonlyArray<unknown>) => Tensor
            const [last, first] = [0, 1].map((turn) => () => {
              const turned = (rows: Array<Array<number>>): Tensor =>
                turn === 0 ? tf.tensor2d(rows) : tf.transpose(tf.tensor2d(rows))
              const args = [
                turned([a, b]),
                turned([[...s], [...t]]),
                ...(loss === Losses.tripletMarginLoss ? [turned([b, a])] : [])
              ]
              return call(...args, turn === 0 ? {} : { axis: 0 })
            })
            if (last !== undefined && first !== undefined) close(yield* numbers(last), yield* numbers(first))
          }
        })
      )
    )

    it.effect("a class that takes no part might as well not be there", () =>
      forAll(fc.tuple(logits, distribution), ([x, y]) =>
        Effect.gen(function* () {
          const where = () => tf.tensor1d([1, 1, 1, 0], "bool")
          const three = (values: ReadonlyArray<number>): Tensor => tf.tensor1d(values.slice(0, 3))
          const four = (values: ReadonlyArray<number>): Tensor => tf.tensor1d([...values])
          for (const loss of [
            Losses.softmaxCrossEntropy,
            Losses.polyLossCrossEntropy,
            Losses.klDivergence,
            Losses.cosineSimilarity
          ]) {
            close(
              yield* numbers(() => loss(four(x), four(y), { where: where() })),
              yield* numbers(() => loss(three(x), three(y)))
            )
          }
        })
      )
    )

    it.effect("divergences are 0 of equals and never negative", () =>
      forAll(fc.tuple(distribution, distribution), ([p, q]) =>
        Effect.gen(function* () {
          const [log, t] = [() => tf.log(tf.tensor1d(p)), () => tf.tensor1d(q)]
          close(yield* numbers(() => Losses.klDivergence(log(), tf.tensor1d(p))), [0], 1e-6)
          for (const found of [
            yield* numbers(() => Losses.klDivergence(log(), t())),
            yield* numbers(() => Losses.klDivergenceWithLogTargets(log(), tf.log(t()))),
            yield* numbers(() => Losses.generalizedKlDivergence(log(), t()))
          ])
            assert.isAtLeast(found[0] ?? -1, -1e-6)
        })
      )
    )

    it.effect("the multiclass sparsemax loss of two classes is the binary one of their difference", () =>
      forAll(fc.tuple(logits, label), ([[a = 0, b = 0], y]) =>
        Effect.gen(function* () {
          const labels = () => ints(y % 2)
          close(
            yield* numbers(() => Losses.multiclassSparsemaxLoss(tf.tensor2d([[0, a - b]]), labels())),
            yield* numbers(() => Losses.sparsemaxLoss(tf.tensor1d([a - b]), labels()))
          )
        })
      )
    )

    it.effect("the CTC loss counts every alignment", () =>
      forAll(sequence, ({ frames, labels }) =>
        Effect.gen(function* () {
          const [found = Number.NaN] = yield* numbers(() => {
            const padded = tf.tensor3d([[...frames, [9, 9, 9]]])
            const padding = tf.tensor2d([[...frames.map(() => 0), 1]])
            return Losses.ctcLoss(
              padded,
              padding,
              tf.tensor2d([[...labels, -1]], undefined, "int32"),
              tf.tensor2d([[...labels.map(() => 0), 1]])
            )
          })
          const expected = everyAlignment(frames.map(logSoftmaxOf), labels)
          if (expected < 1e3) assert.closeTo(found, expected, 1e-4)
          else assert.isAbove(found, 9e4)
        })
      )
    )

    it.effect(
      "the CTC loss on the host and the one for devices agree, in what they read and in their derivatives",
      () =>
        forAll(sequence, ({ frames, labels }) =>
          Effect.gen(function* () {
            const reading = (read: (batch: Batch) => Reading) => (logP: Tensor) => {
              const [padding, labelPadding] = [
                [...frames.map(() => 0), 1],
                [...labels.map(() => 0), 1]
              ]
              return read({
                logP: tf.reshape(logP, [1, frames.length + 1, 3]),
                logitPaddings: tf.tensor2d([padding]),
                labels: tf.tensor2d([[...labels, 0]], undefined, "int32"),
                labelPaddings: tf.tensor2d([labelPadding]),
                blankId: 0,
                logEpsilon: -1e3
              })
            }
            const x = [...frames, [1, 2, 3]].flatMap(logSoftmaxOf)
            const [host, device] = [reading(onHost), reading(onDevice)]
            const all = (read: typeof host) => () => {
              const { loss, probabilities } = read(tf.tensor1d(x))
              const { blank, label } = probabilities()
              return tf.concat([loss, tf.reshape(blank, [-1]), tf.reshape(label, [-1])])
            }
            close(yield* numbers(all(device)), yield* numbers(all(host)), 1e-3)
            close(yield* derivative((x) => device(x).loss, ...x), yield* derivative((x) => host(x).loss, ...x), 1e-5)
          })
        )
    )

    it.effect("the simplex by a sort on a device is the one by a sort on the host", () =>
      forAll(fc.tuple(logits, logits), (rows) =>
        Effect.gen(function* () {
          const projected = yield* numbers(() => simplex(tf.tensor2d(rows)))
          const onDevice = yield* numbers(() => {
            const x = tf.tensor2d(rows)
            return tf.relu(tf.sub(x, thresholdsOnDevice(x)))
          })
          close(onDevice, projected)
        })
      )
    )

    it.effect("derivatives have derivatives", () =>
      Effect.gen(function* () {
        const second = (loss: (x: Tensor) => Tensor, ...x: ReadonlyArray<number>) =>
          numbers(() => tf.grad((x) => tf.sum(tf.grad(loss)(x)))(tf.tensor1d([...x])))
        const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
        close(yield* second((x) => Losses.logCosh(x), 0.5, -2), [1 - Math.tanh(0.5) ** 2, 1 - Math.tanh(2) ** 2])
        close(
          yield* second((x) => Losses.sigmoidBinaryCrossEntropy(x, tf.tensor1d([1, 0])), 0.5, -2),
          [0.5, -2].map((x) => sigmoid(x) * (1 - sigmoid(x)))
        )
        // Σ_j of each row of the Hessian diag(p) − p·pᵀ, weighted by (1, 2, 3)
        const [a = 0, b = 0, c = 0] = logSoftmaxOf([1, 2, -1]).map(Math.exp)
        const mean = a + 2 * b + 3 * c
        const weighted = (x: Tensor): Tensor =>
          tf.sum(tf.mul(tf.grad((x) => Losses.softmaxCrossEntropy(x, tf.tensor1d([1, 0, 0])))(x), [1, 2, 3]))
        close(yield* numbers(() => tf.grad(weighted)(tf.tensor1d([1, 2, -1]))), [
          a * (1 - mean),
          b * (2 - mean),
          c * (3 - mean)
        ])
      })
    )
  })

  // --- cases -----------------------------------------------------------------------------------------------------

  layer(backend.layer)(`cases on ${backend.name}`, (it) => {
    it.effect("at a corner the derivative is the mean of both sides", () =>
      Effect.gen(function* () {
        const one = () => tf.onesLike(tf.tensor1d([0]))
        assert.deepStrictEqual(yield* derivative((x) => Losses.perceptronLoss(x, one()), 0), [-0.5])
        assert.deepStrictEqual(yield* derivative((x) => Losses.hingeLoss(x, one()), 1), [-0.5])
        assert.deepStrictEqual(yield* derivative((x) => Losses.sigmoidBinaryCrossEntropy(x, one()), 0), [-0.5])
        assert.deepStrictEqual(yield* derivative((x) => Losses.huberLoss(x), 0, 1, -1), [0, 1, -1])
        assert.deepStrictEqual(yield* derivative((x) => Losses.sigmoidFocalLoss(x, one(), { gamma: 0 }), 0), [-0.5])
      })
    )

    it.effect("classes that tie share the derivative", () =>
      Effect.gen(function* () {
        const label = () => tf.scalar(1, "int32")
        const quarter = [0.25, 0.25 - 1, 0.25, 0.25]
        assert.deepStrictEqual(
          yield* derivative((x) => Losses.multiclassPerceptronLoss(x, label()), 0, 0, 0, 0),
          quarter
        )
        close(yield* derivative((x) => Losses.multiclassHingeLoss(x, label()), 0, 0, 0, 0), [1 / 3, -1, 1 / 3, 1 / 3])
        assert.deepStrictEqual(
          yield* derivative((x) => Losses.multiclassSparsemaxLoss(x, label()), 0, 0, 0, 0),
          quarter
        )
        assert.deepStrictEqual(
          yield* derivative((x) => Losses.softmaxCrossEntropyWithIntegerLabels(x, label()), 0, 0, 0, 0),
          quarter
        )
      })
    )

    it.effect("far out, values and derivatives are what they tend to", () =>
      Effect.gen(function* () {
        const far = 3e38
        const labels = () => tf.tensor1d([1, 1])
        assert.deepStrictEqual(
          yield* numbers(() => Losses.sigmoidBinaryCrossEntropy(tf.tensor1d([far, -far]), labels())),
          [0, Math.fround(far)]
        )
        close(yield* derivative((x) => Losses.sigmoidBinaryCrossEntropy(x, labels()), far, -far), [0, -1], 0)
        for (const gamma of [0.5, 2])
          assert.deepStrictEqual(
            (yield* derivative((x) => Losses.sigmoidFocalLoss(x, labels(), { gamma }), 200, -200)).map((x) => x + 0),
            [0, -1]
          )
        assert.deepStrictEqual(yield* derivative((x) => Losses.logCosh(x), far, -far), [1, -1])
        assert.deepStrictEqual(yield* derivative((x) => Losses.huberLoss(x), far, -far), [1, -1])
        assert.deepStrictEqual(
          yield* derivative((x) => Losses.softmaxCrossEntropyWithIntegerLabels(x, tf.scalar(0, "int32")), 0, far),
          [-1, 1]
        )
        assert.deepStrictEqual(yield* derivative((x) => Losses.sparsemaxLoss(x, tf.zeros([2])), far, -far), [1, 0])
      })
    )

    it.effect("where almost nothing is left, digits are kept", () =>
      Effect.gen(function* () {
        const [small = 0] = yield* numbers(() => Losses.logCosh(tf.tensor1d([1e-4])))
        assert.closeTo(small / 5e-9, 1, 1e-6)
        const [sure = 0] = yield* numbers(() => Losses.sigmoidBinaryCrossEntropy(tf.tensor1d([20]), tf.tensor1d([1])))
        assert.closeTo(sure / Math.log1p(Math.exp(-20)), 1, 1e-6)
        const [large = 0] = yield* numbers(() =>
          Losses.softmaxCrossEntropyWithIntegerLabels(tf.tensor1d([1e6, 1e6 + 1]), tf.scalar(1, "int32"))
        )
        assert.closeTo(large, Math.log1p(Math.exp(-1)), 1e-6)
      })
    )

    it.effect("logits of −∞ are classes that are not there, where labels allow it", () =>
      Effect.gen(function* () {
        const x = [1, Number.NEGATIVE_INFINITY, 1]
        const loss = (x: Tensor): Tensor => Losses.softmaxCrossEntropyWithIntegerLabels(x, tf.scalar(0, "int32"))
        close(yield* numbers(() => loss(tf.tensor1d(x))), [Math.LN2])
        close(yield* derivative(loss, ...x), [-0.5, 0, 0.5])
        const safe = (x: Tensor): Tensor => Losses.safeSoftmaxCrossEntropy(x, tf.tensor1d([1, 0, 0]))
        close(yield* derivative(safe, ...x), [-0.5, 0, 0.5])
        assert.deepStrictEqual(yield* numbers(() => loss(tf.tensor1d([Number.NEGATIVE_INFINITY, 0, 0]))), [
          Number.POSITIVE_INFINITY
        ])
      })
    )

    it.effect("lists and examples that take no part have loss 0 and derivative 0", () =>
      Effect.gen(function* () {
        const where = () =>
          tf.tensor2d(
            [
              [1, 1],
              [0, 0]
            ],
            [2, 2],
            "bool"
          )
        const rows = (x: Tensor): Tensor => tf.reshape(x, [2, 2])
        const labels = () =>
          tf.tensor2d([
            [1, 0],
            [1, 0]
          ])
        const losses = {
          softmax: (x: Tensor) => Losses.softmaxCrossEntropy(rows(x), labels(), { where: where() }),
          ofExamples: (x: Tensor) =>
            Losses.softmaxCrossEntropy(rows(x), labels(), { where: tf.tensor1d([1, 0], "bool") }),
          integer: (x: Tensor) => Losses.softmaxCrossEntropyWithIntegerLabels(rows(x), ints(0, 0), { where: where() }),
          poly: (x: Tensor) =>
            tf.sub(Losses.polyLossCrossEntropy(rows(x), labels(), { where: where(), epsilon: 1e-9 }), 0),
          ranking: (x: Tensor) => Losses.rankingSoftmaxLoss(rows(x), labels(), { where: where(), reduceFn: null })
        }
        for (const loss of Object.values(losses)) {
          close(yield* numbers(() => loss(tf.tensor1d([0, 0, 3, 4]))), [Math.LN2, 0])
          close(yield* derivative(loss, 0, 0, 3, 4), [-0.5, 0.5, 0, 0])
        }
        const none = (x: Tensor): Tensor =>
          Losses.rankingSoftmaxLoss(rows(x), labels(), { where: tf.zeros([2, 2], "bool") })
        assert.deepStrictEqual(yield* numbers(() => none(tf.tensor1d([0, 0, 3, 4]))), [0])
        assert.deepStrictEqual((yield* derivative(none, 0, 0, 3, 4)).map(Math.abs), [0, 0, 0, 0])
      })
    )

    it.effect("what takes no part may be NaN or −∞: there is nothing of it in values and derivatives", () =>
      Effect.gen(function* () {
        const where = () => tf.tensor2d([[1, 1, 0]], [1, 3], "bool")
        const labels = () => tf.tensor2d([[1, 0, 0]])
        const row = (x: Tensor): Tensor => tf.reshape(x, [1, 3])
        const losses: ReadonlyArray<(x: Tensor) => Tensor> = [
          (x) => Losses.softmaxCrossEntropy(row(x), labels(), { where: where() }),
          (x) => Losses.softmaxCrossEntropyWithIntegerLabels(row(x), ints(0), { where: where() }),
          (x) => Losses.polyLossCrossEntropy(row(x), labels(), { where: where() }),
          (x) => Losses.rankingSoftmaxLoss(row(x), labels(), { where: where() }),
          (x) => Losses.klDivergence(row(x), labels(), { where: where() }),
          (x) => Losses.generalizedKlDivergence(row(x), labels(), { where: where() }),
          (x) => Losses.cosineSimilarity(row(x), labels(), { where: where() }),
          (x) => {
            const rows = tf.tile(tf.reshape(x, [3, 1]), [1, 2])
            const labels = tf.tensor2d([
              [1, 0],
              [1, 0],
              [1, 0]
            ])
            return Losses.softmaxCrossEntropy(rows, labels, { where: tf.tensor1d([1, 1, 0], "bool") })
          }
        ]
        for (const loss of losses) {
          const expected = yield* numbers(() => loss(tf.tensor1d([1, 2, 0])))
          const slopes = yield* derivative(loss, 1, 2, 0)
          for (const hidden of [Number.NaN, Number.NEGATIVE_INFINITY]) {
            assert.deepStrictEqual(yield* numbers(() => loss(tf.tensor1d([1, 2, hidden]))), expected)
            close(yield* derivative(loss, 1, 2, hidden), slopes, 0)
          }
        }
      })
    )

    it.effect("a mask may be computed from what is differentiated", () =>
      Effect.gen(function* () {
        const labels = () => tf.tensor1d([1, 0, 0])
        const loss = (x: Tensor): Tensor => Losses.softmaxCrossEntropy(x, labels(), { where: tf.greater(x, -1) })
        close(yield* derivative(loss, 0, 0, -2), [-0.5, 0.5, 0])
        const smooth = (x: Tensor): Tensor => Losses.smoothLabels(x, 0.5, { where: tf.greater(x, -1) })
        close(yield* derivative(smooth, 0, 0, -2), [0.5, 0.5, 0.5])
      })
    )

    it.effect("divergences can be differentiated with respect to their targets, those that are 0 among them", () =>
      Effect.gen(function* () {
        const logP = () => tf.log(tf.tensor1d([0.25, 0.5, 0.25]))
        const slope = (t: number, p: number): number => Math.log(t) - Math.log(p) + 1
        const found = yield* derivative((t) => Losses.klDivergence(logP(), t), 0.5, 0.25, 0)
        close(found, [slope(0.5, 0.25), slope(0.25, 0.5), -Math.log(0.25)])
      })
    )

    it.effect("no examples have no losses", () =>
      Effect.gen(function* () {
        const none = () => tf.zeros([0, 3])
        assert.deepStrictEqual(yield* numbers(() => Losses.squaredError(none(), none())), [])
        assert.deepStrictEqual(yield* numbers(() => Losses.softmaxCrossEntropy(none(), none())), [])
        assert.deepStrictEqual(
          yield* numbers(() => Losses.softmaxCrossEntropy(tf.zeros([3, 0]), tf.zeros([3, 0]), { axis: 0 })),
          []
        )
        assert.deepStrictEqual(yield* numbers(() => Losses.softmaxCrossEntropyWithIntegerLabels(none(), ints())), [])
        assert.deepStrictEqual(yield* numbers(() => Losses.multiclassSparsemaxLoss(none(), ints())), [])
        assert.deepStrictEqual(yield* numbers(() => Losses.multiclassHingeLoss(none(), ints())), [])
      })
    )

    it.effect("labels may be int32 or bool where they are numbers", () =>
      Effect.gen(function* () {
        const expected = yield* numbers(() =>
          Losses.sigmoidBinaryCrossEntropy(tf.tensor1d([1, 2]), tf.tensor1d([1, 0]))
        )
        for (const dtype of ["int32", "bool"] as const)
          assert.deepStrictEqual(
            yield* numbers(() => Losses.sigmoidBinaryCrossEntropy(tf.tensor1d([1, 2]), tf.tensor1d([1, 0], dtype))),
            expected
          )
      })
    )

    it.effect("a flat label of several axes counts them in the order given", () =>
      Effect.gen(function* () {
        const logits = () => tf.reshape(tf.range(0, 12), [1, 3, 4])
        const loss = (label: number, axis: ReadonlyArray<number>) =>
          numbers(() => Losses.softmaxCrossEntropyWithIntegerLabels(logits(), ints(label), { axis }))
        // row 1, column 2: 1·4 + 2 in this order, 2·3 + 1 in the other
        close(yield* loss(6, [1, 2]), yield* loss(7, [2, 1]))
      })
    )

    it.effect("all records leave their arguments as they were", () =>
      Effect.gen(function* () {
        const { run } = yield* Tensors.Tensors
        yield* run(() => {
          for (const record of records) {
            const { run, tensors } = callOf(record)
            const before = tensors.map((tensor) => Array.from(tensor.dataSync()))
            run(tensors)
            assert.deepStrictEqual(
              tensors.map((tensor) => Array.from(tensor.dataSync())),
              before
            )
          }
        })
      })
    )
  })
}
