/**
 * Losses: how wrong predictions are, as differentiable functions of tensors.
 *
 * All of Optax, under its names. A loss takes tensors of tfjs and gives one, mostly a number per example, to be averaged
 * with `mean` of tfjs: what is reduced already says so. It runs on tfjs' current backend, which within
 * `Autodiff.valueAndGrad` and `Tensors.run` is the layer's. Everything made on the way is released.
 *
 * Losses are plain functions and throw tagged errors; thrown within `valueAndGrad` they are the `cause` of its
 * `LossFailed`. Labels may be of any dtype where they are numbers, and are int32 where they are classes. Class ids are
 * looked at on backends whose memory can be read without waiting (wasm, cpu); elsewhere they are trusted.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { mean, type Tensor, tensor1d } from "@tensorflow/tfjs-core"
 * import { Autodiff, Losses } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const loss = ({ logits }: { readonly logits: Tensor }): Tensor =>
 *   mean(Losses.sigmoidBinaryCrossEntropy(logits, tensor1d([1, 0])))
 * const program = Autodiff.valueAndGrad(loss)({ logits: Float32Array.of(0, 0) })
 * const { grads, value } = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.strictEqual(value, Math.fround(Math.log(2)))
 * assert.deepStrictEqual(Array.from(grads.logits.dataSync()), [-0.25, 0.25]) // (σ(x) − y) / 2
 * ```
 */
export type { Axes } from "./internal/losses/axes.ts"
export { sigmoidBinaryCrossEntropy, sigmoidFocalLoss, type SigmoidFocalLossOptions } from "./internal/losses/binary.ts"
export {
  ntxent,
  type NtxentOptions,
  tripletMarginLoss,
  type TripletMarginLossOptions
} from "./internal/losses/contrastive.ts"
export { cosineDistance, type CosineOptions, cosineSimilarity } from "./internal/losses/cosine.ts"
export { ctcLoss, type CtcLossOptions, ctcLossWithForwardProbs } from "./internal/losses/ctc.ts"
export {
  binaryDiceLoss,
  type BinaryDiceLossOptions,
  diceLoss,
  type DiceLossOptions,
  type GeneralizedDiceLossOptions,
  multiclassGeneralizedDiceLoss
} from "./internal/losses/dice.ts"
export { makeFenchelYoungLoss } from "./internal/losses/fenchelYoung.ts"
export {
  convexKlDivergence,
  type DivergenceOptions,
  generalizedKlDivergence,
  klDivergence,
  klDivergenceWithLogTargets
} from "./internal/losses/klDivergence.ts"
export { hingeLoss, multiclassHingeLoss, multiclassPerceptronLoss, perceptronLoss } from "./internal/losses/margin.ts"
export { rankingSoftmaxLoss, type RankingSoftmaxLossOptions } from "./internal/losses/ranking.ts"
export { huberLoss, type HuberLossOptions, logCosh } from "./internal/losses/robust.ts"
export { smoothLabels, type SmoothLabelsOptions } from "./internal/losses/smoothLabels.ts"
export {
  type CrossEntropyOptions,
  polyLossCrossEntropy,
  type PolyLossOptions,
  safeSoftmaxCrossEntropy,
  softmaxCrossEntropy,
  softmaxCrossEntropyWithIntegerLabels
} from "./internal/losses/softmaxCrossEntropy.ts"
export { multiclassSparsemaxLoss, sparsemaxLoss } from "./internal/losses/sparsemax.ts"
export { l2Loss, squaredError } from "./internal/losses/squaredError.ts"
