/**
 * Transforms: the parts of which optimizers are composed, in the language of Optax's gradient transformations.
 *
 * A transform turns gradients into updates and remembers what it needs under names (`mu`, `nu`, `count`, …). Transforms
 * are put together (`chain`, `masked`, `partition`, …) into others; whatever comes out is traced into one program and
 * fused. Use one within an effect (`init`, `update`, `apply`), or make an optimizer of it with `Optimizer.fromTransform`.
 * Each transform is a file of its own; this module only gathers them.
 */
export { adabelief, type AdabeliefOptions } from "./internal/aliases/adam/adabelief.ts"
export { adam, type AdamOptions } from "./internal/aliases/adam/adam.ts"
export { adamax, type AdamaxOptions } from "./internal/aliases/adam/adamax.ts"
export { adamaxw, type AdamaxwOptions } from "./internal/aliases/adam/adamaxw.ts"
export { adamw, type AdamwOptions } from "./internal/aliases/adam/adamw.ts"
export { adan, type AdanOptions } from "./internal/aliases/adam/adan.ts"
export { amsgrad, type AmsgradOptions } from "./internal/aliases/adam/amsgrad.ts"
export { nadam, type NadamOptions } from "./internal/aliases/adam/nadam.ts"
export { nadamw, type NadamwOptions } from "./internal/aliases/adam/nadamw.ts"
export { novograd, type NovogradOptions } from "./internal/aliases/adam/novograd.ts"
export { radam, type RadamOptions } from "./internal/aliases/adam/radam.ts"
export { yogi, type YogiOptions } from "./internal/aliases/adam/yogi.ts"
export { adadelta, type AdadeltaOptions } from "./internal/aliases/meanSquares/adadelta.ts"
export { adagrad, type AdagradOptions } from "./internal/aliases/meanSquares/adagrad.ts"
export { rmsprop, type RmspropOptions } from "./internal/aliases/meanSquares/rmsprop.ts"
export { adafactor, type AdafactorOptions } from "./internal/aliases/norms/adafactor.ts"
export { fromage, type FromageOptions } from "./internal/aliases/norms/fromage.ts"
export { lamb, type LambOptions } from "./internal/aliases/norms/lamb.ts"
export { lars, type LarsOptions } from "./internal/aliases/norms/lars.ts"
export { polyakSgd, type PolyakSgdOptions } from "./internal/aliases/norms/polyakSgd.ts"
export { sm3, type Sm3Options } from "./internal/aliases/norms/sm3.ts"
export { optimisticAdam, type OptimisticAdamOptions } from "./internal/aliases/optimistic/optimisticAdam.ts"
export { optimisticAdamV2, type OptimisticAdamV2Options } from "./internal/aliases/optimistic/optimisticAdamV2.ts"
export {
  optimisticGradientDescent,
  type OptimisticGradientDescentOptions
} from "./internal/aliases/optimistic/optimisticGradientDescent.ts"
export { noisySgd, type NoisySgdOptions } from "./internal/aliases/noisySgd.ts"
export { sgd, type SgdOptions } from "./internal/aliases/sgd.ts"
export { lion, type LionOptions } from "./internal/aliases/signs/lion.ts"
export { rprop, type RpropOptions } from "./internal/aliases/signs/rprop.ts"
export { signSgd, type SignSgdOptions } from "./internal/aliases/signs/signSgd.ts"
export { signum, type SignumOptions } from "./internal/aliases/signs/signum.ts"

export { addDecayedWeights, type AddDecayedWeightsOptions } from "./internal/transforms/accumulate/addDecayedWeights.ts"
export { addNoise, type AddNoiseOptions } from "./internal/transforms/accumulate/addNoise.ts"
export {
  applyEvery,
  type ApplyEveryOptions,
  type ApplyEveryState
} from "./internal/transforms/accumulate/applyEvery.ts"
export { ema, type EmaOptions, type EmaState } from "./internal/transforms/accumulate/ema.ts"
export { keepParamsNonnegative } from "./internal/transforms/accumulate/keepParamsNonnegative.ts"
export { trace, type TraceOptions, type TraceState } from "./internal/transforms/accumulate/trace.ts"
export { zeroNans, type ZeroNansState } from "./internal/transforms/accumulate/zeroNans.ts"

