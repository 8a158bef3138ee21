/**
 * Step-size schedules as data. Meant to be imported as one namespace: `import * as Schedules from "@optim/schedules"`.
 */
export { clamp, type ClampBounds } from "./internal/combinators/clamp.ts"
export { join, type JoinOptions } from "./internal/combinators/join.ts"
export { map } from "./internal/combinators/map.ts"
export { scale } from "./internal/combinators/scale.ts"
export type { Clamp } from "./internal/kinds/clamp.ts"
export { type Constant, constant } from "./internal/kinds/constant.ts"
export {
  type ExponentialDecay,
  exponentialDecay,
  type ExponentialDecayOptions
} from "./internal/kinds/exponentialDecay.ts"
export {
  type InverseTimeDecay,
  inverseTimeDecay,
  type InverseTimeDecayOptions
} from "./internal/kinds/inverseTimeDecay.ts"
export type { Join } from "./internal/kinds/join.ts"
export {
  type PiecewiseConstant,
  piecewiseConstant,
  type PiecewiseConstantOptions
} from "./internal/kinds/piecewiseConstant.ts"
export { type PolynomialDecay, polynomialDecay, type PolynomialDecayOptions } from "./internal/kinds/polynomialDecay.ts"
export type { Scale } from "./internal/kinds/scale.ts"
export type { Combined } from "./internal/lift.ts"
export { InvalidSchedule } from "./InvalidSchedule.ts"
export { at, isSchedule, make, type ScheduleFunction, type StepSize } from "./Schedule.ts"
export { Schedule } from "./ScheduleSchema.ts"
