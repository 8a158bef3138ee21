/**
 * All optimizers by name: what each can be made with, and the step size that suits the model of this program.
 */
import { Optimizer, Transform } from "@optim/core"
import { choice, flag, leaves, number, numberOrNull, rate, required } from "./field.ts"
import { alias, type AnyOptimizer, type AnyTransform, part, type Row, seed, wrapper } from "./row.ts"

const mass = 0.9

/** The nine of `jax.example_libraries`. */
export const seeds = {
  sgd: seed(Optimizer.sgd, 0.5, { stepSize: rate }),
  momentum: seed(
    (options: Partial<Optimizer.MomentumOptions> & Optimizer.SgdOptions) => Optimizer.momentum({ mass, ...options }),
    0.1,
    { stepSize: rate, mass: number }
  ),
  nesterov: seed(
    (options: Partial<Optimizer.NesterovOptions> & Optimizer.SgdOptions) => Optimizer.nesterov({ mass, ...options }),
    0.1,
    { stepSize: rate, mass: number }
  ),
  adagrad: seed(Optimizer.adagrad, 0.1, { stepSize: rate, momentum: number }),
  rmsprop: seed(Optimizer.rmsprop, 0.003, { stepSize: rate, gamma: number, eps: number }),
  rmspropMomentum: seed(Optimizer.rmspropMomentum, 0.001, {
    stepSize: rate,
    gamma: number,
    eps: number,
    momentum: number
  }),
  adam: seed(Optimizer.adam, 0.003, { stepSize: rate, b1: number, b2: number, eps: number }),
  adamax: seed(Optimizer.adamax, 0.01, { stepSize: rate, b1: number, b2: number, eps: number }),
  sm3: seed(Optimizer.sm3, 0.1, { stepSize: rate, momentum: number })
} satisfies { readonly [name: string]: Row<AnyOptimizer> }

const betas = { b1: number, b2: number, eps: number }

const moments = { ...betas, epsRoot: number, nesterov: flag }

const decay = { weightDecay: rate, mask: leaves }

const rms = { decay: number, eps: number, initialScale: number, epsInSqrt: flag, biasCorrection: flag }

const factor = { minScale: number }

const noise = { eta: number, gamma: number, key: number }

const polyak = { fMin: number, maxLearningRate: number, eps: number, variant: choice("sps", "sps+") }

