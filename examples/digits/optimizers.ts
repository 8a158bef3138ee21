/**
 * The nine optimizers by name, each with a step size that suits this model.
 */
import { Optimizer } from "@optim/core"
import type { StepSize } from "@optim/schedules"

/** An optimizer whose state is only passed on, never looked into. */
export type AnyOptimizer = Optimizer.Optimizer<unknown>

interface Entry {
  readonly make: (stepSize: StepSize) => AnyOptimizer
  readonly stepSize: number
}

/** Forgets what the state consists of: a state only ever comes back to the optimizer that made it. */
const entry = <S>(stepSize: number, make: (stepSize: StepSize) => Optimizer.Optimizer<S>): Entry => ({
  make: make as Entry["make"],
  stepSize
})

const mass = 0.9

const catalogue = {
  sgd: entry(0.5, (stepSize) => Optimizer.sgd({ stepSize })),
  momentum: entry(0.1, (stepSize) => Optimizer.momentum({ stepSize, mass })),
  nesterov: entry(0.1, (stepSize) => Optimizer.nesterov({ stepSize, mass })),
  adagrad: entry(0.1, (stepSize) => Optimizer.adagrad({ stepSize })),
  rmsprop: entry(0.003, (stepSize) => Optimizer.rmsprop({ stepSize })),
  rmspropMomentum: entry(0.001, (stepSize) => Optimizer.rmspropMomentum({ stepSize })),
  adam: entry(0.003, (stepSize) => Optimizer.adam({ stepSize })),
  adamax: entry(0.01, (stepSize) => Optimizer.adamax({ stepSize })),
  sm3: entry(0.1, (stepSize) => Optimizer.sm3({ stepSize }))
}

export type OptimizerName = keyof typeof catalogue

/** All names, in the order of the catalogue. */
export const names = Object.keys(catalogue) as ReadonlyArray<OptimizerName> // the keys of a literal are exactly its names

/** The step size that is used when none is asked for. */
export const defaultStepSize = (name: OptimizerName): number => catalogue[name].stepSize

/** The optimizer of that name. */
export const make = ({
  optimizer,
  stepSize
}: {
  readonly optimizer: OptimizerName
  readonly stepSize: StepSize
}): AnyOptimizer => catalogue[optimizer].make(stepSize)