export { centralize } from "./internal/transforms/axes/centralize.ts"
export {
  scaleByFactoredRms,
  type ScaleByFactoredRmsOptions,
  type ScaleByFactoredRmsState
} from "./internal/transforms/axes/scaleByFactoredRms.ts"
export { scaleBySm3, type ScaleBySm3Options, type ScaleBySm3State } from "./internal/transforms/axes/scaleBySm3.ts"

export {
  applyIfFinite,
  type ApplyIfFiniteOptions,
  type ApplyIfFiniteState
} from "./internal/transforms/combine/applyIfFinite.ts"
export { chain, type ChainState } from "./internal/transforms/combine/chain.ts"
export {
  type Condition,
  conditionallyMask,
  conditionallyTransform,
  type ConditionalState
} from "./internal/transforms/combine/conditionally.ts"
export { flatten, type Flattened } from "./internal/transforms/combine/flatten.ts"
export {
  freeze,
  selectiveTransform,
  type SelectiveState,
  type SelectiveTransformOptions
} from "./internal/transforms/combine/freeze.ts"
export {
  injectHyperparams,
  type InjectHyperparamsOptions,
  type InjectHyperparamsState
} from "./internal/transforms/combine/injectHyperparams.ts"
export { lookahead, type LookaheadOptions, type LookaheadState } from "./internal/transforms/combine/lookahead.ts"
export { masked, type MaskedState } from "./internal/transforms/combine/masked.ts"
export { multiSteps, type MultiStepsOptions, type MultiStepsState } from "./internal/transforms/combine/multiSteps.ts"
export { namedChain, type NamedChainState } from "./internal/transforms/combine/namedChain.ts"
export { type Groups, partition, type PartitionState } from "./internal/transforms/combine/partition.ts"
export {
  skipLargeUpdates,
  type SkipLargeUpdatesOptions,
  skipNotFinite,
  type SkipRule
} from "./internal/transforms/combine/skip.ts"
export { withExtraArgs } from "./internal/transforms/combine/withExtraArgs.ts"

export { adaptiveGradClip, type AdaptiveGradClipOptions } from "./internal/transforms/clip/adaptiveGradClip.ts"
export { clip, type ClipOptions } from "./internal/transforms/clip/clip.ts"
export { clipByBlockRms, type ClipByBlockRmsOptions } from "./internal/transforms/clip/clipByBlockRms.ts"
export { clipByGlobalNorm, type ClipByGlobalNormOptions } from "./internal/transforms/clip/clipByGlobalNorm.ts"
export {
  type ClippedByGlobalNorm,
  type ClippedByLayerNorm,
  perExampleGlobalNormClip,
  type PerExampleGlobalNormClipOptions,
  perExampleLayerNormClip,
  type PerExampleLayerNormClipOptions
} from "./internal/transforms/clip/perExample.ts"
export { unitwiseClip, unitwiseNorm, type UnitwiseNormOptions } from "./internal/transforms/clip/unitwise.ts"

export {
  type AdadeltaState,
  scaleByAdadelta,
  type ScaleByAdadeltaOptions
} from "./internal/transforms/moments/meanSquares/scaleByAdadelta.ts"
export {
  type RmsState,
  scaleByRms,
  type ScaleByRmsOptions
} from "./internal/transforms/moments/meanSquares/scaleByRms.ts"
export {
  type RssState,
  scaleByRss,
  type ScaleByRssOptions
} from "./internal/transforms/moments/meanSquares/scaleByRss.ts"
export { scaleByStddev } from "./internal/transforms/moments/meanSquares/scaleByStddev.ts"
export { type MomentsState, scaleByAdam, type ScaleByAdamOptions } from "./internal/transforms/moments/scaleByAdam.ts"
export { scaleByAdamax, type ScaleByAdamaxOptions } from "./internal/transforms/moments/scaleByAdamax.ts"
export { type AdanState, scaleByAdan, type ScaleByAdanOptions } from "./internal/transforms/moments/scaleByAdan.ts"
export {
  type AmsgradState,
  scaleByAmsgrad,
  type ScaleByAmsgradOptions
} from "./internal/transforms/moments/scaleByAmsgrad.ts"
export { scaleByBelief, type ScaleByBeliefOptions } from "./internal/transforms/moments/scaleByBelief.ts"
export { scaleByNovograd, type ScaleByNovogradOptions } from "./internal/transforms/moments/scaleByNovograd.ts"
export {
  type OptimisticGradientState,
  scaleByOptimisticGradient,
  type ScaleByOptimisticGradientOptions
} from "./internal/transforms/moments/scaleByOptimisticGradient.ts"
export { scaleByRadam, type ScaleByRadamOptions } from "./internal/transforms/moments/scaleByRadam.ts"
export { scaleByYogi, type ScaleByYogiOptions } from "./internal/transforms/moments/scaleByYogi.ts"
export {
  type LionState,
  scaleByLion,
  type ScaleByLionOptions
} from "./internal/transforms/moments/signs/scaleByLion.ts"
export {
  type RpropState,
  scaleByRprop,
  type ScaleByRpropOptions
} from "./internal/transforms/moments/signs/scaleByRprop.ts"
export { scaleBySign } from "./internal/transforms/moments/signs/scaleBySign.ts"