/** The finished optimizers of Optax. */
export const aliases = {
  adabelief: alias(Transform.adabelief, 0.005, {
    learningRate: rate,
    ...moments,
    weightDecay: rate,
    weightDecayMask: leaves
  }),
  adadelta: alias((options: Transform.AdadeltaOptions) => Transform.adadelta(options), 3, {
    learningRate: rate,
    rho: number,
    eps: number,
    weightDecay: rate,
    weightDecayMask: leaves
  }),
  adafactor: alias((options: Transform.AdafactorOptions) => Transform.adafactor(options), 0.03, {
    learningRate: rate,
    minDimSizeToFactor: number,
    decayRate: number,
    decayOffset: number,
    multiplyByParameterScale: flag,
    clippingThreshold: numberOrNull,
    momentum: number,
    weightDecayRate: rate,
    weightDecayMask: leaves,
    eps: number,
    factored: flag
  }),
  adagrad: alias(Transform.adagrad, 0.2, { learningRate: rate, initialAccumulatorValue: number, eps: number }),
  adam: alias(Transform.adam, 0.005, { learningRate: rate, ...moments }),
  adamax: alias(Transform.adamax, 0.02, { learningRate: rate, ...betas }),
  adamaxw: alias(Transform.adamaxw, 0.02, { learningRate: rate, ...betas, ...decay }),
  adamw: alias(Transform.adamw, 0.005, { learningRate: rate, ...moments, ...decay }),
  adan: alias(Transform.adan, 0.01, { learningRate: rate, ...betas, b3: number, epsRoot: number, ...decay }),
  amsgrad: alias(Transform.amsgrad, 0.01, {
    learningRate: rate,
    ...betas,
    epsRoot: number,
    biasCorrectionMu: flag,
    biasCorrectionNu: flag
  }),
  fromage: alias(Transform.fromage, 0.03, { learningRate: rate, minNorm: number }),
  lamb: alias(Transform.lamb, 0.005, { learningRate: rate, ...betas, epsRoot: number, ...decay }),
  lars: alias(Transform.lars, 2, {
    learningRate: rate,
    weightDecay: rate,
    weightDecayMask: leaves,
    trustCoefficient: number,
    eps: number,
    trustRatioMask: leaves,
    momentum: number,
    nesterov: flag
  }),
  lion: alias(Transform.lion, 0.001, { learningRate: rate, b1: number, b2: number, ...decay }),
  nadam: alias(Transform.nadam, 0.005, { learningRate: rate, ...betas, epsRoot: number }),
  nadamw: alias(Transform.nadamw, 0.005, { learningRate: rate, ...betas, epsRoot: number, ...decay }),
  noisySgd: alias(Transform.noisySgd, 0.5, { learningRate: rate, ...noise }),
  novograd: alias(Transform.novograd, 0.03, { learningRate: rate, ...betas, epsRoot: number, weightDecay: number }),
  optimisticAdam: alias(Transform.optimisticAdam, 0.005, { learningRate: number, optimism: number, ...moments }),
  optimisticAdamV2: alias(Transform.optimisticAdamV2, 0.005, {
    learningRate: rate,
    alpha: number,
    beta: number,
    ...moments
  }),
  optimisticGradientDescent: alias(Transform.optimisticGradientDescent, 0.5, {
    learningRate: rate,
    alpha: number,
    beta: number
  }),
  polyakSgd: part(Transform.polyakSgd, { scaling: rate, ...polyak }, { field: "scaling", stepSize: 1 }),
  radam: alias(Transform.radam, 0.02, { learningRate: rate, ...moments, threshold: number }),
  rmsprop: alias(Transform.rmsprop, 0.005, {
    learningRate: rate,
    ...rms,
    centered: flag,
    momentum: number,
    nesterov: flag
  }),
  rprop: alias(Transform.rprop, 0.01, {
    learningRate: number,
    etaMinus: number,
    etaPlus: number,
    minStepSize: number,
    maxStepSize: number,
    delayed: flag
  }),
  sgd: alias(Transform.sgd, 0.5, { learningRate: rate, momentum: number, nesterov: flag }),
  signSgd: alias(Transform.signSgd, 0.005, { learningRate: rate }),
  signum: alias(Transform.signum, 0.002, { learningRate: rate, beta: number }),
  sm3: alias(Transform.sm3, 0.2, { learningRate: rate, momentum: number }),
  yogi: alias(Transform.yogi, 0.01, { learningRate: rate, ...betas })
} satisfies { readonly [name: string]: Row<AnyTransform> }

const openRate = { field: "learningRate", stepSize: undefined }

