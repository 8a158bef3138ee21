/**
 * The optimizers that are measured, one row each: the library's, tfjs' own, a loop by hand, and what all must give.
 */
import { Optimizer } from "@optim/core"
import * as tf from "@tensorflow/tfjs-core"
import { type Loop, loops } from "./contestants/javascript.ts"
import type { Some } from "./contestants/optim.ts"
import {
  b1,
  b2,
  eps,
  gamma,
  initialAccumulator,
  mass,
  momentum,
  rate,
  type Reference,
  references
} from "./reference.ts"

/** One optimizer. */
export interface Row {
  /** Arrays that it keeps beside the parameters. */
  readonly slots: number
  readonly reference: Reference
  readonly ours: Some
  readonly loop?: Loop
  readonly theirs?: { readonly make: () => tf.Optimizer; readonly reference?: Reference }
}

/** The rows by name. */
export const optimizers = {
  adam: {
    slots: 2,
    reference: references.adam,
    ours: (use) => use(Optimizer.adam({ stepSize: rate, b1, b2, eps })),
    loop: loops.adam,
    theirs: { make: () => tf.train.adam(rate, b1, b2, eps) }
  },
  sgd: {
    slots: 0,
    reference: references.sgd,
    ours: (use) => use(Optimizer.sgd({ stepSize: rate })),
    loop: loops.sgd,
    theirs: { make: () => tf.train.sgd(rate) }
  },
  momentum: {
    slots: 1,
    reference: references.momentum,
    ours: (use) => use(Optimizer.momentum({ stepSize: rate, mass })),
    loop: loops.momentum,
    theirs: { make: () => tf.train.momentum(rate, mass) }
  },
  nesterov: {
    slots: 1,
    reference: references.nesterov,
    ours: (use) => use(Optimizer.nesterov({ stepSize: rate, mass })),
    loop: loops.nesterov,
    theirs: { make: () => tf.train.momentum(rate, mass, true) }
  },
  rmsprop: {
    slots: 1,
    reference: references.rmsprop,
    ours: (use) => use(Optimizer.rmsprop({ stepSize: rate, gamma, eps })),
    loop: loops.rmsprop,
    theirs: { make: () => tf.train.rmsprop(rate, gamma, 0, eps) }
  },
  adagrad: {
    slots: 2,
    reference: references.adagrad,
    ours: (use) => use(Optimizer.adagrad({ stepSize: rate, momentum })),
    loop: loops.adagrad,
    theirs: { make: () => tf.train.adagrad(rate, initialAccumulator), reference: references.tfjsAdagrad }
  },
  adamax: {
    slots: 2,
    reference: references.adamax,
    ours: (use) => use(Optimizer.adamax({ stepSize: rate, b1, b2, eps })),
    loop: loops.adamax,
    theirs: { make: () => tf.train.adamax(rate, b1, b2, eps) }
  },
  sm3: {
    slots: 1,
    reference: references.sm3,
    ours: (use) => use(Optimizer.sm3({ stepSize: rate, momentum }))
  }
} satisfies { readonly [name: string]: Row }
