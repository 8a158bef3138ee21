/**
 * Step-size schedules as data. Meant to be imported as one namespace: `import * as Schedules from "@optim/schedules"`.
 */
export { clamp, type ClampBounds } from "./internal/combinators/clamp.ts"
export { join, type JoinOptions } from "./internal/combinators/join.ts"
export { map } from "./internal/combinators/map.ts"
export { scale } from "./internal/combinators/scale.ts"
export type { Clamp } from "./internal/kinds/combined/clamp.ts"
export type { Join } from "./internal/kinds/combined/join.ts"
export type { Scale } from "./internal/kinds/combined/scale.ts"
export { type Constant, constant } from "./internal/kinds/curves/constant.ts"
export {
  type CosineDecaySchedule,
  cosineDecaySchedule,
  type CosineDecayScheduleOptions
} from "./internal/kinds/curves/cosineDecaySchedule.ts"
export {
  type ExponentialDecay,
  exponentialDecay,
  type ExponentialDecayOptions
} from "./internal/kinds/curves/exponentialDecay.ts"
export {
  type InverseTimeDecay,
  inverseTimeDecay,
  type InverseTimeDecayOptions
} from "./internal/kinds/curves/inverseTimeDecay.ts"
export {
  type LinearSchedule,
  linearSchedule,
  type LinearScheduleOptions
} from "./internal/kinds/curves/linearSchedule.ts"
export {
  type PolynomialDecay,
  polynomialDecay,
  type PolynomialDecayOptions
} from "./internal/kinds/curves/polynomialDecay.ts"
export {
  type PolynomialSchedule,
  polynomialSchedule,
  type PolynomialScheduleOptions
} from "./internal/kinds/curves/polynomialSchedule.ts"
export {
  type CosineOnecycleSchedule,
  cosineOnecycleSchedule,
  type CosineOnecycleScheduleOptions
} from "./internal/kinds/piecewise/cosineOnecycleSchedule.ts"
export {
  type LinearOnecycleSchedule,
  linearOnecycleSchedule,
  type LinearOnecycleScheduleOptions
} from "./internal/kinds/piecewise/linearOnecycleSchedule.ts"
export {
  type PiecewiseConstant,
  piecewiseConstant,
  type PiecewiseConstantOptions
} from "./internal/kinds/piecewise/piecewiseConstant.ts"
export {
  type PiecewiseConstantSchedule,
  piecewiseConstantSchedule,
  type PiecewiseConstantScheduleOptions
} from "./internal/kinds/piecewise/piecewiseConstantSchedule.ts"
export {
  type PiecewiseInterpolateSchedule,
  piecewiseInterpolateSchedule,
  type PiecewiseInterpolateScheduleOptions
} from "./internal/kinds/piecewise/piecewiseInterpolateSchedule.ts"
export type { BoundariesAndScales, InterpolateType } from "./internal/kinds/piecewise/knots.ts"
export { type SgdrSchedule, sgdrSchedule, type SgdrScheduleOptions } from "./internal/kinds/warmup/sgdrSchedule.ts"
export {
  type WarmupConstantSchedule,
  warmupConstantSchedule,
  type WarmupConstantScheduleOptions
} from "./internal/kinds/warmup/warmupConstantSchedule.ts"
export {
  type WarmupCosineDecaySchedule,
  warmupCosineDecaySchedule,
  type WarmupCosineDecayScheduleOptions
} from "./internal/kinds/warmup/warmupCosineDecaySchedule.ts"
export {
  type WarmupExponentialDecaySchedule,
  warmupExponentialDecaySchedule,
  type WarmupExponentialDecayScheduleOptions
} from "./internal/kinds/warmup/warmupExponentialDecaySchedule.ts"
export type { Combined } from "./internal/lift.ts"
export { InvalidSchedule } from "./InvalidSchedule.ts"
export { at, isSchedule, make, type ScheduleFunction, type StepSize } from "./Schedule.ts"
export { Schedule } from "./ScheduleSchema.ts"