export type { Measure, Measured, MeasureFn } from "./internal/transforms/monitor/measure.ts"
export {
  measureWithEma,
  type MeasureWithEmaOptions,
  type MeasureWithEmaState
} from "./internal/transforms/monitor/measureWithEma.ts"
export { type Measures, monitor, type MonitorState } from "./internal/transforms/monitor/monitor.ts"
export { snapshot, type SnapshotState } from "./internal/transforms/monitor/snapshot.ts"

export {
  normalizeByUpdateNorm,
  type NormalizeByUpdateNormOptions
} from "./internal/transforms/norms/normalizeByUpdateNorm.ts"
export {
  type DistanceOverGradientsState,
  scaleByDistanceOverGradients,
  type ScaleByDistanceOverGradientsOptions
} from "./internal/transforms/norms/scaleByDistanceOverGradients.ts"
export {
  scaleByParamBlockNorm,
  type ScaleByParamBlockOptions,
  scaleByParamBlockRms
} from "./internal/transforms/norms/scaleByParamBlock.ts"
export { scaleByPolyak, type ScaleByPolyakOptions } from "./internal/transforms/norms/scaleByPolyak.ts"
export { scaleByTrustRatio, type ScaleByTrustRatioOptions } from "./internal/transforms/norms/scaleByTrustRatio.ts"

export { identity, setToZero } from "./internal/transforms/scale/identity.ts"
export { scale, type ScaleOptions } from "./internal/transforms/scale/scale.ts"
export {
  scaleByLearningRate,
  type ScaleByLearningRateOptions
} from "./internal/transforms/scale/scaleByLearningRate.ts"
export { scaleBySchedule, type ScaleByScheduleOptions } from "./internal/transforms/scale/scaleBySchedule.ts"
export { stateless, statelessWithTreeMap } from "./internal/transforms/scale/stateless.ts"

export type { Entry, Filtering } from "./internal/access/entries.ts"
export { type FilteringOptions, get, getAllWithPath, type GetOptions } from "./internal/access/get.ts"
export { mapParams, type MappedParams, type MapParamsOptions } from "./internal/access/mapParams.ts"
export { set, type Values } from "./internal/access/set.ts"
export type { Named, Names } from "./internal/access/types.ts"

export { leavesWhere, type Mask, type PerLeaf } from "./internal/transform/mask.ts"
export type { NeedsOfFn } from "./internal/transform/given.ts"
export type { Hyper, Rate } from "./internal/transform/hyper.ts"
export { applyUpdates } from "./internal/transform/applyUpdates.ts"
export {
  incrementalUpdate,
  type IncrementalUpdateOptions,
  periodicUpdate,
  type PeriodicUpdateOptions
} from "./internal/trees/incrementalUpdate.ts"
export { apply, type Applied, type Arguments, init, update, type Updated } from "./internal/transform/effects.ts"
export type { Counted, SlotLists, Stateless } from "./internal/transform/rules.ts"
export type { Any, Context, NeedsOf, Partial, State, StateOf, Step, Transform } from "./internal/transform/transform.ts"