/** What chains consist of. */
export const parts = {
  adaptiveGradClip: part(
    (options: Omit<Transform.AdaptiveGradClipOptions, "axis">) => Transform.adaptiveGradClip(options),
    { clipping: required(number), eps: number }
  ),
  addDecayedWeights: part(Transform.addDecayedWeights, decay),
  addNoise: part(Transform.addNoise, { ...noise, eta: required(number), gamma: required(number) }),
  applyEvery: part(Transform.applyEvery, { k: number }),
  centralize: part(() => Transform.centralize(), {}),
  clip: part(Transform.clip, { maxDelta: required(number) }),
  clipByBlockRms: part(Transform.clipByBlockRms, { threshold: required(number) }),
  clipByGlobalNorm: part(Transform.clipByGlobalNorm, { maxNorm: required(number) }),
  ema: part(Transform.ema, { decay: required(number), debias: flag }),
  freeze: part(({ mask }: { readonly mask: Transform.Mask }) => Transform.freeze(mask), { mask: required(leaves) }),
  keepParamsNonnegative: part(() => Transform.keepParamsNonnegative(), {}),
  normalizeByUpdateNorm: part(Transform.normalizeByUpdateNorm, { scaleFactor: number, eps: number }),
  scale: part(Transform.scale, { stepSize: required(number) }),
  scaleByAdadelta: part(Transform.scaleByAdadelta, { rho: number, eps: number }),
  scaleByAdam: part(Transform.scaleByAdam, moments),
  scaleByAdamax: part(Transform.scaleByAdamax, betas),
  scaleByAdan: part(Transform.scaleByAdan, { ...betas, b3: number, epsRoot: number }),
  scaleByAmsgrad: part(Transform.scaleByAmsgrad, {
    ...betas,
    epsRoot: number,
    biasCorrectionMu: flag,
    biasCorrectionNu: flag
  }),
  scaleByBelief: part(Transform.scaleByBelief, moments),
  scaleByDistanceOverGradients: part(Transform.scaleByDistanceOverGradients, {
    repsRel: number,
    eps: number,
    globalScale: number
  }),
  scaleByFactoredRms: part(
    (options: Omit<Transform.ScaleByFactoredRmsOptions, "decayRateFn">) => Transform.scaleByFactoredRms(options),
    { factored: flag, decayRate: number, stepOffset: number, minDimSizeToFactor: number, epsilon: number }
  ),
  scaleByLearningRate: part(Transform.scaleByLearningRate, { learningRate: required(rate), flipSign: flag }, openRate),
  scaleByLion: part(Transform.scaleByLion, {
    b1: number,
    b2: number,
    mode: choice("hard", "smooth", "refined"),
    smoothBeta: number
  }),
  scaleByNovograd: part(Transform.scaleByNovograd, { ...betas, epsRoot: number, weightDecay: number }),
  scaleByOptimisticGradient: part(Transform.scaleByOptimisticGradient, { alpha: number, beta: number }),
  scaleByParamBlockNorm: part(Transform.scaleByParamBlockNorm, factor),
  scaleByParamBlockRms: part(Transform.scaleByParamBlockRms, factor),
  scaleByPolyak: part(Transform.scaleByPolyak, polyak),
  scaleByRadam: part(Transform.scaleByRadam, { ...moments, threshold: number }),
  scaleByRms: part(Transform.scaleByRms, rms),
  scaleByRprop: part(
    Transform.scaleByRprop,
    {
      learningRate: required(number),
      etaMinus: number,
      etaPlus: number,
      minStepSize: number,
      maxStepSize: number,
      delayed: flag
    },
    openRate
  ),
  scaleByRss: part(Transform.scaleByRss, { initialAccumulatorValue: number, eps: number }),
  scaleBySchedule: part(Transform.scaleBySchedule, { stepSizeFn: required(rate) }),
  scaleBySign: part(() => Transform.scaleBySign(), {}),
  scaleBySm3: part(Transform.scaleBySm3, betas),
  scaleByStddev: part(Transform.scaleByStddev, rms),
  scaleByTrustRatio: part(Transform.scaleByTrustRatio, { minNorm: number, trustCoefficient: number, eps: number }),
  scaleByYogi: part(Transform.scaleByYogi, { ...betas, epsRoot: number, initialAccumulatorValue: number }),
  trace: part(Transform.trace, { decay: required(number), nesterov: flag }),
  zeroNans: part(() => Transform.zeroNans(), {})
} satisfies { readonly [name: string]: Row<AnyTransform> }

/** What stands around chains, which are its option `inner`. */
export const wrappers = {
  applyIfFinite: wrapper(Transform.applyIfFinite, { maxConsecutiveErrors: required(number) }),
  flatten: wrapper((inner: AnyTransform) => Transform.flatten(inner), {}),
  lookahead: wrapper(Transform.lookahead, {
    syncPeriod: required(number),
    slowStepSize: required(number),
    resetState: flag
  }),
  masked: wrapper((inner: AnyTransform, { mask }: { readonly mask: Transform.Mask }) => Transform.masked(inner, mask), {
    mask: required(leaves)
  }),
  multiSteps: wrapper(
    (inner: AnyTransform, options: Omit<Transform.MultiStepsOptions<never>, "shouldSkipUpdateFn">) =>
      Transform.multiSteps(inner, options),
    { everyKSchedule: required(number), useGradMean: flag }
  )
} satisfies { readonly [name: string]: Row<AnyTransform> }
